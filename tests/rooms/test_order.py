"""The course's code is moved only where it would not work as it stands, and then next to what belongs to it."""

from __future__ import annotations

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from autograder.rooms.course_cells import CourseCell, CourseCells
from autograder.rooms.order import first_copies, put_in_order


def _cell(name: str, locked: bool = True, grade: bool = False) -> CourseCell:
    return CourseCell(name, "code", name, "", locked, grade, not locked, False, 1.0, None)


ORDER = ["setup", "f1", "a1", "c1", "h1", "f2", "a2", "c2", "h2"]
COURSE = CourseCells({n: _cell(n, locked=not n.startswith("a"), grade=n[0] in "ch") for n in ORDER}, {})
PLAIN = CourseCells({n: COURSE.cells[n] for n in ("setup", "a1", "c1", "a2", "c2")}, {})


def _put(order: str, course: CourseCells = COURSE) -> tuple[str, list[str]]:
    """The order afterwards, and what was moved; `x` is a code cell of the student's, `t` a text."""
    cells: list[NotebookNode] = []
    for name in order.split():
        cell = new_markdown_cell(name) if name == "t" else new_code_cell(name)
        cell.metadata = NotebookNode() if name in "xt" else NotebookNode(nbgrader=NotebookNode(grade_id=name))
        cells.append(cell)
    first = first_copies(cells, course)
    for cell in cells:
        if cell.metadata and cell is not [c for c in cells if c.source == cell.source][-1]:
            cell.metadata = NotebookNode()
    moved = put_in_order(cells, course, first)
    return " ".join(cell.source for cell in cells), moved


@pytest.mark.parametrize(
    "order",
    [
        "setup f1 a1 c1 h1 f2 a2 c2 h2",
        "setup x f1 t a1 x c1 h1 f2 x a2 c2 h2 x",
        "setup f2 a2 c2 h2 f1 a1 c1 h1",
        "setup f1 f2 a1 a2 c1 c2 h1 h2",
        "x setup f1 a1 h1 c1 f2 a2 h2 c2",
        "a1 c1",
        "c1 h1",
        "setup f1 a1 c1 h1 a1",
        "setup f1 a1 setup f1 c1 h1",
        "",
    ],
)
def test_what_works_as_it_stands_stays_as_it_is(order: str) -> None:
    assert _put(order) == (order, [])


@pytest.mark.parametrize(
    ("order", "becomes", "moved"),
    [
        ("setup f1 c1 a1 h1", "setup f1 a1 c1 h1", ["c1"]),
        ("setup f1 c1 h1 a1 f2", "setup f1 a1 c1 h1 f2", ["c1", "h1"]),
        ("setup f1 a1 c1 f1 h1", "setup f1 a1 f1 c1 h1", ["f1"]),
        ("setup f1 c1 a1 a1", "setup f1 a1 a1 c1", ["c1"]),
        ("setup f1 c1 a1 x t f2", "setup f1 a1 x c1 t f2", ["c1"]),
        ("f1 a1 c1 h1 setup", "setup f1 a1 c1 h1", ["setup"]),
        ("x f1 a1 c1 setup", "setup x f1 a1 c1", ["setup"]),
        ("setup a1 f1 c1 h1", "setup f1 a1 c1 h1", ["f1"]),
        ("c1 a1 f1 setup", "setup f1 a1 c1", ["setup", "f1", "c1"]),
    ],
)
def test_what_would_run_too_late_or_too_early_is_moved(order: str, becomes: str, moved: list[str]) -> None:
    assert _put(order) == (becomes, moved)


@pytest.mark.parametrize("backwards", [True, False])
def test_a_notebook_in_any_order_works_afterwards(backwards: bool) -> None:
    order, _ = _put(" ".join(sorted(ORDER, reverse=backwards)))
    at = {name: place for place, name in enumerate(order.split())}
    assert at["setup"] == 0
    for n in "12":
        assert at[f"f{n}"] < at[f"a{n}"] < min(at[f"c{n}"], at[f"h{n}"])


def test_where_the_course_has_no_code_before_each_answer_all_answers_come_after_its_own() -> None:
    assert _put("c2 a2 c1 a1 setup", PLAIN) == ("setup a2 c2 a1 c1", ["setup", "c1", "c2"])
