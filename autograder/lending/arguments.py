"""Arguments that can change, as lists and arrays: which they are, on both ends of a call, and what becomes of them.

A function gets copies, and may change them, keep them, or give one of them back. Each object in the arguments that can
change has a number, by the order in which they are met, which is the same in the copies as in what was given. By that
number the student's room says which of them an object is, and the examiner's takes its own instead of another copy.
"""

from __future__ import annotations

import collections
import sys
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch

_SEQUENCES = (list, tuple, collections.deque)
_MAPPINGS = (dict, collections.OrderedDict, collections.Counter, collections.defaultdict)
_CHANGEABLE = frozenset(
    (list, collections.deque, *_MAPPINGS, set, bytearray, np.ndarray, np.matrix, torch.Tensor, torch.nn.Parameter)
)


def changeable(values: Iterable[Any]) -> list[Any]:
    """The objects in these values that can change, in an order that follows from the values alone."""
    found: list[Any] = []
    todo = list(values)[::-1]
    while todo:
        value = todo.pop()
        kind = type(value)
        if kind in _CHANGEABLE or _is_frame(kind):
            found.append(value)
        if kind in _SEQUENCES:
            todo += reversed(value)
        elif kind in _MAPPINGS:
            todo += reversed(value.values())
    return found


def become(given: Any, now: Any) -> None:
    """Makes an object what has become of its copy. TypeError if that is something else."""
    if type(given) is not type(now):
        raise TypeError("another type")
    if isinstance(given, torch.Tensor | np.ndarray):
        if given.shape != now.shape or given.dtype != now.dtype:
            raise TypeError("another shape")
        with torch.no_grad():
            given[...] = now
    elif isinstance(given, list | bytearray):
        given[:] = now
    elif isinstance(given, dict | set):
        given.clear()
        given.update(now)
    elif isinstance(given, collections.deque):
        given.clear()
        given.extend(now)
    elif _is_frame(type(given)):
        type(given).__init__(given, now)


def _is_frame(kind: type) -> bool:
    pandas = sys.modules.get("pandas")
    return pandas is not None and kind in (pandas.Series, pandas.DataFrame)
