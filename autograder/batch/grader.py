"""Grades one submission after another with nbgrader's own converter, and never opens the course's gradebook.

It is given the rows of the gradebook that it needs and puts them into one in memory. What it grades goes into a folder
aside, which whoever has given the order puts in place once the rows are saved. So whatever ends this process, the
gradebook and the graded work stay as they were.
"""

from __future__ import annotations

import logging
import os
import threading
import time
import uuid
from typing import Any

from nbconvert.writers import FilesWriter
from nbgrader.converters import Autograde
from nbgrader.converters.base import NbGraderException

from autograder.batch import rows
from autograder.batch.recorded import Recorded
from autograder.rooms import handed_in
from autograder.rooms.names import Names
from autograder.rooms.notebooks import Notebooks
from autograder.rooms.progress import BY_HAND, RunProgress
from autograder.rooms.run import GradingRun
from autograder.terminal.chatter import Chatter, Printable
from autograder.terminal.report import Reason
from autograder.terminal.words import count

_MOST_LINES = 50


class _Progress(RunProgress):
    """The list of answers that may not be by hand is written elsewhere; here it is known what will be in it. And the
    student's rows are there before grading begins.
    """

    def _make_row(self, assignment: str, student: str) -> None:
        pass

    def _listed(self, assignment: str, student: str) -> None:
        rooms = self._converter.exporter
        found = {(row["notebook"], row.get("question")) for _, rows in rooms.findings for row in rows}
        if found:
            self._report.note(student, BY_HAND.format(answers=count(len(found), "answer")), Reason.BY_HAND)


class GraderNotebooks(Notebooks):
    """The exporter of a grader."""

    def __init__(self, config: Any = None, **options: Any) -> None:
        super().__init__(config=config, **options)
        self.findings: list[tuple[dict[str, str], list[dict[str, Any]]]] = []

    def list_findings(self, who: dict[str, str], rows: list[dict[str, Any]]) -> None:
        self.findings.append((who, rows))


class Log(logging.Handler):
    """Keeps what the terminal would show of nbgrader's log, for each thread what is logged in it."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: dict[int, list[str]] = {}
        self.addFilter(Chatter())
        self.setFormatter(Printable(color=False))

    def emit(self, record: logging.LogRecord) -> None:
        lines = self.lines.setdefault(threading.get_ident(), [])
        if len(lines) < _MOST_LINES:
            lines.append(self.format(record))

    def take(self) -> list[str]:
        """What this thread has logged since the last time."""
        return self.lines.pop(threading.get_ident(), [])


class Grader:
    """Grades one submission after another, in one thread, with nbgrader's own converter."""

    def __init__(self, app: Any, private: rows.Private, course: rows.Rows, log: Log) -> None:
        self._course, self._private, self._log = course, private, log
        known = app.coursedir
        courses = type(known)(parent=app, **{name: getattr(known, name) for name in known.trait_names(config=True)})
        converter = self._converter = Autograde(coursedir=courses, parent=app)
        converter.writer = FilesWriter(parent=converter, config=converter.config)
        self.notebooks = GraderNotebooks(parent=converter, config=converter.config)
        converter.exporter = self.notebooks
        self._steps = {name: getattr(converter, name) for name in _WRAPPED}

    def rehearse(self, order: dict[str, Any], submitted: str, run: GradingRun) -> None:
        """Grades nobody's submission in the folder `submitted`. The course's own hooks are not called; this grader
        grades nothing else afterwards.
        """
        converter = self._converter
        converter.coursedir.submitted_directory = submitted
        converter.pre_convert_hook = converter.post_convert_hook = lambda **_: None
        self.grade(order, run)

    def grade(self, order: dict[str, Any], run: GradingRun) -> dict[str, Any]:
        """Grades what `order` names; the reply has the student's rows, and `tell` tells a report of the rest."""
        begun = time.monotonic()
        converter, notebooks, student = self._converter, self.notebooks, order["student"]
        notebooks.run = run
        report = notebooks.report = Recorded()
        notebooks.findings = []
        self._log.take()
        for name, step in self._steps.items():
            setattr(converter, name, step)
        notebooks.names = Names(run, report)
        _Progress(converter, run, report, notebooks.names)
        converter.coursedir.student_id = student
        # A folder of its own: where a worker of a cluster was lost, another grader may have begun the same order.
        into = converter.coursedir.autograded_directory = os.path.join(order["into"], uuid.uuid4().hex)
        converter.assignments = {order["folder"]: order["notebooks"]}
        handed_in.prepare(converter, report)
        known = order["rows"]
        if converter.assignments and (known["student"] or converter.create_student):
            known = rows.with_submission(self._course, student, known)
        self._private.hold(known)
        try:
            converter.convert_notebooks()
        except NbGraderException as error:  # of the whole run, where there are several submissions in one
            report.failed(student, " ".join(str(error).split()))
        with self._private.engine.connect() as connection:
            after = rows.of_the_student(connection)
        return {
            "into": into,
            "events": report.events,
            "rows": after,
            "findings": notebooks.findings,
            "log": self._log.take(),
            "seconds": time.monotonic() - begun,
        }


_WRAPPED = ("init_destination", "init_assignment", "convert_single_notebook", "set_permissions")
"""The converter's methods that `RunProgress` wraps."""
