"""Reads what the gradebook has of one submitted notebook. Points and comments on a page come from here only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nbgrader.api import BaseCell, Comment, Grade, Gradebook

NO_RESPONSE = "No response."
"""nbgrader's automatic comment on an unchanged answer (nbgrader/preprocessors/saveautogrades.py)."""


@dataclass(frozen=True)
class Mark:
    """The points of one graded cell."""

    earned: float
    possible: float
    by_person: bool = False
    """Whether a person set or changed the points."""
    pending: bool = False
    """Whether a person still has to give the points."""


@dataclass(frozen=True)
class Sums:
    """The points of one notebook."""

    notebook: str
    earned: float
    possible: float
    penalty: float

    @property
    def counted(self) -> float:
        """The points after the late penalty, at least 0."""
        return max(0.0, self.earned - self.penalty)


@dataclass(frozen=True)
class Grades:
    """Everything that the page of one notebook needs from the gradebook."""

    student: str
    name: str
    marks: Mapping[str, Mark]
    comments: Mapping[str, str]
    unanswered: frozenset[str]
    given: frozenset[str]
    """The ids of read-only cells: grading restored their source, so they are the course's."""
    sums: Sums
    assignment: list[Sums] = field(default_factory=list)
    """All notebooks of the assignment."""


def read(gradebook: Gradebook, notebook: str, assignment: str, student: str) -> Grades:
    """The grades of a submitted notebook; nbgrader's MissingEntry if the gradebook has none."""
    submitted = gradebook.find_submission_notebook(notebook, assignment, student)
    person = submitted.assignment.student
    comments: dict[str, str] = {}
    unanswered = set()
    for comment, name in _rows(gradebook, Comment, submitted):
        text = (comment.comment or "").strip()
        if comment.auto_comment == NO_RESPONSE:
            unanswered.add(name)
        if text and not (text == NO_RESPONSE and comment.manual_comment is None):
            comments[name] = text
    cells = gradebook.find_notebook(notebook, assignment).source_cells
    sums = [_sums(other) for other in sorted(submitted.assignment.notebooks, key=lambda other: str(other.name))]
    return Grades(
        student=student,
        name=" ".join(part for part in (person.first_name, person.last_name) if part),
        marks={name: _mark(grade) for grade, name in _rows(gradebook, Grade, submitted)},
        comments=comments,
        unanswered=frozenset(unanswered),
        given=frozenset(cell.name for cell in cells if cell.locked),
        sums=next(one for one in sums if one.notebook == notebook),
        assignment=sums,
    )


def _rows(gradebook: Gradebook, kind: Any, submitted: Any) -> list[tuple[Any, str]]:
    """The rows of a submitted notebook with the ids of their cells, in one query rather than one for each cell."""
    rows = gradebook.db.query(kind, BaseCell.name).join(BaseCell, kind.cell_id == BaseCell.id)
    return [(row, name) for row, name in rows.filter(kind.notebook_id == submitted.id)]


def _mark(grade: Any) -> Mark:
    by_person = grade.manual_score is not None
    return Mark(
        earned=float(grade.score or 0.0),
        possible=float(grade.max_score or 0.0),
        by_person=by_person,
        pending=bool(grade.needs_manual_grade) and not by_person,
    )


def _sums(submitted: Any) -> Sums:
    penalty = float(submitted.late_submission_penalty or 0.0)
    return Sums(str(submitted.name), float(submitted.score or 0.0), float(submitted.max_score or 0.0), penalty)
