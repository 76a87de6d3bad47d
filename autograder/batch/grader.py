"""Grades one submission after another with nbgrader's own converter, and never opens the course's gradebook.

It is given the rows of the gradebook that it needs and puts them into one in memory. What it grades goes into a folder
aside, which whoever has given the order puts in place once the rows are saved. So whatever ends this process, the
gradebook and the graded work stay as they were.
"""

from __future__ import annotations

import logging
import os
import time
import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.writers import FilesWriter
from nbformat.v4 import new_notebook
from nbgrader.converters import Autograde
from nbgrader.converters.base import NbGraderException
from nbgrader.preprocessors import ClearHiddenTests

from autograder.batch import rows
from autograder.batch.recorded import Recorded
from autograder.rooms import handed_in
from autograder.rooms.course_cells import CourseCells
from autograder.rooms.engine import Engine
from autograder.rooms.names import Names
from autograder.rooms.notebooks import Notebooks
from autograder.rooms.progress import BY_HAND, RunProgress
from autograder.rooms.run import GradingRun
from autograder.rooms.save_grades import SaveGrades
from autograder.rooms.ways import tests
from autograder.terminal.chatter import Chatter, Printable
from autograder.terminal.report import Reason
from autograder.terminal.words import count
from autograder.workers.launchers import Launchers

_NO_END = 1 << 30
"""How many submissions a grader may get: it is not known."""
_MOST_LINES = 50
_NOBODY = "-"
"""Whose submission is rehearsed; it is forgotten before the first one is graded."""


class _Progress(RunProgress):
    """The list of answers that may not be by hand is written elsewhere; here it is known what will be in it."""

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


class _Lines(logging.Handler):
    """Keeps what the terminal would show of nbgrader's log."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []
        self.addFilter(Chatter())
        self.setFormatter(Printable(color=False))

    def emit(self, record: logging.LogRecord) -> None:
        if len(self.lines) < _MOST_LINES:
            self.lines.append(self.format(record))


class Grader:
    """`app` is nbgrader's command with the course's configuration; `course` the assignment's rows of the gradebook.

    It is made once on a machine; each process that is forked from that one calls `begin` before it grades.
    """

    def __init__(self, app: Any, course: rows.Rows, level: str, launchers: Launchers[tuple[str, str]]) -> None:
        self._course = course
        self._private = rows.private(course, app.coursedir.course_id)
        app.coursedir.db_url = "sqlite://"  # whatever looks for a gradebook by its address finds an empty one
        self._log = _Lines()
        app.log.handlers[:] = [*(h for h in app.log.handlers if isinstance(h, logging.FileHandler)), self._log]
        converter = self._converter = Autograde(coursedir=app.coursedir, parent=app)
        converter.writer = FilesWriter(parent=converter, config=converter.config)
        notebooks = self._notebooks = GraderNotebooks(parent=converter, config=converter.config)
        converter.exporter = notebooks
        engine = Engine(parent=notebooks)
        root = Path(app.coursedir.root)
        notebooks.run = GradingRun(engine.limits(), engine.fork, self._source_folder, lambda _: _NO_END, root)
        notebooks.run.use(self._private, level, launchers)
        self._steps = {name: getattr(converter, name) for name in _WRAPPED}

    def prepare(self) -> None:
        """For all graders: the rooms' fork servers run the course's cells, each what it may know of them. Meanwhile
        this process does what each grader would do with its first submission.
        """
        assignment = self._converter.coursedir.assignment_id
        run = self._notebooks.run
        with run.gradebook() as gradebook:
            names = [notebook.name for notebook in gradebook.find_assignment(assignment).notebooks]
        courses = {name: run.course_cells(assignment, name) for name in names}
        with ThreadPoolExecutor(1) as beside:
            rooms = beside.submit(self._prepare_rooms, assignment, courses)
            for name in names:
                run.ways(assignment, name)
            for name in names[:1]:
                self._rehearse({"student": _NOBODY, "assignment": assignment, "notebook": name})
            rooms.result()

    def _prepare_rooms(self, assignment: str, courses: Mapping[str, CourseCells]) -> None:
        run = self._notebooks.run
        run.learn(assignment, courses, ClearHiddenTests(parent=self._notebooks))
        run.students()
        for name, course in courses.items():
            if not course.language and tests(course):
                run.launchers.examiners((assignment, name))

    def _rehearse(self, where: dict[str, str]) -> None:
        """Has nbformat make its validator and SQLAlchemy compile its queries, by an empty notebook of nobody's."""
        nbformat.validate(new_notebook())
        assignment, student = where["assignment"], where["student"]
        with self._private.engine.begin() as connection:
            none = rows.of_student(connection, assignment, student)
            rows.put(connection, rows.with_submission(self._course, student, none))
        self._notebooks.report = Recorded()
        SaveGrades(parent=self._notebooks).preprocess(new_notebook(), {"nbgrader": where})
        with self._notebooks.run.gradebook() as gradebook:
            gradebook.update_or_create_student(student)
            submission = gradebook.update_or_create_submission(assignment, student)
            assert not submission.score
            assert not any(grade.auto_score for one in submission.notebooks for grade in one.grades)
        with self._private.engine.begin() as connection:
            rows.forget(connection)

    def begin(self) -> None:
        """In the process that grades."""
        run = self._notebooks.run
        run.use(self._private, run.level, run.launchers)
        run.scribe.start()

    def _source_folder(self, assignment: str) -> str:
        courses = self._converter.coursedir
        return str(os.path.abspath(courses.format_path(courses.source_directory, ".", assignment)))

    def grade(self, order: dict[str, Any]) -> dict[str, Any]:
        """Grades what `order` names; the reply has the student's rows, and `tell` tells a report of the rest."""
        begun = time.monotonic()
        converter, notebooks, student = self._converter, self._notebooks, order["student"]
        report = notebooks.report = Recorded()
        notebooks.findings, self._log.lines = [], []
        for name, step in self._steps.items():
            setattr(converter, name, step)
        notebooks.names = Names(notebooks.run, report)
        _Progress(converter, notebooks.run, report, notebooks.names)
        converter.coursedir.student_id = student
        # A folder of its own: where a worker of a cluster was lost, another grader may have begun the same order.
        into = converter.coursedir.autograded_directory = os.path.join(order["into"], uuid.uuid4().hex)
        converter.assignments = {order["folder"]: order["notebooks"]}
        handed_in.prepare(converter, report)
        known = order["rows"]
        if converter.assignments and (known["student"] or converter.create_student):
            known = rows.with_submission(self._course, student, known)
        with self._private.engine.begin() as connection:
            rows.forget(connection)
            rows.put(connection, known)
        try:
            converter.convert_notebooks()
        except NbGraderException as error:  # of the whole run, where there are several submissions in one
            report.failed(student, " ".join(str(error).split()))
        with self._private.engine.connect() as connection:
            after = rows.of_student(connection, order["assignment"], student)
        return {
            "into": into,
            "events": report.events,
            "rows": after,
            "findings": notebooks.findings,
            "log": self._log.lines,
            "seconds": time.monotonic() - begun,
        }

    def close(self) -> None:
        """Ends what the grader has started."""
        self._notebooks.run.end()


_WRAPPED = ("init_destination", "init_assignment", "convert_single_notebook", "set_permissions")
"""The converter's methods that `RunProgress` wraps."""
