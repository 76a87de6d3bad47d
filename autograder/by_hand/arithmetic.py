"""Arithmetic on descriptions, and where a finite difference shows in it.

A difference quotient is a quotient whose two ends shrink together, the upper one because it cancels. Numbers are kept
as weighted sums, so that what cancels by algebra is told from what cancels because a step is small: `x + h - x` is `h`,
however small that is; `f(x + h) - f(x)` is a difference of two values. Where the weights are those of a derivative, the
step need not be small. Plain values are computed as Python computes them, unless the result would be large.
"""

from __future__ import annotations

import cmath
import operator
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from autograder.by_hand.rules import words
from autograder.by_hand.values import (
    BUILT_IN,
    STEP,
    Array,
    Bound,
    Choice,
    Class,
    Function,
    Instance,
    Number,
    PackageName,
    Terms,
    as_number,
    constant,
    generic,
    is_finite,
    is_plain,
    known,
    numbers_in,
)

_LARGE, _LONGEST, _LARGEST, _MOST_TERMS = 50, 2_000, 2**64, 12
_WIDE = 5e-3
"""A step from which a quotient is listed only, unless it is of calls of the student's own function. Such a quotient is
right by the tolerance only where it is made of several; `log(1 + 0.01*x) / 0.01` of an honest answer has its form.
"""
_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    name: getattr(operator, name) for name in words("add sub floordiv mod pow lshift rshift")
} | {"mult": operator.mul, "div": operator.truediv, "bitand": operator.and_, "bitor": operator.or_}
_ON_NUMBERS = words("add sub mult div pow")
ALIASES = {name: name for name in words("add sub pow matmul")} | {
    **dict.fromkeys(words("mul multiply"), "mult"),
    **dict.fromkeys(words("truediv true_divide divide div"), "div"),
    **dict.fromkeys(words("power float_power"), "pow"),
    "subtract": "sub",
}
"""What functions and methods of packages do, by the name of the operator."""
ELEMENTARY: dict[str, Callable[[complex], complex]] = {
    **{n: getattr(cmath, n) for n in words("exp log sin cos tan sinh cosh tanh sqrt log10 asin acos atan")},
    **dict.fromkeys(words("abs absolute fabs"), abs),
    **dict.fromkeys(words("neg negative"), operator.neg),
    **dict.fromkeys(words("conj conjugate"), lambda z: z.conjugate()),
    "square": lambda z: z * z,
    "cbrt": lambda z: z ** (1 / 3),
}
_COMPARES = {"Eq": "eq", "NotEq": "ne", "Lt": "lt", "LtE": "le", "Gt": "gt", "GtE": "ge", "Is": "eq", "IsNot": "ne"}
_SURE = (int, float, complex, str, type(None), Instance, Function)
_OBJECTS = (Instance, Function, Class, Bound, PackageName, list, tuple, dict, set)


def native(name: str, a: Any, b: Any) -> Any:
    """What Python makes of two plain values or lists; something unknown if that is an error, or large."""
    sizes = [len(v) for v in (a, b) if isinstance(v, str | list | tuple | dict | set)]
    numbers = [abs(v) for v in (a, b) if isinstance(v, int)]
    large = max(numbers, default=0) > _LARGEST or (name in ("pow", "lshift") and isinstance(b, int) and abs(b) > 200)
    if large or (sizes and (name == "mod" or sum(sizes) * max(1, *numbers, 1) > _LONGEST)):
        return generic(name, a, b)
    try:
        return _OPERATORS[name](a, b)
    except (ArithmeticError, TypeError, ValueError, KeyError):
        return generic(name, a, b)


