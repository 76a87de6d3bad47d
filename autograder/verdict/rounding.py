"""Numbers that are the right ones, rounded: told only where chance is ruled out."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Sequence

FEWEST_POINTS = 3
"""A cause is named only where it explains the student's number at this many points or more."""
_NEAR = 0.01
_EQUAL = 1e-6
"""How far, of the right number, a number in float32 may be from it."""


def is_rounded(given: Sequence[float], expected: Sequence[float], shown: bool = False) -> bool:
    """Whether every number given is the expected one rounded in one and the same way. Ask it of wrong numbers.

    A small whole number comes near many others, so that it proves nothing unless a line that rounds is `shown`.
    Right numbers prove nothing either.
    """
    pairs = [(a, g) for a, g in zip(given, expected, strict=True) if abs(a - g) > _EQUAL * abs(g)]
    if len({g for _, g in pairs}) < FEWEST_POINTS:
        return False
    if len(set(given)) < 2 if shown else len({a for a, _ in pairs if _is_long(a)}) < FEWEST_POINTS:
        return False
    return any(
        all(abs(a - form(g)) <= _EQUAL * abs(g) for a, g in zip(given, expected, strict=True)) for form in _FORMS
    )


def is_near(given: Sequence[float], expected: Sequence[float], scales: Sequence[float]) -> bool:
    """Whether every number comes within a hundredth of the right one, as numbers copied from a printout do."""
    if sum(a != g for a, g in zip(given, expected, strict=True)) < FEWEST_POINTS:
        return False
    return all(abs(a - g) <= _NEAR * s for a, g, s in zip(given, expected, scales, strict=True))


def is_constant(given: Sequence[float], expected: Sequence[float]) -> bool:
    """Whether one number, not 0, is given everywhere though the right one changes."""
    same = len({f"{number:.9g}" for number in given}) == 1
    return len(given) >= FEWEST_POINTS and same and given[0] != 0 and len({f"{g:.9g}" for g in expected}) > 1


def _is_long(number: float) -> bool:
    """Whether it has two digits or more that are not zeros at an end: 0.12 and 195 do, 1, 0.5 and 20 do not."""
    return len(f"{abs(number):.6e}".split("e")[0].replace(".", "").rstrip("0")) > 1


def _half(number: float) -> float:
    """As torch.float16 holds it."""
    try:
        return float(struct.unpack("e", struct.pack("e", number))[0])
    except OverflowError:
        return math.inf


def _decimals(count: int) -> Callable[[float], float]:
    return lambda number: round(number, count)


def _digits(count: int) -> Callable[[float], float]:
    return lambda number: float(f"{number:.{count}g}")


_FORMS: tuple[Callable[[float], float], ...] = (
    *(_decimals(n) for n in range(8)),
    *(_digits(n) for n in range(2, 8)),
    math.trunc,
    math.floor,
    math.ceil,
    _half,
)
