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

STEP, _TINIEST = 0.1, 1e-4
"""A constant that is no larger may be the step of a difference; tinier ones are taken for this, against rounding."""
_MOST_CHOICES, _MOST_INPUTS = 24, 8
BUILT_IN = (str, list, tuple, dict, set, range)
Findings = frozenset[Finding]
NOTHING: Findings = frozenset()
Terms = dict[tuple[complex, complex], tuple["Number", complex]]


@dataclass(eq=False)
class Number:
    """Anything that is computed."""

    whole: complex
    half: complex
    exact: Any = None  # its value, if it is made of constants alone
    certain: bool = False  # it is a number or a tensor, not an object that the student's own code may have made
    cancels: bool = False  # it shrinks with the steps, because it is the difference of two things that do not
    call: tuple[Any, ...] = ()  # the function of the notebook that gave it, and its arguments
    terms: Terms = field(default_factory=dict)
    """The numbers that it is a weighted sum of, each with its weight, by what they are; empty if it is no sum."""
    owed: Findings = NOTHING  # what is told of whoever uses it
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
    owner: Any = None  # the class whose body it is, or the function
    names: Namespace = field(default_factory=Namespace)
    elsewhere: dict[str, Scope] = field(default_factory=dict)  # of names declared global or nonlocal
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

    def put(self, name: str, value: Any) -> None:
        self.elsewhere.get(name, self).names[name] = value


@dataclass(eq=False)
class Function:
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    scope: Scope
    defaults: dict[str, Any]
    owed: Findings = NOTHING
    kind: str = ""  # `property`, `staticmethod` …, from its decorator
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
    fields: list[str] = field(default_factory=list)  # what it takes in this order, if it has no `__init__`
    owed: Findings = NOTHING

    def __post_init__(self) -> None:
        classes = [b for b in self.bases if isinstance(b, Class)]
        self.order: list[Class] = [*dict.fromkeys([self, *(c for b in classes for c in b.order)])]
        """Itself and the classes that it is made from, in the order in which a member is looked for."""
        self.packages = [b.path for c in self.order for b in c.bases if isinstance(b, PackageName)]
        self.fields = [*(f for b in classes for f in b.fields), *self.fields][:100]

    def has(self, name: str) -> bool:
        return any(name in c.members for c in self.order)

    def find(self, name: str) -> Any:
        """The member of it or of a class that it is made from; None if there is none."""
        return next((c.members[name] for c in self.order if name in c.members), None)


@dataclass(eq=False)
class Instance:
    of: Class
    members: dict[Any, Any] = field(default_factory=dict)


def method_of(value: Any, name: str) -> Function | None:
    """The method that the student's class of the object gives it."""
    method = value.of.find(name) if isinstance(value, Instance) else None
    return method if isinstance(method, Function) else None


def generic(key: object, *of: Any, certain: bool | None = None) -> Number:
    """An unknown function of its arguments: smooth, the same for the same key, and like no other."""
    inputs = [n for v in of for n in numbers_in(v)]
    first, *weights = _weights(repr(key))

    def at(ends: list[complex]) -> complex:
        inside = first + sum(w * end for w, end in zip(weights, ends, strict=False))
        return cmath.sin(inside) if abs(inside) < 300 else complex(first)

    if certain is None:
        certain = (
            bool(inputs) and all(n.certain for n in inputs) and all(isinstance(v, Number | int | float) for v in of)
        )
    owed = NOTHING.union(*(n.owed for n in inputs))
    return Number(at([n.whole for n in inputs]), at([n.half for n in inputs]), certain=certain, owed=owed)


@lru_cache(maxsize=1024)
def _weights(key: str) -> list[float]:
    return [b / 256 + 0.5 for b in hashlib.sha256(key.encode(errors="replace")).digest()[: _MOST_INPUTS + 1]]


def numbers_in(value: Any) -> list[Number]:
    """The numbers that a value holds, the first of them if they are many."""
    todo = [value]
    for one in islice(todo, 4 * _MOST_INPUTS):  # which grows meanwhile
        todo += islice(_parts(one), 9)
    return [as_number(v) for v in todo[: 4 * _MOST_INPUTS] if isinstance(v, Number | int | float | complex)][:8]


def _parts(value: Any) -> Iterable[Any]:
    match value:
        case Instance(members=held) | (dict() as held):
            return held.values()
        case Choice(values=few) | Bound(first=few) | (list() as few) | (tuple() as few):
            return few
    return ()


def is_plain(value: Any) -> bool:
    return isinstance(value, int | float | complex | str | None)


def is_finite(value: Any) -> bool:
    return isinstance(value, int | float | complex) and abs(value) < 1e100


def as_number(value: Any) -> Number:
    """The pair of a plain number, which no step moves."""
    if isinstance(value, Number):
        return value
    size = complex(value) if is_finite(value) else complex(1e100)
    return Number(size, size, exact=value, certain=True)


def known(value: Any) -> Any:
    """A constant as Python has it; everything else as it is."""
    return value if not isinstance(value, Number) or value.exact is None else value.exact


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
        numbers[3:] = [generic("one of many", *numbers[3:])]
        numbers[3].owed = NOTHING.union(*(getattr(n, "owed", NOTHING) for n in every.values()))
    return (numbers + others)[0] if len(numbers + others) == 1 else Choice((*numbers, *others))


def options(value: Any) -> tuple[Any, ...]:
    return value.values if isinstance(value, Choice) else (value,)
