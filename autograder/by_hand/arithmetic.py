"""Arithmetic on descriptions, and where a finite difference shows in it.

A difference quotient is a quotient whose two ends shrink together, the upper one because it cancels. Plain values are
computed as Python computes them, unless the result would be large.
"""

from __future__ import annotations

import cmath
import operator
from collections.abc import Callable
from typing import Any

from autograder.by_hand.sums import combined_terms, largest_term, stencil_rule
from autograder.by_hand.values import (
    STEP,
    Array,
    Bound,
    Choice,
    Class,
    Function,
    Instance,
    Number,
    PackageName,
    as_number,
    constant,
    generic,
    is_finite,
    is_plain,
)

_LARGE, _LONGEST, _MOST_BITS = 50, 2_000, 2_000
_WIDE = 5e-3
"""A step from which a quotient is listed only, unless it is of calls of the student's own function. Such a quotient is
right by the tolerance only where it is made of several; `log(1 + 0.01*x) / 0.01` of an honest answer has its form.
"""
_NOTHING = 1e-6
"""What is divided by a step as small and comes closer to something as the step shrinks is right to all digits: an
imaginary step with its parts kept apart is found so. A multiple of the step, over the step, is the same for all steps.
"""
_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    **{name: getattr(operator, name) for name in ("add", "sub", "floordiv", "mod", "pow", "lshift", "rshift")},
    "mult": operator.mul,
    "div": operator.truediv,
    "bitand": operator.and_,
    "bitor": operator.or_,
    "bitxor": operator.xor,
}
_ON_NUMBERS = ("add", "sub", "mult", "div", "pow")
ALIASES = {
    **{name: name for name in ("add", "sub", "pow", "matmul")},
    **dict.fromkeys(("mul", "multiply"), "mult"),
    **dict.fromkeys(("truediv", "true_divide", "divide", "div"), "div"),
    "subtract": "sub",
    "power": "pow",
    "float_power": "pow",
}
"""What functions and methods of packages do, by the name of the operator."""
ELEMENTARY: dict[str, Callable[[complex], complex]] = {
    **{n: getattr(cmath, n) for n in ("exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh", "sqrt", "log10")},
    **{n: getattr(cmath, n) for n in ("asin", "acos", "atan", "asinh", "acosh", "atanh")},
    "arctan": cmath.atan,
    "log1p": lambda z: cmath.log(1 + z),
    "expm1": lambda z: cmath.exp(z) - 1,
    "abs": abs,
    "absolute": abs,
    "fabs": abs,
    "neg": operator.neg,
    "negative": operator.neg,
    "square": lambda z: z * z,
    "reciprocal": lambda z: 1 / z,
    "cbrt": lambda z: z ** (1 / 3),
    "conj": lambda z: z.conjugate(),
    "conjugate": lambda z: z.conjugate(),
}
_COMPARES: dict[str, Callable[[Any, Any], Any]] = {
    "Eq": operator.eq,
    "NotEq": operator.ne,
    "Lt": operator.lt,
    "LtE": operator.le,
    "Gt": operator.gt,
    "GtE": operator.ge,
    "Is": operator.eq,
    "IsNot": operator.ne,
}
_OBJECTS = (Instance, Function, Class, Bound, PackageName, list, tuple, dict, set)


def native(name: str, a: Any, b: Any) -> Any:
    """What Python makes of two plain values or lists; something unknown if that is an error, or large."""
    try:
        return generic(name, a, b) if _is_large(name, a, b) else _OPERATORS[name](a, b)
    except (ArithmeticError, TypeError, ValueError, KeyError):
        return generic(name, a, b)


def _is_large(name: str, a: Any, b: Any) -> bool:
    lengths = [len(v) for v in (a, b) if isinstance(v, str | list | tuple | dict | set)]
    if lengths:
        times = max([1, *(v for v in (a, b) if isinstance(v, int))])
        return name == "mod" or sum(lengths) * times > _LONGEST
    if isinstance(a, int) and isinstance(b, int) and name in ("mult", "pow", "lshift"):
        bits, by = a.bit_length(), {"mult": b.bit_length(), "pow": abs(b), "lshift": b}[name]
        return (bits * by if name == "pow" else bits + by) > _MOST_BITS
    return False


def combined(name: str, a: Any, b: Any) -> tuple[Any, str]:
    """What `a` and `b` make, numbers or plain, and the rule that this breaks, if any."""
    if (is_plain(a) and is_plain(b)) or isinstance(a, list | tuple | dict | set) or isinstance(b, list | tuple):
        made = native(name, a, b)
        return (constant(made) if is_finite(made) else made), ""
    if not (is_finite(a) or isinstance(a, Number)) or not (is_finite(b) or isinstance(b, Number)):
        return generic(name, a, b), ""
    a, b = (v if isinstance(v, Number) else as_number(v) for v in (a, b))
    if name not in _ON_NUMBERS:
        return generic(name, a, b), ""
    try:
        compute = _OPERATORS[name]
        made = Number(compute(a.whole, b.whole), compute(a.half, b.half), certain=a.certain and b.certain)
    except ArithmeticError:
        return generic(name, a, b), ""
    made.owed = a.owed | b.owed
    if a.exact is not None and b.exact is not None:
        made.exact = native(name, a.exact, b.exact)
        if not is_finite(made.exact):
            made.exact = None
        elif made.whole == made.half or (name == "pow" and b.exact != int(abs(b.exact))) or _is_step(made):
            return constant(made.exact), ""  # a root of a step is a step of its own
        return made, ""
    return made, _difference(name, a, b, made)


