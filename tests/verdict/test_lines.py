"""A line that Python reads differently is named with the line, and only where the answer is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder import CheckFailed
from tests.conftest import Class
from tests.verdict.graded import HEAD, Q5, Graded, told

POWER = "grad_q5 stopped in line {line}: in Python `^` is not a power. Write `**`, as in `x**2`.\n    {source}"


@pytest.fixture
def student() -> Graded:
    return Graded()


POWERS = {
    "on a tensor": ("dfdx = 6 + 9*x^2", 3),
    "on a Python number": ("t = float(x)\ndfdx = 6 + 9*t^2", 4),
    "on a numpy number": ("t = x.numpy()\ndfdx = 6 + 9*t^2", 4),
    "of a number": ("dfdx = 2^x", 3),
    "assigned": ("dfdx = 9*x\ndfdx ^= 2", 4),
    "in the second line of a sum": ("dfdx = (6 + 14*x\n        + 9*x^2)", 4),
    "in the return": ("return f, 6 + 9*x^2", 3),
}


@pytest.mark.parametrize("what", POWERS)
def test_a_caret_for_a_power_is_named_with_its_line(what: str, student: Class) -> None:
    body, line = POWERS[what]
    source = body.split("\n")[line - 3].strip()
    text = told(student, body if "return" in body else f"{body}\nreturn f, dfdx")
    assert text == POWER.format(line=line, source=source)
    with pytest.raises(CheckFailed) as failed:
        student.check(Q5)
    assert str(failed.value) == text


def test_a_caret_is_named_without_cells() -> None:
    """In a script there is only the line itself."""
    student = Class()
    from tests.conftest import run_source

    run_source(HEAD + "    dfdx = 6 + 9*x^2\n    return f, dfdx\n", student.namespace)
    assert student.verdict(Q5).text == POWER.format(line=3, source="dfdx = 6 + 9*x^2")


def test_a_caret_that_computes_something_is_named_where_the_answer_is_wrong(student: Class) -> None:
    text = told(student, "dfdx = 6 + 14*x + 9*x**2 + (2^5)*x**3\nreturn f, dfdx")
    assert text == (
        "dfdx is not right at a hidden test point. In Python `^` is not a power: write `**` in line 3.\n"
        "    dfdx = 6 + 14*x + 9*x**2 + (2^5)*x**3"
    )
    right = "gate = True ^ False\nreturn f, gate * (6 + 14*x + 9*x**2 + 32*x**3)"
    assert told(student, right) == "dfdx is right at all 24 hidden test points."


def test_a_caret_in_a_helper_of_another_cell_is_found(student: Class) -> None:
    student.run("def four(x):\n    return 2^2\n")
    assert "write `**` in line 2.\n    return 2^2" in told(student, "return f, four(x)")


def test_a_caret_in_a_module_beside_the_notebook_is_named_with_the_modules_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "carets_beside.py").write_text("\n\n\n\ndef four(x):\n    return 2*x^2\n")
    student = Class()
    student.run("from carets_beside import four")
    assert told(student, "return f, four(x)") == POWER.format(line="6 (in `four`)", source="return 2*x^2")


def test_an_error_on_another_line_is_no_caret(student: Class) -> None:
    text = told(student, "k = 2^1\nreturn f, len(3)")
    assert text.startswith("grad_q5 stopped in line 4 with TypeError")


def test_integer_division_is_named(student: Class) -> None:
    assert told(student, "dfdx = 6 + 14*x + 9*x**2//1 + 32*x**3\nreturn f, dfdx") == (
        "dfdx is not right at a hidden test point. In Python `//` rounds down: write `/` in line 3.\n"
        "    dfdx = 6 + 14*x + 9*x**2//1 + 32*x**3"
    )


def test_a_value_that_a_later_line_replaces_is_named(student: Class) -> None:
    assert told(student, "f = 6 + 14*x\nreturn f, f") == (
        "The value f is not right at a hidden test point. Line 3 gives f another value: use another name there. Where "
        "the value is wrong, the derivative earns nothing.\n    f = 6 + 14*x"
    )


KEPT = {
    "summed up": "f += 7*x**2\nf += 3*x**3\nreturn f, x",
    "summed up in full": "f = f + 7*x**2\nf = f + 3*x**3\nreturn f, x",
    "in two arms": "if x > 0:\n    f = f / 2\nelse:\n    f = 0 * x\nreturn f, x",
    "in a function inside": "def g(t):\n    f = t\n    return f\nreturn g(2 * f), x",
    "in a dictionary": "t = {f: 1 for f in (1, 2)}\nreturn 2 * f, x",
}


@pytest.mark.parametrize("what", KEPT)
def test_a_value_that_no_line_replaces_is_not_told_as_replaced(what: str, student: Class) -> None:
    text = told(student, KEPT[what])
    assert text.startswith("The value f is not right at a hidden test point.")
    assert "another value" not in text


def test_an_argument_that_a_line_replaces_is_named(student: Class) -> None:
    replaced = " Line 3 gives the argument x another value: use another name there.\n    x = 3"
    assert told(student, "x = 3\nreturn f, 6 + 14*x") == "dfdx is not right at a hidden test point." + replaced
    source = "def grad_q5(x):\n    x = torch.tensor(2.0)\n    return 3+6*x+7*x**2+3*x**3+8*x**4, x\n"
    assert "Line 2 gives the argument x another value" in student.verdict(Q5, source).text
    for body in ("x = x.double()", "def g(t):\n    x = 3\n    return t * x\nx.sin()"):
        assert "another value" not in told(student, f"{body}\nreturn f, 6 + 14*x")
    assert told(student, "x = 3\nx = 4\nreturn f, 6 + 14*x").endswith(replaced), "the first of them is named"
