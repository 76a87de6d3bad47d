"""One grading run: nothing is touched before the rooms are known to be locked, and no submission can end the run.

nbgrader makes one exporter a run, before it converts anything, and hands it to every preprocessor as `parent`. So this
is where the run's own things live: the warm interpreter, the gradebook, the course's cells.
"""

from __future__ import annotations

import functools
import os
import stat
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters import NotebookExporter
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.converters.base import NbGraderException
from traitlets import default

from autograder.rooms import _book, _filters, _sandbox, _submissions, _warm
from autograder.rooms._engine import Engine

ISOLATED = "Grading in two rooms; the student's is locked by %s."
UNSAFE = "GRADING WITHOUT ISOLATION, because Engine.unsafe is set: student code runs with your rights."
REFUSED = (
    "Nothing was graded: student code cannot be isolated on this machine.\n"
    "  namespaces: {namespaces}\n  Landlock: {landlock}\n"
    "Needed is Linux with unprivileged user namespaces or with Landlock (5.13 or later), and libseccomp with pyseccomp "
    "(Debian, Ubuntu: apt install libseccomp2; then pip install pyseccomp). On macOS or Windows grade inside a Linux "
    "container or virtual machine.\n"
    "If you trust every submission as your own code: c.Engine.unsafe = True in nbgrader_config.py."
)
UNREADABLE = "The file that was handed in could not be read as a notebook ({why}). It was graded as empty."
_LARGEST = 64 << 20


class TwoRooms(NotebookExporter):  # type: ignore[misc]  # nbconvert ships no types
    """`Autograde.exporter_class`: writes notebooks as nbconvert's own does, and carries what a grading run shares."""

    @default("optimistic_validation")  # type: ignore[untyped-decorator]
    def _validate_once(self) -> bool:
        return True  # nbconvert validates the whole notebook after every preprocessor otherwise

    def __init__(self, config: Any = None, **options: Any) -> None:
        super().__init__(config=config, **options)
        coursedir = self.parent.coursedir
        self._course, self._url = coursedir.course_id, coursedir.db_url
        engine = Engine(parent=self)
        self.level, self.warm = self._lock(engine)
        self._book = Gradebook(self._url, self._course)
        # However the run ends: the exporter is dropped, or Python exits.
        weakref.finalize(self, _close, self.warm, self._book)
        _submissions.prepare(self.parent, self._book)

    def _lock(self, engine: Engine) -> tuple[str, _warm.Warm]:
        """The strongest level that works here, tried rather than guessed."""
        warm = _warm.Warm(engine.fork)
        levels = [_sandbox.NAMESPACES, _sandbox.LANDLOCK, _sandbox.NONE]
        if engine.isolation != "strongest":
            levels = [engine.isolation]
        problems = dict.fromkeys((_sandbox.NAMESPACES, _sandbox.LANDLOCK), "not tried")
        for level in levels:
            if level == _sandbox.NONE:
                if engine.unsafe:
                    self.log.warning(UNSAFE)
                    return level, warm
                continue
            try:
                missing = _filters.seccomp_problem()
                if missing or not engine.fork:
                    raise _warm.Gone(f"missing: {missing}" if missing else "needs Linux and Engine.fork")
                box = engine.box(level, "")
                warm.room("student", box, _warm.clean_environment(), engine.printed, "").close()
            except _warm.Gone as gone:
                problems[level] = str(gone)
            else:
                self.log.info(ISOLATED, _sandbox.NAMES[level])
                return level, warm
        warm.close()
        self.log.error(REFUSED.format(**problems))
        raise NbGraderException("student code cannot be isolated on this machine")

    @contextmanager
    def gradebook(self) -> Iterator[Gradebook]:
        """The run's one connection; nothing read in an earlier submission is remembered, nothing stays locked."""
        self._book.db.rollback()
        self._book.db.expire_all()
        try:
            yield self._book
        finally:
            self._book.db.rollback()

    @functools.cache  # noqa: B019  (an exporter lives for one run)
    def book(self, assignment: str, notebook: str) -> _book.Book:
        """The course's cells of a notebook."""
        with self.gradebook() as gradebook:
            return _book.read(gradebook, notebook, assignment, Path(self._source(assignment)) / f"{notebook}.ipynb")

    @functools.cache  # noqa: B019
    def examiners(self, assignment: str, notebook: str) -> _warm.Warm:
        """Where the examiner's rooms of a notebook come from."""
        cells = self.book(assignment, notebook).cells.values()
        sources = [c.source for c in cells if c.cell_type == "code" and c.locked]
        try:
            branch = self.warm.branch(sources)
        except _warm.Gone:  # a course's cell ended it; each submission's examiner will meet that cell for itself
            return self.warm
        weakref.finalize(self, branch.close)
        return branch

    def course_files(self, where: dict[str, str]) -> str:
        """The folder of the course's own files, which lie beside the examiner's cells."""
        folder = self._source(where["assignment"])
        return folder if os.path.isdir(folder) else ""

    def _source(self, assignment: str) -> str:
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
            self.log.error("%s could not be read as a notebook: %s", filename, error)
            note = UNREADABLE.format(why=type(error).__name__)
            notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(note)])
        resources["metadata"] = {"name": Path(filename).stem, "path": os.path.dirname(filename)}
        return self.from_notebook_node(notebook, resources, **options)  # type: ignore[no-any-return]


def _close(warm: _warm.Warm, book: Gradebook) -> None:
    warm.close()
    book.close()


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
