"""A question is specified by one decorated forward pass; its tests, pictures and messages are derived from that."""

from __future__ import annotations

import json
import math
import numbers
import os
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import torch

from autograder import messages
from autograder.by_hand.rules import FINDINGS, sentence
from autograder.calculus import graph, options
from autograder.calculus.admission import refuse_kink, refuse_what_autograd_cannot
from autograder.calculus.graph import Forward
from autograder.calculus.points import Domain, Testbed
from autograder.calculus.reference import (
    Reference,
    clean_torch,
    run,
)
from autograder.calculus.spelling import spelling
from autograder.drawing.picture import Picture
from autograder.drawing.svg import svg
from autograder.errors import CheckFailed, QuestionError
from autograder.student import cells, kernel
from autograder.student.protocol import Answer, Reply, Request
from autograder.verdict import diagnosis, public, shown
from autograder.verdict.credit import share
from autograder.verdict.judge import Judge, Kind, Verdict, point_words

_usable: dict[Hashable, None] = {}
"""Testbeds and visible points that torch can differentiate, so that they are not tried again for each submission."""
_TRIED = 3
"""Seeds that are tried when a question is made; `autograder new`, `inspect` and `generate_assignment` try many more."""


@dataclass(frozen=True)
class Question:
    """A question: made by the decorator `question`, used in cells as `q1.check()` and `q1.grade(…)`.

    `wrt` is the argument by which the forward pass is differentiated, `at` the visible point and `domain` the interval
    of each argument in the hidden points.
    """

    forward: Forward
    wrt: str
    at: Mapping[str, float]
    domain: Domain
    own_forward: float
    """The part of the points for a derivative that is right only for the forward lines as the student changed them."""
    _testbed: Testbed = field(repr=False, compare=False)

    @property
    def name(self) -> str:
        return self.forward.name

    def __call__(self, *args: Any) -> Any:
        """The output of the forward pass for these arguments: tensors, or numbers that torch accepts."""
        if len(args) != len(self.forward.leaves):
            raise TypeError(f"{self.name}({', '.join(self.forward.leaves)}) was given {len(args)} arguments")
        return run(self.forward, dict(zip(self.forward.leaves, args, strict=True)))[self.forward.output]

    def check(self, at: Mapping[str, float] | None = None) -> None:
        """Compares `grad_<name>` with autograd at the visible point, or at another one: `check(at={"x": 0.5})`.

        Where it is right at the visible point, it is compared at the question's public points too (`verdict.public`).
        Prints both derivatives to four decimals and a line for each link, and draws the graph. CheckFailed, shown
        without a traceback, if something is wrong or the point cannot be used.
        """
        reference, allowances = self._reference_at(self.at if at is None else self._own_point(at))
        judge = Judge(self.forward, self.wrt, [reference], hidden=False)
        judge.widen(allowances)
        student = kernel.current_student()
        points = self._public() if at is None else ()
        reply = student.ask(self._request([reference, *points], show=True))
        verdict = judge.verdict(replace(reply, answers=reply.answers[:1]))
        if verdict.kind in (Kind.WRONG_DERIVATIVE, Kind.WRONG_VALUE):
            verdict = self._at_more_points(verdict, reference, judge.allowances)
        answer = reply.answers[0] if reply.answers else None
        found = self._elsewhere(reference, points, reply) if verdict.right else None
        if reply.printed:
            print(messages.PRINTED.format(function=f"grad_{self.name}", text=reply.printed.rstrip("\n")))
        if found:
            verdict, broken, there = found
            if broken is not reference:
                where = {"seed": point_words(reference.point), "point": point_words(broken.point)}
                shown.tell(messages.ELSEWHERE.format(**where))
                reference, answer = broken, there
        if answer and len(answer.results) == 2 and answer.results[1].kind == "number":
            print(messages.AUTOGRAD.format(value=f"{reference.adjoints[self.wrt]:.4f}"))
            print(messages.MANUAL.format(value=f"{answer.results[1].value:.4f}"))
        if verdict.chain and len(verdict.chain.own) > 0:  # more than the result alone
            links = shown.links(diagnosis.table(verdict.chain))
            if shown.on_a_page():
                shown.display(links)
            else:
                print(links)
        if verdict.chain:
            shown.display(diagnosis.picture(verdict.chain, f"{self.name} at {point_words(reference.point)}"))
        if not verdict.right:
            raise self._failed(verdict.text, messages.SEE_ABOVE) from None
        shown.tell("\n".join([verdict.text, *self._listed(verdict)]))

    def draw(self) -> Picture:
        """The computation graph, with an empty slot for each adjoint on a path from the output to `wrt`."""
        return Picture(svg(self.forward, self.wrt, title=f"The computation graph of {self.name}"))

    def draw_public(self) -> None:
        """Draws the public points, so that the same question made anew in a forked process need not draw them."""
        spelling(self._request(self._public(), show=True).nodes)

    def _at_more_points(self, verdict: Verdict, reference: Reference, allowances: Mapping[str, float]) -> Verdict:
        """The same verdict; a slip is named only if it explains the student's numbers at more points too."""
        more = public.further(self._testbed, self._public())
        references = [reference, *(r for r in more if r.point != reference.point)]
        judge = Judge(self.forward, self.wrt, references, hidden=False)
        judge.widen(allowances)
        if verdict.kind is Kind.WRONG_DERIVATIVE:
            judge.overlook_value()
        again = judge.verdict(kernel.current_student().ask(self._request(references, show=True)))
        return again if again.kind is verdict.kind else verdict

    def _public(self) -> tuple[Reference, ...]:
        return public.points(self._testbed, self.at)

    def _elsewhere(
        self, seed: Reference, points: Sequence[Reference], reply: Reply
    ) -> tuple[Verdict, Reference, Answer | None] | None:
        """What is not right of an answer that is right at `seed`: the verdict, the point and the answer there.

        `reply` has the answer at `seed`, then those at `points`. A finite difference is told here as in the hidden
        test, where it costs the marks.
        """
        if reply.shifted is not None:
            closer = self._closely(public.further(self._testbed, self._public()), hidden=False)
            if closer.kind is Kind.NOT_BY_HAND:
                return closer, seed, None
        for point, answer in zip(points, reply.answers[1:], strict=False):
            alone = Judge(self.forward, self.wrt, [point], hidden=False).verdict(replace(reply, answers=(answer,)))
            if not alone.right:
                told = self._at_more_points(alone, point, {}) if alone.chain else alone
                here, there = point_words(seed.point), point_words(point.point)
                but = messages.ONLY_AT_SEED if there in told.text else messages.NOT_AT
                return replace(told, text=but.format(seed=here, point=there) + told.text), point, answer
        if len(reply.answers) <= len(points):  # the room has ended between two points
            return Judge(self.forward, self.wrt, [seed, *points], hidden=False).verdict(reply), seed, None
        return None

    def grade(self, points: float, seed: int | str) -> float:
        """The points in [0, `points`] that `grad_<name>` earns at the hidden points drawn from `seed`; prints why.

        A derivative that is right at every point earns all. Else each local derivative that the lines show to be known
        earns an equal share of half of them (`verdict.credit`).
        """
        verdict = self.judge(seed)
        earned = float(points) * verdict.credit
        text = verdict.text
        if verdict.chain and not verdict.right:
            right, count = share(verdict.chain)
            words = {"right": right, "count": count, "earned": f"{earned:.3g}", "points": f"{points:g}"}
            text = messages.joined(text, messages.SHARE.format(**words))
        text = messages.joined(text, *(f" {s}" for s in self._listed(verdict)))
        words = {"question": self.name, "earned": f"{earned:.3g}", "points": f"{points:g}", "text": text}
        print(messages.laid_out(messages.EARNED.format(**words)))
        if verdict.findings:
            found = [{"question": self.name, **asdict(f)} for f in verdict.findings]
            shown.display({FINDINGS: json.dumps(found)}, raw=True)
        return earned

    def _listed(self, verdict: Verdict) -> list[str]:
        """The sentences on findings that the instructor will look at."""
        if verdict.kind is Kind.NOT_BY_HAND:
            return []
        return list(dict.fromkeys(sentence(f, f"grad_{self.name}") for f in verdict.findings))

    def judge(self, seed: int | str) -> Verdict:
        """The verdict on `grad_<name>` at the hidden points drawn from `seed`."""
        return self._closely(self._testbed.draw(seed), hidden=True)

    def _closely(self, references: Sequence[Reference], hidden: bool) -> Verdict:
        """The verdict at these points; a right answer whose numbers give a reason is asked once more."""
        student = kernel.current_student()
        judge = Judge(self.forward, self.wrt, references, hidden)
        judge.own_forward = self.own_forward

        def ask(points: Sequence[Reference]) -> Reply:
            # Of points that are no secret, the room answers that knows no hidden one.
            return student.ask(self._request(points, show=not hidden))

        reply = ask(references)
        return judge.closer(judge.verdict(reply), reply, ask)

    def _request(self, references: Sequence[Reference], show: bool = False) -> Request:
        forward, points = self.forward, tuple(r.point for r in references)
        nodes = (*forward.leaves, *forward.nodes)
        return Request(f"grad_{self.name}", forward.leaves, points, nodes, forward.given, show)

    def _own_point(self, at: Mapping[str, float]) -> dict[str, float]:
        arguments = ", ".join(f'"{n}": {v:g}' for n, v in self.at.items())
        if not isinstance(at, Mapping):
            raise self._refused(messages.NOT_NAMED, arguments=arguments)
        point = {n: v.item() if isinstance(v, torch.Tensor) and not v.dim() else v for n, v in at.items()}
        for name, value in point.items():
            if name not in self.forward.leaves:
                raise self._refused(messages.UNKNOWN_ARGUMENT, name=name, arguments=arguments)
            if not isinstance(value, numbers.Real) or not math.isfinite(value):
                raise self._refused(messages.NOT_A_NUMBER, name=name, value=value)
        return {name: float({**self.at, **point}[name]) for name in self.forward.leaves}

    def _reference_at(self, point: Mapping[str, float]) -> tuple[Reference, dict[str, float]]:
        """What is true at a visible point, and how far off it the answer may be."""
        where = point_words(dict(point))
        reference, allowances, kink = public.visible(self._testbed, tuple(point.items()))
        if kink:
            raise self._refused(messages.KINK_HERE, point=where)
        if not reference.finite:
            domain = ", ".join(f"{lo:g} ≤ {n} ≤ {hi:g}" for n, (lo, hi) in self.domain.items())
            raise self._refused(messages.NOT_FINITE_HERE, point=where, domain=domain)
        return reference, allowances

    def _refused(self, template: str, **words: object) -> CheckFailed:
        return self._failed(template.format(question=self.name, **words), messages.NOT_CHECKED)

    def _failed(self, text: str, see_above: str) -> CheckFailed:
        """The exception for `text`; on a page that can wrap text, shows it there and raises only `see_above`."""
        if not shown.on_a_page():
            return CheckFailed(text)
        shown.display(shown.message(text))
        return CheckFailed(text, see_above.format(question=self.name))


