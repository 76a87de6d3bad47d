"""Whether torch, numpy and math compute with what they had when this package was loaded.

A cell can put its own function in the place of `torch.cos`, so that an answer that reads like a formula is none. It can
do so in ways that no reader of its text can follow; what is in these modules can be compared. A new name beside theirs
changes nothing, unless it hides one that `torch.Tensor` inherits.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from types import MappingProxyType
from typing import Any

import numpy as np
import torch

_OWNERS: tuple[Any, ...] = (torch, torch.Tensor, torch.nn.functional, torch.special, torch.linalg, math, np)


def _callables(owner: Any) -> Iterator[tuple[str, Any]]:
    for name, thing in vars(owner).items():
        if (not name.startswith("_") or name.endswith("__")) and (callable(thing) or isinstance(thing, property)):
            yield name, thing


# Nobody can change these in place.
_ORIGINAL = tuple((owner, MappingProxyType(dict(_callables(owner)))) for owner in _OWNERS)
_OPERATORS = tuple(name for name in vars(torch.Tensor) if name.startswith("__"))
_INHERITED = frozenset(dir(torch.Tensor)) - vars(torch.Tensor).keys()


def replaced(names: Collection[str]) -> str:
    """The first of the `names`, or of the operators of a tensor, that stands for another function now; else "".

    Others do not matter, and torch itself replaces some when more of it is loaded.
    """
    for owner, things in _ORIGINAL:
        space = vars(owner)
        for name in (*sorted(names), *(_OPERATORS if owner is torch.Tensor else ())):
            if name in things and space.get(name) is not things[name]:
                return name
    hidden = _INHERITED & vars(torch.Tensor).keys()
    return next((name for name in sorted(hidden) if name in names or name.startswith("__")), "")
