"""A right derivative of forward lines that are not the given ones is said to be that; it earns what its author says."""

from __future__ import annotations

import textwrap

import pytest

from autograder import Question, QuestionError, question
from autograder.verdict.judge import Kind
from tests.conftest import CELLS, QUESTIONS, Class, make_question

OWN = """
def grad_q6(x, y, z):
    a = x * 2
    b = torch.sin(y)
    c = a * b
    d = c * z
    e = torch.log(d + 1)
    f = torch.tanh(e)
    dfde = 1 - f * f
    dfdd = dfde / (d + 1)
    dfdc = dfdd * z
    dfdb = dfdc * a
    dfdy = dfdb * torch.cos(y)
    return f, dfdy
"""
SIGMOID = """
def grad_q3(b, x, w):
    u = w + x
    v = u + b
    a = sig(v)
    return a, a * (1 - a)
"""


def generous(name: str, part: float = 0.5) -> Question:
    cell = CELLS[f"{name}-forward"]
    return make_question(cell.replace("@question(", f"@question(own_forward={part}, ", 1))


def test_it_is_said_with_the_line_and_earns_nothing(student: Class) -> None:
    student.run(OWN)
    verdict = student.verdict(QUESTIONS["q6"])
    assert verdict.kind is Kind.WRONG_VALUE
    assert verdict.credit == 0.0
    assert (
        "Your derivative is right for the lines that you wrote, but these are not the given ones: look at line 5. "
        "Where the value is wrong, the derivative earns nothing.\n    c = a * b"
    ) in verdict.text


def test_it_earns_the_part_that_the_author_says(student: Class, capsys: pytest.CaptureFixture[str]) -> None:
    student.run(OWN)
    assert student.grade(generous("q6"), 8, "seed") == pytest.approx(4.0)
    assert "A derivative of your own lines earns 50 % of the points." in capsys.readouterr().out


def test_helpers_of_the_course_are_understood(student: Class) -> None:
    student.run("def sig(v):\n    return torch.sigmoid(v)\n" + textwrap.dedent(SIGMOID))
    assert student.verdict(generous("q3")).credit == 0.5


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("dfdb = dfdc * a\n", "dfdb = dfdc / a\n"),  # wrong for its own lines, too
        ("return f, dfdy", "return f + 1, dfdy"),  # lines and the returned value disagree with the derivative's
        ("c = a * b", "c = float(open('/etc/hostname').read())"),
        ("c = a * b", "c = 9 ** 9 ** 9 ** 9 ** 9"),
        ("f = torch.tanh(e)\n    dfde = 1 - f * f", "f = y\n    dfde = 0"),  # nothing is left of the chain
        ("c = a * b", "c = 0 * y"),
        (OWN[OWN.index("    a = x") : OWN.index("    return")], "    f = 1 * y\n    dfdy = 1\n"),
        ("c = a * b", "c = [a * b for _ in range(3)][0]"),
    ],
)
def test_anything_else_earns_nothing_and_is_not_said(old: str, new: str, student: Class) -> None:
    source = OWN.replace(old, new)
    if "open" in new or "9 ** 9" in new:  # read, never run: the student's function returns what c = a*b gives
        source = source.replace(new, f"{new} if False else a * b")
    student.run(source)
    verdict = student.verdict(generous("q6"))
    if new.startswith("return"):
        assert verdict.credit == 0.5  # f + 1 is a line of its own, and its derivative is right
    else:
        assert verdict.credit == 0.0
        assert "right for the lines" not in verdict.text


def test_a_machine_earns_nothing_for_its_own_lines(student: Class) -> None:
    source = OWN[: OWN.index("    dfde")] + "    dfdy = torch.autograd.grad(f, y)[0]\n    return f, dfdy\n"
    student.run(source.replace("    a = x", "    y = y.requires_grad_()\n    a = x"))
    assert student.verdict(generous("q6")).credit == 0.0


@pytest.mark.parametrize("part", [-0.1, 1.5, "half"])
def test_a_part_that_is_none_is_refused(part: object) -> None:
    with pytest.raises(QuestionError, match="is no part of 1"):

        @question(wrt="x", at={"x": 2.0}, domain={"x": (0, 3)}, own_forward=part)
        def q(x):
            y = x * x
            z = y + 1
            return z  # noqa: RET504
