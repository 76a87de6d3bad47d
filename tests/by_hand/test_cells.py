"""A cell is read as IPython runs it, with its lines where the notebook shows them."""

from __future__ import annotations

import ast

import pytest
from IPython.core.inputtransformer2 import TransformerManager

from autograder.by_hand.cells import parse
from autograder.by_hand.interpreter import read
from tests.by_hand.cases import SETUP, F, answer, cells

GOOD = answer("return f(x), 6 + 14 * x")
BAD = answer("t = x.clone().requires_grad_()\nf(t).backward()\nreturn f(x), t.grad")
MAGICS = {
    "%time in a cell": "%time y = 3\n" + GOOD,
    "%time of a call": GOOD + "\n%time grad_q5(2.0)",
    "%timeit": GOOD + "\n%timeit -n1 -r 1 grad_q5(2.0)",
    "an assigned magic": GOOD + "\nout = %time grad_q5(2.0)",
    "%%time": "%%time\n" + GOOD,
    "%%time below a blank line": "\n%%time\n" + GOOD,
    "%%capture": "%%capture out --no-stderr\n" + GOOD,
    "%%prun": "%%prun -s cumulative\n" + GOOD,
    "two magics": "%%capture\n%time z = 1\n" + GOOD,
    "%matplotlib": "%matplotlib inline\n" + GOOD,
    "a program": "!pip list\nfiles = !ls\n" + GOOD,
    "help": "torch?\n?torch.relu\ntorch.nn??\n" + GOOD,
    "inside the answer": GOOD.replace("    return", "    %time y = 1\n    return"),
    "an invalid escape": '"""\\d is no digit here."""\n' + GOOD,
}


@pytest.mark.parametrize("form", ["as typed", "as In holds it"])
@pytest.mark.parametrize("what", MAGICS)
def test_a_cell_with_magics_is_read(what: str, form: str) -> None:
    source = MAGICS[what]
    assert read(cells(source if form == "as typed" else TransformerManager().transform_cell(source)), "grad_q5") == ()


@pytest.mark.parametrize("what", MAGICS)
def test_a_machine_below_magics_is_found_with_its_line(what: str) -> None:
    source = MAGICS[what].replace(GOOD, BAD).replace(GOOD.split("\n")[-1], BAD.split("\n", 1)[1])
    found = read([SETUP, F, source], "grad_q5")
    assert found[0].rule == "autograd"
    assert source.split("\n")[found[0].line - 1].strip() == "f(t).backward()" == found[0].source


ELSEWHERE = ["%%bash\n", "%%python\n", "%%writefile answer.py\n", "%%javascript\n", "%%html\n", "%%nosuchmagic\n"]


@pytest.mark.parametrize("magic", ELSEWHERE)
def test_a_cell_of_another_program_defines_nothing_and_is_listed(magic: str) -> None:
    assert [f.rule for f in read(cells(magic + GOOD), "grad_q5")] == ["unread"]


def test_what_timeit_defines_it_keeps_to_itself() -> None:
    assert read(cells(GOOD, "%%timeit\n" + BAD), "grad_q5") == ()


def test_a_program_that_the_answer_starts_is_listed() -> None:
    (found,) = read(cells(answer("y = !python3 slope.py\nreturn f(x), float(y[0])")), "grad_q5")
    assert (found.rule, found.line, found.source) == ("outside", 2, "y = !python3 slope.py")


@pytest.mark.parametrize("source", ["%%time\n" + "x" * 60_000 + "(", "(" * 500, "\0"])
def test_a_cell_that_cannot_be_read_is_none_and_no_error(source: str) -> None:
    assert parse(source)[0] is None


def test_a_line_of_time_that_cannot_be_read_stays_the_magics_own_text() -> None:
    """A tree so deep that Python's reader gives up; the cell around it is read."""
    tree, _ = parse("a = 1\n%time " + "-" * 30_000 + "1\nb = 2")
    assert tree
    assert [type(s) for s in tree.body] == [ast.Assign, ast.Expr, ast.Assign]
    assert ast.unparse(tree.body[1]).startswith("get_ipython().run_line_magic('time', '---")
