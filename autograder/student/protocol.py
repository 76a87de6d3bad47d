"""What crosses between the grader and a student's functions: plain data, never an object that a student made.

`check` and `grade` send a `Request` to *a student* and get a `Reply`. Nothing here needs torch, so that the process
which only carries requests and replies between rooms does not load it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from autograder.by_hand.rules import Finding

Kind = Literal["number", "none", "text", "shape", "complex", "other"]
SECONDS = 5.0
"""One request may take this long when nbgrader runs the notebook; in a student's own session there is no limit."""

ROUNDED_A_TENSOR = tuple(
    f"type {kind} doesn't define __{method}__ method"
    for kind in ("Tensor", "numpy.ndarray")
    for method in ("round", "trunc")
)
NOTHING_TO_DIFFERENTIATE = (
    "element 0 of tensors does not require grad and does not have a grad_fn",
    "One of the differentiated Tensors does not require grad",
)
NO_PRODUCT_SIGN = "invalid decimal literal"
FIXED_TEXTS = frozenset((*ROUNDED_A_TENSOR, *NOTHING_TO_DIFFERENTIATE, NO_PRODUCT_SIGN))
"""Texts of Python's and torch's exceptions by which a message is chosen: always the same, so none holds a point."""


@dataclass(slots=True)  # not frozen: there are thousands in a submission, and it would take four times as long
class Number:
    """One returned value as data. `value` is set when `kind` is "number"; it may be NaN or infinite."""

    kind: Kind
    type: str
    value: float = math.nan
    shape: tuple[int, ...] = ()


@dataclass(frozen=True)
class Fault:
    """An exception that a student's function raised."""

    type: str
    """The class's name; `base` is the nearest built-in class, which a student cannot choose freely."""
    base: str
    text: str
    line: int | None = None
    """Line in the student's cell, counted from 1, and its text."""
    source: str = ""
    name: str = ""
    """The name that a NameError misses."""
    called: bool = True
    """False when the call itself failed: wrong number of arguments."""
    within: str = ""
    """The function that the line is in."""


@dataclass(frozen=True)
class Answer:
    """What `grad_qN` gave at one point: results, or a fault."""

    results: tuple[Number, ...] = ()
    single: bool = False
    """True when one thing came back instead of a tuple or list."""
    named: Mapping[str, Number] = field(default_factory=dict)
    """What the local variables held whose names may be read as derivatives (`calculus.spelling`)."""
    fault: Fault | None = None


@dataclass(frozen=True)
class Missing:
    """There is no such function; why the cell that should define it did not, and names that come near."""

    cell_fault: Fault | None = None
    near: tuple[str, ...] = ()
    not_a_function: str = ""
    older: bool = False
    """There is one from before; the cell that should define it anew did not."""
    magic: str = ""
    """The first line of that cell, if it is a magic that hides what happened."""


@dataclass(frozen=True)
class Request:
    """What a student is asked: a function, its arguments, the points, and between which nodes derivatives are read from
    its local variables at its return.
    """

    function: str
    arguments: tuple[str, ...]
    points: tuple[Mapping[str, float], ...]
    nodes: tuple[str, ...]
    """The leaves and nodes of the forward pass, the output last."""
    given: Mapping[str, Any]
    """Names that the course gives (torch, helpers); put back for the call where a notebook has deleted them."""
    show: bool = False
    """Whether what the function prints at the first point may be shown: only at points that the student knows."""


@dataclass(frozen=True)
class Reply:
    """The answers, in the order of the points; fewer if one raised, because the rest are then not asked."""

    answers: tuple[Answer, ...] = ()
    missing: Missing | None = None
    printed: str = ""
    cells: tuple[str, ...] = ()
    """The sources of the cells that were run, in order, for the reader of the by-hand guard."""
    modules: Mapping[str, str] = field(default_factory=dict)
    """The texts of the .py files beside the notebook that were imported, by module name."""
    seen: tuple[Finding, ...] = ()
    """What the watcher of the by-hand guard saw while the function ran."""
    shifted: Finding | None = None
    """Where the watcher saw a function of the student called at arguments a small step apart, if it did: no finding of
    its own, but evidence beside an answer's exactness."""
    later_fault: Fault | None = None
    """Why the cell that defines the function stopped after it had defined it."""
    reassigned: tuple[str, ...] = ()
    """Names that the function assigns more than once: only the last value is seen at the return."""


class Student(Protocol):
    def ask(self, request: Request) -> Reply: ...
