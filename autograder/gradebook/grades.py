"""The grades of an assignment as a table: one row for each student in the gradebook, also without a submission.

Each question has a column, followed by a column for each of its graded cells. The cells `q1-check` and `q1-hidden` of
the contract are the parts of question q1. Any other graded cell (an ordinary test, a text that a person marks, a task)
is a question of its own. If several notebooks of the assignment have graded cells, the columns are called
`problems/q1`.

The first columns are those of nbgrader's own export (nbgrader/plugins/export.py), for programs that read it.
"""

from __future__ import annotations

import glob
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from nbgrader.api import (
    Assignment,
    Grade,
    GradeCell,
    Notebook,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
    TaskCell,
)
from nbgrader.utils import parse_utc
from sqlalchemy import select

from autograder.gradebook.reading import GradebookError
from autograder.gradebook.spreadsheet import Value

NBGRADERS = (
    "assignment",
    "duedate",
    "timestamp",
    "student_id",
    "last_name",
    "first_name",
    "email",
    "raw_score",
    "late_submission_penalty",
    "score",
    "max_score",
)
FIRST = (*NBGRADERS, "handed_in", "needs_manual_grade")
NO_STUDENT = "the gradebook has no student {names}. `nbgrader db student list` names all that it has."
_PART = re.compile(r"(?P<question>.+)-(?:check|hidden)")


@dataclass(frozen=True)
class Column:
    """A column for a question or a part of one: the database ids of the graded cells whose points it adds up."""

    name: str
    cells: tuple[str, ...]


@dataclass
class Table:
    """The grades of one or more assignments: the names of the columns, and each row as value by column."""

    columns: list[str] = field(default_factory=lambda: list(FIRST))
    rows: list[dict[str, Value]] = field(default_factory=list)

    def add(self, other: Table) -> None:
        """Appends another assignment's rows; a column of the same name is shared."""
        self.columns += [c for c in other.columns if c not in self.columns]
        self.rows += other.rows

    def students(self, column: str, value: Value) -> list[str]:
        """The ids of students whose row has this value in this column."""
        return [str(row["student_id"]) for row in self.rows if row[column] == value]


@dataclass
class _Submission:
    timestamp: datetime | None
    extension: Any
    scores: dict[str, float] = field(default_factory=dict)
    manual: bool = False
    penalty: float = 0.0


def table(session: Any, assignment: Assignment, only: Sequence[str] = (), waiting: Sequence[str] = ()) -> Table:
    """The table of one assignment, for the students `only` (default: all); points are as in the gradebook.

    `waiting` are students whose work is not graded yet (see `ungraded`). GradebookError if a student is unknown.
    """
    columns, maximum = columns_of(session, assignment)
    submissions = _submissions(session, assignment)
    everybody = {s.id: s for s in session.scalars(select(Student))}
    unknown = [name for name in only if name not in everybody]
    if unknown:
        raise GradebookError(NO_STUDENT.format(names=", ".join(unknown)))
    made = Table([*FIRST, *(c.name for c in columns)])
    for student in sorted(everybody.values(), key=lambda s: natural(s.id)):
        if not only or student.id in only:
            row = _row(assignment, student, submissions.get(student.id), columns, maximum)
            row["handed_in"] = row["handed_in"] or student.id in waiting
            row["needs_manual_grade"] = row["needs_manual_grade"] and student.id not in waiting
            made.rows.append(row)
    return made


def _row(
    assignment: Assignment, student: Student, work: _Submission | None, columns: Iterable[Column], maximum: float
) -> dict[str, Value]:
    due = assignment.duedate
    if due and work and work.extension:
        due += work.extension
    raw = sum(work.scores.values()) if work else 0.0
    penalty = work.penalty if work else 0.0
    row: dict[str, Value] = {
        "assignment": assignment.name,
        "duedate": _time(due),
        "timestamp": _time(work.timestamp) if work else None,
        "student_id": student.id,
        "last_name": student.last_name,
        "first_name": student.first_name,
        "email": student.email,
        "raw_score": raw,
        "late_submission_penalty": penalty,
        "score": max(0.0, raw - penalty),
        "max_score": maximum,
        "handed_in": work is not None,
        "needs_manual_grade": bool(work and work.manual),
    }
    for column in columns:
        # If the cell was added after this student was graded, there is no grade: the column stays empty.
        given = [work.scores[c] for c in column.cells if c in work.scores] if work else [0.0]
        row[column.name] = sum(given) if given else None
    return row


def _time(moment: datetime | None) -> str | None:
    return moment.strftime("%Y-%m-%d %H:%M:%S") if moment else None


