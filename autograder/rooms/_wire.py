"""What crosses between the rooms is data: JSON lines, numbers as hexadecimal text, every type checked on arrival.

Nothing that came out of a student's room is unpickled, evaluated or imported. The dataclasses of the seam (`Request`,
`Reply`, and what they hold) are encoded from their type hints, so a field added there crosses here without a change.
Whatever does not fit its hint exactly raises `Refused`, and nothing else.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import json
import re
import types
from collections.abc import Mapping
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")

STUDENT, EXAMINER = "student", "examiner"
"""Whose room it is: the first thing that a room is told."""
MOST_BYTES = 1 << 20
"""The longest line that is parsed as a reply; longer ones are refused unread."""
MOST_ITEMS = 4096
MOST_TEXT = 1 << 18

_HEX = re.compile(r"-?(?:0x[01]\.?[0-9a-f]{0,13}p[+-]\d{1,4}|inf)|nan")


class Refused(ValueError):
    """A line that is not the data it should be; what is read from it must be treated as no answer."""


def pack(message: Mapping[str, Any]) -> bytes:
    """One line. ASCII only, so that nothing in it can be taken for the end of the line."""
    return json.dumps(message, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode("ascii") + b"\n"


def unpack(line: bytes | bytearray, most: int = MOST_BYTES) -> dict[str, Any]:
    """The object on a line of at most `most` bytes."""
    if len(line) > most:
        raise Refused(f"a line of {len(line)} bytes; at most {most} are read")
    try:
        found = json.loads(bytes(line).decode("ascii"), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:  # a huge integer is a ValueError, deep nesting a RecursionError
        raise Refused(f"not JSON: {type(error).__name__}") from None
    if type(found) is not dict:
        raise Refused("not a JSON object")
    return found


def _no_constant(name: str) -> float:
    raise Refused(f"{name} is not JSON")


def encode(thing: Any, hint: Any = None) -> Any:
    """The JSON form of a dataclass of the seam."""
    hint = type(thing) if hint is None else hint
    if dataclasses.is_dataclass(hint):
        return {name: encode(getattr(thing, name), of) for name, of in _fields(cast(type, hint)).items()}
    if _optional(hint):
        return None if thing is None else encode(thing, _optional(hint))
    if hint is float:
        return float(thing).hex()
    if get_origin(hint) is tuple:
        return [encode(item, get_args(hint)[0]) for item in thing]
    if get_origin(hint) is Mapping:
        of = get_args(hint)[1]
        # Objects stay where they are: only their names cross, and the other side looks its own up.
        return {clean(name): None if of is Any else encode(item, of) for name, item in thing.items()}
    return clean(thing) if hint is str else thing


def decode(hint: type[T], data: Any) -> T:
    """The dataclass `hint` from JSON that may be hostile; `Refused` if anything does not fit."""
    return _decode(hint, data, hint.__name__)  # type: ignore[no-any-return]


def _decode(hint: Any, data: Any, where: str) -> Any:
    if dataclasses.is_dataclass(hint):
        fields = _fields(cast(type, hint))
        if type(data) is not dict or data.keys() != fields.keys():
            raise Refused(f"{where}: not the fields of {getattr(hint, '__name__', hint)}")
        return hint(**{name: _decode(of, data[name], f"{where}.{name}") for name, of in fields.items()})  # type: ignore[operator]
    if _optional(hint):
        return None if data is None else _decode(_optional(hint), data, where)
    choices = _choices(hint)
    if choices:
        if type(data) is not str or data not in choices:
            raise Refused(f"{where}: not one of {list(choices)}")
        return choices[data]
    if get_origin(hint) in (tuple, Mapping):
        return _container(hint, data, where)
    if hint is float:
        if type(data) is not str or len(data) > 40 or not _HEX.fullmatch(data):
            raise Refused(f"{where}: not a hexadecimal number")
        try:
            return float.fromhex(data)
        except (ValueError, OverflowError):
            raise Refused(f"{where}: not a float64") from None
    if hint is int and type(data) is int and not -(1 << 63) <= data < 1 << 63:
        raise Refused(f"{where}: too large")
    if type(data) is not hint or hint not in (int, bool, str):
        raise Refused(f"{where}: {type(data).__name__} instead of {hint}")
    return _text(data, where) if hint is str else data


def _choices(hint: Any) -> dict[str, Any]:
    """The texts that stand for one of a few values, of a Literal or an Enum."""
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return {str(member.value): member for member in hint}
    return {choice: choice for choice in get_args(hint)} if get_origin(hint) is Literal else {}


def _container(hint: Any, data: Any, where: str) -> Any:
    fits = type(data) is list if get_origin(hint) is tuple else type(data) is dict
    if not fits or len(data) > MOST_ITEMS:
        raise Refused(f"{where}: not a container of at most {MOST_ITEMS}")
    if get_origin(hint) is tuple:
        return tuple(_decode(get_args(hint)[0], item, where) for item in data)
    of = get_args(hint)[1]
    return {_text(n, where): None if of is Any else _decode(of, item, f"{where}[…]") for n, item in data.items()}


def _text(text: str, where: str) -> str:
    if len(text) > MOST_TEXT:
        raise Refused(f"{where}: {len(text)} characters; at most {MOST_TEXT}")
    return clean(text)


def clean(text: str) -> str:
    """Text that can be written as UTF-8: half of a surrogate pair would fail much later, in somebody else's hands."""
    return text.encode("utf-8", "replace").decode("utf-8")


@functools.cache
def _fields(hint: type) -> dict[str, Any]:
    hints = get_type_hints(hint)
    return {field.name: hints[field.name] for field in dataclasses.fields(hint)}


def _optional(hint: Any) -> Any:
    """X of `X | None`, else None."""
    if get_origin(hint) not in (Union, types.UnionType):
        return None
    of = [a for a in get_args(hint) if a is not type(None)]
    assert len(of) == 1, f"{hint} does not cross: write one type, or one type or None"
    return of[0]
