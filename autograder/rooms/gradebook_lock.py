"""Waits for a gradebook that another process has locked, says so, and says what to do if it is not freed in time.

SQLite lets one process write at a time. nbgrader (0.9.5) waits five seconds and then says that the gradebook may need
an upgrade, which is wrong and sends people looking in the wrong place.
"""

from __future__ import annotations

import sqlite3
import time
from typing import Any

from nbgrader.api import Gradebook
from nbgrader.converters.base import NbGraderException
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, OperationalError

from autograder.rooms import gradebook_errors

WAITING = "The gradebook %s is held by another process; waiting up to %g seconds for it."
WRITING, READING = "BEGIN IMMEDIATE", "SELECT name FROM sqlite_master"
HELD = (
    "The gradebook is held by another process and was not free within %g seconds. Nothing is lost: what was graded "
    "before is saved. Look for another grading run, a formgrader at work, or a program that has the file open "
    "(lsof gradebook.db), let it end, and run the same command again. c.TwoRooms.patience sets how long to wait."
)
PATIENCE = 60.0
"""Seconds to wait if c.TwoRooms.patience is not set."""


def patience_of(config: Any) -> float:
    """Seconds to wait for a gradebook or a run, as in a grading run, for a command with this configuration."""
    return float(config.TwoRooms.get("patience", PATIENCE))


def open_gradebook(coursedir: Any, patience: float, log: Any) -> Gradebook:
    """A connection to the gradebook; NbGraderException if it stays locked for more than `patience` seconds, or its
    server cannot be reached.
    """
    if not is_free(coursedir, patience, log):
        log.error(HELD, patience)
        raise NbGraderException("the gradebook is held by another process")
    try:
        book = Gradebook(coursedir.db_url, coursedir.course_id)
    except DBAPIError as error:
        if not is_server(coursedir) or not gradebook_errors.of_everybody(error):
            raise
        log.error("%s", gradebook_errors.GONE.format(why=gradebook_errors.why(error)))
        raise NbGraderException("the gradebook's database cannot be used") from error
    if book.engine.dialect.name == "sqlite":
        book.db.execute(text(f"PRAGMA busy_timeout = {int(patience * 1000)}"))
    return book


def is_server(coursedir: Any) -> bool:
    """Whether the gradebook is not a file, but in a database that a server keeps."""
    return make_url(coursedir.db_url).get_backend_name() != "sqlite"


def is_free(coursedir: Any, patience: float, log: Any) -> bool:
    """Waits until the gradebook can be written, at most `patience` seconds; returns whether it can."""
    path = make_url(coursedir.db_url).database
    if is_server(coursedir) or not path:
        return True
    end, said = time.monotonic() + patience, False
    while is_held(path):
        if time.monotonic() > end:
            return False
        if not said:
            log.warning(WAITING, path, patience)
            said = True
        time.sleep(0.2)
    return True


def is_held(path: str, use: str = WRITING, patience: float = 0) -> bool:
    """Whether the SQLite file `path` is locked against `use` (`WRITING` or `READING`) for `patience` seconds more."""
    try:
        book = sqlite3.connect(f"file:{path}?mode=rw", uri=True, timeout=patience, isolation_level=None)
    except sqlite3.OperationalError:
        return False  # it does not exist or cannot be opened: nbgrader says so itself
    try:
        book.execute(use)
    except sqlite3.OperationalError as error:
        return "locked" in str(error)
    finally:
        book.close()  # and so rolls back what was begun
    return False


def is_locked(error: BaseException | None) -> bool:
    """Whether an error of the database says that another process has locked it."""
    return isinstance(error, OperationalError) and "locked" in str(error)
