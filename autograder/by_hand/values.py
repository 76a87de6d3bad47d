"""Descriptions of values: what the reader knows of each without having run anything.

Text, truths, lists, dictionaries and large numbers are Python's own. A number that is computed is a pair: what it would
be with the program's small constants as they are written, and with all of them halved. Where two things that do not
shrink have a difference that does, that difference was made by a step.
"""

from __future__ import annotations

import ast
import cmath
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from typing import Any

from autograder.by_hand.rules import Finding

STEP = 0.1
"""A constant that is no larger may be the step of a finite difference."""
_TINIEST = 1e-4
"""Smaller steps are taken for this one, so that rounding does not hide what they do."""
_MOST_CHOICES, _MOST_INPUTS = 24, 8
Findings = frozenset[Finding]
NOTHING: Findings = frozenset()
Terms = dict[tuple[complex, complex], tuple["Number", complex]]


@dataclass(eq=False)
class Number:
    """Anything that is computed."""

    whole: complex
    half: complex
    exact: Any = None
    """Its value, if it is made of constants alone."""
    certain: bool = False
    """It is a number or a tensor, not an object that the student's own code may have made."""
    cancels: bool = False
    """It shrinks with the steps, because it is the difference of two things that do not."""
    call: tuple[Any, ...] = ()
    """The function of the notebook that gave it, and its arguments."""
    terms: Terms = field(default_factory=dict)
    """The numbers that it is a weighted sum of, each with its weight, by what they are; empty if it is no sum."""
    owed: Findings = NOTHING
    """What is told of whoever uses it."""
    members: dict[str, Any] = field(default_factory=dict)

    @property
    def shrinks(self) -> float:
        return abs(self.half / self.whole) if self.whole else 1.0


@dataclass(frozen=True)
class PackageName:
    """A name of a package, `torch.autograd.grad`, and what came of importing it."""

    path: str


class Array(list[Any]):
    """An array or tensor of which the entries are known: arithmetic goes entry by entry."""


@dataclass(frozen=True, eq=False)
class Choice:
    """One of several, according to what is not known here."""

    values: tuple[Any, ...]


class Namespace(dict[str, Any]):
    """The names of a scope; a name that is looked up in it and cannot be worked out is hidden."""


@dataclass(eq=False)
class Scope:
    """Where names are looked up: the notebook, a file beside it, a function's body, a class's."""

    lines: list[str]
    cell: int | None
    parent: Scope | None = None
    owner: Any = None
    """The class whose body it is, or the function."""
    names: Namespace = field(default_factory=Namespace)
    elsewhere: dict[str, Scope] = field(default_factory=dict)
    """Of names declared global or nonlocal."""
    stars: list[str] = field(default_factory=list)
    returned: list[Any] = field(default_factory=list)
    yielded: list[Any] = field(default_factory=list)

    @property
    def top(self) -> Scope:
        return self.parent.top if self.parent else self

    def inside(self, owner: Any = None) -> Scope:
        return Scope(self.lines, self.cell, self, owner)

    def home(self, name: str) -> Scope | None:
        scope: Scope | None = self.elsewhere.get(name, self)
        while scope and (name not in scope.names or (isinstance(scope.owner, Class) and scope is not self)):
            scope = scope.parent
        return scope


@dataclass(eq=False)
class Function:
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    scope: Scope
    defaults: dict[str, Any]
    owed: Findings = NOTHING
    kind: str = ""
    """`property`, `staticmethod` …, from its decorator."""
    members: dict[str, Any] = field(default_factory=dict)


@dataclass(eq=False)
class Bound:
    """A function with its first arguments given; of a number or a list, the name of a method."""

    function: Any
    first: tuple[Any, ...]
    named: dict[str, Any] = field(default_factory=dict)
    owed: Findings = NOTHING


@dataclass(eq=False)
class Class:
    members: dict[str, Any]
    bases: list[Any] = field(default_factory=list)
    fields: list[str] = field(default_factory=list)
    """What it takes in this order, if it has no `__init__`."""
    owed: Findings = NOTHING
    meta: Any = None
    """Its metaclass: what is called when it is."""

    def __post_init__(self) -> None:
        classes = [b for b in self.bases if isinstance(b, Class)]
        self.order: list[Class] = [*dict.fromkeys([self, *(c for b in classes for c in b.order)])]
        """Itself and the classes that it is made from, in the order in which a member is looked for."""
        own = {b.path: None for b in self.bases if isinstance(b, PackageName)}
        self.packages: list[str] = [*{**own, **{p: None for b in classes for p in b.packages}}]
        self.fields = [*(f for b in classes for f in b.fields), *self.fields][:100]

    def find(self, name: str) -> Any:
        """The member of it or of a class that it is made from; None if there is none."""
        return next((c.members[name] for c in self.order if name in c.members), None)


