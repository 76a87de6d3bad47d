"""The work of a class on one assignment: points from the gradebook, answers and messages from the graded notebooks.

Points are the gradebook's, so that marks by hand count. Who handed in something that is not graded yet, or handed in
nothing, is in no figure but these two counts. A question that waits for a person's points has none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
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

from autograder import by_hand_list
from autograder.class_report import attempts, graded
from autograder.class_report.mistakes import UNANSWERED, Mistake
from autograder.feedback.grades import NO_RESPONSE
from autograder.gradebook import spreadsheet
from autograder.gradebook.grades import columns_of, table, ungraded
from autograder.rooms import reasons
from autograder.terminal.report import Reason

_NEARLY = 1e-9


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


@dataclass(frozen=True)
class Answer:
    """One student's answer to one question."""

    student: str
    earned: float
    pending: bool
    """Whether a person still has to give points."""
    source: str = ""
    said: str = ""
    mistake: Mistake | None = None
    """None where the answer earned everything, or waits for a person."""
    tried: str = ""
    """When the student last ran it, in UTC; "" if that is not known."""


@dataclass(frozen=True)
class Student:
    """A student whose work is graded."""

    name: str
    score: float
    handed_in: str
    """When, in UTC; "" if it is not known."""
    late: bool
    pending: bool
    """Whether a person still has to give points in some question."""
    final: bool
    """Whether some question has its final points; none has where the file could not be read, for instance."""
    reasons: frozenset[Reason]


@dataclass
class Work:
    """Everything that the report is made of."""

    assignment: str
    possible: float
    due: str = ""
    language: str = "python"
    students: list[Student] = field(default_factory=list)
    """Those whose work is graded."""
    ungraded: list[str] = field(default_factory=list)
    nothing: list[str] = field(default_factory=list)
    """Students of the gradebook who handed in nothing."""
    unread: list[str] = field(default_factory=list)
    """Students of whom a graded notebook is missing or cannot be read: their marks count, their answers are not shown."""
    questions: list[Question] = field(default_factory=list)
    answers: dict[str, list[Answer]] = field(default_factory=lambda: defaultdict(list))
    """By the question's name."""
    nodes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """The names in the forward pass of each question, by the question's name."""
    given: list[str] = field(default_factory=list)
    """What the released cells for answers hold."""
    by_hand: list[dict[str, str]] = field(default_factory=list)
    by_hand_unread: str = ""
    """Why the list of answers that may not be by hand could not be read."""


def read(coursedir: Any, session: Any, assignment: Assignment) -> Work:
    """The work of everybody; `session` is that of the gradebook."""
    made = table(session, assignment)
    waiting = set(ungraded(coursedir, session, assignment))
    work = Work(str(assignment.name), columns_of(session, assignment)[1])
    work.questions = list(_questions(session, assignment))
    work.given = _given(session, assignment)
    open_cells, unanswered = _pending(session, assignment), _unanswered(session, assignment)
    for row in made.rows:
        name = str(row["student_id"])
        if name in waiting:
            work.ungraded.append(name)
        elif not row["handed_in"]:
            work.nothing.append(name)
        else:
            steps = (coursedir.autograded_directory, coursedir.submitted_directory)
            folders = [Path(coursedir.format_path(step, name, work.assignment)) for step in steps]
            _add(work, name, row, folders, open_cells[name], unanswered[name])
    known = {str(row["student_id"]) for row in made.rows}
    work.ungraded += sorted(waiting - known)
    work.due = str(assignment.duedate.strftime("%Y-%m-%d %H:%M:%S")) if assignment.duedate else ""
    try:
        rows = by_hand_list.read(Path(coursedir.root) / by_hand_list.FILE)
    except spreadsheet.CannotRead as error:
        rows, work.by_hand_unread = [], str(error)
    counted = {spreadsheet.harmless(student.name) for student in work.students}
    mine = spreadsheet.harmless(work.assignment)
    work.by_hand = [row for row in rows if row["assignment"] == mine and row["student"] in counted]
    return work


