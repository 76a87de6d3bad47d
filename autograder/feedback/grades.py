"""Reads what the gradebook has of one submitted notebook. Points and comments on a page come from here only."""

from __future__ import annotations

import hashlib
import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from nbgrader.api import (
    Assignment,
    BaseCell,
    Comment,
    Grade,
    Gradebook,
    MissingEntry,
    Notebook,
    SourceCell,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
)
from sqlalchemy import select

NO_RESPONSE = "No response."
"""nbgrader's automatic comment on an unchanged answer (nbgrader/preprocessors/saveautogrades.py)."""


NONE = "the gradebook has no grades of {notebook} of {assignment} by {student}: grade it first"


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

    def digest(self) -> str:
        """Tells these grades from any others. It stands in the page: nothing in it may be secret from the student."""
        text = json.dumps(asdict(self), sort_keys=True, default=sorted)
        return hashlib.sha256(text.encode()).hexdigest()[:32]


def read(gradebook: Gradebook, notebook: str, assignment: str, student: str) -> Grades:
    """The grades of a submitted notebook; nbgrader's MissingEntry if the gradebook has none."""
    found = _read(gradebook.db, assignment, SubmittedAssignment.student_id == student)
    if (student, notebook) not in found:
        raise MissingEntry(NONE.format(student=student, notebook=notebook, assignment=assignment))
    return found[student, notebook]


def of_class(session: Any, assignment: str) -> dict[tuple[str, str], Grades]:
    """The grades of everybody's notebooks, by student and notebook: five queries, however large the class is."""
    return _read(session, assignment)


def of_nobody(cells: Iterable[Any]) -> Grades:
    """Grades for a notebook of the course itself, whose cells these are."""
    known = [about for cell in cells if isinstance(about := cell.metadata.get("nbgrader"), dict)]
    marks = {about["grade_id"]: Mark(0.0, float(about.get("points") or 0.0)) for about in known if about.get("grade")}
    given = frozenset(about["grade_id"] for about in known if about.get("locked"))
    return Grades("", "", marks, {}, frozenset(), given, Sums("", 0.0, 0.0, 0.0))


def _read(session: Any, assignment: str, *who: Any) -> dict[tuple[str, str], Grades]:
    """The grades in the submissions of an assignment, or of those among them that meet the conditions `who`."""
    mine = (Assignment.name == assignment, *who)
    notebooks = select(Notebook.id, Notebook.name, Notebook.max_score).join(Assignment)
    known = {key: (name, most) for key, name, most in session.execute(notebooks.where(Assignment.name == assignment))}
    given = defaultdict(set)
    locked = select(SourceCell.notebook_id, SourceCell.name).where(SourceCell.notebook_id.in_(known), SourceCell.locked)
    for key, name in session.execute(locked):
        given[key].add(name)
    marks: dict[str, dict[str, Mark]] = defaultdict(dict)
    mark = (Grade.score, Grade.max_score, Grade.manual_score, Grade.needs_manual_grade)
    for of, name, *row in session.execute(_cells(Grade, *mark).where(*mine)):
        marks[of][name] = _mark(*row)
    comments: dict[str, dict[str, str]] = defaultdict(dict)
    unanswered = defaultdict(set)
    said = (Comment.comment, Comment.auto_comment, Comment.manual_comment)
    for of, name, shown, auto, manual in session.execute(_cells(Comment, *said).where(*mine)):
        text = (shown or "").strip()
        if auto == NO_RESPONSE:
            unanswered[of].add(name)
        if text and not (text == NO_RESPONSE and manual is None):
            comments[of][name] = text
    late = SubmittedNotebook.late_submission_penalty
    person = (Student.id, Student.first_name, Student.last_name)
    submitted = select(SubmittedNotebook.id, SubmittedNotebook.notebook_id, late, *person).select_from(
        SubmittedNotebook
    )
    rows = session.execute(submitted.join(SubmittedAssignment).join(Assignment).join(Student).where(*mine)).all()
    sums: dict[str, list[Sums]] = defaultdict(list)
    for of, key, penalty, student, *_ in rows:
        name, most = known[key]
        # fsum: the sum is the same in whatever order the database gives the rows.
        earned = math.fsum(one.earned for one in marks[of].values())
        sums[student].append(Sums(name, earned, float(most or 0.0), float(penalty or 0.0)))
    return {
        (student, known[key][0]): Grades(
            student=student,
            name=" ".join(part for part in names if part),
            marks=marks[of],
            comments=comments[of],
            unanswered=frozenset(unanswered[of]),
            given=frozenset(given[key]),
            sums=next(one for one in sums[student] if one.notebook == known[key][0]),
            assignment=sorted(sums[student], key=lambda one: one.notebook),
        )
        for of, key, _, student, *names in rows
    }


def _cells(kind: Any, *columns: Any) -> Any:
    """What the table `kind` has of each cell of a submitted notebook, by the ids of both, sorted by the cell's."""
    rows = select(kind.notebook_id, BaseCell.name, *columns).join(BaseCell, kind.cell_id == BaseCell.id)
    of = SubmittedNotebook.id == kind.notebook_id
    return rows.join(SubmittedNotebook, of).join(SubmittedAssignment).join(Assignment).order_by(BaseCell.name)


def _mark(score: Any, most: Any, by_hand: Any, needs_one: Any) -> Mark:
    by_person = by_hand is not None
    pending = bool(needs_one) and not by_person
    return Mark(float(score or 0.0), float(most or 0.0), by_person, pending)
