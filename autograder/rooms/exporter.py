"""One grading run: no file is touched before student code is known to be isolated, and no submission can end the run.

nbgrader makes one exporter in a run, before it converts anything, and it is the `parent` of every preprocessor. So the
exporter owns what they share (`run`) and what the terminal is told (`report`).
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters import NotebookExporter
from nbformat import NotebookNode
from nbgrader.converters.base import NbGraderException
from traitlets import Float, default

from autograder import by_hand_list, seeds
from autograder.rooms import by_hand_table, gradebook_lock, handed_in
from autograder.rooms.engine import Engine
from autograder.rooms.progress import RunProgress
from autograder.rooms.run import GradingRun
from autograder.sandbox.limits import MB
from autograder.terminal import in_terminal, say
from autograder.terminal.report import Reason, Report
from autograder.terminal.too_early import NOT_IN_GRADEBOOK

NOT_READ = "{file} could not be read as a notebook ({why}); it was graded as empty"
_LARGEST = 64 * MB


class TwoRooms(NotebookExporter):  # type: ignore[misc]  # nbconvert ships no types
    """`Autograde.exporter_class`: writes notebooks as nbconvert's own does, and owns what the submissions share."""

    patience = Float(
        60.0, help="Seconds to wait for a gradebook that another process holds, before and during a run."
    ).tag(config=True)

    @default("optimistic_validation")  # type: ignore[untyped-decorator]
    def _validate_once(self) -> bool:
        return True  # nbconvert validates the whole notebook after every preprocessor otherwise

    def __init__(self, config: Any = None, **options: Any) -> None:
        super().__init__(config=config, **options)
        converter, engine = self.parent, Engine(parent=self)
        self.run = GradingRun(engine.limits(), engine.fork, self._source_folder, self._submissions)
        self.report = Report(lambda line: say(converter, line), self.log)
        try:
            isolated = self.run.choose_isolation(engine.isolation, engine.unsafe, self.log)
            self.run.open_gradebook(converter.coursedir, self.patience, self.log)
            empty = handed_in.without_notebook(converter)
            self._header(empty, isolated)
            with self.run.gradebook() as gradebook:
                handed_in.prepare(converter, gradebook, self.report, empty)
            self._progress = RunProgress(converter, self.run, self.report)
        except BaseException:
            self.run.end()
            raise
        # nbgrader has no event for the end of a run, and in a formgrader the process lives on.
        converter.convert_notebooks = self._whole_run(converter.convert_notebooks)
        if converter.pre_convert_hook is None:
            converter.pre_convert_hook = self.wait_for_gradebook

    def _header(self, empty: list[str], isolated: str) -> None:
        """Reports what is about to be graded. NbGraderException if the assignment is not in the gradebook."""
        converter = self.parent
        name = converter.coursedir.assignment_id
        with self.run.gradebook() as gradebook:
            if name not in [assignment.name for assignment in gradebook.assignments]:
                self.log.error("%s", NOT_IN_GRADEBOOK.format(name=name))
                raise NbGraderException(f"{name} is not in the gradebook")
            public = seeds.public_note(gradebook.db, name)
        aside = by_hand_list.set_aside(self._list())
        students = [handed_in.student_of(converter, folder) for folder in (*converter.assignments, *empty)]
        self.report.header(name, students, isolated, *filter(None, [public, aside]))

    def _whole_run(self, convert: Callable[[], None]) -> Callable[[], None]:
        def convert_and_end() -> None:
            try:
                convert()
                self._progress.graded_before()
            except NbGraderException as error:
                self._progress.graded_before()
                self._summary()
                if gradebook_lock.is_locked(error.__context__):
                    self.log.error(gradebook_lock.HELD, self.patience)
                raise
            finally:
                self.run.end()
            status = self._summary()
            # A formgrader shows whatever is raised as a failure of its button.
            if status and in_terminal(self.parent):
                sys.exit(status)

        return convert_and_end

    def _summary(self) -> int:
        status = self.report.end()
        if in_terminal(self.parent):
            by_hand_table.print_table(self._list(), self.report.students())
        return status

    def not_listed(self, student: str, why: str) -> None:
        """Reports that answers which may not be by hand could not be listed."""
        self.report.note(student, why, Reason.BY_HAND)

    def _list(self) -> Path:
        return Path(self.parent.coursedir.root) / by_hand_list.FILE

    def wait_for_gradebook(self, **_: Any) -> None:
        """Waits before nbgrader would: after five seconds with a locked gradebook nbgrader gives up the whole run."""
        gradebook_lock.is_free(self.parent.coursedir, self.patience, self.log)

    def _submissions(self, notebook: str) -> int:
        """How many of the submissions that are graded have a notebook of this name."""
        return [Path(file).stem for files in self.parent.assignments.values() for file in files].count(notebook)

    def _source_folder(self, assignment: str) -> str:
        """The course's own files, which the examiner's cells can use; it need not exist."""
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