def _add(
    work: Work, name: str, row: Any, folders: Sequence[Path], pending: set[str], unanswered: set[str]
) -> None:
    """Adds one student whose work is graded; `folders` are those of the graded work and of what was handed in."""
    late = bool(row["duedate"] and row["timestamp"] and str(row["timestamp"]) > str(row["duedate"]))
    handed_in, why = str(row["timestamp"] or ""), frozenset(reasons.read(folders[0]))
    scored = [question for question in work.questions if row[question.name] is not None]  # else newer than the grade
    final = any(not pending & set(question.keys) for question in scored)
    work.students.append(Student(name, float(row["score"]), handed_in, late, bool(pending), final, why))
    for notebook in dict.fromkeys(question.notebook for question in scored):
        here = [question for question in scored if question.notebook == notebook]
        names = {cell for question in here for cell in question.cells}
        found = graded.read(folders[0] / f"{notebook}.ipynb", names)
        if not found:
            work.unread += [name] if name not in work.unread else []
            found = graded.Notebook(work.language)
        work.language = found.language
        cells = {question.name: found.answer(question.cells) for question in here}
        runs = {question.name: {*question.cells, *cells[question.name]} for question in here}
        tried = attempts.last(folders[1] / f"{notebook}.ipynb", runs, handed_in)
        for question in here:
            if nodes := found.nodes.get(question.name.removeprefix(f"{notebook}/")):
                work.nodes[question.name] = nodes
            earned, waits = float(row[question.name]), bool(pending & set(question.keys))
            mistake, said = None, ""
            if not waits and earned < question.possible - _NEARLY:
                mistake, said = found.verdict(question.cells)
                blank = all(f"{notebook}/{cell}" in unanswered for cell in cells[question.name])
                if earned <= _NEARLY and cells[question.name] and blank:
                    mistake = Mistake("", UNANSWERED)
            source = "\n\n".join(cells[question.name].values())
            answer = Answer(name, earned, waits, source, said, mistake, tried.get(question.name, ""))
            work.answers[question.name].append(answer)


def _questions(session: Any, assignment: Assignment) -> Iterator[Question]:
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


def _given(session: Any, assignment: Assignment) -> list[str]:
    wanted = select(SourceCell.source).join(Notebook, Notebook.id == SourceCell.notebook_id)
    wanted = wanted.where(Notebook.assignment_id == assignment.id, SourceCell.locked.is_(False))
    return [source or "" for source in session.scalars(wanted)]


def _submitted(session: Any, assignment: Assignment, kind: Any, *columns: Any) -> Any:
    """Rows of a kind (grades, comments) of all submissions: the student, and these columns."""
    wanted = select(SubmittedAssignment.student_id, *columns).select_from(kind)
    wanted = wanted.join(SubmittedNotebook, SubmittedNotebook.id == kind.notebook_id)
    wanted = wanted.join(SubmittedAssignment, SubmittedAssignment.id == SubmittedNotebook.assignment_id)
    return wanted.where(SubmittedAssignment.assignment_id == assignment.id)


def _pending(session: Any, assignment: Assignment) -> dict[str, set[str]]:
    """The keys of the cells that wait for a person, by student."""
    found: dict[str, set[str]] = defaultdict(set)
    wanted = _submitted(session, assignment, Grade, Grade.cell_id)
    for student, key in session.execute(wanted.where(Grade.needs_manual_grade, Grade.manual_score.is_(None))):
        found[student].add(key)
    return found


def _unanswered(session: Any, assignment: Assignment) -> dict[str, set[str]]:
    """The cells that are as they were released, as `notebook/id`, by student."""
    found: dict[str, set[str]] = defaultdict(set)
    wanted = _submitted(session, assignment, Comment, Notebook.name, BaseCell.name)
    wanted = wanted.join(BaseCell, BaseCell.id == Comment.cell_id).join(Notebook, Notebook.id == BaseCell.notebook_id)
    for student, notebook, name in session.execute(wanted.where(Comment.auto_comment == NO_RESPONSE)):
        found[student].add(f"{notebook}/{name}")
    return found
