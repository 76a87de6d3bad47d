"""A filter for nbgrader's log: the terminal shows only lines that an instructor can act on; --debug shows all.

nbgrader logs about twenty lines for each submission. What matters in them is also in the course's own report. Of a
traceback only the last line is shown.
"""

from __future__ import annotations

import copy
import logging
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tornado.log import LogFormatter

from autograder.terminal import show
from autograder.terminal.words import printable, shown

TOLD = {"told": True}
"""`log.warning(..., extra=TOLD)` marks a record that the report shows too, so that the terminal shows it once."""
QUIET = ("AutogradeApp", "GenerateAssignmentApp", "GenerateFeedbackApp")
"""Commands whose INFO records are hidden. Those of `nbgrader list` and `collect` are their output, and stay."""
_REPORTED = ("AutogradeApp", "GenerateAssignmentApp")
"""Commands whose errors this package's own classes report."""
_NOISE = (
    r"nbgrader \w+ failed$",  # the line before gives the reason
    r"Did you mean: ",
    r"Canceled$",
    r"There was an error processing assignment '",  # the error itself was shown already
    r"Please see the (the )?(above traceback|error log)",
    r"Removing (failed|existing) ",
    r"Updating existing ",
    r"Creating exchange directory: ",
    r"(Source|Destination): ",
    r"No (notebooks were matched|notebooks found, did you forget|submitted file)",
    r"Skipping unknown notebook: ",
    r"SubmittedAssignment<.* seconds late",
    r"Alternative text is missing on ",
    r"Config option `display_data_priority` not recognized",
)
_noise = re.compile("|".join(_NOISE))
LONGEST = 2000
"""Most characters shown of an error's line: the text may be a student's, and of any length."""
_PROCESSING = "There was an error processing assignment"


@dataclass
class FeedbackLog:
    """What generate_feedback logged: the students whose pages were written, and how many students had theirs before."""

    written: list[str] = field(default_factory=list)
    skipped: int = 0


feedback_log = FeedbackLog()


class Chatter(logging.Filter):
    """The filter. It is added to the terminal's handler only, so log files and the formgrader's dialogs are complete.

    It prints with `show`, which never raises: an exception in a filter would end the code that logged.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the terminal shows `record`; of a hidden traceback, prints the last line."""
        if _debugging():
            return True
        text = record.getMessage()
        if record.name == "GenerateFeedbackApp":
            _read_feedback(text)
        if getattr(record, "told", False) or (record.levelno < logging.WARNING and record.name in QUIET):
            return False
        if record.name in _REPORTED and text.startswith(_PROCESSING):
            return False
        if text.startswith("Traceback (most recent call last)"):
            if record.name not in _REPORTED:
                last = shown(text.strip().splitlines()[-1], LONGEST)
                show(f"{last}  (--debug shows where)", sys.stderr)
            return False
        return not _noise.match(text)


class Printable(LogFormatter):  # type: ignore[misc]  # tornado's types are not followed here
    """nbgrader's formatter of the terminal's log: names of files in its own messages may be a student's."""

    def format(self, record: logging.LogRecord) -> str:
        record = copy.copy(record)  # other handlers get it, too
        record.msg, record.args = printable(record.getMessage()), ()
        return str(super().format(record))

    def formatException(self, ei: Any) -> str:
        return printable(str(super().formatException(ei)))


def _debugging() -> bool:
    from traitlets.config import Application

    app = Application.instance() if Application.initialized() else None
    return app is not None and app.log_level < logging.INFO


def _read_feedback(text: str) -> None:
    if text.startswith("Converting notebook "):
        student = Path(text).parts[-3:-2]
        if student and student[0] not in feedback_log.written:
            feedback_log.written.append(student[0])
            show(f"  {shown(student[0])}")
    elif text.startswith("Skipping existing "):
        feedback_log.skipped += 1
