"""The visible check looks at public points too: every known slip shows at one, and the point that broke is named."""

from __future__ import annotations

import contextlib
import io
import math
from collections.abc import Iterator

import pytest

from autograder import CheckFailed, Question
from autograder.authoring.inspection import Inspection
from autograder.calculus.reference import Reference, clean_torch, differentiate
from autograder.student.kernel import answering
from autograder.verdict import public
from autograder.verdict.chain import Trace
from autograder.verdict.quantities import TOLERANCE
from autograder.verdict.slips import Slip, carried
from tests.calculus.passes import PASSES
from tests.conftest import QUESTIONS, Class, make_question
from tests.verdict.chains import Slipped

SIG = "def sig(x):\n    return torch.sigmoid(x)\n"
NO_GATE = """
def grad_q2(b, x, w):
    u = w * x
    v = u + b
    a = torch.relu(v)
    dadv = 1
    dadu = dadv
    dadw = dadu * x
    return a, dadw
"""
B_COUNTED = """
def grad_q3(b, x, w):
    u = w * x
    v = u + b
    a = sig(v)
    dadv = a * (1 - a)
    dadu = dadv * b
    dadw = dadu * x
    return a, dadw
"""
NO_Z = """
def grad_q6(x, y, z):
    a = x * 2
    b = torch.sin(y)
    c = a / b
    d = c * z
    e = torch.log(d + 1)
    f = torch.tanh(e)
    dfde = 1 - f * f
    dfdd = dfde / (d + 1)
    dfdc = dfdd
    dfdb = dfdc * -a / b**2
    dfdy = dfdb * torch.cos(y)
    return f, dfdy
"""


def checked(student: Class, name: str, source: str, **options: object) -> tuple[str, str]:
    """What a check prints, and the text with which it fails."""
    student.run(SIG)
    student.run(source)
    printed, text = io.StringIO(), ""
    with contextlib.redirect_stdout(printed):
        try:
            student.check(QUESTIONS[name], **options)
        except CheckFailed as failed:
            text = str(failed)
    return printed.getvalue(), text


def test_q2_without_its_gate_is_right_at_the_seeds_point_and_told_at_another(student: Class) -> None:
    printed, text = checked(student, "q2", NO_GATE)
    assert " ".join(printed.split()) == (
        "At b = 2, x = 3, w = 4 your answer is right. What follows is at b = -1.84375, x = 0.140625, w = 1.234375: "
        "AutoGrad: 0.0000 Manual: 0.1406 dadv 1.0000 the first wrong link dadu 1.0000 follows from your numbers above "
        "dadw 0.1406 follows from your numbers above"
    )
    assert text == (
        "Your answer is right at b = 2, x = 3, w = 4, but not everywhere. dadw is not right at b = -1.84375, "
        "x = 0.140625, w = 1.234375 (yours 0.1406, expected 0.0000). The first wrong link is dadv (yours 1.0000, "
        "expected 0.0000). It takes the derivative of `relu(v)` to be 1 everywhere, but it is 0 where v < 0."
    )


def test_q3_with_b_counted_is_told_at_another_point(student: Class) -> None:
    text = checked(student, "q3", B_COUNTED)[1]
    assert text.startswith("Your answer is right at b = 1, x = 2, w = 3, but not everywhere. dadw is not right at b = ")
    assert " The first wrong link is dadu (yours " in text


def test_q6_without_z_is_told_at_another_point(student: Class) -> None:
    text = checked(student, "q6", NO_Z)[1]
    assert text.startswith("Your answer is right at x = 1, y = 2, z = 1, but not everywhere. dfdy is not right at x = ")
    assert " The first wrong link is dfdc (yours " in text
    assert "It lacks the factor dd/dc, the derivative of `d = c * z` with respect to c" in text


def test_a_point_of_the_students_own_is_the_only_one_looked_at(student: Class) -> None:
    printed, text = checked(student, "q2", NO_GATE, at={"x": 2.5})
    assert text == ""
    assert printed.endswith("dadw is right at b = 2, x = 2.5, w = 4.\n")


def test_what_is_no_number_at_a_public_point_is_told_with_the_point(student: Class) -> None:
    source = NO_GATE.replace("return a, dadw", "return (a, dadw) if v > 0 else a")
    printed, text = checked(student, "q2", source)
    where = "b = -1.84375, x = 0.140625, w = 1.234375"
    assert " ".join(printed.split()) == f"At b = 2, x = 3, w = 4 your answer is right. What follows is at {where}:"
    assert text.startswith(f"Your answer is right at b = 2, x = 3, w = 4, but not at {where}. grad_q2 returned one ")


def test_a_wrong_value_at_a_public_point_is_told(student: Class) -> None:
    text = checked(student, "q2", NO_GATE.replace("torch.relu(v)", "v"))[1]
    assert "but not everywhere. The value a is not right at b = -1.84375, x = 0.140625, w = 1.234375 (yours " in text


