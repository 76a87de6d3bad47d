"""Watching: the same function of the student, called at arguments a small step apart within one call of `grad_qN`.

A finite difference has to do that, and an honest answer may: a check of oneself that is only printed, a Newton step.
So it is evidence beside another (`verdict.exactness`) and never a finding of its own. What is seen did happen; that
nothing is seen proves nothing. Functions of torch, numpy and math show no arguments to a profiler, so that a difference
written out without a function of its own is not seen here. (A mode of torch would see them. It doubles the time of a
call, stands in every traceback, and the reader finds such lines.)
"""

from __future__ import annotations

from collections import deque
from inspect import CO_ASYNC_GENERATOR, CO_COROUTINE, CO_GENERATOR, getargs
from itertools import pairwise
from types import CodeType, FrameType
from typing import Any

import numpy as np
import torch

SMALLEST, LARGEST = 1e-11, 5e-3
"""What a small step is, as a part of the number, or of 1 for small ones. Two orders of one sum differ by less."""
_MOST_KEPT = 32
_MOST_LOOKED_AT = 300
"""Calls within one call of `grad_qN`: what a program of thousands hides after them, it hides."""
_MOST_NUMBERS = 64
_RESUMED = CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR
"""A generator's arguments are not what it was called with when it goes on."""


class Shifted:
    """Remembers the arguments of the student's functions; `forget` them when the next call of `grad_qN` begins."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        self._earlier: dict[CodeType, deque[tuple[Any, ...]]] = {}
        self._left = _MOST_LOOKED_AT

    def call(self, frame: FrameType) -> bool:
        """Whether this call is a small step away from an earlier one, or is at several numbers that are."""
        code = frame.f_code
        if not self._left or code.co_flags & _RESUMED:
            return False
        self._left -= 1
        names, star, stars = getargs(code)
        arguments: list[Any] = []
        steps = [_numbers(frame.f_locals.get(name), arguments) for name in (*names, star, stars) if name]
        now = tuple(arguments)
        earlier = self._earlier.setdefault(code, deque(maxlen=_MOST_KEPT))
        step = any(steps) or any(_apart(now, before) for before in earlier)
        earlier.append(now)
        return step


def _numbers(value: Any, found: list[Any], inside: bool = False) -> bool:
    """Adds the numbers and texts of an argument to `found`; whether it is a vector with a small step in it.

    Exact types only: a student's own class may do anything when it is looked into.
    """
    kind = type(value)
    if kind is torch.Tensor and not value.dim():
        found.append(value.item())
    elif (kind is torch.Tensor and value.is_floating_point()) or (kind is np.ndarray and value.dtype.kind == "f"):
        entries = value.reshape(-1)[:_MOST_NUMBERS].tolist()
        found += entries
        return any(_step(a, b) for a, b in pairwise(sorted(entries)))
    elif kind in (float, int, str, bool):
        found.append(value)
    elif isinstance(value, np.floating):
        found.append(float(value))
    elif not inside and kind in (tuple, list, dict):
        entries = list(value.values() if kind is dict else value)[:_MOST_NUMBERS]
        return sum(_numbers(entry, found, inside=True) for entry in entries) > 0  # each is added
    return False


def _apart(now: tuple[Any, ...], before: tuple[Any, ...]) -> bool:
    """Whether they are the same but for numbers that differ by a small step."""
    differ = [(a, b) for a, b in zip(now, before, strict=False) if a != b]
    return len(now) == len(before) and bool(differ) and all(_step(a, b) for a, b in differ)


def _step(a: Any, b: Any) -> bool:
    return type(a) is float and type(b) is float and SMALLEST <= abs(a - b) / max(1.0, abs(a)) <= LARGEST
