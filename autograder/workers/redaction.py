"""Takes out of a reply about hidden points every text that could tell such a point to the student.

What a student's function raises or returns is shown on the page. A function that has been called at a hidden point
could write the point into an exception's text or a class's name. So a text stays only if it is a line or a name of the
submission itself, or a name or a fixed sentence of Python's, torch's or numpy's; all of these were known before.
"""

from __future__ import annotations

import builtins
import dataclasses
import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from autograder.by_hand.rules import RULES, Finding
from autograder.calculus.spelling import spelling
from autograder.student.protocol import FIXED_TEXTS, Answer, Fault, Number, Reply, Request

T = TypeVar("T")

_NAME = re.compile(r"[^\W\d]\w*")
_EXCEPTIONS = {n for n, v in vars(builtins).items() if isinstance(v, type) and issubclass(v, BaseException)}
_OURS = {"TooLong", "ProcessEnded", "NoAnswer"}
_TYPES = {n for n, v in vars(builtins).items() if isinstance(v, type)}
_TYPES |= {"NoneType", "ellipsis", "function", "builtin_function_or_method", "method", "module", "generator"}
_SAID_BY_ALL = _EXCEPTIONS | _OURS | _TYPES | FIXED_TEXTS
_LIBRARY = re.compile(r"(?:torch|numpy)\.[A-Za-z]{1,20}\d{0,3}")
_MOST_LINE, _MOST_SIZE = 100_000, 999


class Words:
    """The lines and names of a submission."""

    def __init__(self, cells: Sequence[str]) -> None:
        self._lines = {line.strip() for cell in cells for line in cell.splitlines()}
        self._names = {name for cell in cells for name in _NAME.findall(cell)}

    def has_name(self, name: str) -> bool:
        return name in self._names

    def may_say(self, text: str) -> bool:
        if text in self._lines or text in self._names or text in _SAID_BY_ALL:
            return True
        return bool(_LIBRARY.fullmatch(text))


def redact(reply: Reply, request: Request, cells: Sequence[str]) -> Reply:
    """The reply as the examiner may get it; at points that the student knows, only what was not asked is taken out."""
    known, readings = Words(cells), spelling(request.nodes).readings
    answers = tuple(
        dataclasses.replace(a, named={n: v for n, v in a.named.items() if readings(n) and known.has_name(n)})
        for a in reply.answers[: len(request.points)]
    )
    reply = dataclasses.replace(reply, answers=answers, printed=reply.printed if request.show else "")
    if request.show:
        return reply
    # Why a cell failed is told by the same process, so it may be made up: the same rule holds for it.
    return _redacted(reply, known)


def _redacted(thing: T, words: Words) -> T:
    if isinstance(thing, Fault):
        base = thing.base if thing.base in _EXCEPTIONS else "Exception"
        kind = thing.type if thing.type in _EXCEPTIONS | _OURS else base
        thing = dataclasses.replace(thing, base=base, type=kind)
    elif isinstance(thing, Finding):
        return _finding(thing, words)  # type: ignore[return-value]
    elif isinstance(thing, Number):
        kind = thing.type if words.may_say(thing.type) else "object"
        shape = tuple(min(max(n, 0), _MOST_SIZE) for n in thing.shape[:2])
        return dataclasses.replace(thing, type=kind, shape=shape)
    if dataclasses.is_dataclass(thing) and not isinstance(thing, type):
        values = {f.name: _redacted(getattr(thing, f.name), words) for f in dataclasses.fields(thing)}
        return dataclasses.replace(thing, **values)
    return _plain(thing, words)  # type: ignore[no-any-return]


def _finding(finding: Finding, words: Words) -> Finding:
    """A known rule and a line of the submission; a finding with an unknown rule becomes `unread`."""
    rule = finding.rule if finding.rule in RULES else "unread"
    source = finding.source if words.may_say(finding.source) else ""
    line = None if finding.line is None else min(max(finding.line, 1), _MOST_LINE)
    return Finding(RULES[rule].outcome, rule, line, source)


def _plain(thing: Any, words: Words) -> Any:
    if isinstance(thing, str):
        return thing if words.may_say(thing) else ""
    if isinstance(thing, tuple):
        kept = tuple(_redacted(item, words) for item in thing)
        return tuple(item for item in kept if item != "")
    if isinstance(thing, Mapping):
        return {name: _redacted(value, words) for name, value in thing.items()}
    if type(thing) is int:
        return min(max(thing, 0), _MOST_LINE)
    return thing


def no_answer(name: str, why: str) -> Reply:
    """Stands for the reply of a worker that gave none: a fault, so that it earns nothing and the page says why."""
    return Reply((Answer(fault=Fault(name, "RuntimeError", why)),))