def columns_of(session: Any, assignment: Assignment) -> tuple[list[Column], float]:
    """The columns of the assignment's questions, and its total points."""
    by_notebook: dict[str, list[tuple[str, str]]] = defaultdict(list)
    maximum = 0.0
    for kind in (GradeCell, TaskCell):
        wanted = select(Notebook.name, kind.name, kind.id, kind.max_score)
        wanted = wanted.join(Notebook, Notebook.id == kind.notebook_id)
        for notebook, name, key, points in session.execute(wanted.where(Notebook.assignment_id == assignment.id)):
            by_notebook[notebook].append((name, key))
            maximum += points or 0.0
    columns: list[Column] = []
    taken = set(FIRST)
    for notebook in sorted(by_notebook, key=natural):
        before = f"{notebook}/" if len(by_notebook) > 1 else ""
        for question, parts in _questions(by_notebook[notebook]).items():
            lone = [name for name, _ in parts] == [question]
            wanted_columns = [(question, tuple(key for _, key in parts))]
            wanted_columns += [] if lone else [(name, (key,)) for name, key in parts]
            for name, cells in wanted_columns:
                columns.append(Column(_unique(before + name, taken), cells))
    return columns, maximum


def _questions(cells: Iterable[tuple[str, str]]) -> dict[str, list[tuple[str, str]]]:
    """The graded cells (name, database id) of each question, in natural order."""
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for name, key in sorted(cells, key=lambda cell: natural(cell[0])):
        part = _PART.fullmatch(name)
        found[part["question"] if part else name].append((name, key))
    return dict(sorted(found.items(), key=lambda item: natural(item[0])))


def _unique(name: str, taken: set[str]) -> str:
    """The name, or the first of `name (2)`, `name (3)` … that is not in `taken`; adds it there."""
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name} ({number})"
    taken.add(free)
    return free


def natural(name: str) -> list[tuple[int, int, str]]:
    """A sort key by which q2 comes before q10."""
    pieces = re.split(r"(\d+)", name)
    return [(int(p), 0, "") if at % 2 else (0, 1, p) for at, p in enumerate(pieces)]


def _submissions(session: Any, assignment: Assignment) -> dict[str, _Submission]:
    """The submission of each student, by id, as the gradebook has it."""
    found: dict[str, tuple[str, _Submission]] = {}
    mine = SubmittedAssignment.assignment_id == assignment.id
    wanted = select(
        SubmittedAssignment.id,
        SubmittedAssignment.student_id,
        SubmittedAssignment.timestamp,
        SubmittedAssignment.extension,
    )
    for key, student, timestamp, extension in session.execute(wanted.where(mine)):
        found[key] = student, _Submission(timestamp, extension)
    penalties = select(SubmittedNotebook.assignment_id, SubmittedNotebook.late_submission_penalty)
    for key, penalty in session.execute(penalties.where(SubmittedNotebook.assignment_id.in_(_ids(mine)))):
        found[key][1].penalty += penalty or 0.0
    grades = select(SubmittedNotebook.assignment_id, Grade.cell_id, Grade.score, Grade.needs_manual_grade)
    grades = grades.join(SubmittedNotebook, SubmittedNotebook.id == Grade.notebook_id)
    for key, cell, score, manual in session.execute(grades.where(SubmittedNotebook.assignment_id.in_(_ids(mine)))):
        found[key][1].scores[cell] = score or 0.0
        found[key][1].manual |= bool(manual)
    return dict(found.values())


def _ids(mine: Any) -> Any:
    return select(SubmittedAssignment.id).where(mine)


def ungraded(coursedir: Any, session: Any, assignment: Assignment) -> list[str]:
    """The ids of students with work in `submitted/` that is not graded, or of which an earlier version was graded.

    A grading run that was stopped leaves grades that wait for a person, but no graded notebook: that is not graded.
    """
    known = _submissions(session, assignment)
    step = coursedir.submitted_directory
    pattern = coursedir.format_path(step, "(?P<student>.*)", re.escape(assignment.name), escape=True)
    found = []
    for folder in glob.glob(coursedir.format_path(step, "*", glob.escape(assignment.name))):
        student = re.fullmatch(pattern, folder)
        if not student:
            continue
        name = student["student"]
        graded = coursedir.format_path(coursedir.autograded_directory, name, assignment.name)
        if (
            name not in known
            or _newer(Path(folder), known[name].timestamp)
            or (known[name].manual and not Path(graded).exists())
        ):
            found.append(name)
    return sorted(found, key=natural)


def _newer(folder: Path, graded: datetime | None) -> bool:
    try:
        handed_in = parse_utc((folder / "timestamp.txt").read_text(encoding="utf-8").strip())
        return bool(graded is None or handed_in > graded)
    except Exception:  # no time, or not a time: the grading run reports it
        return False
