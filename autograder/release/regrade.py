"""Marks that were given before a change are old marks: what a change of the release means for whoever is graded.

What matters is what marks depend on: the course's own code, tests among it, and the points of each cell.
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
    """How many submissions of the assignment the gradebook has marks for."""
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
    """By notebook and cell, what marks depend on as the gradebook has it; nothing if it has no such assignment."""
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


def told(db_url: str, assignment: str, before: dict[tuple[str, ...], Any]) -> str:
    """The line for an instructor, if students were graded by other rules than those of now."""
    if not before or rules(db_url, assignment) == before:
        return ""
    number = graded(db_url, assignment)
    students, them = ("1 student was", "this one") if number == 1 else (f"{number} students were", "them")
    return AGAIN.format(students=students, assignment=assignment, them=them) if number else ""
