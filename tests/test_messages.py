"""What a student reads, word for word."""

from __future__ import annotations

import re

import pytest

from autograder import CheckFailed, messages
from autograder.by_hand.rules import RULES
from autograder.messages import WIDTH, wrapped
from tests.conftest import QUESTIONS, Class, make_question

NAMELESS = (
    " Your function does not name dfdd, dfdc, dfdb and dfda. Name them, as in `dfdd = …`, or name the derivative of each "
    "line, as in `dddx = …`: then the check tells you which link is wrong."
)
NONE_EARNED = (
    " Steps that your lines show and have right, each judged by your own numbers before it: 0 of 4. They earn 0 of 8 "
    "points."
)
FORWARD = "    f = 3 + 6*x + 7*x**2 + 3*x**3 + 8*x**4\n"
VISIBLE = {
    "raise NotImplementedError()": (
        "grad_q5 is not answered yet: replace `raise NotImplementedError()` with the lines that compute dfdx."
    ),
    "return f, dfdx": "dfdx has no value when grad_q5 returns: write the lines that compute it above the return.",
    "pass": "grad_q5 returned None: end it with `return f, dfdx`.",
    "return f": "grad_q5 returned one result (torch.Tensor), but two are expected: `return f, dfdx`.",
    "return f, 1, 2": "grad_q5 returned 3 results, but two are expected: `return f, dfdx`.",
    "return f, None": "The derivative is None: give dfdx a number.",
    "return 'three', 1": "The value is text, not a number: return the number itself, without quotes or formatting.",
    "return f, torch.ones(2)": "The derivative has the shape (2,), but one number is expected: return a single number.",
    "return f, 2j": "The derivative is a complex number, but a real number is expected.",
    "return f, print": ("The derivative is a function, not a number: call it, as in `torch.cos(x)`."),
    "return f, x * float('nan')": (
        "The derivative is nan (not a number) at x = 2: look for 0/0, or log or sqrt of a negative number."
    ),
    "return f, x / 0": ("The derivative is infinite at x = 2: look for a division by 0 or an exp that is too large."),
    "return 6 + 14*x + 9*x**2 + 32*x**3, f": (
        "The two results are in the wrong order: `return f, dfdx`, the value first."
    ),
    "return f + 1, 6 + 14*x + 9*x**2 + 32*x**3": (
        "The value f is not right at x = 2 (yours 196.0000, expected 195.0000). Your derivative is right for the "
        "lines that you wrote, but these are not the given ones: look at line 3. Where the value is wrong, the derivative "
        "earns nothing.\n    return f + 1, 6 + 14*x + 9*x**2 + 32*x**3"
    ),
    "return f, 6 + 14*x + 9*x**2 + 32*x**2": "dfdx is not right at x = 2 (yours 198.0000, expected 326.0000)."
    + NAMELESS,
    "return f, 326.02": (
        "dfdx is not right at x = 2 (yours 326.0200, expected 326.0000). dfdx is the same number at every point: compute "
        "it from x."
    ),
    "return grad_q5(x)": ("grad_q5 calls itself without end: compute dfdx without calling grad_q5."),
    "return f, 1 / 0": "grad_q5 stopped in line 3 with ZeroDivisionError: division by zero.\n    return f, 1 / 0",
}
HIDDEN = {
    "return f, 1 / (x.item() - x.item())": (
        "q5: 0 of 8 points. grad_q5 stopped in line 3 with ZeroDivisionError.\n    return f, 1 / (x.item() - x.item())"
    ),
    "return f + 1, f": (
        "q5: 0 of 8 points. The value f is not right at a hidden test point. Keep the given lines of the forward pass as "
        "they were: where the value is wrong, the derivative earns nothing."
    ),
    "return f, 6 + 14*x": ("q5: 0 of 8 points. dfdx is not right at a hidden test point." + NAMELESS + NONE_EARNED),
    "return f, (6 + 14*x + 9*x**2 + 32*x**3) * (1 if x > 0 else 2)": None,
    "return f, 6 + 14*x + 9*x**2 + 32*x**3": ("q5: 8 of 8 points. dfdx is right at all 24 hidden test points."),
    "return f, round((6 + 14*x + 9*x**2 + 32*x**3).item(), 7)": (
        "q5: 8 of 8 points. dfdx is right at all 24 hidden test points. The derivative of grad_q5 is right to some digits, "
        "not to all that float64 has. Your marks stay; your instructor will see by how much."
    ),
    "return f, x / 0": (
        "q5: 0 of 8 points. The derivative is infinite at a hidden test point: look for a division by 0 or an exp that "
        "is too large."
    ),
}


@pytest.mark.parametrize("last", VISIBLE)
def test_the_visible_check_says(last: str, student: Class) -> None:
    student.run(f"def grad_q5(x):\n{FORWARD}    {last}\n")
    with pytest.raises(CheckFailed) as failed:
        student.check(QUESTIONS["q5"])
    assert str(failed.value) == VISIBLE[last]


@pytest.mark.parametrize("last", [k for k, v in HIDDEN.items() if v])
def test_the_hidden_test_says(last: str, student: Class, capsys: pytest.CaptureFixture[str]) -> None:
    student.run(f"def grad_q5(x):\n{FORWARD}    {last}\n")
    student.grade(QUESTIONS["q5"])
    assert capsys.readouterr().out == wrapped(HIDDEN[last] or "") + "\n"


