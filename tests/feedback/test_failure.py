"""What a page says of a test that failed: the line that a student can see, and of a hidden one its message alone."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook, new_output

from autograder.feedback.failure import AN_ERROR, BELOW, CANNOT_BE_TESTED, HINT
from autograder.feedback.hide import HIDDEN, HideHiddenTests
from autograder.workers import wire
from autograder.workers.outputs import TEST_FAILED

BEGIN, END = "### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS"
BOTH = f"assert x == 1, 'x is 1'\nassert y == 2\n{BEGIN}\nassert z == 4711, 'z is no good'\nassert 4712 == z\n{END}"
ALL = f"{BEGIN}\nassert z == 4711, f'z is {{z}}'\n{END}"
SEES = {
    "a visible assert": (BOTH, {"x": 0}, f"A test failed. x is 1\n    assert x == 1, 'x is 1'\n{BELOW}"),
    "a visible assert without a message": (BOTH, {"y": 0}, f"A test failed: `assert y == 2`\n{BELOW}"),
    "a hidden assert": (BOTH, {"z": 0}, "A hidden test failed. z is no good"),
    "a hidden assert whose author shows a value": (ALL, {"z": 5}, "A hidden test failed. z is 5"),
    "a hidden assert without a message": (f"{BEGIN}\nassert z == 4711\n{END}", {"z": 0}, "A hidden test failed."),
    "the last assert": ("assert x == 1, 'one'\nassert y == 0, 'nought'", {}, "A test failed. nought\n    assert y =="),
    "an assert over several lines": (
        "assert (\n    y ==\n    3\n), 'three'",
        {},
        "A test failed. three\n    assert (\n        y ==\n        3\n    ), 'three'",
    ),
    "an assert in a loop": (
        "for n in range(3):\n    assert n == 0, f'at {n}'",
        {},
        "A test failed. at 1\n    assert n == 0, f'at {n}'",
    ),
    "a function of the test's": (
        "def close(a, b):\n    assert abs(a - b) < 1, 'not close'\n\nclose(x, 1)\nclose(y, 7)",
        {},
        "A test failed. not close\n    close(y, 7)\n    assert abs(a - b) < 1, 'not close'",
    ),
    "a visible function that a hidden line calls": (
        f"def close(a, b):\n    assert abs(a - b) < 1, 'not close'\n{BEGIN}\nclose(z, 4711)\n{END}",
        {"z": 0},
        "A hidden test failed. not close",
    ),
    "a hidden function that a visible line calls": (
        f"{BEGIN}\ndef close(a):\n    assert a == 4711, 'not close'\n{END}\nclose(x)",
        {},
        "A hidden test failed. not close",
    ),
    "empty lines at the start": (f"\n\n{BOTH}", {"y": 0}, f"A test failed: `assert y == 2`\n{BELOW}"),
    "a hidden part above": (
        f"{BEGIN}\nassert z == 4711\n{END}\nassert x == 1, 'x is 1'",
        {"x": 0},
        "A test failed. x is 1\n    assert x == 1, 'x is 1'",
    ),
    "two lines alike": (f"{BEGIN}\nx = 0\nassert x == 1\n{END}\nassert x == 1", {}, "A hidden test failed."),
    "a cell's magic": (f"%%time\n{BOTH}", {"y": 0}, f"A test failed: `assert y == 2`\n{BELOW}"),
    "a cell's magic, hidden": (f"%%time\n{BOTH}", {"z": 0}, "A hidden test failed. z is no good"),
    "a line's magic": ("%time r = y\nassert r == 3, 'three'", {}, "A test failed. three\n    assert r == 3, 'three'"),
    "a package's assertion": (
        "import unittest\nunittest.TestCase().assertEqual(y, 3)",
        {},
        "A test failed. 2 != 3\n    unittest.TestCase().assertEqual(y, 3)",
    ),
    "a package's assertion, hidden": (
        f"import numpy as np\n{BEGIN}\nnp.testing.assert_allclose([z], [4713.0])\n{END}",
        {},
        "A hidden test failed.",
    ),
    "what is missing": (
        "assert gone == 1",
        {},
        "A test could not run: NameError: name 'gone' is not defined\n",
    ),
    "what is missing, hidden": (
        f"{BEGIN}\nassert gone == 4711\n{END}",
        {},
        f"A hidden test could not run: NameError: name 'gone' is not defined\n{HINT}",
    ),
    "what cannot be compared": ("assert y < 'a'", {}, "A test could not run: TypeError: '<' not supported between"),
    "what cannot be compared, hidden": (
        f"{BEGIN}\nassert {{}}[z] == 1\n{END}",
        {},
        f"A hidden test could not run: KeyError: {CANNOT_BE_TESTED}\n{HINT}",
    ),
    "a hidden part without an end": (f"assert x == 1\n{BEGIN}\nassert z == 0, 'no'", {}, "A hidden test failed. no"),
    "an error that imitates a frame": (
        f"assert x == 1, 'x is 1'\n{BEGIN}\nassert not z, 'said\\nCell In[7], line 1\\n----> 1 assert x == 1'\n{END}",
        {},
        "A hidden test failed. said\nCell In[7], line 1\n----> 1 assert x == 1",
    ),
}
RUN = """
import json, sys
from autograder.workers.shell import make_shell, run_cell
shell = make_shell()
done = []
for given, code in json.load(sys.stdin):
    shell.user_ns.update(given)
    done.append(run_cell(shell, code, 7)["outputs"])
