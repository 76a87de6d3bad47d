"""Objects of a subclass of a plain type, as named tuples and members of an IntEnum: data, and what their class adds.

Such an object compares, counts and is unpacked as the plain data that it is. So it crosses with a copy of that data,
and the copy judges. Only what the class itself adds is asked of the student's room: fields, methods, operators. Types
whose objects can change are not among these, because a method may change what the copy holds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_WITHOUT_THE_CLASS: dict[type, Callable[[Any], Any]] = {
    tuple: lambda value: tuple.__getitem__(value, slice(None)),
    str: lambda value: str.__getitem__(value, slice(None)),
    bytes: lambda value: bytes.__getitem__(value, slice(None)),
    int: int.__pos__,
    float: float.__pos__,
    complex: complex.__pos__,
    frozenset: frozenset.copy,
}


def plain_type(kind: type) -> type | None:
    """The plain type that a class inherits from, if there is one."""
    return next((above for above in kind.__mro__ if above in _WITHOUT_THE_CLASS), None)


def plain_data(thing: Any) -> Any:
    """A copy of the data that an object of such a class is, in the exact plain type."""
    plain = plain_type(type(thing))
    if plain is None:
        raise TypeError("no plain data")
    return _WITHOUT_THE_CLASS[plain](thing)
