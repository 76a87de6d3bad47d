"""A reading ends, whatever the program; what exceeds it is listed, and what was found on the way counts."""

from __future__ import annotations

import pytest

from autograder.by_hand import interpreter
from autograder.by_hand.interpreter import Interpreter, read
from autograder.by_hand.rules import Outcome
from tests.by_hand.cases import HONEST, F, answer, cells, one
from tests.by_hand.further import HONEST as FURTHER
from tests.by_hand.hostile import GOOD, HOSTILE, NESTED, STAR_FILES

MACHINE = "f(x).backward()\n"


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_program_is_read_in_bounded_steps_and_never_forbidden(what: str) -> None:
    reading = Interpreter()
    findings = reading.read(HOSTILE[what], "grad_q5", {})
    assert {f.outcome for f in findings} <= {Outcome.LISTED}
    assert reading.steps <= interpreter.CELLS + interpreter.ANSWER


@pytest.mark.parametrize("what", [what for what in HOSTILE if "huge range" in what])
def test_of_a_huge_range_only_the_beginning_is_taken(what: str) -> None:
    assert read(HOSTILE[what], "grad_q5") == ()


def test_files_that_import_each_other_without_end_are_read_once() -> None:
    assert read(cells("from m0 import *", GOOD), "grad_q5", STAR_FILES) == ()


def test_the_answer_is_read_although_a_cell_before_it_takes_too_long() -> None:
    findings = read(cells("\n".join([NESTED] * 20), answer(f"{MACHINE}return f(x), x.grad")), "grad_q5")
    assert findings[0].rule == "autograd"


def test_the_answer_is_read_below_a_cell_that_is_too_large_and_what_it_needs_from_there_is_listed() -> None:
    large = "T = [" + "1.5, " * 30_000 + "]"
    below = read(cells(large, answer("x.clone().backward()\nreturn x, x.grad")), "grad_q5")
    assert [f.rule for f in below] == ["autograd", "grad"]
    assert read(cells(large, answer("return x**2, 2 * x")), "grad_q5") == ()
    assert [(f.rule, f.line) for f in read(cells(large, answer("return x**2, T[0]")), "grad_q5")] == [("too-long", 2)]


def test_of_a_long_session_the_newest_cells_count_and_a_cell_counts_where_it_was_run_last() -> None:
    tries = [f"slope = torch.func.grad(f)  # try {n}\n{'#' * 500}" for n in range(200)]
    good, bad = answer("return f(x), 6 + 14 * x"), answer("return f(x), slope(x)")
    assert read(cells(*tries, F, good), "grad_q5") == ()
    assert read(cells(good, *tries, bad), "grad_q5")[0].rule == "functional"
    assert [f.rule for f in read(cells(bad, good, "y = 1", bad, tries[0]), "grad_q5")] == ["functional"]


def test_a_machine_above_the_line_that_takes_too_long_is_found_and_one_below_is_listed() -> None:
    above, below = (
        read(one(f"{MACHINE}{NESTED}\nreturn f(x), 1"), "grad_q5"),
        read(one(f"{NESTED}\n{MACHINE}return 1, 1"), "grad_q5"),
    )
    assert [f.rule for f in above] == ["autograd", "too-long"]
    assert [f.rule for f in below] == ["too-long"]


def test_a_value_whose_cell_takes_too_long_is_listed_where_it_is_used() -> None:
    sources = cells(NESTED, answer("return f(x), z[0]"))
    assert [(f.rule, f.line, f.cell) for f in read(sources, "grad_q5")] == [("too-long", 1, 2)]


@pytest.mark.parametrize("what", [*HONEST, *FURTHER])
def test_honest_work_takes_less_than_a_quarter_of_the_budget(what: str) -> None:
    reading = Interpreter()
    reading.read({**HONEST, **FURTHER}[what], "grad_q5", {})
    assert reading.steps < interpreter.ANSWER / 2
