"""Links: the first that broke is named, what follows from it is not blamed, and partial credit cannot be padded."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import pytest

from autograder import CheckFailed, Question
from tests.conftest import QUESTIONS, Class

Q6 = """
def grad_q6(x, y, z):
    a = x * 2
    b = torch.sin(y)
    c = a / b
    d = c * z
    e = torch.log(d + 1)
    f = torch.tanh(e)
    dfde = 1 - f * f
    dfdd = dfde * (1 / (d + 1))
    dfdc = dfdd * z
    dfdb = dfdc * -a / b**2
    dfdy = dfdb * torch.cos(y)
    return f, dfdy
"""
Q4 = """
def grad_q4(x):
    f = torch.exp(-(x * x + 2 * x + torch.sin(x)))
    dfdd = f
    dfda = -dfdd
    dfdb = -dfdd
    dfdc = -dfdd
    dfdx = dfda * 2 * x + dfdb * 2 + dfdc * torch.cos(x)
    return f, dfdx
"""


def said(student: Class, question: Question, source: str, **options: Any) -> tuple[str, str]:
    """What the check prints and what it fails with."""
    student.run(source)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        try:
            student.check(question, **options)
        except CheckFailed as failed:
            return printed.getvalue(), str(failed)
    return printed.getvalue(), ""


def earned(student: Class, question: Question, source: str) -> float:
    student.run(source)
    with contextlib.redirect_stdout(io.StringIO()):
        return student.grade(question, 8, "seed")


def test_a_right_answer_shows_every_named_link_as_right(student: Class) -> None:
    printed, failed = said(student, QUESTIONS["q6"], Q6)
    assert failed == ""
    rows = [line.split() for line in printed.splitlines()[2:-1]]
    assert [(r[0], r[2]) for r in rows] == [(d, "right") for d in ("dfde", "dfdd", "dfdc", "dfdb", "dfdy")]


def test_the_first_wrong_link_is_named_with_numbers_and_slip_and_those_below_follow(student: Class) -> None:
    printed, failed = said(student, QUESTIONS["q6"], Q6.replace("-a / b**2", "a / b**2"))
    assert failed == (
        "dfdy is not right at x = 1, y = 2, z = 1 (yours -0.1020, expected 0.1020). The first wrong link is dfdb "
        "(yours 0.2452; with your dfdc it should be -0.2452). It has the right size but the wrong sign: "
        "`d(a / b)/db = -a/b**2`."
    )
    assert "dfdc             0.1014   right\n" in printed
    assert "dfdb             0.2452   the first wrong link\n" in printed
    assert "dfdy            -0.1020   follows from your numbers above\n" in printed


def test_a_second_break_below_the_first_is_said_not_to_follow(student: Class) -> None:
    source = Q6.replace("-a / b**2", "a / b**2").replace("torch.cos(y)", "torch.sin(y)")
    printed, failed = said(student, QUESTIONS["q6"], source)
    assert "The first wrong link is dfdb" in failed
    assert "does not follow from your numbers above" in printed


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            "dfdd * z",
            "dfdd",
            "It lacks the factor dd/dc, the derivative of `d = c * z` with respect to c: `d(c * z)/dc = z`.",
        ),
        (
            "(1 / (d + 1))",
            "d",
            "It uses d itself instead of the derivative of `e = torch.log(d + 1)` with respect to d: `d(log",
        ),
        (
            "(1 / (d + 1))",
            "(d * d)",
            "It fits none of the usual mistakes. Check `e = torch.log(d + 1)`, where `d(log(d + 1))/dd",
        ),
        (
            "dfdb * torch.cos(y)",
            "dfdb * b",
            "It uses b itself instead of the derivative of `b = torch.sin(y)` with respect to y",
        ),
        (
            "dfdb * torch.cos(y)",
            "dfdb",
            "It lacks the factor db/dy, the derivative of `b = torch.sin(y)` with respect to y: `d(sin(y))/dy = ",
        ),
        (
            "dfdc * -a / b**2",
            "dfdd * -a / b**2 * 2",
            "It fits none of the usual mistakes. Check `c = a / b`, where `d(a / b)",
        ),
        ("dfdc * -a / b**2", "-a / b**2", "It is only dc/db, the derivative of `c = a / b`: multiply it by dfdc."),
        (
            "dfdc * -a / b**2",
            "dfdc / b",
            "It uses the derivative of `c = a / b` with respect to a instead of b: `d(a / b)/db = -a/b**2`.",
        ),
        ("dfdc * -a / b**2", "dfde * -a / b**2", "It starts from dfde instead of dfdc."),
        (
            "dfdc * -a / b**2",
            "dfdc * b**2 / -a",
            "It divides by the derivative of `c = a / b` with respect to b instead of multiplying by it: `d(a",
        ),
    ],
)
def test_q6s_slips_are_told_in_the_students_own_names(student: Class, old: str, new: str, sentence: str) -> None:
    _, failed = said(student, QUESTIONS["q6"], Q6.replace(old, new), at={"x": 1.5, "z": 0.75})
    assert sentence in failed


def test_a_lost_path_of_a_fan_out_is_told(student: Class) -> None:
    _, failed = said(student, QUESTIONS["q4"], Q4.replace(" + dfdc * torch.cos(x)", ""))
    assert "(yours -1.2672, expected -1.7847). It leaves out the path" in failed
    assert (
        "It leaves out the path through c: x is used in `c = torch.sin(x)`, too, and `d(sin(x))/dx = cos(x)`." in failed
    )


def test_unnamed_links_are_bridged_and_the_break_is_told_where_numbers_can(student: Class) -> None:
    source = """
    def grad_q6(x, y, z):
        f = torch.tanh(torch.log(2 * x / torch.sin(y) * z + 1))
        d = 2 * x / torch.sin(y) * z
        dfdd = (1 - f * f) / (d + 1)
        dfdy = dfdd * z * -2 * x / torch.sin(y) ** 2 * torch.sin(y)
        return f, dfdy
    """
    printed, failed = said(student, QUESTIONS["q6"], source)
    assert "dfde                      not named" in printed
    assert "dfdd             0.1014   right" in printed
    assert "first wrong link" not in failed
    assert "It uses b itself instead of the derivative of `b = torch.sin(y)` with respect to y" in failed


def test_what_the_numbers_cannot_tell_is_not_guessed(student: Class) -> None:
    source = """
    def grad_q6(x, y, z):
        d = 2 * x / torch.sin(y) * z
        f = torch.tanh(torch.log(d + 1))
        return f, 0.37 * x + y
    """
    _, failed = said(student, QUESTIONS["q6"], source)
    assert failed.endswith(
        "Your function does not name dfde, dfdd, dfdc and dfdb. Name them, as in `dfde = …`, or name the derivative "
        "of each line, as in `dedd = …`: then the check tells you which link is wrong."
    )


def test_a_sign_lost_somewhere_in_one_line_is_told_as_that(student: Class) -> None:
    source = """
    def grad_q6(x, y, z):
        s = torch.sin(y)
        d = 2 * x / s * z
        f = torch.tanh(torch.log(d + 1))
        return f, (1 - f * f) / (d + 1) * z * 2 * x / s**2 * torch.cos(y)
    """
    _, failed = said(student, QUESTIONS["q6"], source)
    assert (
        "It has the right size but the wrong sign: a minus is missing, or one too many, on the way from f to dfdy."
        in failed
    )


def test_the_derivative_by_another_argument_is_told(student: Class) -> None:
    source = Q6.replace("dfdb = dfdc * -a / b**2", "dfda = dfdc / b").replace(
        "dfdy = dfdb * torch.cos(y)", "dfdy = dfda * 2"
    )
    _, failed = said(student, QUESTIONS["q6"], source)
    assert "It is the derivative with respect to x, but the question asks for the one with respect to y." in failed


def test_a_name_that_is_used_again_is_not_blamed(student: Class) -> None:
    source = Q6.replace("dfdy = dfdb", "dfdc = 5\n    dfdy = dfdb").replace("-a / b**2", "a / b**2")
    _, failed = said(student, QUESTIONS["q6"], source)
    assert "dfdc (" not in failed
    assert "dfdb" in failed


def test_a_sum_built_up_in_steps_is_one_link(student: Class) -> None:
    source = Q4.replace("dfdx = dfda * 2 * x + dfdb * 2", "dfdx = dfda * 2 * x\n    dfdx += dfdb * 2\n    dfdx = dfdx")
    printed, failed = said(student, QUESTIONS["q4"], source)
    assert failed == ""
    assert "dfdx            -1.7847   right" in printed


CREDIT = {
    "everything right": ("", "", 8.0),
    "one link wrong, the rest follows": ("-a / b**2", "a / b**2", 3.2),
    "the last link wrong": ("* torch.cos(y)", "* torch.sin(y)", 3.2),
    "two links wrong": ("dfdd * z\n    dfdb = dfdc * -a", "dfdd\n    dfdb = dfdc * a", 2.4),
    "only the result, wrong": (Q6[Q6.index("    dfde") :], "    return f, f\n", 0.0),
}


@pytest.mark.parametrize("what", CREDIT)
def test_half_of_the_points_is_shared_over_the_links(what: str, student: Class) -> None:
    old, new, points = CREDIT[what]
    assert earned(student, QUESTIONS["q6"], Q6.replace(old, new)) == pytest.approx(points)


PADDING = {
    "zeros": "dfde = dfdd = dfdc = dfdb = dfdy = 0.0 * x",
    "zeros after one wrong number": "dfde = 7.0\n    dfdd = dfdc = dfdb = dfdy = 0.0 * x",
    "ones": "dfde = dfdd = dfdc = dfdb = dfdy = 1.0",
    "copies of the value": "dfde = dfdd = dfdc = dfdb = dfdy = f",
    "not numbers": "dfde = dfdd = dfdc = dfdb = None\n    dfdy = 1.0",
    "infinities": "dfde = dfdd = dfdc = dfdb = float('inf')\n    dfdy = 1.0",
    "tiny numbers": "dfde = dfdd = dfdc = dfdb = dfdy = 1e-300",
}


@pytest.mark.parametrize("what", PADDING)
def test_padding_earns_nothing(what: str, student: Class) -> None:
    source = Q6[: Q6.index("    dfde")] + f"    {PADDING[what]}\n    return f, dfdy\n"
    assert earned(student, QUESTIONS["q6"], source) == 0.0


def test_copies_of_the_adjoint_above_earn_no_more_than_where_they_are_right(student: Class) -> None:
    source = Q6[: Q6.index("    dfdd")] + "    dfdd = dfdc = dfdb = dfdy = dfde\n    return f, dfdy\n"
    assert earned(student, QUESTIONS["q6"], source) == pytest.approx(0.8)  # dfde alone


def test_a_wrong_value_earns_nothing_whatever_the_links(student: Class) -> None:
    assert earned(student, QUESTIONS["q6"], Q6.replace("return f,", "return f + 1,")) == 0.0


def test_links_in_float32_are_right(student: Class) -> None:
    source = Q6.replace("    a = x * 2", "    x, y, z = x.float(), y.float(), z.float()\n    a = x * 2")
    assert earned(student, QUESTIONS["q6"], source.replace("-a / b**2", "a / b**2")) == pytest.approx(3.2)


def test_the_feedback_tells_the_share(student: Class, capsys: pytest.CaptureFixture[str]) -> None:
    student.run(Q6.replace("-a / b**2", "a / b**2"))
    student.grade(QUESTIONS["q6"], 8, "seed")
    told = " ".join(capsys.readouterr().out.split())
    assert told == (
        "q6: 3.2 of 8 points. dfdy is not right at a hidden test point. The first wrong link is dfdb. It has the right "
        "size but the wrong sign: `d(a / b)/db = -a/b**2`. Steps that your lines show and have right, each judged by "
        "your own numbers before it: 4 of 5. They earn 3.2 of 8 points."
    )


def test_a_number_that_is_also_another_lines_derivative_is_not_said_to_be_that(student: Class) -> None:
    """2 in place of 2*x: db/dx is 2 as well, but so is much else."""
    answer = """
        def grad_q4(x):
            a = x * x; b = 2 * x; c = torch.sin(x); d = -(a + b + c); f = torch.exp(d)
            return f, -f * 2 - f * 2 - f * torch.cos(x)
    """
    text = student.verdict(QUESTIONS["q4"], answer).text
    assert "instead of the derivative of `a = x * x`" not in text
