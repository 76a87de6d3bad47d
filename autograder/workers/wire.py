"""The messages between the grader and a worker: JSON lines, numbers as hexadecimal text, every type checked on arrival.

Nothing that comes from a student's worker is unpickled, evaluated or imported. The dataclasses of `student.protocol`
are encoded by their type hints, so a field that is added there needs no change here; only a number, of which an answer
has hundreds, has a short form. Data that does not fit its hint exactly raises `BadMessage`, and no other error.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import json
import re
import types
from collections.abc import Callable, Hashable, Mapping
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from autograder.by_hand.rules import Finding
from autograder.sandbox.limits import MB
from autograder.student.protocol import Number, Reply, Request
from autograder.workers.errors import BadMessage

T = TypeVar("T")


@dataclasses.dataclass(frozen=True)
class Findings:
    """What somebody else has found in an answer's cells."""

    findings: tuple[Finding, ...]


STUDENT, EXAMINER = "student", "examiner"
"""Whose cells a worker runs."""
IN_THE_ANSWER = " (in the answer)"
"""At the end of an error's name: it was raised by what a test has borrowed, so its text is a student's."""
MOST_BYTES = MB
"""The longest line that is parsed, where nothing else is said; longer ones are refused unread."""
_BYTES_A_CHARACTER = 6
"""Of a line of ASCII: a character that is not ASCII is written as \\u1234."""
_BYTES_BESIDE_OUTPUTS = 1 << 16
MOST_LISTS = 600_000
"""In one line, counted before it is parsed: empty lists take seconds, and far more memory than the line has bytes."""
MOST_ITEMS = 4096
MOST_TEXT = 1 << 18

_HEX = re.compile(r"-?(?:0x[01]\.?[0-9a-f]{0,13}p[+-]\d{1,4}|inf)|nan")


def outputs_bytes(printed: int) -> int:
    """How long the outputs of a cell that may print so many characters may be on the line."""
    return printed * _BYTES_A_CHARACTER


def reply_bytes(printed: int) -> int:
    """How long the whole reply may be that holds these outputs."""
    return outputs_bytes(printed) + _BYTES_BESIDE_OUTPUTS


