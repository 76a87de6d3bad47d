"""What crosses the seam between student and grader: plain data, never an object that a student made.

`describe` runs on the student's side and turns whatever was returned into a `Number`: type, dtype, shape and value.
The grader sees only these records, so an object that equals everything has nothing to say.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import torch

Kind = Literal["number", "none", "text", "shape", "complex", "other"]
_MOST_CHARACTERS = 60


@dataclass(frozen=True)
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


@dataclass(frozen=True)
class Answer:
    """What `grad_qN` gave at one point: results, or a fault."""

    results: tuple[Number, ...] = ()
    single: bool = False
    """True when one thing came back instead of a tuple or list."""
    adjoints: Mapping[str, Number] = field(default_factory=dict)
    fault: Fault | None = None


@dataclass(frozen=True)
class Missing:
    """There is no such function; why the cell that should define it did not, and names that come near."""

    cell_fault: Fault | None = None
    near: tuple[str, ...] = ()
    not_a_function: str = ""


def describe(thing: Any) -> Number:
    """The record of one returned value; never raises."""
    try:
        return _describe(thing)
    except BaseException:  # a student's __float__ or __array__ may do anything
        return Number("other", _type_name(thing))


def _describe(thing: Any) -> Number:
    name = _type_name(thing)
    if thing is None:
        return Number("none", name)
    if isinstance(thing, str | bytes):
        return Number("text", name)
    if isinstance(thing, torch.Tensor):
        if thing.dim():
            return Number("shape", name, shape=tuple(thing.shape)[:8])
        thing = thing.detach().resolve_conj().item()
    elif isinstance(thing, np.ndarray | np.generic):
        if np.ndim(thing):
            return Number("shape", name, shape=tuple(np.shape(thing))[:8])
        thing = thing.item()
    elif isinstance(thing, list | tuple | dict | set):
        return Number("shape", name, shape=(len(thing),))
    if isinstance(thing, complex):
        return Number("complex", name)
    if callable(thing) or not hasattr(thing, "__float__"):
        return Number("other", name)
    return Number("number", name, _to_float(thing))


def _to_float(thing: Any) -> float:
    try:
        return float(thing)
    except OverflowError:  # a Python integer beyond float's range
        return math.inf


def results_of(returned: Any) -> tuple[tuple[Number, ...], bool]:
    """The results in a returned value and whether it was a single thing; a vector of two unpacks as the seed does.

    Never raises: a student's own class may do anything when it is looked into, and that is no fault of the call.
    """
    try:
        return _results_of(returned)
    except BaseException:
        return (Number("other", _type_name(returned)),), True


def _results_of(returned: Any) -> tuple[tuple[Number, ...], bool]:
    if isinstance(returned, torch.Tensor | np.ndarray) and returned.ndim == 1 and len(returned) == 2:
        returned = tuple(returned)
    if isinstance(returned, tuple | list):
        return tuple(describe(r) for r in returned[:8]), False
    return (describe(returned),), True


def _type_name(thing: Any) -> str:
    kind = type(thing)
    module = {"torch": "torch.", "numpy": "numpy."}.get(str(getattr(kind, "__module__", "")), "")
    return (module + str(kind.__name__))[:_MOST_CHARACTERS]
