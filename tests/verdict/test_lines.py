"""A line that Python reads differently is named with the line, and only where the answer is wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from autograder import CheckFailed
from autograder._judge import Kind
from autograder._question import Question
from autograder._seam import Missing, Reply, Request
from autograder._student import KernelStudent, answering
from autograder.rooms import _sealed
from autograder.student.faults import fault_of
from autograder.verdict.lines import Lines
from autograder.verdict.unusable import Unusable
from tests.conftest import QUESTIONS, Class

Q5 = QUESTIONS["q5"]
HEAD = "def grad_q5(x):\n    f = 3+6*x+7*x**2+3*x**3+8*x**4\n"
POWER = "grad_q5 stopped in line {line}: in Python `^` is not a power. Write `**`, as in `x**2`.\n    {source}"


class Graded(Class):
    """A student whose answers at hidden points are heard as those of a room are when a class is graded."""

    def ask(self, request: Request) -> Reply:
        reply = KernelStudent(self.namespace).ask(request)
        sealed = _sealed.seal(reply, request, self.namespace["In"])
        return replace(sealed, cells=reply.cells, modules=reply.modules)

    def verdict(self, question: Question, answer: Callable[..., Any] | str | None = None, seed: int | str = 1) -> Any:
        assert isinstance(answer, str)
        self.run(answer)
        with answering(self):
            return question.judge(seed)


@pytest.fixture
def student() -> Graded:
    return Graded()


def told(student: Class, body: str, before: str = "") -> str:
    return str(student.verdict(Q5, before + HEAD + "".join(f"    {line}\n" for line in body.split("\n"))).text)


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


RAISES = {
    "the placeholder": ("raise NotImplementedError()", Kind.UNANSWERED),
    "the placeholder with words": ("raise NotImplementedError('YOUR CODE HERE')", Kind.UNANSWERED),
    "a helper's": ("return f, helper(x)", Kind.RAISED),
    "torch's own": ("return f, torch.ones(2).to_sparse().to_mkldnn(x)", Kind.RAISED),
}


@pytest.mark.parametrize("what", RAISES)
def test_only_the_placeholder_itself_is_an_answer_that_is_missing(what: str, student: Class) -> None:
    body, kind = RAISES[what]
    student.run("def helper(x):\n    raise NotImplementedError()\n")
    verdict = student.verdict(Q5, f"{HEAD}    {body}\n")
    assert verdict.kind is kind
    if what == "a helper's":
        assert verdict.text == (
            "grad_q5 stopped in line 2 (in `helper`) with NotImplementedError.\n    raise NotImplementedError()"
        )


def test_a_placeholder_that_was_left_below_the_answer_is_to_be_removed(student: Class) -> None:
    assert told(student, "dfdx = 6 + 14*x\nraise NotImplementedError()\nreturn f, dfdx") == (
        "grad_q5 stopped in line 4: remove this line, because what you wrote around it is never returned.\n"
        "    raise NotImplementedError()"
    )


def test_a_name_without_a_value_is_named_even_where_errors_texts_are_not_shown(student: Class) -> None:
    assert told(student, "return f, dfdb * 2") == (
        "grad_q5 stopped in line 3: `dfdb` has no value there. Check how it is spelled, or compute it first.\n"
        "    return f, dfdb * 2"
    )
    assert told(student, "return f, dfdx").startswith("dfdx has no value when grad_q5")


def test_recursion_is_told_of_the_function_that_recurs(student: Class) -> None:
    student.run("def helper(x):\n    return helper(x)\n")
    assert told(student, "return f, helper(x)").startswith("grad_q5 stopped in line ")
    assert "(in `helper`), because a function calls itself without end." in told(student, "return f, helper(x)")


@pytest.mark.parametrize("what", [("...", "still `...`"), ("torch.cos", "is a function, not a number: call it")])
def test_what_stands_for_a_number_but_is_none_is_told(what: tuple[str, str], student: Class) -> None:
    assert what[1] in told(student, f"return f, {what[0]}")


NAMES = {
    "return f, cos(x)": "`cos` is not known there. Write `torch.cos`.",
    "return f, math.cos(x)": "`math` is not known there. Write `import math` in a cell above.",
    "return f, nump.cos(x)": "`nump` has no value there. Check how it is spelled, or compute it first.",
}


@pytest.mark.parametrize("line", NAMES)
def test_a_name_that_only_needs_torch_or_an_import_is_told_so(line: str, student: Class) -> None:
    assert told(student, line) == f"grad_q5 stopped in line 3: {NAMES[line]}\n    {line}"


def test_an_argument_that_a_line_replaces_is_named(student: Class) -> None:
    replaced = " Line 3 gives the argument x another value: use another name there.\n    x = 3"
    assert told(student, "x = 3\nreturn f, 6 + 14*x") == "dfdx is not right at a hidden test point." + replaced
    source = "def grad_q5(x):\n    x = torch.tensor(2.0)\n    return 3+6*x+7*x**2+3*x**3+8*x**4, x\n"
    assert "Line 2 gives the argument x another value" in student.verdict(Q5, source).text
    for body in ("x = x.double()", "def g(t):\n    x = 3\n    return t * x\nx.sin()"):
        assert "another value" not in told(student, f"{body}\nreturn f, 6 + 14*x")
    assert told(student, "x = 3\nx = 4\nreturn f, 6 + 14*x").endswith(replaced), "the first of them is named"


NO_VALUE = (
    "grad_q5 stopped in line {line}: `dfdx` has no value there. Check how it is spelled, or compute it first.\n"
    "    {source}"
)
SOMETIMES = {
    "if x > 100:\n    dfdx = 1\nreturn f, dfdx": ("dfdx", "line 4, which gives it one, was"),
    "if x > 100:\n    t = 1\nelif x > 90:\n    t = 2\nreturn f, 2 * t": (
        "t",
        "lines 4 and 6, which give it one, were",
    ),
    "for i in ():\n    dfdx = 1\nreturn f, dfdx": ("dfdx", "line 4, which gives it one, was"),
}


@pytest.mark.parametrize("body", SOMETIMES)
def test_a_name_that_only_some_cases_give_a_value_is_told_with_the_lines_that_did_not_run(
    body: str, student: Class
) -> None:
    name, lines = SOMETIMES[body]
    line, source = body.count("\n") + 3, body.rpartition("\n")[2]
    assert told(student, body) == (
        f"grad_q5 stopped in line {line}: `{name}` has no value there, because {lines} not run. Give it a value in "
        f"every case.\n    {source}"
    )


def test_a_name_that_gets_its_value_further_down_has_none_yet(student: Class) -> None:
    for inside in ("def g():\n    dfdx = 1", "t = [dfdx for dfdx in (1, 2)]"):
        assert told(student, f"{inside}\nreturn f, dfdx").startswith("dfdx has no value when grad_q5 returns")
    line = "t = 2 * dfdx"
    verdict = student.verdict(Q5, f"{HEAD}    {line}\n    dfdx = t\n    return f, dfdx\n")
    assert verdict.kind is Kind.RAISED
    assert verdict.text == NO_VALUE.format(line="3", source=line)


def test_an_adjoint_that_only_a_helper_misses_is_told_as_the_helpers(student: Class) -> None:
    student.run("def helper():\n    return 2 * dfdx\n")
    verdict = student.verdict(Q5, f"{HEAD}    dfdx = 6\n    return f, helper()\n")
    assert verdict.kind is Kind.RAISED
    assert verdict.text == NO_VALUE.format(line="2 (in `helper`)", source="return 2 * dfdx")


def test_an_adjoint_of_a_function_inside_is_none_of_the_answer(student: Class) -> None:
    """So the placeholder below it is still the answer that is missing."""
    verdict = student.verdict(Q5, f"{HEAD}    def g():\n        dfdx = 1\n    raise NotImplementedError()\n")
    assert verdict.kind is Kind.UNANSWERED


def test_round_of_a_tensor_is_not_to_be_rounded(student: Class) -> None:
    for call in ("round(x)", "round(x, 2)"):
        assert told(student, f"t = {call}\nreturn f, t") == (
            f"grad_q5 stopped in line 3: do not round. Use the number itself.\n    t = {call}"
        )


@pytest.mark.parametrize("body", ["f.backward()\nreturn f, x.grad", "return f, torch.autograd.grad(f, x)[0]"])
def test_a_machine_that_has_nothing_to_differentiate_is_told_as_a_machine(body: str, student: Class) -> None:
    verdict = student.verdict(Q5, HEAD + "".join(f"    {line}\n" for line in body.split("\n")))
    assert verdict.kind is Kind.NOT_BY_HAND
    assert verdict.text.startswith("grad_q5 takes its derivative from torch.autograd (line 3: `")


PRODUCTS = {
    "dfdx = 6 + 14x": ("14*x", "14x"),
    "d2y = 2torch.sin(x)": ("2*torch", "2torch"),
    "dfdx = 1.5x2": ("1.5*x2", "1.5x2"),
    "dfdx = 1_": None,
}


@pytest.mark.parametrize("line", PRODUCTS)
def test_a_product_without_its_sign_is_told(line: str) -> None:
    words = {"function": "grad_q5", "arguments": "x", "output": "f", "adjoint": "dfdx"}
    with pytest.raises(SyntaxError) as failed:
        compile(line, "<cell>", "exec")
    missing = Missing(fault_of(failed.value))
    missing = _sealed.seal(Reply(missing=missing), Request("grad_q5", ("x",), (), (), {}), [line]).missing or missing
    text = Unusable(words, True).missing(missing, Lines((), "grad_q5")).text
    found = PRODUCTS[line]
    why = f"write `{found[0]}`, not `{found[1]}`" if found else "invalid decimal literal"
    assert text == (
        f"grad_q5 is not defined, because its cell stopped in line 1 with SyntaxError: {why}. Correct that line and "
        f"run the cell again.\n    {line}"
    )


SPELLED_OUT = (
    'raise NameError("q", name=f"the point is {x.item()}")',
    'raise NameError("q", name=f"p{x.item():.6f}".replace(".", "_").replace("-", "m"))',
    'raise SyntaxError(f"the point is {x.item()}")',
    'raise SyntaxError("q", ("q", int(abs(x) * 64), 1, f"the point is {x.item()}"))',
    'raise SyntaxError("invalid decimal literal", ("q", 1, 1, f"{int(abs(x) * 64)}x"))',
)


@pytest.mark.parametrize("line", SPELLED_OUT)
def test_no_text_of_an_exception_spells_out_a_hidden_point(line: str) -> None:
    """In the kernel itself, where nothing is sealed."""
    kind = "NameError" if "NameError" in line else "SyntaxError"
    assert told(Class(), line) == f"grad_q5 stopped in line 3 with {kind}.\n    {line}"


def test_a_call_that_reads_text_as_python_is_told_by_its_own_line(student: Class) -> None:
    line = 'dfdx = eval("2x")'
    assert told(student, f"t = 1\n{line}\nreturn f, dfdx") == (
        f"grad_q5 stopped in line 4 with SyntaxError.\n    {line}"
    )
    with pytest.raises(CheckFailed, match="stopped in line 4 with SyntaxError: invalid decimal literal"):
        student.check(Q5)