def question(
    *,
    wrt: str,
    at: Mapping[str, float],
    domain: Mapping[str, tuple[float, float]],
    own_forward: float = 0.0,
) -> Callable[[Callable[..., Any]], Question]:
    """The decorator that makes a Question of a forward pass.

    It is differentiated by the argument `wrt`, checked at the visible point `at` and tested at points in `domain`, a
    (lowest, highest) for each argument. A derivative that is right for the forward lines as the student changed them
    earns the part `own_forward` of the hidden test's points, from 0 to 1. The function must consist of lines
    `name = expression` on real scalars (float64 tensors of shape ()), each name assigned once, then `return name`.
    QuestionError names the line and the remedy if it does not, or if the domain gives no good test points.
    """

    def make(function: Callable[..., Any]) -> Question:
        forward = graph.read(function)
        cells.watch(f"grad_{forward.name}")
        point, box = options.read(forward.name, forward.leaves, wrt, at, domain)
        if not isinstance(own_forward, int | float) or not 0 <= own_forward <= 1:
            raise QuestionError(f"{forward.name}: own_forward={own_forward!r} is no part of 1; write 0.5 or so.")
        testbed = Testbed(forward, wrt, box)
        usable = testbed, tuple(point.items())
        if usable not in _usable:
            with clean_torch():
                refuse_what_autograd_cannot(forward, point)
            _usable[usable] = None
        if os.environ.get("NBGRADER_EXECUTION") != "autograde":  # grading skips it: slow, and the author is not there
            with clean_torch():
                refuse_kink(forward, point)
            # Raises QuestionError if the domain is poor, before students see it.
            testbed.draw(public.SEED, tries=_TRIED, public=True)
        return Question(forward, wrt, point, box, own_forward, testbed)

    return make
