"""Rounded numbers are told as rounded, in whatever way they were; wrong ones that are not rounded never are."""

from __future__ import annotations

import pytest

from autograder import CheckFailed, Question
from autograder.verdict.lines import Lines
from autograder.verdict.rounding import is_rounded
from tests.conftest import QUESTIONS, Class, make_question
from tests.verdict.test_reject import SLIPS, truth

Q6 = QUESTIONS["q6"]
HEAD = """def grad_q6(x, y, z):
    d = 2 * x / torch.sin(y) * z
    f = torch.tanh(torch.log(d + 1))
    dfdy = (1 - f * f) / (d + 1) * -d / torch.sin(y) * torch.cos(y)
"""
WAYS = {
    "round": ("round(float({}), 4)", "It"),
    "two decimals": ("round(float({}), 2)", "It"),
    "a format": ('float(f"{{{}:.3f}}")', "It"),
    "percent": ('float("%.3f" % {})', ""),
    "significant digits": ('float(f"{{{}:.3g}}")', "It"),
    "torch.round": ("torch.round({}, decimals=3)", "It"),
    "numpy": ("np.round(float({}), 3)", "It"),
    "half precision": ("{}.half()", "It"),
    "print and read": ("float(str({})[7:-1].split(',')[0])", ""),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_rounded_value_is_told_as_that_with_its_line(way: str, student: Class) -> None:
    made, _ = WAYS[way]
    source = f"    return {made.format('f')}, dfdy"
    verdict = student.verdict(Q6, f"{HEAD}{source}\n")
    start = "The value f is not right at a hidden test point. It is rounded"
    assert verdict.text.startswith(start)
    if WAYS[way][1]:
        assert verdict.text == f"{start}, see line 5. Use the number itself.\n{source}"
    else:
        assert verdict.text == f"{start}: do not round, and do not format numbers as text. Use the number itself."
    assert "forward pass" not in verdict.text


@pytest.mark.parametrize("way", WAYS)
def test_a_rounded_derivative_is_told_as_that(way: str, student: Class) -> None:
    source = f"    return f, {WAYS[way][0].format('dfdy')}"
    assert " dfdy is rounded" in student.verdict(Q6, f"{HEAD}{source}\n").text


@pytest.mark.parametrize("way", WAYS)
def test_the_check_of_two_rounded_results_tells_it_of_the_derivative(way: str, student: Class) -> None:
    made = WAYS[way][0]
    student.run(f"{HEAD}    return {made.format('f')}, {made.format('dfdy')}\n")
    with pytest.raises(CheckFailed) as failed:
        student.check(Q6)
    assert " is rounded" in str(failed.value)


def test_integers_are_rounded_numbers(student: Class) -> None:
    head = "def grad_q5(x):\n    f = 3+6*x+7*x**2+3*x**3+8*x**4\n    g = 6+14*x+9*x**2+32*x**3\n"
    for made in ("int({})", "round(float({}))", "{}.int()", "{} // 1", "torch.floor({})"):
        for results in (f"{made.format('f')}, g", f"f, {made.format('g')}"):
            text = student.verdict(QUESTIONS["q5"], f"{head}    return {results}\n").text
            assert "is rounded, see line 4. Use the number itself." in text, results


def test_the_check_tells_it_too_and_of_a_link_as_of_a_result(student: Class) -> None:
    rounded = "    dfdd = round(float(dfde / (d + 1)), 3)"
    chain = f"    dfde = 1 - f * f\n{rounded}\n    dfdy = dfdd * -d / torch.sin(y) * torch.cos(y)\n"
    student.run(HEAD[: HEAD.index("    dfdy")] + chain + "    return f, dfdy\n")
    with pytest.raises(CheckFailed) as failed:
        student.check(Q6)
    assert str(failed.value) == (
        "dfdy is not right at x = 1, y = 2, z = 1 (yours 0.1017, expected 0.1020). The first wrong link is dfdd (yours "
        "0.1010; with your dfde it should be 0.1014). It is rounded, see line 5. Use the number itself.\n" + rounded
    )


def test_digits_from_a_printout_are_told(student: Class) -> None:
    source = HEAD.replace("(1 - f * f)", "1.0004 * (1 - f * f)") + "    return f, dfdy\n"
    assert (
        "dfdy comes close to the right number everywhere: do not round, and do not type in digits that were printed."
        in student.verdict(Q6, source).text
    )
    source = HEAD + "    return f, 0.1020\n"
    assert "dfdy is the same number at every point: compute it from x, y and z." in student.verdict(Q6, source).text
    source = HEAD + "    return 0.8220, dfdy\n"
    assert student.verdict(Q6, source).text == (
        "The value f is not right at a hidden test point. It is the same number at every point: compute it from x, y "
        "and z."
    )


def test_no_classic_slip_is_taken_for_rounding(question: Question, student: Class) -> None:
    import torch

    arguments = ", ".join(question.forward.leaves)
    for slip in SLIPS[question.name].values():
        formula = eval(f"lambda F, T, {arguments}: {slip}", {"torch": torch, "sig": torch.sigmoid})
        right = truth(question)

        def slipped(*args: object, right: object = right, formula: object = formula) -> object:
            value, derivative = right(*args)  # type: ignore[operator]
            return value, formula(value, derivative, *args)  # type: ignore[operator]

        assert "rounded" not in student.verdict(question, slipped).text


def test_few_or_equal_numbers_prove_nothing() -> None:
    assert is_rounded([0.12, 0.34, 0.57], [0.1234, 0.3412, 0.5681])
    assert not is_rounded([0.12, 0.34], [0.1234, 0.3412])
    assert not is_rounded([0.0, 0.0, 0.0], [0.1234, 0.3412, 0.2])
    assert not is_rounded([0.12, 0.34, 0.56], [0.1234, 0.3412, 0.5681])


SMALL = [1.0, 1.0, 0.0, 2.0, 0.0], [0.52, 0.6, 0.3, 1.6, 0.0]


def test_a_small_whole_number_proves_nothing_unless_a_line_rounds() -> None:
    assert not is_rounded(*SMALL)
    assert is_rounded(*SMALL, shown=True)
    assert not is_rounded([1.0, 1.0, 1.0, 0.0], [0.5, 0.6, 0.7, 0.3], shown=False)
    assert not is_rounded([1.0, 0.0, 0.0, 0.0], [0.5, 0.0, 0.0, 0.0], shown=True)
    assert not is_rounded([1.0], [0.5], shown=True)
    assert not is_rounded([0.1, 0.2, 0.3], [0.12, 0.23, 0.34])


def test_a_forgotten_factor_is_named_and_not_taken_for_rounding(student: Class) -> None:
    question = make_question(
        """
        @question(wrt="x", at={"x": 1, "k": 2}, domain={"x": (-1, 2), "k": (0.5, 3)})
        def q7(x, k):
            a = torch.exp(x)
            b = a / k
            c = torch.relu(b - 1)
            return c
        """
    )
    source = (
        "def grad_q7(x, k):\n    a = torch.exp(x)\n    b = a / k\n    c = torch.relu(b - 1)\n"
        "    dcdb = int(b > 1)\n    dcda = {}\n    return c, dcda * a\n"
    )
    student.run(source.format("dcdb"))
    with pytest.raises(CheckFailed) as failed:
        student.check(question)
    assert "with your dcdb it should be 0.5000). It lacks the factor db/da" in str(failed.value)
    assert "ounded" not in str(failed.value)
    unlike_any = student.verdict(question, source.format("dcdb * (1.3 / k)")).text
    assert "ounded" not in unlike_any
    assert "It is right" not in unlike_any


GATES = (
    "int(b > 1)",
    "(b > 1).int()",
    "(b > 1).long()",
    "(b > 1).half()",
    "(b > 1).to(torch.int)",
    "b.gt(1).int()",
    "int((b > 1) & (b < 9))",
    "int(not b < 1)",
)


@pytest.mark.parametrize("gate", GATES)
def test_a_gate_that_makes_1_or_0_of_a_comparison_rounds_no_number(gate: str) -> None:
    assert Lines([f"def grad_q7(b):\n    dcdb = {gate}\n    return b, dcdb\n"], "grad_q7").rounds() is None


@pytest.mark.parametrize("line", ["(b.round() > 1).int()", "int(b)", "b.int()", "(b + (b > 1)).int()", "int(b & 1)"])
def test_what_is_rounded_beside_a_comparison_is_rounded(line: str) -> None:
    spot = Lines([f"def grad_q7(b):\n    dcdb = {line}\n    return b, dcdb\n"], "grad_q7").rounds()
    assert spot
    assert spot.line == 2


def test_a_number_that_is_only_near_is_not_told_as_rounded_by_a_line_that_rounds_another(student: Class) -> None:
    """6.02 for 6 is no rounded number, and `int(2)` did not make it."""
    source = (
        "def grad_q5(x):\n    f = 3+6*x+7*x**2+3*x**3+8*x**4\n    n = int(2)\n"
        "    return f, 6.02 + 14*x + 9*x**n + 32*x**3\n"
    )
    text = student.verdict(QUESTIONS["q5"], source).text
    assert text == (
        "dfdx is not right at a hidden test point. dfdx comes close to the right number everywhere: do not round, and "
        "do not type in digits that were printed."
    )
