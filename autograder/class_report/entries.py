"""What the gradebook knows beside the grades: the questions, the released answers, what waits and what is blank."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from nbgrader.api import (
    Assignment,
    BaseCell,
    Comment,
    Grade,
    GradeCell,
    Notebook,
    SourceCell,
    SubmittedAssignment,
    SubmittedNotebook,
    TaskCell,
)
from sqlalchemy import select

from autograder.feedback.grades import NO_RESPONSE
from autograder.gradebook.grades import columns_of


@dataclass(frozen=True)
class Question:
    """A column of the grades: one question, or another graded cell."""

    name: str
    notebook: str
    cells: tuple[str, ...]
    """The ids of its cells with points."""
    keys: tuple[str, ...]
    """Their keys in the gradebook."""
    possible: float


def questions(session: Any, assignment: Assignment) -> Iterator[Question]:
    """The questions, without the columns for their parts."""
    cells: dict[str, tuple[str, str, float]] = {}
    for kind in (GradeCell, TaskCell):
        wanted = select(kind.id, Notebook.name, kind.name, kind.max_score)
        wanted = wanted.join(Notebook, Notebook.id == kind.notebook_id).where(Notebook.assignment_id == assignment.id)
        cells |= {key: (notebook, name, points or 0.0) for key, notebook, name, points in session.execute(wanted)}
    seen: set[str] = set()
    for column in columns_of(session, assignment)[0]:
        if seen.issuperset(column.cells):
            continue
        seen |= set(column.cells)
        parts = [cells[key] for key in column.cells]
        names, possible = tuple(name for _, name, _ in parts), sum(points for *_, points in parts)
        yield Question(column.name, parts[0][0], names, tuple(column.cells), possible)


def given(session: Any, assignment: Assignment) -> list[str]:
    wanted = select(SourceCell.source).join(Notebook, Notebook.id == SourceCell.notebook_id)
    wanted = wanted.where(Notebook.assignment_id == assignment.id, SourceCell.locked.is_(False))
    return [source or "" for source in session.scalars(wanted)]


def _submitted(session: Any, assignment: Assignment, kind: Any, *columns: Any) -> Any:
    """Rows of a kind (grades, comments) of all submissions: the student, and these columns."""
    wanted = select(SubmittedAssignment.student_id, *columns).select_from(kind)
    wanted = wanted.join(SubmittedNotebook, SubmittedNotebook.id == kind.notebook_id)
    wanted = wanted.join(SubmittedAssignment, SubmittedAssignment.id == SubmittedNotebook.assignment_id)
    return wanted.where(SubmittedAssignment.assignment_id == assignment.id)


def pending(session: Any, assignment: Assignment) -> dict[str, set[str]]:
    """The keys of the cells that wait for a person, by student."""
    found: dict[str, set[str]] = defaultdict(set)
    wanted = _submitted(session, assignment, Grade, Grade.cell_id)
    for student, key in session.execute(wanted.where(Grade.needs_manual_grade, Grade.manual_score.is_(None))):
        found[student].add(key)
    return found


def unanswered(session: Any, assignment: Assignment) -> dict[str, set[str]]:
    """The cells that are as they were released, as `notebook/id`, by student."""
    found: dict[str, set[str]] = defaultdict(set)
    wanted = _submitted(session, assignment, Comment, Notebook.name, BaseCell.name)
    wanted = wanted.join(BaseCell, BaseCell.id == Comment.cell_id).join(Notebook, Notebook.id == BaseCell.notebook_id)
    for student, notebook, name in session.execute(wanted.where(Comment.auto_comment == NO_RESPONSE)):
        found[student].add(f"{notebook}/{name}")
    return found
