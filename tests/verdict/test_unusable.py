"""What is no answer yet is told as what it is, in the same words when a class is graded, and never with a point."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autograder import CheckFailed
from autograder.student.faults import fault_of
from autograder.student.protocol import Missing, Reply, Request
from autograder.verdict.judge import Kind
from autograder.verdict.lines import Lines
from autograder.verdict.unusable import Unusable
from autograder.workers import redaction
from tests.conftest import Class
from tests.verdict.graded import HEAD, Q5, Graded, told


@pytest.fixture
def student() -> Graded:
    return Graded()


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
    hidden = Request("grad_q5", ("x",), (), (), {})
    known = redaction.redact(Reply(missing=missing), replace(hidden, show=True), [line])
    missing = redaction.redact(Reply(missing=missing), hidden, [line], known).missing or missing
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
