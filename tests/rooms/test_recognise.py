"""Cells that lost nbgrader's marks are told by what they hold and where they stand, and no other cell is taken for one."""

from __future__ import annotations

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from autograder.rooms.course_cells import CourseCell, CourseCells
from autograder.rooms.recognise import lost_marks

STUB = "def grad_q1(a, b):\n    # YOUR CODE HERE\n    raise NotImplementedError"
ANSWER = "def grad_q1(a, b):\n    return a, b"
HIDDEN = "# hidden\n### BEGIN HIDDEN TESTS\nq1.grade()\n### END HIDDEN TESTS"


def _cell(name: str, source: str, kind: str = "code", locked: bool = True, grade: bool = False) -> CourseCell:
    return CourseCell(name, kind, source, "", locked, grade, not locked, False, 1.0, None)


COURSE = CourseCells(
    {
        cell.name: cell
        for cell in (
            _cell("setup", "import torch"),
            _cell("q1", STUB, locked=False),
            _cell("q1-check", "q1.check()", grade=True),
            _cell("words", "Say why.", "markdown", locked=False, grade=True),
            _cell("q1-hidden", HIDDEN, grade=True),
        )
    },
    {},
)


def _marked(name: str, source: str = "") -> NotebookNode:
    return new_code_cell(source, metadata={"nbgrader": {"grade_id": name}})


def _found(*cells: NotebookNode) -> dict[str, int]:
    found = lost_marks(list(cells), COURSE, lambda of: of.source.partition("\n###")[0])
    return {name: next(i for i, c in enumerate(cells) if c is cell) for name, cell in found.items()}


def test_all_cells_of_a_copied_notebook_are_recognised() -> None:
    cells = (
        new_code_cell("import torch\n"),
        new_code_cell(ANSWER),
        new_code_cell("q1.check()"),
        new_markdown_cell("Because."),
        new_code_cell("# hidden"),
    )
    assert _found(*cells) == {"setup": 0, "q1": 1, "q1-check": 2, "words": 3, "q1-hidden": 4}


@pytest.mark.parametrize(
    "answer",
    [
        ANSWER,
        f"%%time\n{ANSWER}",
        f"import numpy\n\n{ANSWER}\nprint(1)",
        "def grad_q1(a, b: return",
        "grad_q1 = lambda a, b: (a, b)",
        "grad_q1: object = solve",
    ],
)
def test_an_answer_is_recognised_by_the_function_that_it_defines(answer: str) -> None:
    assert _found(_marked("setup"), new_code_cell(answer), _marked("q1-check"))["q1"] == 1


def test_of_two_cells_that_define_it_the_last_counts_as_it_does_in_a_kernel() -> None:
    assert _found(new_code_cell(ANSWER), new_code_cell("x = 1"), new_code_cell(ANSWER))["q1"] == 2


def test_a_cell_with_its_mark_is_left_alone_and_no_other_is_taken_for_it() -> None:
    assert "q1" not in _found(new_code_cell(ANSWER), _marked("q1", STUB))
    everything = [_marked(name) for name in COURSE.cells]
    assert _found(*everything, new_code_cell(ANSWER)) == {}


@pytest.mark.parametrize(
    "scratch",
    ["x = grad_q1(1, 2)", "def grad_q10(a): return a", "    def grad_q1(a): return a", "grad_q1 == 2", "# def grad_q1"],
)
def test_a_scratch_cell_that_only_mentions_the_function_is_not_the_answer(scratch: str) -> None:
    assert "q1" not in _found(new_code_cell(scratch), new_code_cell("y = 1"))


def test_a_text_for_a_person_is_recognised_by_its_place_only_where_it_is_the_only_one() -> None:
    check, hidden = _marked("q1-check"), _marked("q1-hidden")
    assert _found(check, new_markdown_cell("Because."), hidden)["words"] == 1
    assert "words" not in _found(check, new_markdown_cell("Because."), new_markdown_cell("And."), hidden)
    assert "words" not in _found(check, new_markdown_cell(" "), hidden)
    assert "words" not in _found(check, hidden)


def test_a_mark_is_not_believed_where_the_cell_is_another_that_is_missing() -> None:
    for mark in ("setup", "q1-check", "words"):
        rest = [_marked(name, COURSE.cells[name].source) for name in COURSE.cells if name not in ("q1", mark)]
        assert _found(_marked(mark, ANSWER), *rest)["q1"] == 0
    exchanged = _found(_marked("q1-check", ANSWER), _marked("setup", "import torch"), _marked("q1", "q1.check()"))
    assert exchanged == {"q1": 0, "q1-check": 2}


def test_a_mark_is_believed_where_the_cell_was_only_changed() -> None:
    everything = {name: cell.source for name, cell in COURSE.cells.items()}
    for name, source in {"setup": "import numpy", "q1-check": "print(1)", "q1": "pass", "words": ANSWER}.items():
        assert _found(*(_marked(n, s) for n, s in {**everything, "q1": ANSWER, name: source}.items())) == {}


@pytest.mark.parametrize("kind", ["markdown", "raw"])
def test_code_in_a_cell_of_another_type_is_recognised_and_prose_is_not(kind: str) -> None:
    def cell(source: str) -> NotebookNode:
        return NotebookNode(cell_type=kind, source=source, metadata=NotebookNode())

    assert _found(_marked("setup"), cell(ANSWER), _marked("q1-check"))["q1"] == 1
    assert "q1" not in _found(_marked("setup"), cell(f"I wrote\n\n{ANSWER}"), _marked("q1-check"))
    for hard in ("-" * 19_000 + "1", "+".join(["1"] * 9_000), "'\\d'\n" + "[" * 50_000):
        assert "q1" not in _found(_marked("setup"), cell(f"grad_q1 = {hard}"), _marked("q1-check"))


def test_a_text_without_a_mark_that_the_course_has_itself_is_not_taken_for_a_students() -> None:
    course = CourseCells(COURSE.cells, {}, texts=frozenset({"## Why?"}))
    cells = [_marked("q1-check"), new_markdown_cell("## Why? \n"), new_markdown_cell("Because."), _marked("q1-hidden")]
    assert lost_marks(cells, course, lambda of: of.source)["words"] is cells[2]
    assert "words" not in lost_marks(cells, COURSE, lambda of: of.source)


def test_an_answer_of_which_nothing_was_given_out_is_told_by_what_the_instructors_own_defines() -> None:
    stub = _cell("q1", "# YOUR CODE HERE\nraise NotImplementedError()", locked=False)
    course = CourseCells({**COURSE.cells, "q1": stub}, {}, code=[("q1", f"### BEGIN SOLUTION\n{ANSWER}", False)])
    cells = [_marked("setup"), new_code_cell("x = 1"), new_code_cell(ANSWER), _marked("q1-check")]
    assert lost_marks(cells, course, lambda of: of.source)["q1"] is cells[2]


def test_a_locked_mark_on_another_text_is_removed_where_the_locked_text_stands_elsewhere() -> None:
    cells = [_marked("setup", "import torch"), _marked("q1", ANSWER), _marked("setup", "mine = 1")]
    assert lost_marks(cells, COURSE, lambda of: of.source) == {}
    assert [cell.metadata.get("nbgrader", {}).get("grade_id") for cell in cells] == ["setup", "q1", None]
    cells = [_marked("setup", "Because."), _marked("words", "import torch")]
    assert lost_marks(cells, COURSE, lambda of: of.source)["setup"] is cells[1]
    assert "nbgrader" not in cells[0].metadata
