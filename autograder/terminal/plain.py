"""`plainly(c)` in a course's nbgrader_config.py: nbgrader's commands print less, and an error is one plain sentence.

nbgrader 0.9 has no setting for error messages. It reads the configuration after the command object is made and before
it starts, so `plainly` replaces the `start` method of that one object by one that calls it and explains its errors.
"""

from __future__ import annotations

import logging
import sqlite3
import sys
from typing import Any

from autograder.gradebook.programs import find_programs
from autograder.terminal import any_text, chatter, command, show, too_early
from autograder.terminal.words import count

STOPPED = "%s stopped: %s: %s  (--debug shows where)"
NO_GRADEBOOK = (
    "%s stopped: the gradebook %s cannot be used (%s). If nbgrader was upgraded, copy it and run `nbgrader db "
    "upgrade`; if the file is damaged, put back your last copy of it."
)
NO_DATE = '%s stopped: this is not a date that it understands (%s). Write it as in "2026-12-01 18:00 UTC".'
INTERRUPTED = "Stopped. What was finished is kept; run the same command again to go on."
FEEDBACK = "Pages of {students} are written: {folder}/<student>/{assignment}/."
SKIPPED = "{students} had theirs already; --force writes them again."
LOGGING = {
    "filters": {"chatter": {"()": "autograder.terminal.chatter.Chatter"}},
    "formatters": {"console": {"class": "autograder.terminal.chatter.Printable"}},
    "handlers": {"console": {"filters": ["chatter"]}},
}


def plainly(config: Any) -> None:
    """Sets up the running command; `config` is nbgrader_config.py's `c`. Calling it again changes nothing."""
    find_programs()
    any_text()
    config.NbGrader.logging_config = LOGGING
    app = command()
    if app is not None and not hasattr(app, "_started_plainly"):
        app._started_plainly = app.start
        app.start = lambda: _start(app)


def _start(app: Any) -> None:
    from jupyter_core.application import NoStart

    problem = too_early.problem(app)
    if problem:
        app.log.error("%s", problem)
        sys.exit(1)
    try:
        app._started_plainly()
    except NoStart:
        raise  # not an error: jupyter_core's signal that a subcommand has done the work
    except KeyboardInterrupt:
        app.log.error(INTERRUPTED)
        sys.exit(130)
    except Exception as error:
        if app.log_level < logging.INFO:
            raise
        _explain(app, error)
        sys.exit(1)
    if type(app).__name__ == "GenerateFeedbackApp":
        _report_pages(app)


def _explain(app: Any, error: Exception) -> None:
    from dateutil.parser import ParserError  # type: ignore[import-untyped]
    from sqlalchemy.exc import DatabaseError

    command = app.name.replace("-", " ", 1).replace("-", "_")
    if command.startswith("nbgrader db_"):  # commands below a command
        command = command.replace("_", " ")
    first = (str(error).strip().splitlines() or ["no reason given"])[0]
    if isinstance(error, DatabaseError | sqlite3.DatabaseError):
        app.log.error(NO_GRADEBOOK, command, app.coursedir.db_url.removeprefix("sqlite:///"), first)
    elif isinstance(error, ParserError):
        app.log.error(NO_DATE, command, first.rpartition(": ")[2])
    else:
        app.log.error(STOPPED, command, type(error).__name__, first)


def _report_pages(app: Any) -> None:
    written, skipped = chatter.feedback_log.written, chatter.feedback_log.skipped
    if written:
        folder, assignment = app.coursedir.feedback_directory, app.coursedir.assignment_id
        show(FEEDBACK.format(students=count(len(written), "student"), folder=folder, assignment=assignment))
    if skipped:
        show(SKIPPED.format(students=count(skipped, "student")))
