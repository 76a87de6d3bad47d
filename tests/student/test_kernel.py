"""Bad input gets a clear verdict and loses nothing: a student's own kernel answers."""

from __future__ import annotations

import logging
import os
import random
import sys
import warnings

import numpy as np
import pytest
import torch

from autograder import CheckFailed
from autograder.student import call, kernel
from autograder.student.call import MOST_PRINTED
from autograder.student.kernel import KernelStudent, answering
from autograder.student.protocol import Answer, Fault, Missing, Reply, Request
from autograder.verdict.judge import Kind
from tests.conftest import QUESTIONS, Class

Q5 = QUESTIONS["q5"]
GOOD = "def grad_q5(x):\n    return 3+6*x+7*x**2+3*x**3+8*x**4, 6+14*x+9*x**2+32*x**3\n"
FAULTS = {
    "NotImplementedError": ("raise NotImplementedError()", Kind.UNANSWERED),
    "a missing adjoint": ("f = x\n    return f, dfdx", Kind.UNANSWERED),
    "an exception": ("return 1 / 0", Kind.RAISED),
    "an exit": ("import sys; sys.exit()", Kind.RAISED),
    "an interrupt": ("raise KeyboardInterrupt", Kind.RAISED),
    "recursion": ("return grad_q5(x)", Kind.RAISED),
    "an exception without words": (
        "class Mute(Exception):\n        def __str__(self): raise ValueError\n    raise Mute()",
        Kind.RAISED,
    ),
    "a generator": ("yield x, x", Kind.NOT_TWO),
}


@pytest.mark.parametrize("what", FAULTS)
def test_a_function_that_raises_gets_a_verdict_not_a_traceback(what: str, student: Class) -> None:
    body, kind = FAULTS[what]
    verdict = student.verdict(Q5, f"def grad_q5(x):\n    {body}\n")
    assert verdict.kind is kind
    assert "Traceback" not in verdict.text


def test_an_async_function_is_no_answer_and_warns_nobody(student: Class) -> None:
    assert student.verdict(Q5, "async def grad_q5(x):\n    return x, x\n").kind is Kind.NOT_TWO


def test_an_exception_shows_the_students_own_line(student: Class) -> None:
    student.run("def helper(x):\n    return 1 / (x - x)\n")
    student.run("import math\ndef grad_q5(x):\n    f = x\n    return f, math.sqrt(-1)\n")
    with pytest.raises(CheckFailed, match=r"in line 4 with ValueError: math domain error\.\n    return f, math.sqrt"):
        student.check(Q5)


def test_hidden_tests_tell_neither_the_exceptions_text_nor_its_own_name(
    student: Class, capsys: pytest.CaptureFixture[str]
) -> None:
    student.run(
        "def grad_q5(x):\n"
        "    print('the point is', x)\n"
        "    raise type(f'Point_{x.item()}', (ValueError,), {})(f'the point is {x.item()}')\n"
    )
    student.grade(Q5, seed="secret")
    told = capsys.readouterr().out
    assert "stopped in line 3 with ValueError." in told
    assert "point is 0" not in told
    assert "secret" not in told
    for reference in Q5._testbed.draw("secret"):
        assert f"{reference.point['x']:g}" not in told.replace("Point_{x.item()}", "")


@pytest.mark.parametrize("name", ["ProcessEnded", "NoAnswer", "TooLong"])
def test_an_exception_named_like_the_graders_own_tells_no_point(name: str, student: Class) -> None:
    body = f"    raise type('{name}', (RuntimeError,), {{}})(f'the point is {{x.item()}}')\n"
    assert "point is" not in student.verdict(Q5, "def grad_q5(x):\n" + body).text.replace(body.strip(), "")


LOST = {
    "a call": (
        Reply((Answer(fault=Fault("ProcessEnded", "RuntimeError", "the code used more than 2048 MB")),)),
        "grad_q5 was stopped (the code used more than 2048 MB). Look for an exit, or for something that needs too much "
        "memory.",
    ),
    "a cell": (
        Reply(missing=Missing(Fault("TooLong", "RuntimeError", "it did not end within 60 seconds"))),
        "grad_q5 is not defined, because its cell was stopped (it did not end within 60 seconds). Look for a loop that "
        "does not end, an exit, or something that needs too much memory.",
    ),
}


@pytest.mark.parametrize("what", LOST)
def test_what_the_grader_itself_says_of_a_lost_answer_is_told(what: str) -> None:
    reply, text = LOST[what]

    class Lost:
        def ask(self, request: Request) -> Reply:
            return reply

    with answering(Lost()):
        assert Q5.judge(seed=1).text == text


@pytest.mark.parametrize("what", FAULTS)
def test_a_broken_question_costs_the_next_one_nothing(what: str, student: Class) -> None:
    student.verdict(QUESTIONS["q4"], f"def grad_q4(x):\n    {FAULTS[what][0]}\n".replace("grad_q5", "grad_q4"))
    assert student.verdict(Q5, GOOD).right


STATES = {
    "default dtype half": "torch.set_default_dtype(torch.float16)",
    "default device meta": "torch.set_default_device('meta')",
    "grad disabled": "torch.set_grad_enabled(False)",
    "warnings are errors": "import warnings; warnings.simplefilter('error')",
    "torch deleted": "del torch",
    "recursion limit": "import sys; sys.setrecursionlimit(100000)",
}