def combined(name: str, a: Any, b: Any) -> tuple[Any, str]:
    """What `a` and `b` make, numbers or plain, and the rule that this breaks, if any."""
    if (is_plain(a) and is_plain(b)) or isinstance(a, list | tuple | dict | set) or isinstance(b, list | tuple):
        made = native(name, a, b)
        return (constant(made) if is_finite(made) else made), ""
    if name not in _ON_NUMBERS or not all(is_finite(v) or isinstance(v, Number) for v in (a, b)):
        return generic(name, a, b), ""
    a, b, compute = as_number(a), as_number(b), _OPERATORS[name]
    try:
        made = Number(compute(a.whole, b.whole), compute(a.half, b.half), certain=a.certain and b.certain)
    except ArithmeticError:
        return generic(name, a, b), ""
    made.owed = a.owed | b.owed
    if a.exact is None or b.exact is None:
        return made, _difference(name, a, b, made)
    exact = native(name, a.exact, b.exact)
    if is_finite(exact) and (made.whole == made.half or (name == "pow" and b.exact != int(abs(b.exact)))):
        return constant(exact), ""  # a root of a step is a step of its own
    made.exact = exact if is_finite(exact) else None
    return made, ""


def _difference(name: str, a: Number, b: Number, made: Number) -> str:
    """Notes on `made` what is known of it, and gives the rule that it breaks."""
    small = made.shrinks < 0.75
    made.terms = _combined_terms(name, a, b)
    if name in ("add", "sub"):
        values = max(abs(a.whole), abs(b.whole))
        largest = min(values, max((abs(weight * n.whole) for n, weight in made.terms.values()), default=0) or values)
        fresh = max(a.shrinks, b.shrinks) > 0.8 and 1e-11 * values < abs(made.whole) < 0.5 * largest
        made.cancels = small and (fresh or a.cancels or b.cancels)
        both_grow = min(a.shrinks, b.shrinks) > 1.5 and made.shrinks < 1.2 and abs(made.whole) < 0.5 * values
        return "differences" if both_grow else ""
    stencil = _stencil_rule([*made.terms.values()]) if name in ("mult", "div") else ""
    if name == "mult" and (a.cancels or b.cancels):
        other = b if a.cancels else a
        made.cancels = small
        large = other.exact is not None and abs(other.exact) >= _LARGE
        return "differences" if large or (other.shrinks > 1.5 and made.shrinks > 0.8) else stencil
    if name == "div" and a.cancels:
        made.cancels = small
        if b.shrinks < 0.75 and 0.8 < made.shrinks < 1.25:
            wide = b.exact is not None and abs(b.exact) >= _WIDE
            return "difference-like" if wide and not any(n.call for n, _ in a.terms.values()) else "differences"
    return stencil


def _terms(number: Number) -> Terms:
    if number.exact is not None:
        return {(1, 1): (as_number(1), number.whole)}
    return number.terms or {(number.whole, number.half): (number, 1)}


def _combined_terms(name: str, a: Number, b: Number) -> Terms:
    """The sum that `a` op `b` is; empty if it is something else, or long."""
    if name in ("add", "sub"):
        made, sign = dict(_terms(a)), -1 if name == "sub" else 1
        for key, (number, weight) in _terms(b).items():
            before = made.get(key, (number, 0))[1]
            made[key] = number, before + sign * weight
            if abs(made[key][1]) <= 1e-12 * abs(before):
                del made[key]
        return made if len(made) <= _MOST_TERMS else {}
    factor, other = (b, a) if b.exact is not None or name == "div" else (a, b)
    if name == "pow" or factor.exact is None or not factor.whole:
        return {}
    by = factor.whole if name == "mult" else 1 / factor.whole
    return {key: (number, weight * by) for key, (number, weight) in _terms(other).items()}


def _stencil_rule(terms: list[tuple[Number, complex]]) -> str:
    """The rule that a derivative's weights break: of four points they are no chance, of two they may be algebra."""
    calls = [number.call for number, _ in terms]
    if len({(call[:1], len(call)) for call in calls}) != 1 or not calls[0]:
        return ""
    moved = [column for column in zip(*(call[1:] for call in calls), strict=True) if len({*map(id, column)}) > 1]
    if len(moved) != 1 or not all(isinstance(value, Number) for value in moved[0]):
        return ""

    def moment(power: int, around: complex) -> complex:
        return sum((w * (x.whole - around) ** power for (_, w), x in zip(terms, moved[0], strict=True)), 0j)

    if abs(moment(0, 0)) > 1e-9 or abs(abs(moment(1, 0)) - 1) > 1e-6:
        return ""
    middle = moved[0][0].whole + moment(2, moved[0][0].whole) / moment(1, 0) / 2
    return "differences" if len(calls) > 3 and abs(moment(3, middle)) < 1e-6 else "difference-like"


