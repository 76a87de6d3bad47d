"""From answers to a verdict: right means |answer - g| <= 2e-5·S at every point, and the value right as well.

S, the scale, is |g| where nothing cancels and larger where paths cancel, so that every algebraically equal form earns
full marks in either precision, while the reference times 1.0001 fails. Measured on sensible points, equal forms differ
from autograd by up to 2.0e-6·S in float32 and 2.6e-15·S in float64.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache

from autograder import _diagnosis
from autograder import _messages as m
from autograder._byhand import Finding, Outcome, sentence
from autograder._byhand_source import read
from autograder._calculus import Reference
from autograder._diagnosis import number_words
from autograder._forward import Forward
from autograder._links import FLOOR, TOLERANCE, Chain, chain
from autograder._seam import SECONDS, Fault, Missing, Number, Reply
from autograder._seam import Answer as Given
from autograder.verdict.cases import sign_that_decides
from autograder.verdict.lines import Answer
from autograder.verdict.rounding import is_constant, is_rounded


class Kind(Enum):
    """What became of a question, in one word."""

    RIGHT = "right"
    UNANSWERED = "unanswered"
    MISSING = "missing"
    RAISED = "raised"
    NOT_TWO = "not two results"
    NO_NUMBER = "not a number"
    SWAPPED = "swapped"
    WRONG_VALUE = "wrong value"
    NOT_BY_HAND = "not by hand"
    WRONG_DERIVATIVE = "wrong derivative"


@dataclass(frozen=True)
class Verdict:
    """What the grader says of one question, in a word and in words for the student."""

    kind: Kind
    text: str
    chain: Chain | None = None
    """The links, where the reply was usable and the value right."""
    findings: tuple[Finding, ...] = ()
    """What the by-hand guards point at: one that is forbidden, or those listed for the instructor."""

    @property
    def right(self) -> bool:
        return self.kind is Kind.RIGHT

    @property
    def credit(self) -> float:
        """The part of the points that is earned: all, or half of them shared over the links that are right."""
        if self.right:
            return 1.0
        if self.kind is not Kind.WRONG_DERIVATIVE or self.chain is None:
            return 0.0
        right, count = self.chain.share()
        return 0.5 * right / count


class Judge:
    """Compares one reply with the references; `hidden` decides how much the words may tell."""

    def __init__(self, forward: Forward, wrt: str, references: Sequence[Reference], hidden: bool) -> None:
        self.forward, self.wrt, self.references, self.hidden = forward, wrt, references, hidden
        largest = max(r.scales[wrt] for r in references)
        self._derivatives = [(r.adjoints[wrt], max(TOLERANCE * r.scales[wrt], FLOOR * largest)) for r in references]
        self._values = [(r.values[forward.output], TOLERANCE * r.value_scale(forward.output)) for r in references]
        self.allowances: Mapping[str, float] = {}
        self._words = {
            "function": f"grad_{forward.name}",
            "arguments": ", ".join(forward.leaves),
            "output": forward.output,
            "adjoint": forward.adjoint(wrt),
        }

    def widen(self, allowances: Mapping[str, float]) -> None:
        """Lets the first point's adjoints differ by as much, if that is more than the tolerance (its float32 error)."""
        self.allowances = {n: a for n, a in allowances.items() if math.isfinite(a)}
        g, tolerance = self._derivatives[0]
        self._derivatives[0] = g, max(tolerance, self.allowances.get(self.wrt, 0.0))

    def verdict(self, reply: Reply) -> Verdict:
        verdict = self._verdict(reply)
        if reply.later_fault is None or verdict.kind is Kind.MISSING:
            return verdict
        fault = self._answer(reply).placed(reply.later_fault)
        more = self._filled(m.LATER_FAULT, **self._fault_words(fault))
        return replace(verdict, text=m.joined(verdict.text, more))

    def _verdict(self, reply: Reply) -> Verdict:
        if reply.missing:
            return self._missing(reply.missing)
        answer = self._answer(reply)
        for given, reference in zip(reply.answers, self.references, strict=False):
            verdict = self._unusable(given, reference, answer)
            if verdict:
                return verdict
        if len(reply.answers) != len(self.references):
            return self._say(Kind.RAISED, m.TOO_LONG, seconds=SECONDS)
        values = [a.results[0].value for a in reply.answers]
        derivatives = [a.results[1].value for a in reply.answers]
        value_wrong = _first_off(values, self._values)
        if value_wrong is not None:
            if _first_off(derivatives, self._values) is None and _first_off(values, self._derivatives) is None:
                return self._say(Kind.SWAPPED, m.SWAPPED)
            verdict = self._off(Kind.WRONG_VALUE, m.WRONG_VALUE, value_wrong, values, self._values)
            return replace(verdict, text=verdict.text + self._why_the_value(values, answer))
        findings = self._by_hand(reply)
        forbidden = next((f for f in findings if f.outcome is Outcome.FORBIDDEN), None)
        if forbidden:
            return Verdict(Kind.NOT_BY_HAND, sentence(forbidden, self._words["function"]), findings=(forbidden,))
        links = chain(self.forward, self.wrt, self.references, reply, self.allowances)
        wrong = _first_off(derivatives, self._derivatives)
        if wrong is not None:
            verdict = self._off(Kind.WRONG_DERIVATIVE, m.WRONG_DERIVATIVE, wrong, derivatives, self._derivatives)
            text = verdict.text + _diagnosis.say(links, self.hidden, answer)
            return Verdict(verdict.kind, text, links, findings)
        if self.hidden:
            verdict = self._say(Kind.RIGHT, m.RIGHT_HIDDEN, count=len(self.references))
        else:
            verdict = self._say(Kind.RIGHT, m.RIGHT_VISIBLE, point=point_words(self.references[0].point))
        return Verdict(verdict.kind, verdict.text, links, findings)

    def _answer(self, reply: Reply) -> Answer:
        return _read_answer(reply.cells, self._words["function"])

    def _by_hand(self, reply: Reply) -> tuple[Finding, ...]:
        """What both guards found, forbidden first. Without cells (a plain script) there is nothing to read."""
        read_ones = _read(reply.cells, self._words["function"], tuple(reply.modules.items())) if reply.cells else ()
        lines = {line.strip() for text in (*reply.cells, *reply.modules.values()) for line in text.split("\n")}
        # What was seen is told with its line only if that is a line of the notebook: text can smuggle hidden points.
        seen = (f if f.source in lines else replace(f, source="") for f in reply.seen)
        return tuple(sorted({*read_ones, *seen}, key=lambda f: (f.outcome is Outcome.LISTED, f.line or 0, f.rule)))

    def _say(self, kind: Kind, template: str, **words: object) -> Verdict:
        return Verdict(kind, self._filled(template, **words))

    def _filled(self, template: str, **words: object) -> str:
        return template.format(**self._words, **words)

    def _where(self, reference: Reference) -> str:
        return m.WHERE_HIDDEN if self.hidden else m.WHERE_VISIBLE.format(point=point_words(reference.point))

    def _off(
        self, kind: Kind, template: str, at: int, given: Sequence[float], expected: Sequence[tuple[float, float]]
    ) -> Verdict:
        numbers = ""
        if not self.hidden:
            yours, true = number_words(given[at], expected[at][0])
            numbers = m.NUMBERS.format(given=yours, expected=true)
        verdict = self._say(kind, template, where=self._where(self.references[at]), numbers=numbers)
        name = self._words["output" if kind is Kind.WRONG_VALUE else "adjoint"]
        return replace(verdict, text=verdict.text + self._which_cases(name, given, expected))

    def _which_cases(self, name: str, given: Sequence[float], expected: Sequence[tuple[float, float]]) -> str:
        """Where it is right, if that helps: zeros that come out as zeros whatever is written do not count."""
        if is_rounded(given, [g for g, _ in expected]):
            return ""
        right = [abs(a - g) <= t for a, (g, t) in zip(given, expected, strict=True)]
        decides = sign_that_decides(right, [r.values for r in self.references])
        if decides:
            words = (m.POSITIVE, m.NEGATIVE) if decides[1] else (m.NEGATIVE, m.POSITIVE)
            return m.BY_SIGN.format(name=decides[0], right=words[0], wrong=words[1])
        tells = [fine for fine, (g, t) in zip(right, expected, strict=True) if abs(g) > t]
        if not self.hidden or sum(tells) <= len(tells) // 6:  # fewer are chance: two curves cross somewhere
            return ""
        template = m.OFTEN if len(tells) == len(right) else m.OFTEN_NOT_ZERO
        return template.format(name=name, right=sum(tells), count=len(tells))

    def _why_the_value(self, values: Sequence[float], answer: Answer) -> str:
        truths = [r.values[self.forward.output] for r in self.references]
        rounded = _diagnosis.say_rounded(values, truths, answer, m.IT)
        if rounded:
            return rounded
        again = answer.given_again(self.forward.output)
        if again:
            return self._filled(m.GIVEN_AGAIN, line=again.line, own=m.OWN_LINE.format(source=again.source))
        if is_constant(values, truths):
            return m.CONSTANT.format(it=m.IT, arguments=_diagnosis.listed(self.forward.leaves))
        return _diagnosis.say_misread(answer) or m.AS_GIVEN

    def _missing(self, missing: Missing) -> Verdict:
        if missing.cell_fault:
            template = m.CELL_FAULT_OLDER if missing.older else m.CELL_FAULT
            return self._say(Kind.MISSING, template, **self._fault_words(missing.cell_fault))
        if missing.magic:
            return self._say(Kind.MISSING, m.CELL_MAGIC, magic=missing.magic)
        if missing.not_a_function:
            return self._say(Kind.MISSING, m.NOT_A_FUNCTION, type=missing.not_a_function)
        if missing.near:
            return self._say(Kind.MISSING, m.MISSING_NEAR, near=missing.near[0])
        return self._say(Kind.MISSING, m.MISSING)

    def _fault_words(self, fault: Fault) -> dict[str, str]:
        """Of a hidden test only the built-in kind and the line: a student's text may spell out a test point."""
        text = "" if self.hidden and fault.base != "SyntaxError" else fault.text
        return {
            "line": f" in line {fault.line}" if fault.line else "",
            "type": fault.base if self.hidden else fault.type,
            "text": f": {text}" if text else "",
            "own": m.OWN_LINE.format(source=fault.source) if fault.source else "",
        }

    def _unusable(self, given: Given, reference: Reference, answer: Answer) -> Verdict | None:
        if given.fault:
            return self._fault(answer.placed(given.fault), answer)
        if given.single:
            (only,) = given.results
            if only.kind == "none":
                return self._say(Kind.NOT_TWO, m.NOTHING)
            return self._say(Kind.NOT_TWO, m.ONE_RESULT, type=only.type)
        if len(given.results) != 2:
            return self._say(Kind.NOT_TWO, m.RESULT_COUNT, count=len(given.results))
        names = (self._words["output"], self._words["adjoint"])
        for number, what, name in zip(given.results, ("value", "derivative"), names, strict=True):
            template = _no_number(number)
            if template:
                words = {"what": what, "name": name, "type": number.type, "shape": number.shape}
                kind = Kind.UNANSWERED if template is m.PLACEHOLDER else Kind.NO_NUMBER
                return self._say(kind, template, where=self._where(reference), **words)
        return None

    def _fault(self, fault: Fault, answer: Answer) -> Verdict:
        words = self._fault_words(fault)
        function = self._words["function"]
        if fault.base == "NotImplementedError" and _RAISE.match(fault.source) and fault.within in ("", function):
            return self._say(Kind.UNANSWERED, m.UNANSWERED)
        if fault.base in ("NotImplementedError", "TypeError", "RuntimeError") and answer.stopped_at_power(fault):
            return self._say(Kind.RAISED, m.POWER, **words)
        if fault.name and fault.name == self._words["adjoint"]:
            return self._say(Kind.UNANSWERED, m.BLANK)
        if fault.name:
            return self._say(Kind.RAISED, m.UNKNOWN_NAME, name=fault.name, **words)
        if fault.base == "RecursionError":
            own = fault.within in ("", function)
            return self._say(Kind.RAISED, m.RECURSION if own else m.RECURSION_ELSEWHERE, **words)
        if fault.type == "TooLong":
            return self._say(Kind.RAISED, m.TOO_LONG, seconds=SECONDS)
        if fault.type in _OURS:  # the words are the grader's own
            return self._say(Kind.RAISED, _OURS[fault.type], text=f": {fault.text}" if fault.text else "")
        if fault.base == "TypeError" and not fault.called:
            count = len(self.forward.leaves)
            return self._say(Kind.RAISED, m.ARITY, count="one argument" if count == 1 else f"{count} arguments")
        return self._say(Kind.RAISED, m.RAISED, **words)


