"""Writes data as JSON: an object of an exact type as what `reader` makes the same of.

A value is None, a truth, a text or an integer of 63 bits as JSON has it, and else a list that begins with a tag. What
is no data is left to `other`, which may write a handle for it.
"""

from __future__ import annotations

import base64
import collections
import datetime
import sys
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import torch

from autograder.lending import frames
from autograder.lending.errors import NotData
from autograder.lending.kinds import (
    DEEPEST,
    DTYPE,
    DTYPES,
    MOST_BYTES,
    MOST_DIGITS,
    MOST_FRACTION_DIGITS,
    MOST_PARTS,
    TYPES,
    Json,
)

Other = Callable[[Any], Json]
_FEW = 8


class Coder:
    """Encodes one message; `other` encodes what is no data, or raises `NotData`.

    `kept` are objects of the arguments by their ids, with their numbers (`arguments`).
    """

    def __init__(self, other: Other, kept: Mapping[int, int] | None = None) -> None:
        self._other, self._left, self._depth, self._kept = other, MOST_PARTS, 0, kept

    def encode(self, value: Any) -> Json:
        data = self._encode(value)
        number = self._kept.get(id(value)) if self._kept else None
        return data if number is None else ["kept", number, data]

    def _encode(self, value: Any) -> Json:
        self._left -= 1
        if self._left < 0:
            raise NotData(f"it has more than {MOST_PARTS} parts")
        kind = type(value)
        if value is None or kind is bool:
            return value
        if kind is str:
            return _short(value)
        if kind is int:
            return value if -(1 << 62) < value < 1 << 62 else ["int", _digits(value)]
        if kind is float:
            return ["float", value.hex()]
        write = _WRITE.get(kind)
        if write is None:
            return self._rare(value)
        if self._depth == DEEPEST:
            raise NotData(f"it is nested more than {DEEPEST} deep")
        self._depth += 1
        try:
            return write(self, value)
        finally:
            self._depth -= 1

    def items(self, values: Iterable[Any]) -> list[Json]:
        return [self.encode(value) for value in values]

    def _rare(self, value: Any) -> Json:
        if isinstance(value, np.generic) and type(value).__module__ == "numpy" and DTYPE.fullmatch(value.dtype.str):
            return ["scalar", value.dtype.str, _b64(value.tobytes())]
        if isinstance(value, type) and TYPES.get(value.__name__) is value:
            return ["type", value.__name__]
        if value is Ellipsis or value is NotImplemented:
            return ["name", repr(value)]
        if "pandas" in sys.modules and (written := frames.encode(self, value)) is not None:
            return written
        return self._other(value)


def _short(text: str) -> str:
    if len(text) > MOST_BYTES:
        raise NotData(f"a text of {len(text)} characters")
    return text


def _digits(value: int) -> str:
    if value.bit_length() > 4 * MOST_DIGITS:
        raise NotData(f"an integer of {value.bit_length()} bits")
    return hex(value)


def _fraction_digits(value: int) -> str:
    """A Fraction is reduced when it is read, which takes long for longer ones."""
    if value.bit_length() > 4 * MOST_FRACTION_DIGITS:
        raise NotData(f"a Fraction of {value.bit_length()} bits")
    return hex(value)


def _b64(data: bytes) -> str:
    if len(data) > MOST_BYTES:
        raise NotData(f"{len(data)} bytes")
    return base64.b64encode(data).decode("ascii")


def _list(coder: Coder, value: list[Any]) -> Json:
    """A longer list of numbers is told as an array is: number by number it takes several times as long."""
    if len(value) > _FEW and all(type(one) is float for one in value):
        return ["floats", _b64(np.array(value, "<f8").tobytes())]
    return ["list", *coder.items(value)]


def _pairs(coder: Coder, value: dict[Any, Any]) -> list[Json]:
    return coder.items(part for pair in list(value.items()) for part in pair)


def _array(coder: Coder, value: np.ndarray) -> Json:
    shape = list(value.shape)
    if value.dtype.kind == "O":
        return ["objects", shape, *coder.items(value.ravel().tolist())]
    if value.dtype.names or not DTYPE.fullmatch(value.dtype.str):
        raise NotData(f"an array of dtype {value.dtype}")
    return ["array", value.dtype.str, shape, _b64(value.tobytes())]


def _tensor(tag: str) -> Callable[[Coder, torch.Tensor], Json]:
    def write(_: Coder, value: torch.Tensor) -> Json:
        dtype = str(value.dtype).removeprefix("torch.")
        if dtype not in DTYPES or value.layout is not torch.strided:
            raise NotData(f"a tensor of {value.dtype} and {value.layout}")
        plain = value.detach().cpu().resolve_conj().resolve_neg().contiguous()
        data = plain.reshape(-1).view(torch.uint8).numpy().tobytes() if plain.numel() else b""
        return [tag, dtype, list(value.shape), bool(value.requires_grad), _b64(data)]

    return write


def _moment(tag: str) -> Callable[[Coder, Any], Json]:
    def write(_: Coder, value: Any) -> Json:
        zone = getattr(value, "tzinfo", None)
        if zone is not None and type(zone) is not datetime.timezone:
            raise NotData(f"a time of the zone {str(zone)[:60]}")
        return [tag, value.isoformat()]

    return write


_WRITE: dict[type, Callable[[Coder, Any], Json]] = {
    list: _list,
    tuple: lambda c, v: ["tuple", *c.items(v)],
    set: lambda c, v: ["set", *c.items(v)],
    frozenset: lambda c, v: ["frozenset", *c.items(v)],
    dict: lambda c, v: ["dict", *_pairs(c, v)],
    collections.OrderedDict: lambda c, v: ["OrderedDict", *_pairs(c, v)],
    collections.Counter: lambda c, v: ["Counter", *_pairs(c, v)],
    collections.defaultdict: lambda c, v: ["defaultdict", c.encode(v.default_factory), *_pairs(c, v)],
    collections.deque: lambda c, v: ["deque", v.maxlen, *c.items(v)],
    complex: lambda c, v: ["complex", v.real.hex(), v.imag.hex()],
    bytes: lambda c, v: ["bytes", _b64(v)],
    bytearray: lambda c, v: ["bytearray", _b64(bytes(v))],
    range: lambda c, v: ["range", *c.items((v.start, v.stop, v.step))],
    slice: lambda c, v: ["slice", *c.items((v.start, v.stop, v.step))],
    Fraction: lambda c, v: ["Fraction", *map(_fraction_digits, (v.numerator, v.denominator))],
    Decimal: lambda c, v: ["Decimal", _short(str(v))],
    datetime.date: _moment("date"),
    datetime.time: _moment("time"),
    datetime.datetime: _moment("datetime"),
    datetime.timedelta: lambda c, v: ["timedelta", v.days, v.seconds, v.microseconds],
    np.ndarray: _array,
    np.matrix: lambda c, v: ["matrix", *_array(c, v.A)[1:]],
    torch.Tensor: _tensor("tensor"),
    torch.nn.Parameter: _tensor("Parameter"),
    torch.Size: lambda c, v: ["Size", *v],
    torch.dtype: lambda c, v: ["dtype", str(v).removeprefix("torch.")],
}
