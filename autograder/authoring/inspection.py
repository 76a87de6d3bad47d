"""Measures how well a question's test points expose known mistakes (slips)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from autograder.calculus import reference
from autograder.calculus.points import Domain, Testbed
from autograder.calculus.reference import Reference
from autograder.questions import Question
from autograder.student.protocol import Answer, Number
from autograder.verdict.chain import Chain
from autograder.verdict.quantities import TOLERANCE
from autograder.verdict.slips import Slip, carried, is_no_slip, slips

_SEEDS = ("other points", "again others", "and others")
_NEGLIGIBLE = 1e-9
"""A slip that changes the derivative at every point by less than this fraction of its scale is not a mistake."""


@dataclass(frozen=True)
class Remedy:
    """How a slip that the points do not expose could be exposed; only one of the fields is set."""

    other_points: bool = False
    """Other points of the same domain expose it."""
    domain: Domain | None = None
    """A wider domain whose points expose it."""
    effect: float = 0.0
    """The largest change of the derivative, as a fraction of its scale, if no domain that was tried exposes it."""


class Inspection:
    """The slips of one question at the test points of one seed, and which of them these points expose."""

    def __init__(self, question: Question, seed: int | str) -> None:
        self.question = question
        self.references: Sequence[Reference] = question._testbed.draw(seed)
        self.truth = _true_chain(question, self.references)
        found = [s for n in self.truth.path[1:] for s in slips(question.forward, question.wrt, n)]
        usable = [s for s in found if all(math.isfinite(s.change(t)) for t in self.truth.traces)]
        self.harmless = [s for s in usable if is_no_slip(self.truth, s)]
        self.slips = [s for s in usable if s not in self.harmless]
        self.remedies: Mapping[Slip, Remedy] = self._remedies([s for s in self.slips if not self._shows(s)])
        self.same_everywhere = [
            s for s, r in self.remedies.items() if not r.other_points and not r.domain and not r.effect
        ]
        """Slips that give the true derivative on every domain that was tried, so they are not mistakes."""
        self.slips = [s for s in self.slips if s not in self.same_everywhere]
        self.undetected = [s for s in self.remedies if s not in self.same_everywhere]
        """Slips that are mistakes, but would earn full marks at these points: the question must be changed."""

    def _result(self, slip: Slip) -> list[float]:
        """The derivative at each point if the slip is made."""
        forward, wrt = self.question.forward, self.question.wrt
        return [t.expected[wrt] + slip.change(t) * carried(forward, t, slip.node, wrt) for t in self.truth.traces]

    def _shows(self, slip: Slip) -> bool:
        return _largest(self.question, self.truth, slip) > 1

    def _remedies(self, hidden: list[Slip]) -> dict[Slip, Remedy]:
        """For each slip in `hidden`: whether other points, a wider domain or nothing would expose it."""
        if not hidden:
            return {}
        question = self.question
        tried: list[tuple[Domain | None, Chain]] = []
        with reference.clean_torch():
            for seed in _SEEDS:
                tried.append((None, _true_chain(question, question._testbed.draw(seed))))
            for domain in _wider(question.domain):
                points, _ = Testbed(question.forward, question.wrt, domain)._collect("wider", public=False)
                if points:
                    tried.append((domain, _true_chain(question, points)))
        return {slip: _remedy(question, slip, tried) for slip in hidden}

    def indistinguishable(self) -> list[list[Slip]]:
        """Groups of slips with the same wrong derivative at all points: only named adjoints can tell them apart."""
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


def _remedy(question: Question, slip: Slip, tried: Sequence[tuple[Domain | None, Chain]]) -> Remedy:
    effect = 0.0
    for domain, chain in tried:
        if not all(math.isfinite(slip.change(t)) for t in chain.traces):
            continue
        if _largest(question, chain, slip) > 1:
            return Remedy(other_points=domain is None, domain=domain)
        effect = max(effect, _largest(question, chain, slip) * TOLERANCE)
    return Remedy(effect=effect if effect > _NEGLIGIBLE else 0.0)


def _largest(question: Question, chain: Chain, slip: Slip) -> float:
    """The largest error of the slip's derivative over all points, in units of the tolerance."""
    wrt = question.wrt
    changes = [abs(slip.change(t) * carried(question.forward, t, slip.node, wrt)) for t in chain.traces]
    allowed = [chain.tolerance(wrt, t) for t in chain.traces]
    return max((c / a for c, a in zip(changes, allowed, strict=True) if a), default=0.0)


def _wider(domain: Domain) -> list[Domain]:
    """Wider domains to try: stretched about the middle, and stretched on one side so that the sign stays the same."""
    made: list[Domain] = []
    for factor in (2, 4):
        stretched, one_sided = {}, {}
        for name, (lo, hi) in domain.items():
            middle, half = (lo + hi) / 2, (hi - lo) / 2 * factor
            stretched[name] = (round(middle - half, 2), round(middle + half, 2))
            one_sided[name] = (
                (lo / factor, hi * factor) if lo > 0 else (lo * factor, hi / factor if hi < 0 else hi * factor)
            )
        made += [one_sided, stretched]
    return made


def words(question: Question, slip: Slip) -> str:
    """The slip in words, such as `dfdb has the wrong sign`."""
    forward, node, consumer, other = question.forward, slip.node, slip.consumer, slip.other
    local = f"d{consumer}/d{node}"
    said = {
        "other leaf": f"is the derivative with respect to {other}",
        "sign": "has the wrong sign",
        "share's sign": f"has the wrong sign in the share through {consumer}",
        "path lost": f"leaves out the path through {consumer}",
        "power not lowered": f"does not lower the power in the line of {consumer}",
        "exponent not brought down": f"lacks the exponent in `{other}` as a factor",
        "local dropped": f"lacks the factor {local}",
        "upstream dropped": f"is not multiplied by {forward.adjoint(consumer)}",
        "value for derivative": f"uses {consumer} itself instead of {local}",
        "values for derivatives": "uses values instead of all derivatives",
        "input for derivative": f"uses {node} itself instead of {local}",
        "other input": f"uses d{consumer}/d{other} instead of {local}",
        "turned over": f"divides by {local} instead of multiplying by it",
        "local repeated": f"has the factor {local} twice",
        "wrong adjoint": f"starts from {other} instead of {forward.adjoint(consumer)}",
        "other local": f"uses {other} instead of {local}",
    }
    by_a_wrong_rule = f"takes {local} by a wrong rule ({slip.kind}: `{other}`)" if consumer else slip.kind
    return f"{forward.adjoint(node)} {said.get(slip.kind, by_a_wrong_rule)}"


def _true_chain(question: Question, references: Sequence[Reference]) -> Chain:
    forward = question.forward

    def answer(r: Reference) -> Answer:
        numbers = {forward.adjoint(n): Number("number", "float", a) for n, a in r.adjoints.items()}
        value = Number("number", "float", r.values[forward.output])
        return Answer((value, numbers[forward.adjoint(question.wrt)]), named=numbers)

    return Chain(forward, question.wrt, [(r, answer(r)) for r in references])
