"""A student made of numbers: answers any point with a chain that has one slip in it, adjoints named or not."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from functools import lru_cache

from autograder import Question
from autograder.calculus.graph import Forward
from autograder.calculus.reference import Reference, clean_torch, differentiate
from autograder.student.protocol import Answer, Number, Reply, Request
from autograder.verdict.chain import Chain, Trace
from autograder.verdict.slips import Slip


def number(value: float) -> Number:
    return Number("number", "float", value)


class Slipped:
    """Right everywhere but at one link; what lies below follows from it by the chain rule."""

    def __init__(self, question: Question, slip: Slip | None, named: bool) -> None:
        self.question, self.slip, self.named = question, slip, named

    def ask(self, request: Request) -> Reply:
        return Reply(tuple(self.answer(point) for point in request.points))

    def answer(self, point: Mapping[str, float]) -> Answer:
        forward, wrt = self.question.forward, self.question.wrt
        reference = _reference(forward, forward.helpers, tuple(point.items()))
        adjoints = dict(reference.adjoints)
        if self.slip:
            adjoints = follow(self.question, reference, self.slip)
        named = {forward.adjoint(n): number(a) for n, a in adjoints.items()} if self.named else {}
        return Answer((number(reference.values[forward.output]), number(adjoints[wrt])), False, named)


@lru_cache(maxsize=1024)
def _reference(forward: Forward, _: Hashable, point: tuple[tuple[str, float], ...]) -> Reference:
    """What is true at a point: thousands of slips are made at the same ones."""
    with clean_torch():
        return differentiate(forward, dict(point))


def follow(question: Question, reference: Reference, slip: Slip) -> dict[str, float]:
    """The adjoints of a student who makes `slip` and goes on by the rules."""
    forward = question.forward
    used: dict[str, float] = {forward.output: 1.0}
    for node in (*reversed(forward.nodes[:-1]), *forward.leaves):
        used[node] = sum(used[c.name] * reference.local[c.name, node] for c in forward.consumers(node))
        if node == slip.node:
            true = dict(reference.adjoints)
            used[node] = slip.value(Trace(reference, {}, true, true, reference.scales))
    return used


def chain_of(question: Question, student: Slipped, references: list[Reference]) -> Chain:
    pairs = [(r, student.answer(r.point)) for r in references]
    return Chain(question.forward, question.wrt, pairs)


def answer_with(value: Callable[[Trace], float]) -> Slip:
    """A slip made for one test."""
    return Slip("sign", "", share=value)
