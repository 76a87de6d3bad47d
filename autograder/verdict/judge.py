"""From answers to a verdict: right means |answer - g| <= 2e-5·S at every point, and the value right as well.

S, the scale, is |g| where nothing cancels and larger where paths cancel, so that every algebraically equal form earns
full marks in either precision, while the reference times 1.0001 fails. Measured on sensible points, equal forms differ
from autograd by up to 2.0e-6·S in float32 and 2.6e-15·S in float64.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from autograder import messages as m
from autograder.by_hand.rules import Finding, Outcome, found, sentence
from autograder.calculus.graph import Forward
from autograder.calculus.reference import Reference
from autograder.student.protocol import NOTHING_TO_DIFFERENTIATE, Fault, Reply
from autograder.verdict import diagnosis, exactness
from autograder.verdict.cases import sign_that_decides
from autograder.verdict.chain import path
from autograder.verdict.diagnosis import number_words
from autograder.verdict.kinds import Kind, Verdict
from autograder.verdict.lines import Lines
from autograder.verdict.own_forward import own_forward
from autograder.verdict.quantities import FLOOR, TOLERANCE
from autograder.verdict.readings import chain
from autograder.verdict.rounding import is_constant, is_rounded
from autograder.verdict.unusable import Unusable

__all__ = ["Judge", "Kind", "Verdict", "point_words"]


class Judge:
    """Compares one reply with the references; `hidden` decides how much the words may tell."""

    def __init__(self, forward: Forward, wrt: str, references: Sequence[Reference], hidden: bool) -> None:
        self.forward, self.wrt, self.references, self.hidden = forward, wrt, references, hidden
        largest = max(r.scales[wrt] for r in references)
        self._derivatives = [(r.adjoints[wrt], max(TOLERANCE * r.scales[wrt], FLOOR * largest)) for r in references]
        self._values = [(r.values[forward.output], TOLERANCE * r.value_scale(forward.output)) for r in references]
        self.allowances: Mapping[str, float] = {}
        self.own_forward = 0.0
        """The part of the points that a derivative earns which is right for the student's own forward lines only."""
        self._words = {
            "function": f"grad_{forward.name}",
            "arguments": ", ".join(forward.leaves),
            "output": forward.output,
            "adjoint": forward.adjoint(wrt),
        }
        self._unusable = Unusable(self._words, hidden)

    def widen(self, allowances: Mapping[str, float]) -> None:
        """Lets the first point's adjoints differ by as much, if that is more than the tolerance (its float32 error)."""
        self.allowances = {n: a for n, a in allowances.items() if math.isfinite(a)}
        g, tolerance = self._derivatives[0]
        self._derivatives[0] = g, max(tolerance, self.allowances.get(self.wrt, 0.0))

    def overlook_value(self) -> None:
        """Judges the derivative alone: the value was right where the student was told of the derivative."""
        self._values = [(value, math.inf) for value, _ in self._values]

    def verdict(self, reply: Reply) -> Verdict:
        verdict = self._verdict(reply)
        if reply.later_fault is None or verdict.kind is Kind.MISSING:
            return verdict
        remark = self._unusable.later(reply.later_fault, self._lines(reply))
        return replace(verdict, text=m.joined(verdict.text, remark))

    def closer(self, verdict: Verdict, reply: Reply, ask: Callable[[Sequence[Reference]], Reply]) -> Verdict:
        """The verdict on a right answer after a second look, if its numbers or the watcher give a reason for one:
        `ask` gets the student's reply at further points.
        """
        if not verdict.right:
            return verdict
        given = [a.results[1].value for a in reply.answers]
        size = exactness.size(given, self.references, self.wrt)
        if size <= exactness.EXACT and reply.shifted is None:
            return verdict
        beside = exactness.beside(self.forward, self.wrt, self.references)
        moved = exactness.movement(ask(beside), beside, self.wrt)
        jumps, moves = moved or (0.0, 0.0)
        size = max(size, jumps)
        if size <= exactness.EXACT:
            return verdict
        smooth = moved is not None and jumps <= exactness.SMOOTH
        if smooth and exactness.explained(given, self.references, self.wrt, moves, reply.cells):
            return verdict
        if jumps > exactness.SMOOTH and reply.shifted is not None:
            line = _with_its_line(reply.shifted, reply)
            return self._forbidden(found("differences", line.line, line.source))
        near = found("inexact", source=exactness.ON_THE_LIST.format(size=size))
        return replace(verdict, findings=(*verdict.findings, near))

    def _verdict(self, reply: Reply) -> Verdict:
        lines = self._lines(reply)
        if reply.missing:
            return self._unusable.missing(reply.missing, lines)
        for answer, reference in zip(reply.answers, self.references, strict=False):
            verdict = self._unusable.answer(answer, self._where(reference), lines)
            if verdict:
                return self._by_machine(reply, answer.fault) or verdict
        if len(reply.answers) != len(self.references):
            return self._unusable.too_long()
        values = [a.results[0].value for a in reply.answers]
        derivatives = [a.results[1].value for a in reply.answers]
        value_wrong = _first_off(values, self._values)
        if value_wrong is not None:
            if _first_off(derivatives, self._values) is None and _first_off(values, self._derivatives) is None:
                return self._say(Kind.SWAPPED, m.SWAPPED)
            return self._wrong_value(value_wrong, values, derivatives, reply)
        findings = self._by_hand(reply)
        forbidden = self._not_by_hand(findings)
        if forbidden:
            return forbidden
        wrong = _first_off(derivatives, self._derivatives)
        if wrong is None and self.hidden:  # nobody is shown its links
            return replace(self._say(Kind.RIGHT, m.RIGHT_HIDDEN, count=len(self.references)), findings=findings)
        links = chain(self.forward, self.wrt, self.references, reply, self.allowances)
        if wrong is not None:
            verdict = self._off(Kind.WRONG_DERIVATIVE, wrong, derivatives, self._derivatives, lines)
            text = verdict.text + diagnosis.say(links, self.hidden, lines)
            return Verdict(verdict.kind, text, links, findings)
        verdict = self._say(Kind.RIGHT, m.RIGHT_VISIBLE, point=point_words(self.references[0].point))
        return replace(verdict, chain=links, findings=findings)

    def _wrong_value(self, at: int, values: Sequence[float], derivatives: Sequence[float], reply: Reply) -> Verdict:
        lines = self._lines(reply)
        verdict = self._off(Kind.WRONG_VALUE, at, values, self._values, lines)
        given = list(zip(values, derivatives, strict=True))
        changed = own_forward(self.forward, self.wrt, self.references, given, lines)
        if changed is None:
            return replace(verdict, text=verdict.text + self._why_the_value(values, lines))
        findings = self._by_hand(reply)
        forbidden = self._not_by_hand(findings)
        if forbidden:
            return forbidden
        earns = m.OWN_FORWARD_NOTHING
        if self.own_forward:
            earns = m.OWN_FORWARD_EARNS.format(percent=100 * self.own_forward)
        own = m.OWN_LINE.format(source=changed.source)
        text = verdict.text + m.OWN_FORWARD.format(line=changed.line, earns=earns, own=own)
        return replace(verdict, text=text, findings=findings, own_forward=self.own_forward)

    def _by_machine(self, reply: Reply, fault: Fault | None) -> Verdict | None:
        """torch's complaint that it has nothing to differentiate is no use to whoever must do it by hand."""
        if not fault or fault.base != "RuntimeError" or fault.text not in NOTHING_TO_DIFFERENTIATE:
            return None
        return self._not_by_hand(self._by_hand(reply))

    def _not_by_hand(self, findings: Sequence[Finding]) -> Verdict | None:
        forbidden = next((f for f in findings if f.outcome is Outcome.FORBIDDEN), None)
        return self._forbidden(forbidden) if forbidden else None

    def _forbidden(self, finding: Finding) -> Verdict:
        return Verdict(Kind.NOT_BY_HAND, sentence(finding, self._words["function"]), findings=(finding,))

    def _lines(self, reply: Reply) -> Lines:
        return _read_lines(reply.cells, self._words["function"])

    def _by_hand(self, reply: Reply) -> tuple[Finding, ...]:
        """What both guards found, forbidden first. Without cells (a plain script) there is nothing to read."""
        read_ones = _read(reply.cells, self._words["function"], tuple(reply.modules.items())) if reply.cells else ()
        seen = (_with_its_line(finding, reply) for finding in reply.seen)
        found_ones = {*read_ones, *seen}
        return tuple(sorted(found_ones, key=lambda f: (f.outcome is Outcome.LISTED, not f.line, f.line or 0, f.rule)))

    def _say(self, kind: Kind, template: str, **words: object) -> Verdict:
        return Verdict(kind, self._filled(template, **words))

    def _filled(self, template: str, **words: object) -> str:
        return template.format(**self._words, **words)

    def _where(self, reference: Reference) -> str:
        return m.WHERE_HIDDEN if self.hidden else m.WHERE_VISIBLE.format(point=point_words(reference.point))

    def _off(
        self,
        kind: Kind,
        at: int,
        given: Sequence[float],
        expected: Sequence[tuple[float, float]],
        lines: Lines,
    ) -> Verdict:
        numbers = ""
        if not self.hidden:
            yours, true = number_words(given[at], expected[at][0])
            numbers = m.NUMBERS.format(given=yours, expected=true)
        of_value = kind is Kind.WRONG_VALUE
        template = m.WRONG_VALUE if of_value else m.WRONG_DERIVATIVE
        verdict = self._say(kind, template, where=self._where(self.references[at]), numbers=numbers)
        name = self._words["output" if of_value else "adjoint"]
        return replace(verdict, text=verdict.text + self._which_cases(name, given, expected, lines))

    def _which_cases(
        self, name: str, given: Sequence[float], expected: Sequence[tuple[float, float]], lines: Lines
    ) -> str:
        """Where it is right, if that helps: zeros that come out as zeros whatever is written do not count."""
        if is_rounded(given, [g for g, _ in expected], shown=lines.rounds() is not None):
            return ""
        right = [abs(a - g) <= t for a, (g, t) in zip(given, expected, strict=True)]
        tells = [fine for fine, (g, t) in zip(right, expected, strict=True) if abs(g) > t]
        if not any(tells):
            return ""
        decides = sign_that_decides(right, [r.values for r in self.references])
        if decides:
            words = (m.POSITIVE, m.NEGATIVE) if decides[1] else (m.NEGATIVE, m.POSITIVE)
            return m.BY_SIGN.format(name=decides[0], right=words[0], wrong=words[1])
        if not self.hidden or sum(tells) <= len(tells) // 6:  # fewer are chance: two curves cross somewhere
            return ""
        alive = [all(r.adjoints[n] for n in path(self.forward, self.wrt)) for r in self.references]
        if name != self.forward.output and not any(a and fine for a, fine in zip(alive, right, strict=True)):
            return ""  # where a derivative on the way is 0, a wrong factor does no harm
        template = m.OFTEN if len(tells) == len(right) else m.OFTEN_NOT_ZERO
        return template.format(name=name, right=sum(tells), count=len(tells))

    def _why_the_value(self, values: Sequence[float], lines: Lines) -> str:
        truths = [r.values[self.forward.output] for r in self.references]
        rounded = diagnosis.say_rounded(values, truths, lines, m.IT)
        if rounded:
            return rounded
        again = lines.given_again(self.forward.output)
        if again:
            return self._filled(m.GIVEN_AGAIN, line=again.line, own=m.OWN_LINE.format(source=again.source))
        misread = diagnosis.say_misread(lines)
        if not misread and is_constant(values, truths):
            return m.CONSTANT.format(it=m.IT, arguments=diagnosis.listed(self.forward.leaves))
        return misread or m.AS_GIVEN


