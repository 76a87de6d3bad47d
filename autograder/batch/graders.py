"""The graders of one process, each in a thread of its own, and what they share: rooms made ahead, a scribe, the course.

nbgrader's converter changes what there is once in a process, such as its environment. So only one grader is at work in
it at a time, and the others wait for their rooms. That costs little, for most of the work is done in the rooms; and a
process of its own would cost each grader some 50 MB, because Python writes into whatever it looks at.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NoReturn

from nbgrader.preprocessors import ClearHiddenTests

from autograder.batch import rows
from autograder.batch.grader import Grader, Log
from autograder.batch.lines import Lines, pack
from autograder.rooms import first_use
from autograder.rooms.course_cells import CourseCells
from autograder.rooms.engine import Engine
from autograder.rooms.run import EXECUTION, GradingRun
from autograder.rooms.ways import tests
from autograder.terminal import show
from autograder.workers.launchers import Launchers

_NO_END = 1 << 30
"""How many submissions a grader may get: it is not known."""
_NOBODY = "-"
"""Whose submission is rehearsed; no grader that grades others ever sees it."""
_SWITCH = 0.0005
"""Seconds after which a thread lets another one go on, a tenth of Python's own: rooms wait for short answers."""


class Graders:
    """`app` is nbgrader's command with the course's configuration, `course` the assignment's rows of the gradebook.

    It is made once on a machine; each process that is forked from that one calls `serve`.
    """

    def __init__(self, app: Any, course: rows.Rows, level: str, launchers: Launchers[tuple[str, str]]) -> None:
        self._app, self._course = app, course
        self._private = rows.private(course, app.coursedir.course_id)
        app.coursedir.db_url = "sqlite://"  # whatever looks for a gradebook by its address finds an empty one
        self._files = [handler for handler in app.log.handlers if isinstance(handler, logging.FileHandler)]
        self._log = Log()
        app.log.handlers[:] = [self._log]
        rehearsing = self._rehearsing = Grader(app, self._private, course, self._log)
        engine = Engine(parent=rehearsing.notebooks)
        root = Path(app.coursedir.root)
        run = self._run = GradingRun(engine.limits(), engine.fork, self._source_folder, lambda _: _NO_END, root)
        run.use(self._private, level, launchers)
        self._turn = threading.Lock()
        """Held by the grader that is at work."""

    def prepare(self) -> None:
        """For all graders: the rooms' fork servers run the course's cells, each what it may know of them. Meanwhile
        this process does what each grader would do with its first submission.
        """
        assignment, run = self._app.coursedir.assignment_id, self._run
        names = list(run.points(assignment))
        courses = {name: run.course_cells(assignment, name) for name in names}
        run.scribe.start()  # before there is another thread
        with ThreadPoolExecutor(1) as beside:
            rooms = beside.submit(self._prepare_rooms, assignment, courses)
            for name in names:
                run.ways(assignment, name)
            with contextlib.suppress(OSError):  # all that it saves is time
                self._rehearse(assignment, names)
            rooms.result()
        run.scribe.close()
        self._app.log.handlers += self._files

    def _prepare_rooms(self, assignment: str, courses: Mapping[str, CourseCells]) -> None:
        run = self._run
        run.learn(assignment, courses, ClearHiddenTests(parent=self._rehearsing.notebooks))
        run.students()
        for name, course in courses.items():
            if not course.language and tests(course):
                run.launchers.examiners((assignment, name))

    def _rehearse(self, assignment: str, names: Sequence[str]) -> None:
        """Grades a submission of nobody's whose notebooks cannot be read, so that it needs no room. Then what Python
        compiles, looks up and keeps once is there.
        """
        first_use.make()
        with self._private.engine.begin() as connection:
            none = rows.of_student(connection, assignment, _NOBODY)
        with tempfile.TemporaryDirectory() as folder:
            submitted = os.path.join(folder, "submitted")
            mine = Path(self._app.coursedir.format_path(submitted, _NOBODY, assignment))
            mine.mkdir(parents=True)
            notebooks = [mine / f"{name}.ipynb" for name in names]
            for notebook in notebooks:
                notebook.touch()
            (mine / "timestamp.txt").write_text("2000-01-01 00:00:00 UTC")
            order = {
                "student": _NOBODY,
                "assignment": assignment,
                "folder": str(mine),
                "notebooks": list(map(str, notebooks)),
                "into": os.path.join(folder, "graded"),
                "rows": rows.with_submission(self._course, _NOBODY, none),
            }
            self._rehearsing.rehearse(order, submitted, self._run)

    def _source_folder(self, assignment: str) -> str:
        courses = self._app.coursedir
        return str(os.path.abspath(courses.format_path(courses.source_directory, ".", assignment)))

    def serve(self, control: socket.socket) -> NoReturn:
        """The life of a process that grades: each connection that comes over `control` is a new grader's."""
        with ending():
            sys.setswitchinterval(_SWITCH)
            self._run.use(self._private, self._run.level, self._run.launchers)
            self._run.meanwhile = self._others
            self._run.scribe.start()  # before there is another thread
            graders = []
            while (got := socket.recv_fds(control, 1, 1))[0]:
                graders.append(threading.Thread(target=self._grade, args=(socket.socket(fileno=got[1][0]),)))
                graders[-1].start()
            for grader in graders:
                grader.join()
            self._run.end()
        os._exit(0)

    def _grade(self, connection: socket.socket) -> None:
        """A grader's whole life: an order a line, a reply a line."""
        with ending(), connection, contextlib.suppress(EOFError, ConnectionError):
            with self._turn:
                grader = Grader(self._app, self._private, self._course, self._log)
            orders = Lines(connection)
            while True:
                order = orders.receive()
                with self._turn:
                    said = grader.grade(order, self._run)
                connection.sendall(pack(said))

    @contextlib.contextmanager
    def _others(self) -> Iterator[None]:
        """While the grader that is at work waits for another process, other graders are."""
        marks = {name: os.environ.pop(name) for name in EXECUTION if name in os.environ}
        self._turn.release()
        try:
            yield
        finally:
            self._turn.acquire()
            os.environ.update(marks)


@contextlib.contextmanager
def ending() -> Iterator[None]:
    """Whatever is raised in a forked process ends it there, and is said: it would go on as its parent otherwise."""
    try:
        yield
    except BaseException as error:
        show(f"A process that grades has ended: {type(error).__name__}: {error}", sys.stderr)
        os._exit(1)