_RAISE = re.compile(r"raise\s+NotImplementedError\b")
_OURS = {"ProcessEnded": m.PROCESS_ENDED, "NoAnswer": m.NO_ANSWER}


@lru_cache(maxsize=8)
def _read_answer(cells: tuple[str, ...], function: str) -> Answer:
    return Answer(cells, function)


@lru_cache(maxsize=8)
def _read(cells: tuple[str, ...], function: str, modules: tuple[tuple[str, str], ...]) -> tuple[Finding, ...]:
    """The check and the hidden test of a question read the same cells."""
    return read(cells, function, dict(modules))


def _no_number(number: Number) -> str | None:
    """The template for what is wrong with one result, or None for a finite number."""
    if number.kind == "number":
        if math.isnan(number.value):
            return m.NAN
        return m.INFINITE if math.isinf(number.value) else None
    if number.kind == "other":
        return {"ellipsis": m.PLACEHOLDER, **dict.fromkeys(_FUNCTIONS, m.FUNCTION)}.get(number.type, m.OTHER)
    return {"none": m.NONE, "text": m.TEXT, "shape": m.SHAPE, "complex": m.COMPLEX}[number.kind]


_FUNCTIONS = ("function", "builtin_function_or_method", "method", "numpy.ufunc")


def _first_off(given: Sequence[float], expected: Sequence[tuple[float, float]]) -> int | None:
    """The first position where a number is farther from the truth than its tolerance; NaN is off."""
    for at, (number, (truth, tolerance)) in enumerate(zip(given, expected, strict=True)):
        if not abs(number - truth) <= tolerance:
            return at
    return None


def point_words(point: object) -> str:
    """`x = 1, y = 2`, as a student would write it."""
    assert isinstance(point, dict)
    return ", ".join(f"{name} = {value:g}" for name, value in point.items())