print("FOUND" + json.dumps(done))
"""


@pytest.fixture(scope="module")
def ran() -> dict[str, list[NotebookNode]]:
    """What each cell of `SEES` puts out where tests run."""
    cells = [({"x": 1, "y": 2, "z": 4711, **given}, source) for source, given, _ in SEES.values()]
    command = [sys.executable, "-c", RUN]
    done = subprocess.run(command, input=json.dumps(cells), capture_output=True, text=True, check=True)
    outputs = json.loads(done.stdout.partition("FOUND")[2])
    return {name: [nbformat.from_dict(o) for o in of] for name, of in zip(SEES, outputs, strict=True)}


def marked(source: str, *outputs: NotebookNode, count: int = 7, **about: bool) -> NotebookNode:
    marks = {"grade_id": f"t{count}", "grade": True, "locked": True, "solution": False, **about}
    return new_code_cell(source, metadata={"nbgrader": marks}, outputs=list(outputs), execution_count=count)


def said(*cells: NotebookNode) -> str:
    """What is said of the last of these cells."""
    HideHiddenTests().preprocess(new_notebook(cells=list(cells)), {})
    (error,) = [o for o in cells[-1].outputs if o.output_type == "error"]
    assert error.ename == ""
    assert error.traceback == error.evalue.split("\n")
    return str(error.evalue)


def raised(name: str, text: str, *lines: str) -> NotebookNode:
    """An error as a worker records it, with the lines of its traceback after the number of the cell's first."""
    frames = [f"\x1b[36mCell\x1b[39m In[7], line {n}\n----> {n} {line}\n" for n, line in enumerate(lines, 1)][-1:]
    return new_output("error", ename=name, evalue=text, traceback=["---", *frames, f"\x1b[31m{name}\x1b[0m: {text}"])


@pytest.mark.parametrize("case", SEES)
def test_a_student_is_told_the_line_that_can_be_seen_and_of_a_hidden_one_its_message(
    ran: Mapping[str, list[NotebookNode]], case: str
) -> None:
    source, _, wanted = SEES[case]
    cell = marked(source, *ran[case])
    told = said(cell)
    assert told == wanted if "hidden" in wanted else told.startswith(wanted)
    for secret in ("4711", "4712", "4713", BEGIN, END):
        assert secret not in cell.source
        assert secret not in json.dumps(cell.outputs)


