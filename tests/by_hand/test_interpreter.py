"""Reading: every machine that differentiates is found, by its rule and its line; nothing honest is touched."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings

from autograder.by_hand.interpreter import read
from autograder.by_hand.rules import RULES, Finding, Outcome
from tests.by_hand import further, ordinary
from tests.by_hand.cases import BOTH, HONEST, QUESTION, READ, SETUP, answer, cells, marked, one, sample
from tests.conftest import CELLS, NAMES
from tests.verdict.test_accept import FORMS, corpus
from tests.verdict.test_properties import Pass, passes


@pytest.mark.parametrize("what", [*BOTH, *READ])
def test_reading_finds_the_machine_by_rule_and_line(what: str) -> None:
    rule, sources = {**BOTH, **READ}[what]
    findings = read(sources, "grad_q5")
    cell, line = marked(sources) if what != "a global that a helper sets" else (3, 4)
    source = sources[cell].split("\n")[line - 1].strip()
    assert Finding(RULES[rule].outcome, rule, line, source, cell) in findings


@pytest.mark.parametrize("what", QUESTION)
def test_the_courses_own_questions_are_machines(what: str) -> None:
    cell, line = marked(QUESTION[what])
    found = [f for f in read(QUESTION[what], "grad_q5") if f.outcome is Outcome.FORBIDDEN]
    assert [(f.rule, f.line, f.cell) for f in found] == [("question", line, cell)]


MACHINES = {**further.MACHINES, **ordinary.MACHINES, **{what: pair[0] for what, pair in further.PAIRS.items()}}
HONEST_WORK = {**further.HONEST, **ordinary.HONEST, **{what: pair[1] for what, pair in further.PAIRS.items()}}


@pytest.mark.parametrize("what", MACHINES)
def test_a_machine_that_no_list_names_is_forbidden(what: str, record_property: Callable[[str, object], None]) -> None:
    outcomes = {f.outcome for f in read(MACHINES[what], "grad_q5")}
    record_property("tally", ("by hand", "machines found", int(Outcome.FORBIDDEN in outcomes), 1))
    assert Outcome.FORBIDDEN in outcomes


@pytest.mark.parametrize("what", HONEST_WORK)
def test_what_only_looks_like_a_machine_is_not_accused(
    what: str, record_property: Callable[[str, object], None]
) -> None:
    findings = read(HONEST_WORK[what], "grad_q5")
    record_property("tally", ("by hand", "honest accused", len(findings), 1))
    assert findings == ()


@pytest.mark.parametrize("what", ordinary.UNKNOWN)
def test_what_is_not_there_is_listed_whatever_it_is_called(what: str) -> None:
    rules = {f.rule for f in read(ordinary.UNKNOWN[what], "grad_q5")}
    assert rules
    assert rules <= {"undefined", "unknown-package", "replaced"}


@pytest.mark.parametrize("what", further.LISTED)
def test_what_may_be_honest_is_listed_by_its_rule(what: str) -> None:
    rules, sources = further.LISTED[what]
    found = {(f.rule, f.outcome) for f in read(sources, "grad_q5")}
    assert found - {("replaced", Outcome.LISTED)} == {(rule, Outcome.LISTED) for rule in rules.split()}


def test_a_machine_called_by_the_grader_itself_is_found_where_it_was_made() -> None:
    sources = cells("grad_q5 = torch.func.grad_and_value(f)")
    assert [(f.rule, f.line, f.cell) for f in read(sources, "grad_q5")] == [("functional", 1, 2)]


# Honest


@pytest.mark.parametrize(("name", "form"), FORMS)
def test_the_accept_corpus_is_not_accused(name: str, form: str) -> None:
    module = inspect.getsource(inspect.getmodule(corpus(name)[form]))  # type: ignore[arg-type]
    sources = [CELLS["setup"], CELLS[f"{name}-forward"], f"{module}\ngrad_{name} = {form}\n"]
    assert read(sources, f"grad_{name}") == ()


@pytest.mark.parametrize("question", NAMES)
def test_the_courses_own_solutions_are_not_accused(question: str) -> None:
    sources = [CELLS["setup"], *(CELLS[f"{q}-forward"] for q in NAMES), *(CELLS[q] for q in NAMES)]
    assert read(sources, f"grad_{question}") == ()


@pytest.mark.parametrize("question", NAMES)
@pytest.mark.parametrize("name", [p.stem for p in (Path(__file__).parent.parent / "sample_class").glob("*.py")])
def test_the_sample_class_is_not_accused(name: str, question: str) -> None:
    findings = read(sample(name), f"grad_{question}")
    assert {f.rule for f in findings} <= {"unread"}, findings  # unanswered, or its cell is no Python


@settings(max_examples=40, deadline=None)
@given(passes())
def test_any_derivative_by_the_rules_is_not_accused(forward: Pass) -> None:
    assert read([SETUP, forward.answer()], "grad_p") == ()


@pytest.mark.parametrize("what", HONEST)
def test_honest_work_is_not_accused(what: str) -> None:
    assert read(HONEST[what], "grad_q5") == ()


# What is around the answer


def test_a_file_beside_the_notebook_is_read_when_it_is_given() -> None:
    helper = {
        "tools": "import torch\ndef slope(y, x):\n    return torch.autograd.grad(y, x)\ndef by_hand(x):\n    return 2 * x"
    }
    used = cells("from tools import slope", answer("return f(x), slope(f(x), x)"))
    assert [(f.rule, f.line, f.cell) for f in read(used, "grad_q5", helper)] == [("autograd", 3, None)]
    assert read(cells("import tools", answer("return f(x), tools.by_hand(x)")), "grad_q5", helper) == ()
    assert [f.rule for f in read(used, "grad_q5")] == ["unknown-package"]


@pytest.mark.parametrize(
    "line",
    ["from lib.num import slope", "import lib.num\nslope = lib.num.slope", "from lib import num\nslope = num.slope"],
)
def test_a_module_in_a_folder_is_read_when_it_is_given(line: str) -> None:
    helper = {"lib.num": "def slope(f, x):\n    h = 1e-6\n    return (f(x + h) - f(x)) / h"}
    used = cells(line, answer("return f(x), slope(f, x)"))
    assert [(f.rule, f.line, f.cell) for f in read(used, "grad_q5", helper)] == [("differences", 3, None)]


def test_a_function_that_no_cell_defines_is_listed_as_unread() -> None:
    assert [f.rule for f in read(cells("x = 1"), "grad_q5")] == ["unread"]


def test_numpys_differences_alone_are_only_listed() -> None:
    assert [f.rule for f in read(one("return f(x), np.diff([1, 3])[0]"), "grad_q5")] == ["diff"]


def test_two_wide_points_are_only_listed() -> None:
    assert [f.rule for f in read(one("h = 0.5\nreturn f(x), (f(x + h) - f(x - h)) / (2 * h)"), "grad_q5")] == [
        "difference-like"
    ]


def test_what_a_scratch_cell_took_from_a_machine_is_told_where_it_was_taken() -> None:
    sources = cells(
        "t = torch.tensor(2.0, requires_grad=True)\nf(t).backward()",
        "s = 3 * t.grad.item()",
        "pair = {'a': [1, s + 1]}",
        answer("return f(x), pair['a'][1] * x"),
    )
    assert [(f.rule, f.line, f.cell) for f in read(sources, "grad_q5")] == [("grad", 1, 3)]


SMALL_CONSTANTS = {
    "a Box-Cox transform": "s = 0.01\ny = (x**s - 1)/s\nreturn y, x**(s - 1)",
    "a logarithm of a small part": "y = torch.log(1 + 0.01*x)/0.01\nreturn y, 1/(1 + 0.01*x)",
    "a slow sine": "w = 0.05\ny = torch.sin(w*x)/w\nreturn y, torch.cos(w*x)",
    "a percentage": "p = 0.05\ntotal = x*(1 + p)\nreturn (total - x)/p*x, 2*x",
    "an epsilon": "e = 1e-8\nreturn x*x/(x + e), (2*x*(x + e) - x*x)/(x + e)**2",
}


@pytest.mark.parametrize("what", SMALL_CONSTANTS)
def test_a_formula_with_a_small_constant_is_not_forbidden(what: str) -> None:
    findings = read([SETUP, answer(SMALL_CONSTANTS[what])], "grad_q5")
    assert Outcome.FORBIDDEN not in {f.outcome for f in findings}


def test_a_small_constant_of_the_forward_pass_is_no_step() -> None:
    forward = "@question(at={'x': 1.5})\ndef q5(x):\n    a = torch.log(1 + 0.001*x)\n    f = a/0.001\n    return f"
    lines = "y = torch.log(1 + 0.001*x)/0.001\nreturn y, 1/(1 + 0.001*x)"
    assert read([f"{SETUP}\nfrom autograder import question", forward, answer(lines)], "grad_q5") == ()
