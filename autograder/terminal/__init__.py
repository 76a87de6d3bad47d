"""The terminal output of nbgrader's commands, made for instructors: few lines, and each error is one sentence.

    plain        changes the running command: its log, its error messages and its search path
    too_early    checks before a command starts that it has something to work on
    elsewhere    refuses a command in a folder that is not a course
    chatter      decides which of nbgrader's log lines are shown
    words        formats names and numbers
    report       reports a grading run: a line for each student, a summary, the exit status

The formgrader is not changed: its dialogs show nbgrader's whole log. In a terminal, `--debug` shows the whole log.
"""

from __future__ import annotations

import io
import os
import sys
from typing import Any, TextIO

from autograder.terminal.words import printable


def command() -> Any:
    """The nbgrader command (an `NbGrader` application) of this process; None in a formgrader or a notebook server."""
    from traitlets.config import Application

    base = sys.modules.get("nbgrader.apps.baseapp")
    app = Application.instance() if base and Application.initialized() else None
    return app if base and isinstance(app, base.NbGrader) else None


def in_terminal(converter: Any) -> bool:
    """Whether an nbgrader command runs this nbgrader converter; False if a formgrader does."""
    from nbgrader.apps.baseapp import NbGrader

    return isinstance(converter.parent, NbGrader)


def say(converter: Any, line: str) -> None:
    """Shows `line` on the terminal; under a formgrader, logs it instead, because its dialog shows the log."""
    if not in_terminal(converter):
        converter.log.info("%s", printable(line))
    else:
        show(line)


def any_text() -> None:
    """From now on, what this process prints never fails for want of a character: it becomes "?"."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # under a test or in a notebook it is something else
            stream.reconfigure(errors="replace")


def tell(line: str, out: TextIO | None = None) -> None:
    """Prints `line`, or several, to `out` (default: standard output): all that commands print goes through here.

    Characters that are not printable, or that the terminal's encoding lacks, become "?": they may be of a student's
    choice. OSError if the output is closed; `autograder` then ends.
    """
    out = out or sys.stdout
    known = out.encoding or "utf-8"
    print(printable(line).encode(known, "replace").decode(known), file=out, flush=True)


def show(line: str, out: TextIO | None = None) -> None:
    """As `tell`, but it never raises, because grading must go on without output.

    After a failed write, all later output is discarded.
    """
    out = out or sys.stdout
    try:
        tell(line, out)
    except OSError:  # the reading end of a pipe was closed (`| head`), or the disk is full
        with open(os.devnull, "w", encoding="utf-8") as nowhere:
            os.dup2(nowhere.fileno(), out.fileno())
