"""Finds out whether students were graded before a change that can alter marks, and must be graded again.

Marks depend on the code of the course's read-only cells, which include the tests, and on the points of each cell.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from nbgrader.api import Assignment, Grade, GradeCell, Notebook, SourceCell, SubmittedAssignment, SubmittedNotebook
from sqlalchemy import func, select

from autograder.errors import AutograderError
from autograder.gradebook import reading

AGAIN = "{students} graded before this change: `nbgrader autograde {assignment} --force` grades {them} again."


def graded(db_url: str, assignment: str) -> int:
    """How many submissions of the assignment are graded; GradebookError if the gradebook cannot be read."""
    file = reading.sqlite_file(db_url)
    if file and not file.exists():
        return 0
    count = select(func.count(SubmittedAssignment.id.distinct()))
    count = count.join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
    count = count.join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
    count = count.join(Grade, Grade.notebook_id == SubmittedNotebook.id)
    count = count.where(Assignment.name == assignment, Grade.auto_score.is_not(None))
    with reading.opened(db_url, assignment) as session:
        return int(session.scalar(count) or 0)


def rules(db_url: str, assignment: str) -> dict[tuple[str, ...], Any]:
    """The source and points that marks depend on, by kind, notebook and cell; empty if there is no such assignment."""
    found: dict[tuple[str, ...], Any] = {}
    with suppress(AutograderError), reading.opened(db_url, assignment) as session:
        for kind, what in ((SourceCell, SourceCell.source), (GradeCell, GradeCell.max_score)):
            wanted = select(Notebook.name, kind.name, what).join(Notebook, Notebook.id == kind.notebook_id)
            wanted = wanted.join(Assignment, Assignment.id == Notebook.assignment_id)
            wanted = wanted.where(Assignment.name == assignment)
            if kind is SourceCell:
                wanted = wanted.where(SourceCell.locked, SourceCell.cell_type == "code")
            for notebook, cell, value in session.execute(wanted):
                found[kind.__name__, notebook, cell] = value
    return found


def notice(db_url: str, assignment: str, before: dict[tuple[str, ...], Any]) -> str:
    """A line that says how many students to grade again; "" if none, or if the rules are as `before`."""
    if not before or rules(db_url, assignment) == before:
        return ""
    number = graded(db_url, assignment)
    students, them = ("1 student was", "this one") if number == 1 else (f"{number} students were", "them")
    return AGAIN.format(students=students, assignment=assignment, them=them) if number else ""
