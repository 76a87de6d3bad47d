"""Whatever a student's function returned, told as data: type, shape and value.

`describe` runs on the student's side. The grader sees only its records, so an object that equals everything has nothing
to say.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch

from autograder.student.protocol import Number

_MOST_CHARACTERS = 60
_TENSOR = "torch.Tensor"


_KINDS = (float, int, bool, complex, str, type(None), torch.Tensor, np.ndarray)
_PLAIN = frozenset(id(kind) for kind in (*_KINDS, np.float64, np.float32, np.int64, np.bool_))
"""By their numbers, because a class of a student's may do anything when it is compared."""
_ASKED = ("dim", "detach", "resolve_conj", "item", "shape", "ndim", "__iter__", "__len__")
_OWN = {name: vars(torch.Tensor).get(name) for name in _ASKED}
"""What the class itself has of each; None of what it inherits from C, which nobody can change."""


def is_plain(things: Iterable[Any]) -> bool:
    """Whether telling these as data runs no code of a student's: exact types, and torch's own methods."""
    now = vars(torch.Tensor)
    whole = all(now.get(name) is method for name, method in _OWN.items())
    return whole and all(id(type(thing)) in _PLAIN for thing in things)


def describe(thing: Any) -> Number:
    """The record of one returned value; never raises."""
    try:
        return _describe(thing)
    except BaseException:  # a student's __float__ or __array__ may do anything
        return Number("other", _type_name(thing))


def _describe(thing: Any) -> Number:
    if type(thing) is torch.Tensor and not thing.dim():  # most of what there is to tell
        value = thing.item()
        if type(value) is float:
            return Number("number", _TENSOR, value)
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
