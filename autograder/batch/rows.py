"""The rows of nbgrader's gradebook that grading needs, as plain data: read, put into a private gradebook, and saved.

A grader never opens the course's gradebook. It gets the rows of the assignment and of one student, grades in a
gradebook of its own that holds nothing else, and gives the student's rows back. What it has changed in them, and
nothing more, is then saved; a row that a person has changed meanwhile is a reason to grade again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from nbgrader import api
from sqlalchemy import (
    BindParameter,
    Connection,
    Delete,
    Insert,
    Select,
    Table,
    bindparam,
    create_engine,
    delete,
    event,
    insert,
    select,
    update,
)
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from autograder.gradebook.reading import GradebookError

Rows = Mapping[str, list[dict[str, Any]]]
"""Rows by the name of their table, as JSON can carry them: times in ISO format, extensions in seconds."""

_IN_COURSE = (
    api.Course,
    api.Assignment,
    api.Notebook,
    api.BaseCell,
    api.GradeCell,
    api.SolutionCell,
    api.TaskCell,
    api.SourceCell,
)
_OF_STUDENT = (api.Student, api.SubmittedAssignment, api.SubmittedNotebook, api.Grade, api.Comment)


def _table(kind: Any) -> Table:
    table: Table = kind.__table__
    return table


def of_course(connection: Connection, assignment: str) -> Rows:
    """The rows of an assignment without those of students."""
    course, work, notebook, base, *parts, source = map(_table, _IN_COURSE)
    found = connection.execute(select(work).where(work.c.name == assignment)).mappings().first()
    if not found:
        raise GradebookError(
            f"The gradebook does not know {assignment}: run `nbgrader generate_assignment {assignment}`."
        )
    ours = select(notebook.c.id).where(notebook.c.assignment_id == found["id"])
    cells = select(base.c.id).where(base.c.notebook_id.in_(ours))
    wanted = {
        course: course.c.id == found["course_id"],
        work: work.c.id == found["id"],
        notebook: notebook.c.assignment_id == found["id"],
        base: base.c.notebook_id.in_(ours),
        **{part: part.c.id.in_(cells) for part in parts},
        source: source.c.notebook_id.in_(ours),
    }
    return {
        table.name: _all(connection, select(table).where(where).order_by(table.c.id)) for table, where in wanted.items()
    }


def of_student(connection: Connection, assignment: str, student: str) -> Rows:
    """The rows of a student and of what the student has handed in for an assignment; empty lists if there are none."""
    who = {"assignment": assignment, "student": student}
    return {name: _all(connection, query, who) for name, query in _of_student().items()}


@cache
def _of_student() -> Mapping[str, Select[Any]]:
    """Made once, because SQLAlchemy takes longer to see that it knows a query than the database to answer it."""
    person, submission, notebook, *parts = map(_table, _OF_STUDENT)
    work, given, cell = map(_table, (api.Assignment, api.Notebook, api.BaseCell))
    ours = work.c.name == bindparam("assignment")
    student: BindParameter[str] = bindparam("student")
    mine = (
        select(submission.c.id)
        .join(work, work.c.id == submission.c.assignment_id)
        .where(ours, submission.c.student_id == student)
    )
    # The course's side is named, too: nbgrader's indexes begin with it, and else everybody's rows are looked through.
    givens = select(given.c.id).join(work, work.c.id == given.c.assignment_id).where(ours)
    cells = select(cell.c.id).where(cell.c.notebook_id.in_(givens))
    notebooks = select(notebook.c.id).where(notebook.c.assignment_id.in_(mine), notebook.c.notebook_id.in_(givens))
    wanted = {
        person: person.c.id == student,
        submission: submission.c.id.in_(mine),
        notebook: notebook.c.id.in_(notebooks),
        **{part: part.c.notebook_id.in_(notebooks) & part.c.cell_id.in_(cells) for part in parts},
    }
    return {table.name: select(table).where(where).order_by(table.c.id) for table, where in wanted.items()}


def of_the_student(connection: Connection) -> Rows:
    """As `of_student`, of the one student whom a private gradebook has."""
    return {name: _all(connection, query) for name, query in _of_everybody().items()}


@cache
def _of_everybody() -> Mapping[str, Select[Any]]:
    return {table.name: select(table).order_by(table.c.id) for table in map(_table, _OF_STUDENT)}


def _all(connection: Connection, query: Select[Any], values: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
    found = connection.execute(query, values).mappings()
    return [{name: _plain(value) for name, value in row.items()} for row in found]


_MOST_THREADS = 1000
"""SQLAlchemy ends the connections of some threads when there are more, and with it their copies."""


class Private(api.Gradebook):  # type: ignore[misc]  # nbgrader ships no types
    """A gradebook in memory, of which each thread has a copy. It has no version, for which nbgrader would start a
    program that takes seconds.
    """

    def __init__(self, course_id: str) -> None:
        self._content = b""
        self.engine = create_engine("sqlite://", creator=self._copy, pool_size=_MOST_THREADS)
        # Nobody else writes here: what was read stays true when it is committed.
        self.db = scoped_session(sessionmaker(bind=self.engine, expire_on_commit=False))
        event.listen(self.db.session_factory, "loaded_as_persistent", _keep)
        self.course_id, self.authenticator = course_id, None
        api.Base.metadata.create_all(bind=self.engine)

    def hold(self, known: Rows) -> None:
        """These are the student's rows from now on, and there are no others."""
        self.db.close()  # a row that is there again, changed by a person, would be an object that has been read
        self.db.info.clear()
        with self.engine.begin() as connection:
            for query in _forget():
                connection.execute(query)
            put(connection, known)

    def keep(self) -> None:
        """What this thread's copy holds now is what each new thread begins with."""
        with self.engine.connect() as connection:
            mine = connection.connection.driver_connection
            assert isinstance(mine, sqlite3.Connection)
            self._content = mine.serialize()

    def _copy(self) -> sqlite3.Connection:
        made = sqlite3.connect(":memory:", check_same_thread=False)
        if self._content:
            made.deserialize(self._content)
        return made