def test_only_what_is_printed_at_the_seeds_point_is_shown(student: Class) -> None:
    gated = NO_GATE.replace("dadv = 1", "dadv = 1.0 * (v > 0)")
    printed, text = checked(student, "q2", gated.replace("dadv =", "print('v is', float(v))\n    dadv ="))
    assert (text, printed.count("v is")) == ("", 1)
    assert printed.startswith("Printed by grad_q2:\nv is 14.0\nAutoGrad:  3.0000\n")
    printed, text = checked(student, "q2", gated.replace("dadv =", "v > 0 or print('closed')\n    dadv ="))
    assert (text, "closed" in printed) == ("", False)


def asked(name: str) -> Question:
    return QUESTIONS.get(name) or make_question(PASSES[name], math=math)


@pytest.mark.parametrize("name", [*QUESTIONS, *PASSES])
def test_every_slip_that_hidden_points_tell_shows_at_a_public_point(name: str) -> None:
    question = asked(name)
    points = public.points(question._testbed, question.at)
    assert public.FEWEST <= len(points) <= public.MOST
    drawn = [trace(r) for r in question._testbed.draw(public.SEED, public=True)]
    # An epsilon that is left out may show at one hidden point in a thousand; no choice of these shows it.
    inspected = [s for s in Inspection(question, "hidden").slips if any(clearly(question, s, t) for t in drawn)]
    told = {slip.kind: slip for slip in inspected}  # of each kind one is answered, the others are only computed
    for slip in told.values():
        student = Slipped(question, slip, named=False)
        with answering(student), contextlib.redirect_stdout(io.StringIO()), pytest.raises(CheckFailed):
            question.check()
    with clean_torch():
        seen = [trace(r) for r in (differentiate(question.forward, question.at), *points)]
    for slip in inspected:
        assert any(clearly(question, slip, t) for t in seen), slip


def clearly(question: Question, slip: Slip, at: Trace) -> bool:
    change = slip.change(at) * carried(question.forward, at, slip.node, question.wrt)
    return abs(change) > TOLERANCE * max(at.reference.scales[question.wrt], 1e-6)


def trace(r: Reference) -> Trace:
    return Trace(r, {}, r.adjoints, r.adjoints, r.scales)


def test_the_public_points_are_the_same_however_often_the_question_is_made(question: Question) -> None:
    def chosen() -> Iterator[dict[str, float]]:
        public._choose.cache_clear()
        return (dict(r.point) for r in public.points(question._testbed, question.at))

    assert list(chosen()) == list(chosen())
    hidden = [r.point for r in question._testbed.draw("hidden")]
    assert not [point for point in chosen() if point in hidden]


ONE_SIDED = {
    "q2: a number in place of x": ("q2", "dadw = 3.0 * (v > 0)"),
    "q2: another argument that is as large": ("q2", "dadw = (b + 1) * (v > 0)"),
    "q2: the size of x": ("q2", "dadw = torch.abs(x) * (v > 0)"),
    "q4: right where x is positive": ("q4", "dfdx = -f * (2 * torch.abs(x) + 2 + torch.cos(x))"),
    "q5: right where x is positive": ("q5", "dfdx = 6 + 14*x + 9*x**2 + 32*torch.abs(x)**3"),
}


@pytest.mark.parametrize("what", ONE_SIDED)
def test_an_answer_that_is_right_on_the_seeds_side_only_is_told(what: str, student: Class) -> None:
    name, line = ONE_SIDED[what]
    forward = QUESTIONS[name].forward
    lines = "; ".join(line.text for line in forward.lines)
    student.namespace |= forward.given
    wrt = QUESTIONS[name].wrt
    student.run(
        f"def grad_{name}({', '.join(forward.leaves)}):\n    {lines}\n    {line}\n"
        f"    return {forward.output}, {forward.adjoint(wrt)}"
    )
    with contextlib.redirect_stdout(io.StringIO()), pytest.raises(CheckFailed, match="but not everywhere"):
        student.check(QUESTIONS[name])


@pytest.mark.parametrize("name", [*QUESTIONS, *PASSES])
def test_beside_the_seeds_point_each_argument_has_both_signs_where_the_derivative_is_not_0(name: str) -> None:
    question = asked(name)
    testbed = question._testbed
    points = [r for r in public.points(testbed, question.at) if r.adjoints[question.wrt]]
    drawn = [r for r in testbed.draw(public.SEED, public=True) if r.adjoints[question.wrt]]
    assert points
    for leaf in question.forward.leaves:
        signs = {r.point[leaf] > 0 for r in drawn}
        assert {r.point[leaf] > 0 for r in points} | {question.at[leaf] > 0} >= signs
