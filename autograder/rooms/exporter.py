"""One grading run: nothing is touched before the rooms are known to be locked, and no submission can end the run.

nbgrader makes one exporter a run, before it converts anything, and hands it to every preprocessor as `parent`. So this
is where the run's own things live: the warm interpreter, the gradebook, the course's cells.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters import NotebookExporter
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.converters.base import NbGraderException
from traitlets import Float, default

from autograder import by_hand_list, seeds
from autograder.errors import AutograderError
from autograder.rooms import course_cells, gradebook_lock, handed_in, progress
from autograder.rooms.engine import Engine
from autograder.sandbox import isolation, seccomp
from autograder.terminal import in_terminal, say
from autograder.terminal.report import Reason, Report
from autograder.terminal.too_early import NOT_IN_GRADEBOOK
from autograder.workers import launcher, pool, sources, wire
from autograder.workers.client import Handle
from autograder.workers.process import NoRoom

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
NOT_READ = "{file} could not be read as a notebook ({why}); it was graded as empty"
_LARGEST = 64 << 20


class TwoRooms(NotebookExporter):  # type: ignore[misc]  # nbconvert ships no types
    """`Autograde.exporter_class`: writes notebooks as nbconvert's own does, and carries what a grading run shares."""

    patience = Float(
        60.0, help="Seconds to wait for a gradebook that another process holds, before and during a run."
    ).tag(config=True)

    @default("optimistic_validation")  # type: ignore[untyped-decorator]
    def _validate_once(self) -> bool:
        return True  # nbconvert validates the whole notebook after every preprocessor otherwise

    def __init__(self, config: Any = None, **options: Any) -> None:
        super().__init__(config=config, **options)
        converter = self.parent
        self._books: dict[tuple[str, str], course_cells.Book] = {}
        self._engine = Engine(parent=self)
        self._sources = sources.Sources(self._engine.fork, self._course_cells)
        self.rooms = pool.Ahead(self._make, self._expected)
        self._gradebook: Gradebook | None = None
        self.report = Report(lambda line: say(converter, line), self.log)
        try:
            self.level = self._lock()
            self._gradebook = gradebook_lock.open_book(converter.coursedir, self.patience, self.log)
            empty = handed_in.without_notebook(converter)
            self._header(empty)
            handed_in.prepare(converter, self._gradebook, self.report, empty)
            self._watched = progress.Watched(self, self.report)
        except BaseException:
            self.end()
            raise
        # nbgrader has no event for the end of a run, and in a formgrader the process lives on.
        converter.convert_notebooks = self._whole_run(converter.convert_notebooks)
        if converter.pre_convert_hook is None:
            converter.pre_convert_hook = self.wait_for_gradebook

    def _header(self, empty: list[str]) -> None:
        """What is about to be graded; the assignment must be in the gradebook, or nobody can be."""
        converter = self.parent
        name = converter.coursedir.assignment_id
        with self.gradebook() as gradebook:
            if name not in [assignment.name for assignment in gradebook.assignments]:
                self.log.error("%s", NOT_IN_GRADEBOOK.format(name=name))
                raise NbGraderException(f"{name} is not in the gradebook")
            public = seeds.public_note(gradebook.db, name)
        try:
            by_hand_list.read(self._list())
        except AutograderError as error:
            self.log.error("Nothing was graded, because %s", error)
            raise NbGraderException(str(error)) from None
        students = [handed_in.student_of(converter, folder) for folder in (*converter.assignments, *empty)]
        isolated = UNSAFE if self.level == isolation.NONE else ISOLATED.format(how=isolation.NAMES[self.level])
        self.report.header(name, students, isolated, *filter(None, [public]))

    def _whole_run(self, convert: Callable[[], None]) -> Callable[[], None]:
        def convert_and_end() -> None:
            try:
                convert()
                self._watched.graded_before()
            except NbGraderException as error:
                self._watched.graded_before()
                self._summary()
                if gradebook_lock.is_locked(error.__context__):
                    self.log.error(gradebook_lock.HELD, self.patience)
                raise
            finally:
                self.end()
            status = self._summary()
            # A formgrader shows whatever is raised as a failure of its button.
            if status and in_terminal(self.parent):
                sys.exit(status)

        return convert_and_end

    def _summary(self) -> int:
        status = self.report.end()
        if in_terminal(self.parent):
            by_hand_list.show(self._list(), self.report.students())
        return status

    def _list(self) -> Path:
        return Path(self.parent.coursedir.root) / by_hand_list.FILE

    def wait_for_gradebook(self, **_: Any) -> None:
        """Before nbgrader needs it: nbgrader waits five seconds for a gradebook that is held, and gives up the run."""
        gradebook_lock.is_free(self.parent.coursedir, self.patience, self.log)

    def end(self) -> None:
        """Every room, file and connection of the run is gone when this returns."""
        self.rooms.close()
        self._sources.close()
        if self._gradebook:
            self._gradebook.close()

    def _lock(self) -> str:
        """The strongest level that works here, tried rather than guessed."""
        engine = self._engine
        levels = [isolation.NAMESPACES, isolation.LANDLOCK, isolation.NONE]
        if engine.isolation != "strongest":
            levels = [engine.isolation]
        problems = dict.fromkeys((isolation.NAMESPACES, isolation.LANDLOCK), "not tried")
        for level in levels:
            if level == isolation.NONE:
                if engine.unsafe:
                    return level
                continue
            try:
                missing = seccomp.seccomp_problem()
                if missing or not engine.fork:
                    raise NoRoom(f"missing: {missing}" if missing else "needs Linux and Engine.fork")
                self._student_room(level).close()
            except NoRoom as problem:
                problems[level] = str(problem)
            else:
                return level
        self.log.error(REFUSED.format(**problems))
        raise NbGraderException("student code cannot be isolated on this machine")

    def _student_room(self, level: str) -> Handle:
        environment = {**launcher.clean_environment(), "NBGRADER_EXECUTION": "autograde"}
        box = self._engine.box(level)
        return self._sources.students().room(wire.STUDENT, box, environment, self._engine.printed)

    def _make(self, key: tuple[str, str, str]) -> Handle:
        """A room for (role, assignment, notebook); in any thread."""
        role, assignment, notebook = key
        if role == wire.STUDENT:
            return self._student_room(self.level)
        environment = {**os.environ, "NBGRADER_EXECUTION": "autograde"}
        source, files = self._sources.examiners((assignment, notebook)), self._source(assignment)
        return source.room(role, None, environment, self._engine.printed, files if os.path.isdir(files) else "")

    def _expected(self, key: tuple[str, str, str]) -> int:
        """At most how many rooms of a kind this run needs, should none be lost."""
        role, _, notebook = key
        names = [Path(file).stem for files in self.parent.assignments.values() for file in files]
        return names.count(notebook) * (2 if role == wire.STUDENT else 1)

    @contextmanager
    def gradebook(self) -> Iterator[Gradebook]:
        """The run's one connection; nothing read in an earlier submission is remembered, nothing stays locked."""
        book = self._gradebook
        assert book is not None, "the run has ended"
        book.db.rollback()
        book.db.expire_all()
        try:
            yield book
        finally:
            book.db.rollback()

    def book(self, assignment: str, notebook: str) -> course_cells.Book:
        """The course's cells of a notebook."""
        key = assignment, notebook
        if key not in self._books:
            with self.gradebook() as gradebook:
                source = Path(self._source(assignment)) / f"{notebook}.ipynb"
                self._books[key] = course_cells.read(gradebook, notebook, assignment, source)
        return self._books[key]

    def _course_cells(self, key: tuple[str, str]) -> list[str]:
        return [c.source for c in self._books[key].cells.values() if c.cell_type == "code" and c.locked]

    def _source(self, assignment: str) -> str:
        """The folder of the course's own files, which lie beside the examiner's cells."""
        coursedir = self.parent.coursedir
        return str(os.path.abspath(coursedir.format_path(coursedir.source_directory, ".", assignment)))

    def from_filename(self, filename: str, resources: Any = None, **options: Any) -> tuple[str, Any]:
        """As nbconvert does it; a file that is no notebook is graded as an empty one."""
        try:
            known = os.lstat(filename)
            if not stat.S_ISREG(known.st_mode) or known.st_size > _LARGEST:
                raise ValueError("not a regular file of a sensible size")
            with open(filename, encoding="utf-8") as file:
                notebook = _tidy(nbformat.read(file, as_version=4))
        except Exception as error:
            why = NOT_READ.format(file=os.path.basename(filename), why=type(error).__name__)
            self.report.note(resources["nbgrader"]["student"], why, Reason.UNREADABLE)
            self.log.debug("%s could not be read as a notebook: %s", filename, error)
            note = handed_in.UNREADABLE.format(why=type(error).__name__)
            notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(note)])
        resources["metadata"] = {"name": Path(filename).stem, "path": os.path.dirname(filename)}
        return self.from_notebook_node(notebook, resources, **options)  # type: ignore[no-any-return]


def _tidy(notebook: NotebookNode) -> NotebookNode:
    """The notebook, if it has the shape of one; text that could not be written as UTF-8 is repaired."""
    for cell in notebook.cells:
        if cell.cell_type not in ("code", "markdown", "raw") or not isinstance(cell.source, str):
            raise ValueError("not a cell")
        if not isinstance(cell.get("metadata"), dict):
            cell.metadata = NotebookNode()
        cell.source = cell.source.encode("utf-8", "replace").decode("utf-8")
        if cell.cell_type == "code":
            cell.setdefault("outputs", [])
            cell.setdefault("execution_count", None)
    return notebook
