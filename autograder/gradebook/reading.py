"""Reads a gradebook without creating, changing or locking it; errors name the next step.

nbgrader's own class `Gradebook` (nbgrader/api.py) creates the file and its tables when it is opened. In a wrong folder
it would leave an empty gradebook behind.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nbgrader.api import Assignment
from nbgrader.apps import NbGrader
from sqlalchemy import create_engine, select
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from autograder.errors import AutograderError

NOT_HERE = "{folder} is not a course: there is no nbgrader_config.py. Go to the course's folder first (cd)."
NONE = (
    "there is no gradebook {file}. Run the command in the folder that holds nbgrader_config.py; if this is the folder, "
    "`nbgrader generate_assignment {assignment}` makes the gradebook and `nbgrader autograde {assignment}` fills it."
)
NO_ASSIGNMENT = (
    "the gradebook has no assignment {wanted}; it has {known}. Correct the name, or run "
    "`nbgrader generate_assignment {wanted}` if the assignment is new."
)
EMPTY = "the gradebook holds no assignment yet. Run `nbgrader generate_assignment {wanted}` first."
HELD = "the gradebook {file} is held by another process. Nothing was changed; run the same command again in a moment."
OLD = "the gradebook {file} was made by another version of nbgrader ({why}). Run `nbgrader db upgrade` first."
BROKEN = "the gradebook {file} cannot be read: {why}."
PATIENCE = 30.0  # seconds


class GradebookError(AutograderError):
    """A gradebook cannot be used; the text says why and what to run next."""


def course_here() -> Any:
    """nbgrader's CourseDirectory for the current folder; GradebookError if it has no nbgrader_config.py."""
    if not Path("nbgrader_config.py").is_file():
        raise GradebookError(NOT_HERE.format(folder=Path.cwd()))
    app = NbGrader()
    app.initialize([])
    return app.coursedir


def sqlite_file(db_url: str) -> Path | None:
    """The file of an SQLite gradebook; None if `db_url` names a database server."""
    url = make_url(db_url)
    return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None


@contextmanager
def opened(db_url: str, assignment: str, patience: float = PATIENCE) -> Iterator[Session]:
    """A read-only database session; `assignment` is used in messages only.

    `patience` is how many seconds to wait for a gradebook that another process has locked. GradebookError if there is
    none, or it cannot be read.
    """
    file = sqlite_file(db_url)
    if file and not file.exists():
        raise GradebookError(NONE.format(file=file, assignment=assignment))
    engine = _engine(db_url, file, patience)
    try:
        with explained(db_url), Session(engine) as session:
            yield session
    finally:
        engine.dispose()


@contextmanager
def explained(db_url: str) -> Iterator[None]:
    """Turns a database error raised in the `with` block into a GradebookError that names the next step."""
    name = sqlite_file(db_url) or make_url(db_url).render_as_string(hide_password=True)
    try:
        yield
    except DBAPIError as error:
        why = str(error.orig).splitlines()[0]
        sentence = BROKEN
        if "locked" in why:
            sentence = HELD
        elif "no such" in why or "does not exist" in why:
            sentence = OLD
        raise GradebookError(sentence.format(file=name, why=why)) from None


def _engine(db_url: str, file: Path | None, patience: float) -> Engine:
    if file is None:
        return create_engine(db_url, poolclass=NullPool)
    address = f"{file.resolve().as_uri()}?mode=ro"
    return create_engine(
        "sqlite://", creator=lambda: sqlite3.connect(address, uri=True, timeout=patience), poolclass=NullPool
    )


def find(session: Any, assignment: str) -> Assignment:
    """The assignment of that name; GradebookError if there is none, with the names that exist."""
    known = {found.name: found for found in session.scalars(select(Assignment).order_by(Assignment.name))}
    if assignment in known:
        return known[assignment]
    sentence = NO_ASSIGNMENT if known else EMPTY
    raise GradebookError(sentence.format(wanted=assignment, known=", ".join(known)))
