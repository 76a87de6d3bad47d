"""Arithmetic, arrays and what is computed with them: by operators, by methods, and by functions of packages.

A function that is not known here is some function of its arguments: smooth, and no difference quotient by itself.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import islice, pairwise
from typing import Any

from autograder.by_hand.arithmetic import ALIASES, ELEMENTARY, applied, combined
from autograder.by_hand.objects import Objects
from autograder.by_hand.rules import words
from autograder.by_hand.values import (
    STEP,
    Array,
    Bound,
    Choice,
    Function,
    Instance,
    Namespace,
    Number,
    PackageName,
    as_number,
    constant,
    either,
    generic,
    is_finite,
    is_plain,
    numbers_in,
    options,
    shape_of,
)

MOST_TURNS, MOST_ENTRIES, _LONG = 8, 64, 2_500
_SAME = set(
    words(
        "item float numpy cpu to tolist squeeze unsqueeze requires_grad_ contiguous type astype view reshape ravel int "
        "flatten float64 float32 double Decimal Fraction round clone detach copy deepcopy Variable"
    )
)
_ARRAYS = set(words("tensor as_tensor from_numpy asarray array stack cat concatenate hstack vstack atleast_1d"))
_FOLDS = {"sum": "add", "fsum": "add", "mean": "add", "average": "add", "prod": "mult"}
_PAIRS = set(words("dot inner vdot matmul tensordot convolve correlate conv1d sumprod"))
_ROWS_OF_SUMS = ("convolve", "correlate", "conv1d")
_REGISTERS = ("register_buffer", "register_parameter", "add_module")
_METHODS = {"mult": "mul", "div": "truediv", "matmult": "matmul", "bitor": "or", "bitand": "and"}
_NATIVE: dict[type, set[str]] = {
    list: set(words("append extend insert pop popleft appendleft reverse clear index count copy remove")),
    dict: set(words("get keys values items update setdefault pop clear copy")),
    set: set(words("add update discard clear copy")),
    tuple: set(words("index count")),
    str: set(words("split strip lstrip rstrip lower upper startswith endswith removeprefix removesuffix")),
}
_COMPARES_OR_HASHES = set(words("index count remove get pop update setdefault add discard"))


class Numeric(Objects):
    def operation(self, name: str, a: Any, b: Any) -> Any:
        """`a` op `b`, by the student's own methods, entry by entry, or as numbers."""
        self.spend()
        for kind in (Choice, Array):
            if isinstance(a, kind) or isinstance(b, kind):
                return self._by_entries(name, a, b, chosen=kind is Choice)
        if any(isinstance(v, list) for v in (a, b)) and any(isinstance(v, Number) for v in (a, b)):
            return self._by_entries(name, a, b, chosen=False)
        for one, other, mark in ((a, b, "__"), (b, a, "__r")):
            method = one.of.find(f"{mark}{_METHODS.get(name, name)}__") if isinstance(one, Instance) else None
            if isinstance(method, Function):
                return self.enter(method, [one, other], {})
        value, rule = combined(name, self.as_operand(a), self.as_operand(b))
        if isinstance(value, list | tuple | str):
            self.spend(len(value) // 8)
        return self.broken(rule, value)

    def _by_entries(self, name: str, a: Any, b: Any, chosen: bool) -> Any:
        if name == "matmult" and isinstance(a, list) and isinstance(b, list):
            return self.numeric("dot", [a, b])
        rows = [list(options(v)) if chosen else v if isinstance(v, list) else [v] for v in (a, b)]
        count = min(max(map(len, rows)), MOST_ENTRIES) if all(rows) else 0
        made = [self.operation(name, *(row[i % len(row)] for row in rows)) for i in range(count)]
        return either(made or [generic("empty")]) if chosen else Array(made)

    def as_operand(self, value: Any) -> Any:
        """`math.pi` as its number, an attribute of something unknown as some number."""
        if isinstance(value, PackageName):
            known = getattr(math, value.path.rpartition(".")[2], None)
            return known if isinstance(known, float) else generic(value.path, certain=True)
        if isinstance(value, Bound) and isinstance(value.function, str):
            made = generic(value.function, *value.first)
            made.owed |= value.owed
            return made
        return value

    def method(self, base: Any, name: str, args: list[Any]) -> Any:
        """`base.name(*args)` of a number, a text or a list."""
        self.spend()
        for kind, names in _NATIVE.items():
            if isinstance(base, kind) and not isinstance(base, Array) and name in names:
                return self._native(base, name, args)
        if name.endswith("_") and name[:-1] in ALIASES and isinstance(base, Number) and args:
            made = self.operation(ALIASES[name[:-1]], base, args[0])
            if isinstance(made, Number):  # `x.add_(h)` changes the tensor itself
                base.whole, base.half, base.exact = made.whole, made.half, made.exact
            return base
        if name in _REGISTERS and len(args) > 1 and isinstance(args[0], str):
            return self.set_attribute(base, *args[:2])
        if name == "outer" and isinstance(base, Number) and "__wrapped__" in base.members and len(args) == 2:
            columns = self.iterate(args[1])
            return Array(Array(self.call(base, [a, b], {}) for b in columns) for a in self.iterate(args[0]))
        made = self.numeric(name, [base, *args])
        return generic(name, base, *args) if made is None else made

    def _native(self, base: Any, name: str, args: list[Any]) -> Any:
        known = [a.exact if isinstance(a, Number) and a.exact is not None and name != "append" else a for a in args]
        if name in ("extend", "update"):
            known = [a[:_LONG] if isinstance(a, range) else a for a in known]
        if isinstance(base, dict) and name in ("get", "pop") and known and not is_plain(known[0]):
            hidden = isinstance(base, Namespace)
            return self.broken("hidden" if hidden else "", either([*base.values(), *args[1:], generic("entry")]))
        name, known = {"popleft": ("pop", [0]), "appendleft": ("insert", [0, *known])}.get(name, (name, known))
        self.spend(1 + len(base) // 8 if len(base) < _LONG else len(base))
        if name in _COMPARES_OR_HASHES:
            self.spend_on([base, *known])
        try:
            made = getattr(base, name)(*known)
        except (TypeError, ValueError, LookupError, AttributeError):
            return generic(name, base, *args)
        return [*made] if name in ("keys", "values", "items") else made

    def iterate(self, value: Any, most: int = MOST_TURNS) -> list[Any]:
        """The values that a loop takes, as far as known; after many, one that stands for all others."""
        if isinstance(value, Instance) and isinstance(method := value.of.find("__iter__"), Function):
            value = self.enter(method, [value], {})
        if isinstance(value, Instance) and value.of.fields:
            value = [*value.members.values()]
        if not isinstance(value, str | list | tuple | dict | set | range):
            line = getattr(self.at[0], "lineno", 0)
            return [generic(("turn", n, line), value) for n in (1, 2)]
        few = [*islice(value, most)]
        rest = [*islice(value, most, most + 1_000)] if not isinstance(value, str | range) else []
        self.spend((len(few) + len(rest)) // 4)
        return few if len(value) <= most else [*few, either(rest) if rest else generic("turn", certain=True)]

    def numeric(self, name: str, args: list[Any]) -> Any:  # noqa: PLR0912 - one branch a kind of function
        """What a function of numbers gives; None if it is not known."""
        first: Any = self.as_operand(args[0]) if args else None
        rows = isinstance(first, list | tuple)
        if name in _SAME and args:
            return self._number_in(first) if isinstance(first, str) else self.copied(first)
        if name in _ARRAYS and args:
            return self._as_array(first) if rows else self.copied(first)
        if name in ("linspace", "arange"):
            return self._spaced(name, args)
        if name in ("zeros", "ones", "zeros_like", "ones_like", "empty", "empty_like") and args:
            shape = shape_of(first) if name.endswith("_like") else first if rows else args
            known = shape and len(shape) < 3 and all(isinstance(n, int) for n in shape)
            return self._filled(float(name.startswith("ones")), shape) if known else None
        if name in ("eye", "identity") and isinstance(first, int):
            turns = range(max(0, min(first, MOST_TURNS)))
            return Array(Array(float(row == column) for column in turns) for row in turns)
        if name in ("where", "full", "full_like") and len(args) > 1:
            return either(args[1:] if name == "where" else args[1:2])
        if name == "einsum" and isinstance(first, str):
            return self.numeric("dot", args[1:])
        if name in ("ulp", "spacing", "nextafter"):
            return constant(2.2e-16)
        if name in ("real", "imag", "phase", "angle", "view_as_real") and args:
            return Array(self.part(v, name) for v in first) if rows else self.part(first, name)
        if name in ("diff", "ediff1d") and rows:
            return Array(self.operation("sub", b, a) for a, b in pairwise(first))
        if name == "roll" and rows and len(args) > 1 and isinstance(args[1], int) and first:
            by = -args[1] % len(first)
            return Array([*first[by:], *first[:by]])
        if name in _FOLDS and isinstance(first, list | tuple | range):
            return self._folded(name, self.iterate(first, MOST_ENTRIES))
        if name in ("dot", "matmul") and len(args) == 2 and (product := self._matrix(*args)) is not None:
            return product
        if name in _PAIRS and rows and len(args) > 1 and isinstance(args[1], list | tuple):
            pairs = zip(self._flat(first), self._flat(args[1]), strict=False)
            total = self._folded("sum", [self.operation("mult", a, b) for a, b in pairs])
            return Array([total]) if name in _ROWS_OF_SUMS else total
        plain = name.strip("_")  # `a.__truediv__(b)` too, and `b.__rtruediv__(a)`
        if plain in ALIASES and len(args) == 2:
            return self.operation(ALIASES[plain], first, args[1])
        if name.startswith("__r") and plain[1:] in ALIASES and len(args) == 2:
            return self.operation(ALIASES[plain[1:]], args[1], first)
        if name in ELEMENTARY and isinstance(first, Choice):
            return either(self.method(one, name, []) for one in options(first))
        if name in ELEMENTARY and (isinstance(first, Number) or is_finite(first)):
            return applied(name, first if isinstance(first, Number) else as_number(first))
        if sum(self._comes_together(a) for a in args[:3]) > 1:
            return self.broken("differences", generic(name, *args))
        if isinstance(first, list) and first and all(isinstance(v, Number | list) or is_finite(v) for v in first):
            return Array(self.method(v, name, args[1:]) for v in first[:MOST_ENTRIES])
        return None

    def part(self, value: Any, name: str) -> Any:
        """A real or imaginary part, or a phase; a derivative, where it comes from a small imaginary step."""
        number = next(iter(numbers_in(value)), None)
        if number is None:
            return value if name == "real" else self.broken("imaginary", generic(name, value))
        if name == "real" and abs(number.whole.imag) < 1e-12:
            return value
        whole, half = (
            z.real if name == "real" else z.imag if name == "imag" else math.atan2(z.imag, z.real)
            for z in (number.whole, number.half)
        )
        made = Number(complex(whole), complex(half), certain=True, owed=number.owed)
        turn, less = (abs(z.imag / z.real) if z.real else 1 for z in (number.whole, number.half))
        step = name != "real" and 0 < turn <= STEP and less < 0.75 * turn
        return self.broken("complex-step" if step else "imaginary", made)

    def _comes_together(self, row: Any) -> bool:
        """Whether it holds points or values that come together with the steps: two such make a fit, whatever fits."""
        flat = self._flat(row) if isinstance(row, list | tuple) else []
        numbers = [v if isinstance(v, Number) else as_number(v) for v in flat if isinstance(v, Number) or is_finite(v)]
        gaps = [combined("sub", a, b)[0] for a, b in pairwise(numbers)]
        return bool(gaps) and all(isinstance(g, Number) and g.whole and g.shrinks < 0.75 for g in gaps)

    def _folded(self, name: str, values: list[Any]) -> Any:
        total = values[0] if values else 0
        for value in values[1:]:
            total = self.operation(_FOLDS[name], total, value)
        return self.operation("div", total, len(values)) if name in ("mean", "average") and values else total

    def _filled(self, value: float, shape: Sequence[int]) -> Any:
        self.spend()
        turns = range(max(0, min(shape[0], MOST_TURNS))) if shape else ()
        return Array(self._filled(value, shape[1:]) for _ in turns) if shape else value

    def _matrix(self, a: Any, b: Any) -> Array | None:
        """The product, if one of them is a matrix and all its entries can be looked at."""
        if not (isinstance(a, list) and isinstance(b, list) and a and b):
            return None
        if not isinstance(a[0], list):
            product = self._matrix([a], b) if isinstance(b[0], list) else None
            return product[0] if product else None
        right = b if isinstance(b[0], list) else [[v] for v in b]
        if not all(isinstance(row, list) and len(row) == len(first[0]) for first in (a, right) for row in first):
            return None
        if len(a[0]) != len(right) or len(a) * len(right) * len(right[0]) > MOST_ENTRIES:
            return None
        columns = [*zip(*right, strict=True)]
        made = [[self.numeric("inner", [Array(row), Array(column)]) for column in columns] for row in a]
        return Array(Array(row) if b is right else row[0] for row in made)

    def _number_in(self, text: str) -> Any:
        try:
            above, _, below = text[:40].partition("/")
            return constant(float(above) / float(below or 1))
        except (ValueError, ArithmeticError):
            return generic(text, certain=True)

    def _spaced(self, name: str, args: list[Any]) -> Any:
        if name == "arange":
            known = all(isinstance(a, int | float) and is_finite(a) for a in args)
            if not known or not 0 < len(args) < 4 or 0 in args[2:]:
                return None
            start, stop, step = (0, *args, 1) if len(args) == 1 else (*args, 1)[:3]
            return Array(start + n * step for n in range(min(MOST_TURNS, max(0, math.ceil((stop - start) / step)))))
        if len(args) < 2:
            return None
        count = args[2] if len(args) > 2 and isinstance(args[2], int) else MOST_TURNS
        parts = min(max(count, 2), MOST_TURNS) - 1
        wide = self.operation("sub", args[1], args[0])
        steps = [self.operation("mult", wide, n / parts) for n in range(parts + 1)]
        return Array(self.operation("add", args[0], step) for step in steps)

    def _as_array(self, values: Any) -> Array:
        self.spend(len(values))
        return Array(self._as_array(v) if isinstance(v, list | tuple) else v for v in values)

    def _flat(self, values: Any) -> list[Any]:
        self.spend(len(values))
        return [n for v in values for n in (self._flat(v) if isinstance(v, list | tuple) else [v])]
