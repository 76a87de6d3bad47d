"""Whether a dictionary may have changed, told without a look at what it holds.

To look at an object counts a reference in it, and so copies its page in a process that was forked: to compare some
thousand of them costs a room more than all that its student computes. CPython keeps a number in each dictionary that
changes with it (PEP 509, up to Python 3.13); it is read where a trial shows that it does. Elsewhere every dictionary
counts as changed.
"""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Iterator, Mapping
from typing import Any

_OFFSET = 3 * ctypes.sizeof(ctypes.c_void_p)
"""Bytes before the number: two of a Python object, and how many things the dictionary holds."""


class Unchanged:
    """Whether `space`, or the dictionary behind a class's mapping, is as it was when this was made, or `seen` called.

    Only names and what they stand for count, not changes within what they stand for.
    """

    __slots__ = ("_number", "_seen", "_space")  # there are hundreds, and each page that they lie on is copied

    def __init__(self, space: Mapping[str, Any]) -> None:
        self._space = space if isinstance(space, dict) else gc.get_referents(space)[0]
        self._number = ctypes.c_uint64.from_address(id(self._space) + _OFFSET) if _TOLD else None
        self.seen()

    def seen(self) -> None:
        """From now on, it is compared with what it is now."""
        self._seen = self._number.value if self._number is not None else 0

    def __bool__(self) -> bool:
        return self._number is not None and self._number.value == self._seen


def _numbers(space: dict[str, int]) -> Iterator[int]:
    """The number before each of some changes, and twice in the end."""
    number = ctypes.c_uint64.from_address(id(space) + _OFFSET)
    for change in (lambda: space.update(a=1), lambda: space.update(a=2), lambda: space.pop("a"), space.clear):
        yield number.value
        change()
    yield number.value
    space.get("b")
    yield number.value


def _is_told() -> bool:
    if type(gc.get_referents(vars(Unchanged))[0]) is not dict:
        return False
    *before, now, again = _numbers({"b": 0})
    return now == again and len({*before, now}) == len(before) + 1


_TOLD = _is_told()
