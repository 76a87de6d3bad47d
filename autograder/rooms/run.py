"""What all submissions of one grading run share: the workers, the gradebook's connection, the course's cells.

`choose_isolation` comes first, then `open_gradebook`. `end` must be called in any case: in a formgrader the process
lives on, and would keep the workers and the connection.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook
from nbgrader.converters.base import NbGraderException
from nbgrader.preprocessors import ClearHiddenTests

from autograder.rooms import course_cells, gradebook_lock, ways
from autograder.rooms.as_released import Outputs
from autograder.rooms.course_cells import CourseCells, Owner, without_hidden_tests
from autograder.rooms.scribe import Scribe
from autograder.rooms.ways import Way
from autograder.sandbox import seccomp
from autograder.sandbox.limits import LANDLOCK, NAMES, NAMESPACES, NONE, Limits
from autograder.sandbox.visible import clean_environment
from autograder.workers import wire
from autograder.workers.client import WorkerClient
from autograder.workers.errors import NoRoom
from autograder.workers.launcher import Launcher
from autograder.workers.launchers import Launchers
from autograder.workers.pool import WorkerPool

ISOLATED = "Student code is locked in by {how}."
UNSAFE = "GRADING WITHOUT ISOLATION, because Engine.unsafe is set: student code runs with your rights."
REFUSED = (
    "Nothing was graded: student code cannot be isolated on this machine.\n"
    "  namespaces: {namespaces}\n  Landlock: {landlock}\n"
    "Needed is Linux with unprivileged user namespaces or with Landlock (5.13 or later), and libseccomp with pyseccomp "
    "(Debian, Ubuntu: apt install libseccomp2; then pip install pyseccomp). On macOS or Windows grade inside a Linux "
    "container or virtual machine.\n"
    "If you trust every submission as your own code: c.Engine.unsafe = True in nbgrader_config.py."
)
STRONGEST = "strongest"
_DRAW = (
    "from autograder.questions import Question\n"
    "for one in [found for found in list(globals().values()) if isinstance(found, Question)]: one.draw_public()"
)
"""A cell that draws the public points of the questions of the cells above."""
EXECUTION = {"NBGRADER_EXECUTION": "autograde"}
"""What nbgrader sets in the environment of the cells that it runs."""


class GradingRun:
    """`source_folder` names the folder of an assignment's own files, `submissions` counts those of a notebook."""

    def __init__(
        self,
        limits: Limits,
        fork: bool,
        source_folder: Callable[[str], str],
        submissions: Callable[[str], int],
        root: Path,
    ) -> None:
        self.limits = limits
        self.root = root
        """The course's folder."""
        self.level = ""
        """Of isolation; empty until it is chosen."""
        self.source_folder = source_folder
        self.fork, self._submissions = fork, submissions
        self.environment = {**os.environ, **EXECUTION}
        """Of the course's own code. It is copied once, because it must not change while it is copied."""
        self._students_environment = {**clean_environment(), **EXECUTION}
        self.launchers = Launchers(fork, self._course_code)
        self.scribe = Scribe()
        self.meanwhile: Callable[[], AbstractContextManager[object]] = nullcontext
        """In it one waits for rooms and for the scribe: other graders of this process may go on."""
        self.outputs = Outputs()
        self._pool = WorkerPool(self._start, self._needed)
        self._gradebook: Gradebook | None = None
        self._alone = False
        """Whether nobody else writes the gradebook."""
        self._course_cells: dict[tuple[str, str], CourseCells] = {}
        self._ways: dict[tuple[str, str], Mapping[str, Way]] = {}
        self._points: dict[str, dict[str, float]] = {}

    def choose_isolation(self, wanted: str, unsafe: bool, log: Any) -> str:
        """Sets the strongest level that works here, tried rather than guessed, and returns the sentence that says so.

        `wanted` is a level, or `STRONGEST`. NbGraderException if none works and grading is not `unsafe`.
        """
        levels = [NAMESPACES, LANDLOCK, NONE] if wanted == STRONGEST else [wanted]
        problems = dict.fromkeys((NAMESPACES, LANDLOCK), "not tried")
        for level in levels:
            if level == NONE and not unsafe:
                continue
            try:
                if level != NONE:
                    self._try(level)
            except NoRoom as problem:
                problems[level] = str(problem)
                continue
            self.level = level
            return UNSAFE if level == NONE else ISOLATED.format(how=NAMES[level])
        log.error(REFUSED.format(**problems))
        raise NbGraderException("student code cannot be isolated on this machine")

    def open_gradebook(self, coursedir: Any, patience: float, log: Any) -> None:
        """Opens the run's one connection; NbGraderException if another process has the gradebook for too long."""
        self._gradebook = gradebook_lock.open_gradebook(coursedir, patience, log)

    def use(self, gradebook: Gradebook, level: str, launchers: Launchers[tuple[str, str]]) -> None:
        """Takes the place of `choose_isolation` and `open_gradebook` in a process that another one has forked. Nobody
        else writes that gradebook.
        """
        self._gradebook, self.level, self._alone = gradebook, level, True
        self.launchers = launchers.lent(self._course_code)

    @contextmanager
    def gradebook(self) -> Iterator[Gradebook]:
        """The run's connection, in a new transaction: what was read for an earlier submission is read again, unless
        nobody else can have written it.
        """
        gradebook = self._gradebook
        assert gradebook is not None, "the run has ended"
        if self._alone:
            try:
                yield gradebook
            except BaseException:
                gradebook.db.rollback()
                raise
            return
        gradebook.db.rollback()
        gradebook.db.expire_all()
        try:
            yield gradebook
        finally:
            gradebook.db.rollback()

    def points(self, assignment: str) -> Mapping[str, float]:
        """The points of each notebook of an assignment, by its name; read once in a run."""
        if assignment not in self._points:
            with self.gradebook() as gradebook:
                notebooks = gradebook.find_assignment(assignment).notebooks
                self._points[assignment] = {notebook.name: notebook.max_score for notebook in notebooks}
        return self._points[assignment]

    def course_cells(self, assignment: str, notebook: str) -> CourseCells:
        """The course's cells of a notebook, read once in a run."""
        key = assignment, notebook
        if key not in self._course_cells:
            with self.gradebook() as gradebook:
                source = Path(self.source_folder(assignment)) / f"{notebook}.ipynb"
                self._course_cells[key] = course_cells.read(gradebook, notebook, assignment, source)
        return self._course_cells[key]

    def try_cells(self, assignment: str, notebook: str, cells: CourseCells) -> None:
        """Takes the course's cells from elsewhere than the gradebook, which does not have them yet."""
        self._course_cells[assignment, notebook] = cells

    def ways(self, assignment: str, notebook: str) -> Mapping[str, Way]:
        """How the tests of a notebook get at what is the student's, by the names of their cells."""
        key = assignment, notebook
        if key not in self._ways:
            file = ways.file_of(self.root, assignment)
            self._ways[key] = ways.read(file, notebook, self.course_cells(assignment, notebook))
        return self._ways[key]

    def learn(self, assignment: str, notebooks: Iterable[str], clear: ClearHiddenTests) -> None:
        """Lets the rooms' fork server run what students are given of the course, so that no room reads it anew."""
        cells: list[str] = []
        for notebook in notebooks:
            course = self.course_cells(assignment, notebook)
            both = [c.source for c in course.cells.values() if c.cell_type == "code" and c.owner is Owner.BOTH]
            examples = [source for name, source, _ in course.code if not name and "@question" in source]
            cells += [] if course.language else [without_hidden_tests(clear, c) for c in (*both, *examples)] + [_DRAW]
        self.launchers.learn(cells)

    def worker(self, role: str, assignment: str, notebook: str, keep: int) -> WorkerClient:
        """A worker for an owner (`wire.STUDENT` or `wire.EXAMINER`) of a notebook; `keep` more are made ready."""
        return self._pool.take((role, assignment, notebook), keep)

    def put_away(self, worker: WorkerClient) -> None:
        """Ends a worker that is no longer needed, while the grading goes on."""
        self._pool.put_away(worker)

    def end(self) -> None:
        """Every worker, file and connection of the run is gone when this returns."""
        self._pool.close()
        self.launchers.close()
        self.scribe.close()
        if self._gradebook:
            self._gradebook.close()

    def _try(self, level: str) -> None:
        missing = seccomp.seccomp_problem()
        if missing or not self.fork:
            raise NoRoom(f"missing: {missing}" if missing else "needs Linux and Engine.fork")
        self._start_student(level).close()

    def _start(self, key: tuple[str, str, str]) -> WorkerClient:
        """A worker for (role, assignment, notebook); called in any thread."""
        role, assignment, notebook = key
        if role == wire.STUDENT:
            return self._start_student(self.level)
        launcher, files = self.launchers.examiners((assignment, notebook)), self.source_folder(assignment)
        return launcher.start(role, self.limits, self.environment, files=files)

    def students(self) -> Launcher:
        """What starts students' rooms at the run's level."""
        return self.launchers.students(self.level, self.limits.readable)

    def _start_student(self, level: str) -> WorkerClient:
        launcher = self.launchers.students(level, self.limits.readable)
        return launcher.start(wire.STUDENT, self.limits, self._students_environment, level)

    def _needed(self, key: tuple[str, str, str]) -> int:
        """How many workers of a kind this run needs, if none is lost: a submission has two student's rooms."""
        role, _, notebook = key
        return self._submissions(notebook) * (2 if role == wire.STUDENT else 1)

    def _course_code(self, key: tuple[str, str]) -> list[str]:
        return [c.source for c in self._course_cells[key].cells.values() if c.cell_type == "code" and c.locked]
