"""Makes objects of exact types of what another room has sent, which may be hostile.

Nothing is unpickled, evaluated, imported or called. Every part is checked, and an object of the very type that is named
is built from it, never of a subclass. So a value that has crossed has no code of a student's, compares as its type
does, and is a copy: changing it changes nothing on the other side.
"""

from __future__ import annotations

import base64
import collections
import datetime
import inspect
import math
import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import torch

from autograder.lending import frames
from autograder.lending.errors import Malformed
from autograder.lending.kinds import (
    DECIMAL,
    DEEPEST,
    DTYPE,
    DTYPES,
    HEX_FLOAT,
    HEX_INTEGER,
    MOST_BYTES,
    MOST_FRACTION_DIGITS,
    MOST_PARTS,
    TYPES,
    Json,
)

_MOST_ALIKE = 100
"""Different values of one hash in a set, or keys of a dictionary."""


class Reader:
    """Reads one message back; `other` reads what `other` of the writer has written. Raises `Malformed` alone."""

    def __init__(self, other: Callable[[list[Json]], Any]) -> None:
        self._other, self._left, self._depth = other, MOST_PARTS, 0

    def read(self, data: Json) -> Any:
        self._left -= 1
        if data is None or type(data) in (bool, str, int):
            return data
        if type(data) is not list or not data or type(data[0]) is not str or self._left < 0 or self._depth > DEEPEST:
            raise Malformed("a value that has no form of data")
        read = _READ.get(data[0])
        if read is None:
            return self._rare(data)
        self._depth += 1
        try:
            return read(self, data[1:])
        except Malformed:
            raise
        except Exception as error:  # too few parts, one that cannot be hashed, a date that does not exist
            raise Malformed(f"{data[0]}: {type(error).__name__}") from None
        finally:
            self._depth -= 1

    def items(self, data: Iterable[Json]) -> list[Any]:
        return [self.read(one) for one in data]

    def keys(self, data: Iterable[Json]) -> list[Any]:
        """What a set may be made of: so many values of one hash would take minutes to be told apart."""
        values = self.items(data)
        if max(collections.Counter(map(hash, values)).values(), default=0) > _MOST_ALIKE:
            raise Malformed("too many values of one hash")
        return values

    def pairs(self, data: list[Json]) -> Iterable[tuple[Any, Any]]:
        return zip(self.keys(data[::2]), self.items(data[1::2]), strict=True)

    def _rare(self, data: list[Json]) -> Any:
        if data[0] in ("Series", "DataFrame", "Index"):
            return frames.read(self, data)
        return self._other(data)


def whole(data: Json) -> int:
    """An integer as JSON has it."""
    if type(data) is not int:
        raise Malformed("not an integer")
    return data


def text(data: Json) -> str:
    if type(data) is not str or len(data) > MOST_BYTES:
        raise Malformed("not a text")
    return data


def _matching(pattern: re.Pattern[str], data: Json) -> str:
    if not pattern.fullmatch(text(data)):
        raise Malformed("not a number")
    return str(data)


def _float(data: Json) -> float:
    return float.fromhex(_matching(HEX_FLOAT, data))


def _integer(data: Json) -> int:
    return int(_matching(HEX_INTEGER, data), 16)


def _fraction_part(data: Json) -> int:
    if len(text(data)) > MOST_FRACTION_DIGITS + 3:
        raise Malformed("too long a Fraction")
    return _integer(data)


def _bytes(data: Json) -> bytes:
    return base64.b64decode(text(data), validate=True)


def shape_of(data: Json) -> tuple[int, ...]:
    """A shape of at most 32 axes, whose product without zeros may be used as a size."""
    if type(data) is not list or len(data) > 32 or any(whole(axis) < 0 for axis in data):
        raise Malformed("not a shape")
    if math.prod(axis or 1 for axis in data) > MOST_BYTES:
        raise Malformed("too large a shape")
    return tuple(data)


def _numpy_dtype(data: Json) -> np.dtype[Any]:
    if not DTYPE.fullmatch(text(data)):
        raise Malformed("not a dtype")
    return np.dtype(data)


def _read_array(_: Reader, parts: list[Json]) -> np.ndarray:
    dtype, shape, data = parts
    return np.frombuffer(_bytes(data), _numpy_dtype(dtype)).reshape(shape_of(shape)).copy()