def applied(name: str, value: Any) -> Any:
    """An elementary function of a number; some function of it where that one is not known, or has no value."""
    number, function = as_number(value), ELEMENTARY[name]
    try:
        made = Number(complex(function(number.whole)), complex(function(number.half)), certain=True, owed=number.owed)
        if number.exact is not None:  # `sqrt(eps)`, `exp(-14)`: a step of its own
            exact = complex(function(number.exact))
            return as_number(constant(exact if exact.imag else exact.real))
    except (ArithmeticError, ValueError):
        return generic(name, number)
    made.cancels = made.shrinks < 0.75 and abs(made.whole) < 0.5 and (number.cancels or number.shrinks > 0.8)
    return made


def part(name: str, value: Any) -> tuple[Any, str]:
    """A real or imaginary part, or a phase, and its rule: a derivative, where it comes from a small imaginary step."""
    number = next(iter(numbers_in(value)), generic(name, value))
    whole, half = number.whole, number.half
    if name == "real" and abs(whole.imag) < 1e-12:
        return value, ""
    take = cmath.phase if name in ("phase", "angle") else operator.attrgetter("real" if name == "real" else "imag")
    turn, less = (abs(z.imag / z.real) if z.real else 1 for z in (whole, half))
    step = name != "real" and 0 < turn <= STEP and less < 0.75 * turn
    made = Number(complex(take(whole)), complex(take(half)), certain=True, owed=number.owed)
    return made, "complex-step" if step else "imaginary"


def come_together(values: list[Any]) -> bool:
    """Whether points or values come together with the steps: two such rows make a fit, whatever fits."""
    numbers = [as_number(v) for v in values if isinstance(v, Number) or is_finite(v)]
    gaps = [combined("sub", a, b)[0] for a, b in pairwise(numbers)]
    return bool(gaps) and all(isinstance(g, Number) and g.whole and g.shrinks < 0.75 for g in gaps)


def number_in(text: str) -> Any:
    try:
        above, _, below = text[:40].partition("/")
        return constant(float(above) / float(below or 1))
    except (ValueError, ArithmeticError):
        return generic(text, certain=True)


def compared(op: str, a: Any, b: Any) -> bool | None:
    """Whether it holds; None if that depends on what is not known."""
    a, b, wanted = known(a), known(b), op in ("Eq", "Is", "In")
    try:
        if op in ("In", "NotIn"):
            if not isinstance(b, BUILT_IN) or not isinstance(a, _SURE) or (isinstance(b, range) and type(a) is not int):
                return None  # Python goes through a range, however long, for what is no int
            sure = a in b or isinstance(b, str | range) or all(isinstance(v, _SURE) for v in b)
            return (a in b) is wanted if sure else None
        if is_plain(a) and is_plain(b):
            return bool(getattr(operator, _COMPARES[op])(a, b))
    except TypeError:
        return None
    if op not in ("Eq", "NotEq", "Is", "IsNot"):
        return None
    other = b if isinstance(a, str | None) else a if isinstance(b, str | None) else None
    return not wanted if isinstance(other, _OBJECTS) or (isinstance(other, Number) and other.certain) else None


def truth(value: Any) -> bool | None:
    """Whether a value counts as true; None if that is not known."""
    value = known(value)
    if isinstance(value, Choice):
        every = {truth(v) for v in value.values}
        return every.pop() if len(every) == 1 else None
    if isinstance(value, Number | Array) or (isinstance(value, Bound) and isinstance(value.function, str)):
        return None
    return bool(value) if is_plain(value) or isinstance(value, BUILT_IN) else True
