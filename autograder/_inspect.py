"""What an author wants to know of a question: its graph, how good its points are, and what its slips can be told by."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch

from autograder import _calculus
from autograder._calculus import Reference
from autograder._links import TOLERANCE, Chain
from autograder._points import COUNT
from autograder._question import Question
from autograder._seam import Answer, Number
from autograder._slips import Slip, carried, is_no_slip, slips


class Inspection:
    """One question at the points of one seed."""

    def __init__(self, question: Question, seed: int | str) -> None:
        self.question = question
        self.references: Sequence[Reference] = question._testbed.draw(seed)
        self.truth = _true_chain(question, self.references)
        found = [s for n in self.truth.way[1:] for s in slips(question.forward, question.wrt, n)]
        usable = [s for s in found if all(math.isfinite(s.change(t)) for t in self.truth.traces)]
        self.no_slips = [s for s in usable if is_no_slip(self.truth, s)]
        self.slips = [s for s in usable if s not in self.no_slips]
        self.untold = [s for s in self.slips if not self._shows(s)]
        """Slips that are mistakes, but that these points cannot tell from the truth: the question must not go out."""

    def _result(self, slip: Slip) -> list[float]:
        """The derivative that the slip leads to, at each point."""
        forward, wrt = self.question.forward, self.question.wrt
        return [t.expected[wrt] + slip.change(t) * carried(forward, t, slip.node, wrt) for t in self.truth.traces]

    def _shows(self, slip: Slip) -> bool:
        pairs = zip(self._result(slip), self.truth.traces, strict=True)
        wrt = self.question.wrt
        return any(abs(r - t.expected[wrt]) > self.truth.tolerance(wrt, t) for r, t in pairs)

    def alike(self) -> list[list[Slip]]:
        """Groups of slips that lead to the same derivative everywhere: without named adjoints nobody can tell them."""
        wrt, groups = self.question.wrt, []
        left = [(s, self._result(s)) for s in self.slips]
        while left:
            first, numbers = left[0]
            room = [TOLERANCE * max(t.scales[wrt], abs(n)) for n, t in zip(numbers, self.truth.traces, strict=True)]
            group = [s for s, r in left if all(abs(a - b) <= e for a, b, e in zip(r, numbers, room, strict=True))]
            left = [(s, r) for s, r in left if s not in group and s is not first]
            if len(group) > 1:
                groups.append(group)
        return groups

    def report(self) -> Iterator[str]:
        """The lines that `autograder inspect` prints."""
        q, forward = self.question, self.question.forward
        yield f"{q.name}({', '.join(forward.leaves)}): d({forward.output})/d({q.wrt}), in code {forward.adjoint(q.wrt)}"
        for line in forward.lines:
            readers = ", ".join(c.name for c in forward.consumers(line.name)) or "the result"
            yield f"    {line.text:<40} used by {readers}"
        yield "links: " + ", ".join(forward.adjoint(n) for n in self.truth.way[1:])
        yield "domain: " + ", ".join(f"{lo:g} ≤ {n} ≤ {hi:g}" for n, (lo, hi) in q.domain.items())
        yield from self._points()
        yield from self._slips()

    def _points(self) -> Iterator[str]:
        q = self.question
        scales = [r.scales[q.wrt] for r in self.references]
        uncancelled = sum(0 < s <= 2 * abs(r.adjoints[q.wrt]) for s, r in zip(scales, self.references, strict=True))
        with _calculus.clean_torch():
            worst = max(
                abs(_calculus.adjoints(q.forward, r.point, torch.float32)[q.wrt] - r.adjoints[q.wrt]) / s
                for r, s in zip(self.references, scales, strict=True)
                if s
            )
            gaps = [_calculus.kinks(q.forward, r.point) for r in self.references]
        yield f"points: {COUNT}; paths do not cancel at {uncancelled}; S from {min(scales):.3g} to {max(scales):.3g}"
        yield f"    float32 differs from float64 by at most {worst:.1e}·S (the tolerance is {TOLERANCE:g}·S)"
        for at, column in enumerate(zip(*gaps, strict=True), 1):
            above = sum(g > 0 for g in column)
            nearest = min(map(abs, column))
            yield f"    kink {at}: {above} points above, {COUNT - above} below, none nearer than {nearest:g}"

    def _slips(self) -> Iterator[str]:
        yield (
            f"slips: {len(self.slips)} at {len(self.truth.way) - 1} links, all caught"
            if not self.untold
            else (
                f"slips: {len(self.slips)}, of which {len(self.untold)} CANNOT be told from the truth by these points:"
            )
        )
        for slip in self.untold:
            yield f"    {words(self.question, slip)}: widen the domain, or choose another seed"
        if self.no_slips:
            yield f"no slips, because they equal the truth on the domain: {len(self.no_slips)}"
            yield from (f"    {words(self.question, s)}" for s in self.no_slips)
        groups = self.alike()
        yield f"told apart only by named adjoints (the same result everywhere): {len(groups)} groups"
        for group in groups:
            yield "    " + " = ".join(words(self.question, s) for s in group[:6]) + (" = …" if len(group) > 6 else "")


def words(question: Question, slip: Slip) -> str:
    """A slip in a few words: `dfdb: sign`."""
    detail = " ".join(p for p in (f"through {slip.consumer}" if slip.consumer else "", slip.other) if p)
    return f"{question.forward.adjoint(slip.node)}: {slip.kind}" + (f" ({detail})" if detail else "")


def _true_chain(question: Question, references: Sequence[Reference]) -> Chain:
    forward = question.forward

    def answer(r: Reference) -> Answer:
        numbers = {forward.adjoint(n): Number("number", "float", a) for n, a in r.adjoints.items()}
        value = Number("number", "float", r.values[forward.output])
        return Answer((value, numbers[forward.adjoint(question.wrt)]), adjoints=numbers)

    return Chain(forward, question.wrt, [(r, answer(r)) for r in references])
