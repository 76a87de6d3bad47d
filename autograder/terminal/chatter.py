"""Of nbgrader's log a terminal shows what an instructor can act on; --debug shows all of it.

While notebooks are generated, graded or turned into pages, nbgrader logs some twenty lines a submission; what matters
of them is in our own lines. A traceback becomes its last line.
"""

from __future__ import annotations

import logging
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

from autograder.terminal import show
from autograder.terminal.words import shown

TOLD = {"told": True}
"""`log.warning(..., extra=TOLD)` for what a line of the report says as well."""
QUIET = ("AutogradeApp", "GenerateAssignmentApp", "GenerateFeedbackApp")
"""The commands whose INFO is chatter; `nbgrader list` and `collect` speak in INFO."""
_REPORTED = ("AutogradeApp", "GenerateAssignmentApp")
"""The commands whose errors our own classes tell."""
_NOISE = (
    r"nbgrader \w+ failed$",  # the reason stands above
    r"Did you mean: ",
    r"Canceled$",
    r"There was an error processing assignment '",  # said before
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
"""Characters of an error's line; its text may be a student's."""
_PROCESSING = "There was an error processing assignment"


@dataclass
class Heard:
    """What the log said of the pages: whose were written, how many were there already."""

    written: list[str] = field(default_factory=list)
    skipped: int = 0


heard = Heard()


class Chatter(logging.Filter):
    """On the terminal's handler only: a log file, or a formgrader's dialog, has everything.

    What a filter raises reaches whoever logged, so it prints by `show`, which raises nothing.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the terminal shows a record."""
        if _debugging():
            return True
        text = record.getMessage()
        if record.name == "GenerateFeedbackApp":
            _hear(text)
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


def _debugging() -> bool:
    from traitlets.config import Application

    app = Application.instance() if Application.initialized() else None
    return app is not None and app.log_level < logging.INFO


def _hear(text: str) -> None:
    if text.startswith("Converting notebook "):
        student = Path(text).parts[-3:-2]
        if student and student[0] not in heard.written:
            heard.written.append(student[0])
            show(f"  {shown(student[0])}")
    elif text.startswith("Skipping existing "):
        heard.skipped += 1