def pack(message: Mapping[str, Any]) -> bytes:
    """One line, of ASCII: some characters beyond it count as the end of a line."""
    return json.dumps(message, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode("ascii") + b"\n"


def unpack(line: bytes | bytearray, most: int = MOST_BYTES) -> dict[str, Any]:
    """The object on a line of at most `most` bytes."""
    if len(line) > most:
        raise BadMessage(f"a line of {len(line)} bytes; at most {most} are read")
    if line.count(b"[") + line.count(b"{") > MOST_LISTS:
        raise BadMessage(f"a line of more than {MOST_LISTS} lists")
    try:
        found = _JSON.decode(bytes(line).decode("ascii"))
    except (ValueError, RecursionError) as error:  # a huge integer is a ValueError, deep nesting a RecursionError
        raise BadMessage(f"not JSON: {type(error).__name__}") from None
    if type(found) is not dict:
        raise BadMessage("not a JSON object")
    return found


def _no_constant(name: str) -> float:
    raise BadMessage(f"{name} is not JSON")


_JSON = json.JSONDecoder(parse_constant=_no_constant)
"""`json.loads` would make another one for each line."""


def encode(thing: Any) -> Any:
    """The JSON form of a dataclass of `student.protocol`."""
    return _encoder(cast(Hashable, type(thing)))(thing)


def decode(hint: type[T], data: Any) -> T:
    """The dataclass `hint` from JSON that may be hostile; `BadMessage` if anything does not fit."""
    return cast(T, _decoder(cast(Hashable, hint))(data))


def learn() -> None:
    """Makes the readers and writers of all that crosses, so that no process that is forked from this one has to."""
    for hint in (Request, Reply, Findings):
        _encoder(hint)
        _decoder(hint)


@functools.cache
def _encoder(hint: Any) -> Callable[[Any], Any]:
    """A writer for one type hint; made once, because a grade is hundreds of numbers."""
    if dataclasses.is_dataclass(hint):
        fields = [(name, _encoder(of)) for name, of in _fields(cast(type, hint)).items()]

        def write(thing: Any) -> dict[str, Any]:
            return {name: value(getattr(thing, name)) for name, value in fields}

        return functools.partial(_short, write) if hint is Number else write
    if _optional(hint):
        inner = _encoder(_optional(hint))
        return lambda thing: None if thing is None else inner(thing)
    if hint is float:
        return lambda thing: float(thing).hex()
    if get_origin(hint) is tuple:
        item = _encoder(get_args(hint)[0])
        return lambda things: [item(thing) for thing in things]
    if get_origin(hint) is Mapping:
        of = get_args(hint)[1]
        # Objects do not cross: the worker looks them up by their names.
        value = (lambda _: None) if of is Any else _encoder(of)
        return lambda things: {clean(name): value(thing) for name, thing in things.items()}
    return clean if hint is str else lambda thing: thing


def _short(whole: Callable[[Number], dict[str, Any]], number: Number) -> str | dict[str, Any]:
    """A plain number in one text, "torch.Tensor 0x1.8p+1"; anything else as the record that it is."""
    if number.kind == "number" and not number.shape:
        return f"{clean(number.type)} {float(number.value).hex()}"
    return whole(number)


def _from_short(whole: Callable[[Any], Number], data: Any) -> Number:
    if type(data) is not str:
        return whole(data)
    kind, _, value = data.rpartition(" ")
    return Number("number", _text(kind), _number(value))


@functools.cache
def _decoder(hint: Any) -> Callable[[Any], Any]:
    """A reader for one type hint, which returns exactly that or raises `BadMessage`."""
    if dataclasses.is_dataclass(hint):
        record = _record(cast(type, hint))
        return functools.partial(_from_short, record) if hint is Number else record
    if _optional(hint):
        inner = _decoder(_optional(hint))
        return lambda data: None if data is None else inner(data)
    choices = _choices(hint)
    if choices:
        return functools.partial(_choice, choices)
    if get_origin(hint) is tuple:
        return functools.partial(_items, _decoder(get_args(hint)[0]))
    if get_origin(hint) is Mapping:
        of = get_args(hint)[1]
        return functools.partial(_named, (lambda _: None) if of is Any else _decoder(of))
    return {float: _number, int: _integer, bool: _truth, str: _text}[hint]


def _record(hint: type) -> Callable[[Any], Any]:
    fields = {name: _decoder(of) for name, of in _fields(hint).items()}
    names, all_of_them = fields.keys(), list(fields.items())

    def read(data: Any) -> Any:
        if type(data) is not dict or data.keys() != names:
            raise BadMessage(f"not the fields of {hint.__name__}")
        try:
            return hint(*[of(data[name]) for name, of in all_of_them])
        except BadMessage as bad:
            raise BadMessage(f"{hint.__name__}: {bad}") from None

    return read


def _choice(choices: Mapping[str, Any], data: Any) -> Any:
    if type(data) is not str or data not in choices:
        raise BadMessage(f"not one of {list(choices)}")
    return choices[data]


def _items(read: Callable[[Any], Any], data: Any) -> tuple[Any, ...]:
    if type(data) is not list or len(data) > MOST_ITEMS:
        raise BadMessage(f"not a list of at most {MOST_ITEMS}")
    return tuple([read(item) for item in data])


def _named(read: Callable[[Any], Any], data: Any) -> dict[str, Any]:
    if type(data) is not dict or len(data) > MOST_ITEMS:
        raise BadMessage(f"not an object of at most {MOST_ITEMS}")
    return {_text(name): read(value) for name, value in data.items()}


def _number(data: Any) -> float:
    if type(data) is not str or len(data) > 40 or not _HEX.fullmatch(data):
        raise BadMessage("not a hexadecimal number")
    try:
        return float.fromhex(data)
    except (ValueError, OverflowError):
        raise BadMessage("not a float64") from None


def _integer(data: Any) -> int:
    if type(data) is not int or not -(1 << 63) <= data < 1 << 63:
        raise BadMessage("not an integer of 64 bits")
    return data


def _truth(data: Any) -> bool:
    if type(data) is not bool:
        raise BadMessage("neither true nor false")
    return data


def _text(data: Any) -> str:
    if type(data) is not str or len(data) > MOST_TEXT:
        raise BadMessage(f"not a text of at most {MOST_TEXT} characters")
    return clean(data)


def _choices(hint: Any) -> dict[str, Any]:
    """The texts that stand for one of a few values, of a Literal or an Enum."""
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return {str(member.value): member for member in hint}
    return {choice: choice for choice in get_args(hint)} if get_origin(hint) is Literal else {}


def clean(text: str) -> str:
    """The text without halves of surrogate pairs, which cannot be written as UTF-8 and would fail much later."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


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