def _with_its_line(finding: Finding, reply: Reply) -> Finding:
    """What was seen is told with its line only if that is a line of the notebook: text can smuggle hidden points."""
    texts = (*reply.cells, *reply.modules.values())
    known = any(finding.source == line.strip() for text in texts for line in text.split("\n"))
    return finding if known else replace(finding, source="")


@lru_cache(maxsize=8)
def _read_lines(cells: tuple[str, ...], function: str) -> Lines:
    return Lines(cells, function)


@lru_cache(maxsize=8)
def _read(cells: tuple[str, ...], function: str, modules: tuple[tuple[str, str], ...]) -> tuple[Finding, ...]:
    """The check and the hidden test of a question read the same cells."""
    from autograder.by_hand.apart import read_apart  # half of the time that importing this package would take

    return read_apart(cells, function, dict(modules))


def _first_off(given: Sequence[float], expected: Sequence[tuple[float, float]]) -> int | None:
    """The first position where a number is farther from the truth than its tolerance; NaN is off."""
    for at, (number, (truth, tolerance)) in enumerate(zip(given, expected, strict=True)):
        if not abs(number - truth) <= tolerance:
            return at
    return None


def point_words(point: object) -> str:
    """`x = 1, y = 2`, as a student would write it; eight digits show a multiple of 1/64 exactly."""
    assert isinstance(point, dict)
    return ", ".join(f"{name} = {value:.8g}" for name, value in point.items())