def _is_step(made: Number) -> bool:
    """Whether it is small, though made of a step so much smaller that it is described as a larger one."""
    return bool(abs(made.whole) > STEP >= abs(made.exact))


def _difference(name: str, a: Number, b: Number, made: Number) -> str:
    """Notes on `made` what is known of it, and gives the rule that it breaks."""
    small = made.shrinks < 0.75
    made.terms = combined_terms(name, a, b)
    if name in ("add", "sub"):
        values = max(abs(a.whole), abs(b.whole))
        largest = min(values, largest_term(made.terms) or values)
        if max(a.shrinks, b.shrinks) > 0.8 and 1e-11 * values < abs(made.whole) < 0.5 * largest:
            made.cancels = small
        made.cancels = small and (made.cancels or a.cancels or b.cancels)
        both_grow = min(a.shrinks, b.shrinks) > 1.5 and made.shrinks < 1.2 and abs(made.whole) < 0.5 * values
        return "differences" if both_grow else stencil_rule(made.terms, divided=False)
    stencil = stencil_rule(made.terms) if name in ("mult", "div") else ""
    if name == "mult" and (a.cancels or b.cancels):
        other = b if a.cancels else a
        made.cancels = small
        large = other.exact is not None and abs(other.exact) >= _LARGE
        return "differences" if large or (other.shrinks > 1.5 and made.shrinks > 0.8) else stencil
    if name == "div" and a.cancels:
        made.cancels = small
        if b.shrinks < 0.75 and 0.8 < made.shrinks < 1.25:
            wide = b.exact is not None and abs(b.exact) >= _WIDE
            called = any(atom.call for atom, _ in a.terms.values())
            return "difference-like" if wide and not called else "differences"
        return stencil
    tiny = name == "div" and b.exact is not None and abs(b.exact) <= _NOTHING and 0.8 < made.shrinks < 1.25
    if tiny and a.shrinks < 0.75 and abs(made.whole - made.half) > 1e-11 * abs(made.whole):
        return stencil or "difference-like"
    return stencil


def applied(name: str, number: Number) -> Number:
    """An elementary function of a number; some function of it where that one is not known, or has no value."""
    try:
        function = ELEMENTARY[name]
        made = Number(complex(function(number.whole)), complex(function(number.half)), certain=True, owed=number.owed)
    except (ArithmeticError, ValueError, KeyError):
        return generic(name, number)
    if number.exact is not None:  # `sqrt(eps)`, `exp(-14)`: a step of its own
        known = complex(function(number.exact))
        step = constant(known if known.imag else known.real)
        return step if isinstance(step, Number) else as_number(step)
    near = made.shrinks < 0.75 and abs(made.whole) < 0.5
    made.cancels = near and (number.cancels or number.shrinks > 0.8)
    return made


def compared(op: str, a: Any, b: Any) -> bool | None:
    """Whether it holds; None if that depends on what is not known."""
    a, b = (v.exact if isinstance(v, Number) and v.exact is not None else v for v in (a, b))
    try:
        if op in ("In", "NotIn"):
            return _contained(a, b, op == "In")
        if is_plain(a) and is_plain(b):
            return bool(_COMPARES[op](a, b))
    except (TypeError, ValueError):
        return None
    if op not in ("Eq", "NotEq", "Is", "IsNot"):
        return None
    equal = op in ("Eq", "Is")
    if a is b and not isinstance(a, Choice):
        return equal
    text = [isinstance(v, str | None) for v in (a, b)]
    other = b if text[0] else a
    known = isinstance(other, _OBJECTS) or (isinstance(other, Number) and other.certain)
    return (not equal) if any(text) and known else None


def _contained(a: Any, b: Any, wanted: bool) -> bool | None:
    if isinstance(b, range) and type(a) is not int:
        return None  # Python goes through a range, however long, for what is no int
    if isinstance(b, str | list | tuple | dict | set | range) and (is_plain(a) or isinstance(a, Instance | Function)):
        if a in b:
            return wanted
        if isinstance(b, str | range) or all(is_plain(v) or isinstance(v, Instance | Function) for v in b):
            return not wanted
    return None


def truth(value: Any) -> bool | None:
    """Whether a value counts as true; None if that is not known."""
    if isinstance(value, Number):
        return None if value.exact is None else bool(value.exact)
    if isinstance(value, Choice):
        every = {truth(v) for v in value.values}
        return every.pop() if len(every) == 1 else None
    if isinstance(value, Array) or (isinstance(value, Bound) and isinstance(value.function, str)):
        return None
    if isinstance(value, Instance) and (value.of.find("__bool__") or value.of.find("__len__")):
        return None
    return bool(value) if is_plain(value) or isinstance(value, list | tuple | dict | set | range) else True