@dataclass(eq=False)
class Instance:
    of: Class
    members: dict[Any, Any] = field(default_factory=dict)


def generic(key: object, *of: Any, certain: bool | None = None) -> Number:
    """An unknown function of its arguments: smooth, the same for the same key, and like no other."""
    inputs = [n for v in of for n in numbers_in(v)]
    weights = _weights(repr(key))
    whole = half = complex(weights[0])
    for weight, number in zip(weights[1:], inputs[:_MOST_INPUTS], strict=False):
        whole, half = whole + weight * number.whole, half + weight * number.half
    whole, half = (cmath.sin(z) if abs(z) < 300 else complex(weights[0]) for z in (whole, half))
    known = bool(inputs) and all(n.certain for n in inputs) and all(isinstance(v, Number | int | float) for v in of)
    return Number(
        whole, half, certain=known if certain is None else certain, owed=NOTHING.union(*(n.owed for n in inputs))
    )


@lru_cache(maxsize=1024)
def _weights(key: str) -> list[float]:
    return [b / 256 + 0.5 for b in hashlib.sha256(key.encode(errors="replace")).digest()[: _MOST_INPUTS + 1]]


def numbers_in(value: Any) -> list[Number]:
    """The numbers that a value holds, the first of them if they are many."""
    found: list[Number] = []
    todo, seen = [value], 0
    while todo and seen < 4 * _MOST_INPUTS and len(found) < _MOST_INPUTS:
        one, seen = todo.pop(0), seen + 1
        if isinstance(one, Number):
            found.append(one)
        elif isinstance(one, int | float | complex):
            found.append(as_number(one))
        elif isinstance(one, dict | Instance):
            todo += islice((one if isinstance(one, dict) else one.members).values(), 9)
        elif isinstance(one, list | tuple | Choice | Bound):
            few = one.values if isinstance(one, Choice) else one.first if isinstance(one, Bound) else one
            todo += few[:9]
    return found


def is_plain(value: Any) -> bool:
    return isinstance(value, int | float | complex | str | None)


def is_finite(value: Any) -> bool:
    return isinstance(value, int | float | complex) and abs(value) < 1e100


def as_number(value: Any) -> Number:
    """The pair of a plain number, which no step moves."""
    size = complex(value) if is_finite(value) else complex(1e100)
    return Number(size, size, exact=value, certain=True)


def constant(value: Any, given: Iterable[Any] = ()) -> Any:
    """A constant as it is described: a pair if it may be a step and is not given by the problem."""
    if not isinstance(value, float | complex) or not 0 < abs(value) <= STEP or abs(value) in given:
        return value
    size = value if abs(value) >= _TINIEST else value / abs(value) * _TINIEST
    return Number(size, size / 2, exact=value, certain=True)


def either(values: Iterable[Any]) -> Any:
    """One of the values. Of many numbers some are kept, and what the others owe; of many functions all."""
    every: dict[Any, Any] = {}
    for value in values:
        for one in options(value):
            every.setdefault(one if is_plain(one) else id(one), one)
    numbers = [v for v in every.values() if is_plain(v) or isinstance(v, Number)]
    others = [v for v in every.values() if not (is_plain(v) or isinstance(v, Number))][:_MOST_CHOICES]
    if len(numbers) > 4:
        numbers.sort(key=lambda n: not getattr(n, "cancels", False))
        numbers = [*numbers[:3], generic("one of many", *numbers[3:])]
        numbers[3].owed = NOTHING.union(*(getattr(n, "owed", NOTHING) for n in every.values()))
    kept = (*numbers, *others)
    return kept[0] if len(kept) == 1 else Choice(kept)


def options(value: Any) -> tuple[Any, ...]:
    return value.values if isinstance(value, Choice) else (value,)


def shape_of(value: Any) -> list[int]:
    """The lengths of an array, from outside in."""
    return [len(value), *shape_of(value[0])] if isinstance(value, list) and value else []
