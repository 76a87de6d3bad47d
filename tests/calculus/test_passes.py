"""What authors ask for is accepted, gives points at every seed, and tells right answers from slips."""

from __future__ import annotations

import math
from functools import cache

import pytest
import torch

from autograder import Question, QuestionError
from autograder.authoring.inspection import Inspection
from autograder.calculus.points import COUNT, TOLD, telling
from autograder.calculus.reference import adjoints, clean_torch, run, tensors
from autograder.student.kernel import answering
from autograder.student.protocol import Answer, Reply, Request
from autograder.verdict.judge import Kind
from tests.calculus.passes import PASSES
from tests.conftest import make_question
from tests.verdict.chains import Slipped, number

TWINS = """
@question(wrt="x", at={"x": 1.5}, domain={"x": (-3, 3)})
def p(x):
    a = torch.sin(x) * (1 + SHARE)
    b = a - torch.sin(x)
    return b
"""


@cache
def asked(name: str) -> Question:
    return make_question(PASSES[name], math=math)


class Times:
    """The derivative times a factor, by autograd in a precision of torch's."""

    def __init__(self, question: Question, factor: float, precision: torch.dtype) -> None:
        self.question, self.factor, self.precision = question, factor, precision

    def ask(self, request: Request) -> Reply:
        forward, wrt = self.question.forward, self.question.wrt
        answers = []
        with clean_torch():
            for point in request.points:
                value = run(forward, tensors(point, self.precision))[forward.output].item()
                slope = self.factor * adjoints(forward, point, self.precision)[wrt]
                answers.append(Answer((number(value), number(slope))))
        return Reply(tuple(answers))


def judged(question: Question, factor: float, precision: torch.dtype, seed: str) -> Kind:
    with answering(Times(question, factor, precision)):
        return question.judge(seed).kind


# Of these, some seeds were refused that are drawn on now, with the next number.
REFUSED_ONCE = ("two-key attention", "layernorm of three scalars")


@pytest.mark.parametrize("name", PASSES)
def test_it_gives_points_at_many_seeds(name: str) -> None:
    question = asked(name)
    for seed in range(60 if name in REFUSED_ONCE else 15):
        references = question._testbed.draw(f"seed {seed}")
        assert len(references) == COUNT
        assert any(telling(references, question.wrt))


@pytest.mark.parametrize("name", PASSES)
def test_its_derivative_earns_full_marks_in_either_precision_and_one_per_cent_off_does_not(name: str) -> None:
    question = asked(name)
    for precision in (torch.float64, torch.float32):
        assert judged(question, 1.0, precision, "a") is Kind.RIGHT
        for factor in (1.01, 0.99):
            assert judged(question, factor, precision, "b") is Kind.WRONG_DERIVATIVE
    with answering(Slipped(question, None, named=True)):
        assert question.judge("a").right


@pytest.mark.parametrize("name", PASSES)
def test_every_slip_fails(name: str) -> None:
    question = asked(name)
    inspection = Inspection(question, "a")
    assert len(inspection.slips) >= 5
    assert not inspection.undetected
    for slip in {slip.kind: slip for slip in inspection.slips}.values():  # of each kind one goes all the way
        with answering(Slipped(question, slip, named=False)):
            assert question.judge("a").kind is Kind.WRONG_DERIVATIVE, slip


@pytest.mark.parametrize("share", [0.1, 0.02, 0.011])
def test_paths_may_cancel_as_far_as_one_per_cent_can_still_be_told(share: float) -> None:
    question = make_question(TWINS.replace("SHARE", str(share)))
    assert share / (2 + share) > TOLD
    for precision in (torch.float64, torch.float32):
        assert judged(question, 1.0, precision, "a") is Kind.RIGHT
        for factor in (1.01, 0.99):
            assert judged(question, factor, precision, "a") is Kind.WRONG_DERIVATIVE


@pytest.mark.parametrize("share", [0.009, 0.001, 0.0])
def test_paths_that_cancel_further_are_refused(share: float) -> None:
    with pytest.raises(QuestionError, match="the paths to `x` cancel to less than 1/200 of their size"):
        make_question(TWINS.replace("SHARE", str(share)))
