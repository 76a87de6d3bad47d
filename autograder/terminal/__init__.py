"""What an instructor reads in a terminal while nbgrader's commands run: short, and every error one sentence.

    plain        the one line of nbgrader_config.py: the log, the errors, the search path
    too_early    what is asked before a command starts: is there anything to work on
    elsewhere    a folder that is no course
    chatter      which of nbgrader's log lines are shown
    words        names and numbers as a terminal shows them
    report       a grading run: a header, a line a student, who needs a person, the exit status

A formgrader does not come here: its dialogs show nbgrader's whole log. `--debug` shows it in a terminal.
"""

from __future__ import annotations

import os
import sys
from typing import Any, TextIO


def command() -> Any:
    """The command of nbgrader's that reads its configuration; none in a formgrader or a notebook server."""
    from traitlets.config import Application

    base = sys.modules.get("nbgrader.apps.baseapp")
    app = Application.instance() if base and Application.initialized() else None
    return app if base and isinstance(app, base.NbGrader) else None


def in_terminal(converter: Any) -> bool:
    """Whether one of nbgrader's commands runs the converter, and not a formgrader."""
    from nbgrader.apps.baseapp import NbGrader

    return isinstance(converter.parent, NbGrader)


def say(converter: Any, line: str) -> None:
    """A line for whoever started the converter: on the terminal, or in the log that a formgrader's dialog shows."""
    if not in_terminal(converter):
        converter.log.info("%s", line)
    else:
        show(line)


def show(line: str, out: TextIO | None = None) -> None:
    """A line on the terminal; that it cannot be written stops no work, and nbgrader must not take it for a failure."""
    out = out or sys.stdout
    known = out.encoding or "utf-8"
    try:
        print(line.encode(known, "replace").decode(known), file=out, flush=True)
    except OSError:  # whoever read has seen enough (`| head`), or the disk is full
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), out.fileno())