@pytest.mark.parametrize("what", STATES)
def test_changed_global_state_costs_nothing(what: str, student: Class) -> None:
    limit = sys.getrecursionlimit()
    try:
        with warnings.catch_warnings():
            student.run(STATES[what])
            answer = "def grad_q5(x):\n    k = torch.tensor(0.1) - 0.1\n" + GOOD.split("\n", 1)[1]
            assert student.verdict(Q5, answer).right
    finally:
        torch.set_default_dtype(torch.float32)
        torch.set_default_device("cpu")
        torch.set_grad_enabled(True)
        sys.setrecursionlimit(limit)


def test_a_check_leaves_the_students_state_as_it_was(student: Class) -> None:
    student.run(GOOD)
    torch.set_default_dtype(torch.float64)
    try:
        random.seed(3)
        torch.manual_seed(3)
        expected = random.Random(3).random()
        student.grade(Q5)
        assert random.random() == expected
        assert torch.get_default_dtype() is torch.float64
        torch.manual_seed(3)
        first = torch.rand(1)
        torch.manual_seed(3)
        student.grade(Q5)
        assert torch.rand(1) == first
    finally:
        torch.set_default_dtype(torch.float32)


def test_what_a_student_prints_or_warns_reaches_no_stream_of_the_cell(
    student: Class, capfd: pytest.CaptureFixture[str]
) -> None:
    stderr = sys.stderr
    log = logging.getLogger("theirs")
    log.addHandler(logging.StreamHandler(stderr))

    def loud(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        print("to stdout")
        print("to stderr", file=sys.stderr)
        print("to the saved stderr", file=stderr)
        log.error("to the log")
        warnings.warn("to warnings", stacklevel=1)
        float(x.clone().requires_grad_())  # torch warns
        return corpus_q5(x)

    assert student.verdict(Q5, loud).right
    out, err = capfd.readouterr()
    assert (out, err) == ("", "")


def corpus_q5(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    return 3 + 6 * x + 7 * x**2 + 3 * x**3 + 8 * x**4, 6 + 14 * x + 9 * x**2 + 32 * x**3


def test_a_check_shows_what_was_printed_and_cuts_a_flood(student: Class, capsys: pytest.CaptureFixture[str]) -> None:
    student.run(GOOD.replace("    return", "    print('y' * 10**6)\n    return"))
    student.check(Q5)
    told = capsys.readouterr().out
    assert told.startswith("Printed by grad_q5:\nyyy")
    assert "… and 998001 more characters" in told
    assert len(told) < MOST_PRINTED + 200


def test_an_endless_call_ends_when_nbgrader_runs_the_notebook(student: Class, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    monkeypatch.setattr(call, "SECONDS", 0.2)
    verdict = student.verdict(
        Q5, "def grad_q5(x):\n    while True:\n        try: pass\n        except Exception: pass\n"
    )
    assert "no answer within" in verdict.text


def test_a_missing_function_is_named_with_what_comes_near(student: Class) -> None:
    assert student.verdict(Q5).text.startswith(
        "There is no function grad_q5: run the cell with the line `def grad_q5(x):`"
    )
    student.run("def grad_Q5(x):\n    return x, x\n")
    assert "but there is grad_Q5: rename it to grad_q5" in student.verdict(Q5).text


def test_what_is_no_function_is_named(student: Class) -> None:
    student.namespace["grad_q5"] = 5
    assert "grad_q5 is not a function, it is of type int" in student.verdict(Q5).text


@pytest.mark.parametrize("signature", ["", "x, y", "*, x", "x, /, y"])
def test_a_wrong_arity_is_told_apart_from_a_type_error_inside(signature: str, student: Class) -> None:
    verdict = student.verdict(Q5, f"def grad_q5({signature}):\n    return 1, 2\n")
    assert "its first line must be `def grad_q5(x):`" in verdict.text
    assert student.verdict(Q5, "def grad_q5(x):\n    return len(3), 2\n").text.startswith("grad_q5 stopped in line 2")


def test_local_adjoints_are_read_by_name_at_the_return() -> None:
    namespace = {}
    exec("def grad_q5(x):\n    dfda = 1\n    dfda = 2.5\n    other = 3\n    return x, x\n", namespace)
    reply = KernelStudent(namespace).ask(Request("grad_q5", ("x",), ({"x": 1.0},), ("x", "a", "b", "f"), {}))
    assert {n: v.value for n, v in reply.answers[0].named.items()} == {"dfda": 2.5}


def test_the_function_gets_fresh_detached_float64_scalars(student: Class) -> None:
    seen: list[torch.Tensor] = []

    def keep(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        assert x.dtype is torch.float64
        assert x.dim() == 0
        assert not x.requires_grad
        seen.append(x)
        answer = corpus_q5(x.clone())
        x.add_(1)  # changing an argument reaches nobody
        return answer

    assert student.verdict(Q5, keep).right
    assert len({id(x) for x in seen}) == 24


def test_anyone_can_stand_on_the_other_side_of_the_seam() -> None:
    class Absent:
        def ask(self, request: Request) -> Reply:
            return Reply(missing=Missing(near=(request.function + "_draft",)))

    with answering(Absent()):
        assert "but there is grad_q5_draft" in Q5.judge(seed=1).text
    assert isinstance(kernel.current_student(), KernelStudent)


def test_numpy_scalars_and_exact_fractions_are_numbers(student: Class) -> None:
    from decimal import Decimal
    from fractions import Fraction

    for kind in (np.float64, np.float32, Fraction, lambda t: Decimal(float(t))):
        assert student.verdict(Q5, lambda x, kind=kind: tuple(kind(r.item()) for r in corpus_q5(x))).right


def test_nothing_is_left_in_the_environment(student: Class) -> None:
    before = dict(os.environ)
    student.verdict(Q5, GOOD)
    assert dict(os.environ) == before
