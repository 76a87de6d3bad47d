"""Takes out of a reply everything by which a room could tell on the page what it has learnt from the request.

What a student's function raises or returns is shown on the page, and a room may make its reply up. At points that the
student knows this is no secret: texts are only cut. Of a reply about hidden points the numbers are judged, and all else
is cut down until it can choose among few words: whether a name was given, the kind of a result, the kind of an
exception from a short list. The line and the words of an exception or a finding are those that the same function has
given at known points, where it did the same there; other lines are the examiner's own reading.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from autograder.by_hand.rules import MOST_FINDINGS, MOST_SOURCE, RULES, Finding, Outcome, found
from autograder.calculus.spelling import spelling
from autograder.student.protocol import FIXED_TEXTS, Answer, Fault, Missing, Number, Reply, Request

T = TypeVar("T")

_NAME = re.compile(r"[^\W\d]\w*")
_RAISED = frozenset(
    (
        *("ArithmeticError", "AssertionError", "AttributeError", "IndexError", "KeyError", "NameError"),
        *("NotImplementedError", "OverflowError", "RecursionError", "RuntimeError", "SyntaxError", "TypeError"),
        *("UnboundLocalError", "ValueError", "ZeroDivisionError"),
    )
)
"""What an exception at a hidden point may be called; every other one is an `Exception`."""
_TOO_LONG = "TooLong"
_KINDS = {
    "ellipsis": "ellipsis",
    **dict.fromkeys(("function", "builtin_function_or_method", "method", "numpy.ufunc"), "function"),
}
"""Of what type a result may be said to be at a hidden point; anything else is an `object`."""
_MOST_TEXT, _MOST_LINE = 300, 100_000
_MOST_READ = 1_000_000
"""Characters of the cells, the last ones, that are searched for names: the grader's own time."""


def redact(reply: Reply, request: Request, cells: Sequence[str], known: Reply | None = None) -> Reply:
    """The reply as the examiner may get it. `known` is what the same function gave at points that the student knows."""
    reply = _whole(reply, request)
    if request.show:
        printed = reply.printed
        return dataclasses.replace(_cut(reply), printed=printed, seen=reply.seen, shifted=reply.shifted)
    groups = _groups(request, cells, known)
    told = _fault_of(known) if known else None
    return Reply(
        tuple(_answer(answer, groups, told) for answer in reply.answers),
        missing=_missing(reply.missing, known),
        seen=_seen(reply.seen, known),
        shifted=reply.shifted and ((known.shifted if known else None) or found("differences")),
        later_fault=known.later_fault if known else None,
        reassigned=known.reassigned if known else (),
    )


def _whole(reply: Reply, request: Request) -> Reply:
    """The reply without what was not asked for, and without what no function gives."""
    known = spelling(request.nodes).readings
    answers = tuple(
        dataclasses.replace(
            answer,
            single=answer.single and len(answer.results) == 1,
            named={name: number for name, number in answer.named.items() if known(name)},
        )
        for answer in reply.answers[: len(request.points)]
    )
    return dataclasses.replace(
        reply,
        answers=answers,
        seen=tuple(map(_finding, reply.seen[:MOST_FINDINGS])),
        shifted=_finding(reply.shifted) if reply.shifted else None,
    )


def _finding(finding: Finding) -> Finding:
    """A known rule, and a line no longer than is listed; a finding with an unknown rule becomes `unread`."""
    line = None if finding.line is None else min(max(finding.line, 1), _MOST_LINE)
    return found(finding.rule if finding.rule in RULES else "unread", line, finding.source[:MOST_SOURCE])


def _cut(thing: T) -> T:
    """The same with no long text in it."""
    if isinstance(thing, Number) and len(thing.type) <= _MOST_TEXT:  # most of what there is
        return thing
    if isinstance(thing, str):
        return thing[:_MOST_TEXT]  # type: ignore[return-value]
    if isinstance(thing, tuple):
        return tuple(map(_cut, thing))  # type: ignore[return-value]
    if isinstance(thing, Mapping):
        return {name: _cut(value) for name, value in thing.items()}  # type: ignore[return-value]
    if dataclasses.is_dataclass(thing) and not isinstance(thing, type):
        values: dict[str, Any] = {f.name: _cut(getattr(thing, f.name)) for f in dataclasses.fields(thing)}
        return dataclasses.replace(thing, **values)
    return thing


def _groups(request: Request, cells: Sequence[str], known: Reply | None) -> list[list[str]]:
    """The names of derivatives that are read, those that say the same together: the names that the function had at
    known points, or those that the cells hold.
    """
    if known and known.answers:
        names = [name for answer in known.answers[:1] for name in answer.named]
    else:
        names = _NAME.findall("\n".join(cells)[-_MOST_READ:])
    readings = spelling(request.nodes).readings
    groups: dict[object, list[str]] = {}
    for name in dict.fromkeys(names):
        if reading := readings(name):
            groups.setdefault(reading, []).append(name)
    return list(groups.values())


def _answer(answer: Answer, groups: Sequence[Sequence[str]], told: Fault | None) -> Answer:
    """The answer; of several spellings of one derivative the first counts, and is what it is called."""
    if answer.fault:
        return Answer(fault=_fault(answer.fault, told))
    results = tuple(map(_number, answer.results)) if answer.single or len(answer.results) == 2 else ()
    given = ((group[0], [answer.named[name] for name in group if name in answer.named]) for group in groups)
    return Answer(results, answer.single, {name: _number(numbers[0]) for name, numbers in given if numbers})


def _number(number: Number) -> Number:
    return Number(number.kind, _KINDS.get(number.type, "object"), number.value)


def _fault(fault: Fault, told: Fault | None) -> Fault:
    """The fault as `told` at known points, if it is of the same kind; else its kind alone."""
    ended = fault.type == _TOO_LONG
    base = "BaseException" if ended else _base(fault)
    if told and base == _base(told) and ended == (told.type == _TOO_LONG):
        return told
    text = fault.text if fault.text in FIXED_TEXTS else ""
    return Fault(_TOO_LONG if ended else base, base, text, called=fault.called)


def _base(fault: Fault) -> str:
    return fault.base if fault.base in _RAISED else "Exception"


def _fault_of(known: Reply) -> Fault | None:
    return next((answer.fault for answer in known.answers if answer.fault), None)


def _missing(missing: Missing | None, known: Reply | None) -> Missing | None:
    """That there is no such function; why, only where the same was said at known points."""
    return missing and ((known.missing if known else None) or Missing())


def _seen(findings: Sequence[Finding], known: Reply | None) -> tuple[Finding, ...]:
    """Of what the watcher saw, whether it costs the marks or is listed; rule and line are those of known points."""
    seen: list[Finding] = []
    for rule, outcome in (("seen", Outcome.FORBIDDEN), ("watched", Outcome.LISTED)):
        if any(finding.outcome is outcome for finding in findings):
            before = [finding for finding in known.seen if finding.outcome is outcome] if known else []
            seen += before or [found(rule)]
    return tuple(seen)


def no_answer(name: str, why: str) -> Reply:
    """Stands for the reply of a worker that gave none: a fault, so that it earns nothing and the page says why."""
    return Reply((Answer(fault=Fault(name, "RuntimeError", why)),))
