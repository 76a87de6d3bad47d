"""Of a graded notebook: which cell is the answer to which test, and what that test said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook, new_output

from autograder.class_report import graded
from autograder.class_report.mistakes import Mistake
from tests.class_report.made import raised, said
from tests.rooms.small import by_hand, marked


def read(tmp_path: Path, cells: list[NotebookNode], *names: str) -> graded.Notebook:
    (tmp_path / "a.ipynb").write_text(json.dumps(new_notebook(cells=cells)))
    found = graded.read(tmp_path / "a.ipynb", names)
    assert found is not None
    return found


def answer(name: str) -> NotebookNode:
    return marked(name, f"answer {name}", locked=False)


def checked(name: str, source: str, *outputs: NotebookNode) -> NotebookNode:
    cell = marked(name, source, 1)
    cell.outputs, cell.execution_count = list(outputs), 5
    return cell


def test_the_answer_of_a_test_stands_above_it_and_below_the_test_before(tmp_path: Path) -> None:
    cells = [
        answer("a"),
        checked("t1", "assert x"),
        checked("t2", "assert x"),
        answer("b"),
        new_code_cell("own"),
        answer("c"),
        checked("t3", "assert x"),
    ]
    found = read(tmp_path, [*cells, by_hand("essay", 2)], "t1", "t2", "t3", "essay")
    assert found.answer(["t1"]) == {"a": "answer a"}
    assert found.answer(["t2"]) == {"a": "answer a"}  # two tests of one answer
    assert found.answer(["t3"]) == {"b": "answer b", "c": "answer c"}
    assert found.answer(["t2", "t3"]) == {"a": "answer a"}
    assert found.answer(["essay"]) == {"essay": ""}
    assert found.answer(["gone"]) == {}
    assert found.texts == {"essay"}


def test_a_test_without_an_answer_above_it_has_none(tmp_path: Path) -> None:
    assert read(tmp_path, [checked("t1", "assert x"), answer("a")], "t1").answer(["t1"]) == {}


def test_the_hidden_points_say_more_than_the_visible_check(tmp_path: Path) -> None:
    wrong = "dfdx is not right at {where}. It has the right size but the wrong sign."
    check = checked("q-check", "q.check()", raised("CheckFailed", wrong.format(where="x = 2")))
    hidden = checked("q-hidden", "q.grade()", said("q: 2 of 8 points. " + wrong.format(where="a hidden test point")))
    found = read(tmp_path, [answer("q"), check, hidden], "q-check", "q-hidden")
    assert found.verdict(["q-check", "q-hidden"]) == (
        Mistake("dfdx", "sign"),
        wrong.format(where="a hidden test point"),
    )
    assert found.verdict(["q-check"]) == (Mistake("dfdx", "sign"), wrong.format(where="x = 2"))
    right = checked("q-hidden", "q.grade()", said("q: 8 of 8 points. dfdx is right at all 24 hidden test points."))
    found = read(tmp_path, [answer("q"), check, right], "q-check", "q-hidden")
    assert found.verdict(["q-check", "q-hidden"])[1] == wrong.format(where="x = 2")


@pytest.mark.parametrize(
    ("outputs", "what"),
    [
        ([], "fewer points, without a message"),
        ([said("no message of the grader's")], "fewer points, without a message"),
        ([raised("AssertionError", "", "Cell In[5], line 2\n----> 2 assert y == 2\n")], "fails at `assert y == 2`"),
        (
            [raised("AssertionError", "wrong", "Cell In[5], line 2\n----> 2 assert y == 2\n")],
            "fails at `assert y == 2`",
        ),
        ([raised("AssertionError", "wrong")], "fails at an assertion"),
        ([raised("NameError", "name 'y' is not defined")], "stops with NameError"),
        (
            [raised("ZeroDivisionError (in the answer)", "x", "Cell In[5], line 1\n----> 1 y = f(2)\n")],
            "stops with ZeroDivisionError at `y = f(2)`",
        ),
    ],
)
def test_an_ordinary_test_is_told_by_its_own_statement(tmp_path: Path, outputs: list[NotebookNode], what: str) -> None:
    cells = [answer("f"), checked("t", "y = f(2)\nassert y == 2", *outputs)]
    assert read(tmp_path, cells, "t").verdict(["t"])[0] == Mistake("", what)


def test_what_a_person_marks_has_no_message(tmp_path: Path) -> None:
    found = read(tmp_path, [by_hand("essay", 2)], "essay")
    assert found.verdict(["essay"]) == (Mistake("", "fewer points, given by a person"), "")


def test_an_output_in_a_students_own_cell_is_nobodys_verdict(tmp_path: Path) -> None:
    forged = new_code_cell("x", outputs=[said("q: 0 of 8 points. dfdx is not right at a hidden test point.")])
    posing = marked("t", "x", locked=False)
    posing.outputs = [new_output("stream", text="t: 8 of 8 points. Right.")]
    found = read(tmp_path, [forged, posing], "t")
    assert found.tests == {}
    assert found.answer(["t"]) == {"t": "x"}


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", '{"cells": 3}', '{"metadata": {}}', "[" * 100_000],
)
def test_a_file_that_is_no_notebook_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.ipynb").write_text(text)
    assert graded.read(tmp_path / "a.ipynb", ()) is None
    assert graded.read(tmp_path / "none.ipynb", ()) is None


def test_odd_cells_are_passed_over(tmp_path: Path) -> None:
    odd = [{}, 3, {"metadata": 3}, {"metadata": {"nbgrader": []}, "source": ["x", 3]}, {"cell_type": "code"}]
    (tmp_path / "a.ipynb").write_text(json.dumps({"cells": odd, "metadata": {}}))
    assert graded.read(tmp_path / "a.ipynb", ()) == graded.Notebook()
