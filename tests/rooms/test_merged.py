"""Cells that an editor has merged with one of the course are taken apart, and nothing else is."""

from __future__ import annotations

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from autograder.rooms.course_cells import CourseCell, CourseCells
from autograder.rooms.merged import take_apart

ANSWER = "def grad_q1(a, b):\n    return a, b"
WORDS = "## Q2\n\nWrite `grad_q2`."


def _cell(name: str, source: str, kind: str = "code", locked: bool = True) -> CourseCell:
    return CourseCell(name, kind, source, "", locked, False, not locked, False, 1.0, None)


COURSE = CourseCells(
    {
        cell.name: cell
        for cell in (
            _cell("setup", "import torch\nimport math"),
            _cell("q1", "def grad_q1(a, b):\n    pass", locked=False),
            _cell("q1-check", "q1.check()"),
            _cell("q2-statement", WORDS, "markdown"),
        )
    },
    {},
    texts=frozenset({"## Mine"}),
)


def _apart(*cells: NotebookNode) -> tuple[list[tuple[str, str]], list[str]]:
    made = list(cells)
    found = take_apart(made, COURSE, lambda of: of.source)
    return [(c.metadata.get("nbgrader", {}).get("grade_id", ""), c.source) for c in made], found


def _marked(name: str, source: str) -> NotebookNode:
    return new_code_cell(source, metadata={"nbgrader": {"grade_id": name}})


@pytest.mark.parametrize("between", ["\n", "\n\n", " \n\n\n"])
def test_an_answer_that_was_merged_into_a_locked_cell_is_the_students_again(between: str) -> None:
    cells, found = _apart(_marked("setup", f"{COURSE.cells['setup'].source}{between}{ANSWER}"))
    assert cells == [("setup", "import torch\nimport math"), ("", ANSWER)]
    assert found == ["setup"]


def test_an_answer_keeps_its_mark_and_loses_what_is_the_courses() -> None:
    cells, found = _apart(_marked("q1", f"{ANSWER}\n\nq1.check()\n{WORDS}\nx = 1"))
    assert cells == [("q1", ANSWER), ("q1-check", "q1.check()"), ("q2-statement", WORDS), ("", "x = 1")]
    assert found == ["q1-check", "q2-statement"]


def test_cells_without_marks_are_taken_apart_as_well() -> None:
    cells, _ = _apart(new_markdown_cell(f"{WORDS}\n{ANSWER}"))
    assert cells == [("q2-statement", WORDS), ("", ANSWER)]


def test_a_heading_without_a_mark_is_cut_off_as_text() -> None:
    cells = [_marked("q1", f"{ANSWER}\n\n## Mine")]
    assert take_apart(cells, COURSE, lambda of: of.source) == []
    assert [(c.cell_type, c.source) for c in cells] == [("code", ANSWER), ("markdown", "## Mine")]
    assert "outputs" not in cells[1]
    assert cells[0].metadata.nbgrader.grade_id == "q1"


@pytest.mark.parametrize(
    "source",
    [
        "import torch",
        "import torch\nx = 1\nimport math",
        "if x:\n    q1.check()",
        "def f():\nq1.check()\n    return 1",
        "import torch\nimport maths",
        f"s = '''{WORDS}\n'''",
        "",
    ],
)
def test_what_only_resembles_a_cell_of_the_course_is_left_as_it_is(source: str) -> None:
    assert _apart(_marked("q1", source)) == ([("q1", source)], [])


def test_a_cell_of_the_course_that_is_there_is_not_looked_for_in_others() -> None:
    mine = f"{ANSWER}\nq1.check()\nx = 1"
    for check in (_marked("q1-check", "q1.check()"), new_code_cell("q1.check() \n")):
        assert _apart(_marked("q1", mine), check)[0][0] == ("q1", mine)