def _read_objects(reader: Reader, parts: list[Json]) -> np.ndarray:
    shape, values = shape_of(parts[0]), reader.items(parts[1:])
    made = np.empty(len(values), dtype=object)
    for at, value in enumerate(values):  # assigned as a whole, lists of one length would become another axis
        made[at] = value
    return made.reshape(shape)


def _read_scalar(_: Reader, parts: list[Json]) -> Any:
    dtype, data = parts
    return np.frombuffer(_bytes(data), _numpy_dtype(dtype), 1)[0]


def _read_tensor(_: Reader, parts: list[Json]) -> torch.Tensor:
    dtype, shape, wants_grad, data = parts
    raw, size = bytearray(_bytes(data)), shape_of(shape)
    flat = torch.frombuffer(raw, dtype=DTYPES[dtype]) if raw else torch.empty(0, dtype=DTYPES[dtype])
    return flat.reshape(size).clone().requires_grad_(wants_grad is True)


def _read_default(reader: Reader, parts: list[Json]) -> Any:
    factory = reader.read(parts[0])
    if factory is not None and factory not in TYPES.values() and not inspect.isfunction(factory):
        factory = None  # a function is a stand-in here
    return collections.defaultdict(factory, reader.pairs(parts[1:]))


def _read_deque(reader: Reader, parts: list[Json]) -> Any:
    return collections.deque(reader.items(parts[1:]), None if parts[0] is None else whole(parts[0]))


def _read_decimal(_: Reader, parts: list[Json]) -> Decimal:
    return Decimal(_matching(DECIMAL, *parts))


_READ: dict[str, Callable[[Reader, list[Json]], Any]] = {
    "int": lambda r, p: _integer(*p),
    "float": lambda r, p: _float(*p),
    "list": lambda r, p: r.items(p),
    "floats": lambda r, p: np.frombuffer(_bytes(*p), "<f8").tolist(),
    "tuple": lambda r, p: tuple(r.items(p)),
    "set": lambda r, p: set(r.keys(p)),
    "frozenset": lambda r, p: frozenset(r.keys(p)),
    "dict": lambda r, p: dict(r.pairs(p)),
    "OrderedDict": lambda r, p: collections.OrderedDict(r.pairs(p)),
    "Counter": lambda r, p: collections.Counter(dict(r.pairs(p))),
    "defaultdict": _read_default,
    "deque": _read_deque,
    "complex": lambda r, p: complex(*map(_float, _exactly(2, p))),
    "bytes": lambda r, p: _bytes(*p),
    "bytearray": lambda r, p: bytearray(_bytes(*p)),
    "range": lambda r, p: range(*map(_index, r.items(_exactly(3, p)))),
    "slice": lambda r, p: slice(*r.items(_exactly(3, p))),
    "Fraction": lambda r, p: Fraction(*map(_fraction_part, _exactly(2, p))),
    "Decimal": _read_decimal,
    "date": lambda r, p: datetime.date.fromisoformat(*p),
    "time": lambda r, p: datetime.time.fromisoformat(*p),
    "datetime": lambda r, p: datetime.datetime.fromisoformat(*p),
    "timedelta": lambda r, p: datetime.timedelta(*map(whole, _exactly(3, p))),
    "array": _read_array,
    "matrix": lambda r, p: _read_array(r, p).view(np.matrix),
    "objects": _read_objects,
    "scalar": _read_scalar,
    "tensor": _read_tensor,
    "Parameter": lambda r, p: torch.nn.Parameter(_read_tensor(r, p).detach(), p[2] is True),
    "Size": lambda r, p: torch.Size(shape_of(p)),
    "dtype": lambda r, p: DTYPES[text(*p)],
    "type": lambda r, p: TYPES[text(*p)],
    "name": lambda r, p: {"Ellipsis": Ellipsis, "NotImplemented": NotImplemented}[text(*p)],
}


def _exactly(number: int, parts: list[Json]) -> list[Json]:
    if len(parts) != number:
        raise Malformed("too few or too many parts")
    return parts


def _index(value: Any) -> int:
    if type(value) is not int:
        raise Malformed("not an integer")
    return value