def _keep(session: Session, row: Any) -> None:
    """A session forgets what nobody holds, and would read it again."""
    session.info.setdefault("kept", []).append(row)


def private(course: Rows, course_id: str) -> Private:
    """A gradebook in memory that has these rows alone."""
    gradebook = Private(course_id)
    with gradebook.engine.begin() as connection:
        put(connection, course)
    gradebook.keep()
    return gradebook


def put(connection: Connection, rows: Rows) -> None:
    """Puts the rows into a gradebook that does not have them."""
    for kind in (*_IN_COURSE, *_OF_STUDENT):
        if new := rows.get(_table(kind).name):
            _insert(connection, _table(kind), new)


@cache
def _forget() -> Sequence[Delete]:
    return [delete(_table(kind)) for kind in reversed(_OF_STUDENT)]


def with_submission(course: Rows, student: str, known: Rows) -> Rows:
    """`known`, a student's rows, with those of a submission where there is none, as nbgrader's `add_submission` makes
    them; its way takes longer than grading a notebook.
    """
    if known["submitted_assignment"]:
        return known
    (work,) = course["assignment"]
    graded = {row["id"] for kind in ("grade_cells", "task_cells") for row in course[kind]}
    commented = {row["id"] for kind in ("solution_cells", "task_cells") for row in course[kind]}
    person = dict.fromkeys(_table(api.Student).c.keys()) | {"id": student}
    handed_in = {"id": _new(), "assignment_id": work["id"], "student_id": student, "timestamp": None, "extension": None}
    notebooks, grades, comments = [], [], []
    for notebook in course["notebook"]:
        one = {"id": _new(), "assignment_id": handed_in["id"], "notebook_id": notebook["id"]}
        notebooks.append({**one, "flagged": False, "late_submission_penalty": None})
        for cell in (row["id"] for row in course["base_cell"] if row["notebook_id"] == notebook["id"]):
            where = {"notebook_id": one["id"], "cell_id": cell}
            if cell in graded:
                marks = {"auto_score": None, "manual_score": None, "extra_credit": None, "needs_manual_grade": True}
                grades.append({"id": _new(), **where, **marks})
            if cell in commented:
                comments.append({"id": _new(), **where, "auto_comment": None, "manual_comment": None})
    return {
        "student": known["student"] or [person],
        "submitted_assignment": [handed_in],
        "submitted_notebook": notebooks,
        "grade": grades,
        "comment": comments,
    }


def _new() -> str:
    return str(api.new_uuid())


def save(connection: Connection, before: Rows, after: Rows) -> None:
    """Writes what differs: rows that are new, and of each other row the values that have changed."""
    for kind in _OF_STUDENT:
        table = _table(kind)
        known = {row["id"]: row for row in before.get(table.name, ())}
        rows = after.get(table.name, ())
        if new := [row for row in rows if row["id"] not in known]:
            _insert(connection, table, new)
        for row in rows:
            old = known.get(row["id"], row)
            if changed := {name: value for name, value in row.items() if value != old[name]}:
                connection.execute(update(table).where(table.c.id == row["id"]).values(_typed(table, changed)))


def _insert(connection: Connection, table: Table, rows: Iterable[dict[str, Any]]) -> None:
    connection.execute(_insert_into(table), [_typed(table, row) for row in rows])


@cache
def _insert_into(table: Table) -> Insert:
    return insert(table)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return value.total_seconds() if isinstance(value, timedelta) else value


def _typed(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    """The values as the table's columns take them."""
    return {name: _of_type(table.c[name].type.python_type, value) for name, value in row.items()}


def _of_type(kind: type, value: Any) -> Any:
    if value is not None and kind is datetime:
        return datetime.fromisoformat(value)
    return timedelta(seconds=value) if value is not None and kind is timedelta else value