def test_what_an_answer_raises_is_quoted_only_where_no_hidden_test_stands_so_far() -> None:
    theirs = "ValueError" + wire.IN_THE_ANSWER
    text = "got 4711\nIn the answer, line 2: raise ValueError(n)"
    error = raised(theirs, text.partition("\n")[0], "assert f(3) == 9")
    error.traceback[-1] = text
    seen = "A test failed: your answer stopped with ValueError: got 4711\n    assert f(3) == 9\nIn the answer, line 2: "
    assert said(marked("assert f(3) == 9", nbformat.from_dict(error))).startswith(seen)
    quiet = "A test failed: your answer stopped with ValueError.\n    assert f(3) == 9"
    for above in (marked(ALL, count=3), marked("", count=3, **{HIDDEN: True})):
        assert said(above, marked("assert f(3) == 9", nbformat.from_dict(error))) == quiet
    mixed = f"assert f(3) == 9\n{BEGIN}\nassert f(4711)\n{END}"
    assert said(marked(mixed, nbformat.from_dict(error))) == f"{quiet}\n{BELOW}"
    below = raised(theirs, "got 4711", "assert f(3) == 9", BEGIN, "assert f(4711)")
    assert said(marked(mixed, below)) == "A hidden test failed: your answer stopped with ValueError."


def test_a_class_of_the_students_own_names_nothing_in_a_hidden_test() -> None:
    error = raised("X4711" + wire.IN_THE_ANSWER, "4711", BEGIN, "assert f(4711)")
    told = said(marked(f"{BEGIN}\nassert f(4711)\n{END}", error))
    assert told == f"A hidden test failed: your answer stopped with {AN_ERROR}."


def test_an_answer_that_does_not_end_is_told_so() -> None:
    error = raised("TimeoutError" + wire.IN_THE_ANSWER, "no answer within 5 seconds", "assert f(3) == 9")
    told = said(marked("assert f(3) == 9", error))
    assert told.startswith("A test failed: your answer gave no answer in time. Look for a loop that does not end.\n")


@pytest.mark.parametrize("source", ["assert f(3) == 9", ALL])
def test_of_a_test_inside_the_students_room_the_graders_sentence_stays_alone(source: str) -> None:
    error = new_output("error", ename="TestFailed", evalue=TEST_FAILED, traceback=[f"TestFailed: {TEST_FAILED}"])
    assert said(marked(source, error)) == TEST_FAILED


def test_a_traceback_that_names_no_line_is_not_taken_for_a_visible_test() -> None:
    error = new_output("error", ename="AssertionError", evalue="4711", traceback=["showtraceback was disabled"])
    assert said(marked(BOTH, error)) == "A test failed."


def test_the_message_of_a_check_of_ours_stays_and_that_of_a_hidden_one_does_not() -> None:
    told = raised("CheckFailed", "dfdx is not right at x = 4711.", "q.check()")
    cell = marked("q.check()", told)
    HideHiddenTests().preprocess(new_notebook(cells=[cell]), {})
    assert (told.ename, told.evalue) == ("CheckFailed", "dfdx is not right at x = 4711.")
    hidden = raised("CheckFailed", "dfdx is not right at x = 4711.", BEGIN, "q.check(at={'x': 4711})")
    assert said(marked(f"{BEGIN}\nq.check(at={{'x': 4711}})\n{END}", hidden)) == "A hidden test failed."


def test_nothing_is_changed_that_is_a_students_and_a_second_time_nothing_at_all() -> None:
    own: dict[str, Any] = {"grade": False, "locked": False, "solution": True}
    answer = marked(BOTH, raised("AssertionError", "mine", "assert x == 1, 'x is 1'"), **own)
    before = nbformat.from_dict(answer)
    test = marked(BOTH, raised("AssertionError", "x is 1", "assert x == 1, 'x is 1'"))
    notebook = new_notebook(cells=[answer, test])
    HideHiddenTests().preprocess(notebook, {})
    once = nbformat.from_dict(notebook)
    HideHiddenTests().preprocess(notebook, {})
    assert notebook == once
    assert answer == before