def test_an_answer_that_is_right_in_some_cases_is_told_so(student: Class) -> None:
    answer = f"def grad_q5(x):\n{FORWARD}    return f, (6 + 14*x + 9*x**2 + 32*x**3) * (1 if x > 0 else 2)\n"
    assert student.verdict(QUESTIONS["q5"], answer).text == (
        "dfdx is not right at a hidden test point. It is right where x is positive and wrong where x is negative."
        + NAMELESS
    )
    answer = answer.replace("x > 0", "x > 0.5")
    right = sum(r.point["x"] > 0.5 for r in QUESTIONS["q5"]._testbed.draw(1))
    assert student.verdict(QUESTIONS["q5"], answer).text == (
        f"dfdx is not right at a hidden test point. It is right at {right} of the 24 hidden points: look for a case "
        "that your lines do not cover." + NAMELESS
    )


def test_points_where_any_answer_gives_zero_do_not_count_as_right(student: Class) -> None:
    """Where relu is dead, w * 0 is 0 as x * 0 is."""
    answer = "def grad_q2(b, x, w):\n    v = w * x + b\n    return torch.relu(v), w * (v > 0)\n"
    references = QUESTIONS["q2"]._testbed.draw(1)
    assert 6 < sum(r.adjoints["w"] == 0 for r in references) < 18
    assert "It is right" not in student.verdict(QUESTIONS["q2"], answer).text
    answer = answer.replace("w * (v > 0)", "x * (v > 0) * (1 if x > 0.75 else 2)")
    right = sum(r.adjoints["w"] != 0 and r.point["x"] > 0.75 for r in references)
    living = sum(r.adjoints["w"] != 0 for r in references)
    assert (
        f"Of the {living} hidden points where dadw is not 0, it is right at {right}: look for a case that your lines do "
        "not cover."
    ) in student.verdict(QUESTIONS["q2"], answer).text


def test_a_wrong_factor_that_meets_a_zero_above_it_is_right_in_no_case(student: Class) -> None:
    """Where relu is dead the sine's part is 0, whatever is written in the place of the cosine."""
    gated = make_question("""
    @question(wrt="x", at={"x": 1.5, "y": 0.5}, domain={"x": (-2, 2), "y": (-2, 2)})
    def gated(x, y):
        s = torch.sin(x)
        r = torch.relu(y)
        f = s * r + x
        return f
    """)
    answer = "def grad_gated(x, y):\n    s = torch.sin(x); r = torch.relu(y); f = s * r + x\n    return f, r * torch.cos(x) + 1"
    assert student.verdict(gated, answer).right
    text = student.verdict(gated, answer.replace("cos", "sin")).text
    assert "look for a case" not in text


def test_the_right_check_prints_both_derivatives_as_the_seed_does(
    student: Class, capsys: pytest.CaptureFixture[str]
) -> None:
    student.run(f"def grad_q5(x):\n{FORWARD}    return f, 6 + 14*x + 9*x**2 + 32*x**3\n")
    student.check(QUESTIONS["q5"])
    assert capsys.readouterr().out == "AutoGrad:  326.0000\nManual:    326.0000\ndfdx is right at x = 2.\n"


def test_a_point_of_ones_own_is_checked(student: Class, capsys: pytest.CaptureFixture[str]) -> None:
    student.run("def grad_q2(b, x, w):\n    return torch.relu(w*x + b), x\n")
    student.check(QUESTIONS["q2"], at={"w": 0.5})
    assert "dadw is right at b = 2, x = 3, w = 0.5." in capsys.readouterr().out
    with pytest.raises(CheckFailed, match=r"at b = -9, x = 3, w = 0\.5 \(yours 3\.0000, expected 0\.0000\)"):
        student.check(QUESTIONS["q2"], at={"w": 0.5, "b": -9})


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ({"v": 1}, 'q2 has no argument v: write check(at={"b": 2, "x": 3, "w": 4}).'),
        ([2, 3, 4], 'q2: `at` must name the arguments: write check(at={"b": 2, "x": 3, "w": 4}).'),
        ({"w": "1"}, "q2: `at` must give numbers, but w is '1'."),
        ({"w": float("inf")}, "q2: `at` must give numbers, but w is inf."),
        ({"w": -1, "b": 3}, "q2 has a kink at b = 3, x = 3, w = -1, where it has no derivative. Choose another point."),
    ],
)
def test_a_point_that_cannot_be_used_is_explained(at: dict[str, float], expected: str, student: Class) -> None:
    with pytest.raises(CheckFailed) as failed:
        student.check(QUESTIONS["q2"], at=at)
    assert str(failed.value) == expected


def test_a_point_outside_the_functions_reach_is_explained(student: Class) -> None:
    with pytest.raises(CheckFailed, match=r"not finite there\. Choose a point with 0\.25 ≤ x ≤ 2, 0\.5 ≤ y ≤ 2\.5"):
        student.check(QUESTIONS["q6"], at={"x": -5})


def test_messages_are_wrapped_and_code_lines_are_not() -> None:
    text = wrapped("word " * 40 + "\n    " + "code " * 40)
    first, last = text.rsplit("\n", 1)
    assert max(map(len, first.split("\n"))) <= WIDTH
    assert len(last) > WIDTH


def test_ipython_shows_the_message_and_no_traceback() -> None:
    assert CheckFailed("one thing\n    and a line")._render_traceback_() == ["one thing", "    and a line"]


def test_one_word_is_used_for_one_thing() -> None:
    texts = [v for v in vars(messages).values() if isinstance(v, str) and "{" in v]
    texts += [*messages.SLIP.values(), *messages.LINK_WORDS.values(), *(rule.text for rule in RULES.values())]
    assert len(texts) > 100
    for text in texts:
        prose = re.sub(r"\{\w+\}|`[^`]*`", "", text)
        assert not re.search(r"\b(broke\w*|roads?|slips?|adjoints?|derivative of \w+ by|way down)\b", prose), text
