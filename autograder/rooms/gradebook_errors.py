"""What a gradebook's database says no with: a row that it does not take, or that it is not there just now.

PostgreSQL refuses what SQLite takes, such as a name of more than 128 characters. Such an error is one student's; that a
server cannot be reached is everybody's, and passes.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

from nbgrader.api import InvalidEntry
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError

NOT_TAKEN = "the gradebook does not take it: {why}"
GONE = (
    "The gradebook's database cannot be used ({why}). Nothing is lost: what was graded before is saved. Run the same "
    "command again when the database is there. c.TwoRooms.patience sets how long a run that has begun waits for it."
)


def of_everybody(error: BaseException) -> bool:
    """Whether the database as a whole does not work just now: it is locked, full, or cannot be reached."""
    return isinstance(error, OperationalError) or (isinstance(error, DBAPIError) and error.connection_invalidated)


def why(error: BaseException) -> str:
    """What the database says, on one line."""
    return " ".join(str(error.__cause__ or error).split())


@contextlib.contextmanager
def as_they_are() -> Iterator[None]:
    """Where nbgrader logs a traceback of what the database refuses, and raises an error of its own, this raises the
    database's and leaves it to others to tell it.
    """
    log, silent = logging.getLogger("tornado.application"), logging.Filter("nothing")
    log.addFilter(silent)
    try:
        yield
    except InvalidEntry as error:
        found = error.__context__
        if isinstance(found, SQLAlchemyError):
            raise found from found.__cause__
        raise
    finally:
        log.removeFilter(silent)
