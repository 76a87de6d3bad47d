"""A function counts if its own cell has defined it, whatever that cell did afterwards; an older one never stands in."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator

import pytest
from traitlets.config import Config

from autograder import CheckFailed
from autograder.student import cells
from autograder.verdict.judge import Kind, Verdict
from autograder.workers.shell import Shell, run_cell
from tests.conftest import QUESTIONS

Q5 = QUESTIONS["q5"]
GOOD = "def grad_q5(x):\n    f = 3+6*x+7*x**2+3*x**3+8*x**4\n    return f, 6+14*x+9*x**2+32*x**3\n"
OTHER = "def grad_q5(x):\n    return x, x\n"


class Notebook:
    """Cells that a real IPython shell runs, and what is said of grad_q5 then."""

    def __init__(self, shell: Shell) -> None:
        self.shell, self.count = shell, 0

    def run(self, *sources: str) -> None:
        for source in sources:
            self.count += 1
            run_cell(self.shell, source, self.count)

    def verdict(self) -> Verdict:
        return Q5.judge(seed=1)

    def check(self) -> str:
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            try:
                Q5.check()
            except CheckFailed as failed:
                return str(failed)
        return said.getvalue()


@pytest.fixture(scope="module")
def shell() -> Shell:
    config = Config()
    config.HistoryManager.enabled = False
    config.HistoryManager.hist_file = ":memory:"
    return Shell(config=config)


@pytest.fixture
def notebook(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Iterator[Notebook]:
    for name in [n for n in shell.user_ns if n.startswith(("grad_", "mine"))]:
        del shell.user_ns[name]
    shell.history_manager.input_hist_raw[:] = [""]
    known = dict(cells._asked_for)
    cells.forget()
    monkeypatch.setattr(cells, "shell", lambda: shell)
    for name in QUESTIONS:
        cells.watch(f"grad_{name}")
    made = Notebook(shell)
    made.run("import torch")
    yield made
    cells.forget()
    cells._asked_for.update(known)


LATER = {
    "an assertion": ("assert 1 == 2", "line 4 with AssertionError.", "assert 1 == 2"),
    "a missing module": ("import no_such_module", "line 4 with ModuleNotFoundError", "import no_such_module"),
    "a name that is not there": ("plot(grad_q5)", "line 4 with NameError", "plot(grad_q5)"),
    "input": ("input()", "line 4 with ", "input()"),
    "a text that is no Python": ("eval('1 +* 2')", "line 4 with SyntaxError", "eval('1 +* 2')"),
    "its own call": ("grad_q5()", "line 4 with TypeError", "grad_q5()"),
}


@pytest.mark.parametrize("what", LATER)
def test_a_line_that_fails_after_the_function_costs_nothing_and_is_told(what: str, notebook: Notebook) -> None:
    line, stopped, own = LATER[what]
    notebook.run(GOOD + line)
    verdict = notebook.verdict()
    assert verdict.right
    start = "dfdx is right at all 24 hidden test points. After grad_q5 was defined, its cell stopped in "
    assert verdict.text.startswith(start + stopped)
    assert verdict.text.endswith(f" That costs no points: the function counts. Correct or remove that line.\n    {own}")
    assert "After grad_q5 was defined, its cell stopped in" in " ".join(notebook.check().split())


def test_a_wrong_function_with_a_failing_line_is_told_both(notebook: Notebook) -> None:
    notebook.run(GOOD.replace("14*x", "14") + "1/0")
    text = notebook.verdict().text
    assert text.startswith("dfdx is not right at a hidden test point.")
    assert "After grad_q5 was defined, its cell stopped in line 4 with ZeroDivisionError." in text


def test_a_call_that_fails_below_the_function_is_told_by_its_own_line(notebook: Notebook) -> None:
    source = GOOD.replace("    return", "    y = torch.sin(x)\n    return")
    text = "After grad_q5 was defined, its cell stopped in line {} with TypeError. That costs no points: the function "
    text += "counts. Correct or remove that line.\n    print(grad_q5(1))"
    notebook.run(source + "print(grad_q5(1))")
    assert notebook.verdict().text.endswith(text.format(5))
    notebook.run(f"%%time\n{source}print(grad_q5(1))")
    assert notebook.verdict().text.endswith(text.format(6))
    notebook.run(source + "def show():\n    print(grad_q5(1))\nshow()")
    assert notebook.verdict().text.endswith("Correct or remove that line.\n    show()")


BEFORE = {
    "an error above it": ("1/0\n" + GOOD, "line 1 with ZeroDivisionError"),
    "a syntax error": (GOOD + "(", "line 4 with SyntaxError"),
    "%%capture": ("%%capture\n1/0\n" + GOOD, "line 2 with ZeroDivisionError"),
    "%%time": ("%%time\n1/0\n" + GOOD, "line 2 with ZeroDivisionError"),
}


@pytest.mark.parametrize("what", BEFORE)
def test_a_cell_that_stops_before_its_function_has_not_defined_it(what: str, notebook: Notebook) -> None:
    source, stopped = BEFORE[what]
    notebook.run(source)
    verdict = notebook.verdict()
    assert verdict.kind is Kind.MISSING
    assert verdict.text.startswith(f"grad_q5 is not defined, because its cell stopped in {stopped}")


@pytest.mark.parametrize("what", BEFORE)
def test_an_older_function_does_not_stand_in_for_it(what: str, notebook: Notebook) -> None:
    source, stopped = BEFORE[what]
    notebook.run(GOOD, source)
    verdict = notebook.verdict()
    assert verdict.kind is Kind.MISSING
    assert verdict.text.startswith(f"grad_q5 was not defined again, because its cell stopped in {stopped}")
    assert "The older function does not count." in verdict.text


AGAIN = {
    "the cell is run again": GOOD,
    "the name is given a function of another name": GOOD.replace("grad_q5", "mine") + "grad_q5 = mine",
    "only a text holds its line": f"1/0\nNOTES = '''\n{OTHER}'''",
    "another program's cell holds its line": f"%%bash\ncat <<'END'\n{OTHER}END\nexit 1",
    "only a class has a method of that name": "1/0\nclass Draft:\n    def grad_q5(self): pass",
}


@pytest.mark.parametrize("what", AGAIN)
def test_an_honest_function_is_taken(what: str, notebook: Notebook) -> None:
    first = "1/0\n" + GOOD if what.startswith("the ") else GOOD
    notebook.run(first, AGAIN[what])
    assert notebook.verdict().right
    assert "stopped" not in notebook.verdict().text


def test_a_magic_that_keeps_the_function_to_itself_is_named(notebook: Notebook) -> None:
    notebook.run("%%timeit -n1 -r1\n" + GOOD)
    assert notebook.verdict().text == (
        "grad_q5 is not defined, although its cell ran: the first line `%%timeit -n1 -r1` hides errors or keeps the "
        "function to itself. Remove that line and run the cell again."
    )
    notebook.run(GOOD, "%%timeit -n1 -r1\n" + OTHER)
    assert notebook.verdict().right


def test_below_a_magic_lines_are_counted_as_the_cell_shows_them(notebook: Notebook) -> None:
    notebook.run("%%time\n" + GOOD.replace("    return", "    y = torch.zeros(2)[5]\n    return"))
    text = "grad_q5 stopped in line 4 with IndexError.\n    y = torch.zeros(2)[5]"
    assert notebook.verdict().text == text
    notebook.run("%%time\n" + GOOD.replace("    return", "    raise NotImplementedError()\n    return"))
    assert notebook.verdict().kind is Kind.UNANSWERED


def test_timed_and_captured_answers_are_read(notebook: Notebook) -> None:
    for magic in ("%%time", "%%capture", "%%capture out", "%%prun -q"):
        notebook.run(f"{magic}\n{GOOD}")
        verdict = notebook.verdict()
        assert verdict.right
        assert verdict.findings == (), magic


NEAR = {
    "grad_Q5": "There is no function grad_q5, but there is grad_Q5: rename it to grad_q5 and run its cell again.",
    "grad_q4": (
        "There is no function grad_q5: run the cell with the line `def grad_q5(x):`. If you changed that line, write "
        "it again as it was."
    ),
}


@pytest.mark.parametrize("name", NEAR)
def test_only_a_name_that_no_other_question_asks_for_comes_near(name: str, notebook: Notebook) -> None:
    notebook.run(*(GOOD.replace("grad_q5", other) for other in ("grad_q1", "grad_q2", "grad_q3", name)))
    assert notebook.verdict().text == NEAR[name]
