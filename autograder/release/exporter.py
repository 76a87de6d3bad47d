"""Makes `nbgrader generate_assignment` fill the gradebook without --force, and never lose an old release.

nbgrader skips an assignment whose release exists, even if the gradebook lacks it; with --force it deletes the release
before the new one is made (nbgrader/converters/base.py). Here the release is made in a temporary folder. Only if that
succeeds are the files that differ replaced; the old ones are kept.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from nbconvert.exporters import NotebookExporter
from nbgrader.api import Gradebook
from nbgrader.converters import GenerateAssignment
from nbgrader.converters.base import NbGraderException

from autograder.release import folder, regrade
from autograder.rooms import gradebook_lock
from autograder.terminal import say
from autograder.terminal.words import count

IN_GRADEBOOK = "{name} is in the gradebook: {notebooks}, {cells} with points, {points:g} points in all."
UNCHANGED = "{release} is unchanged: it is what {source} gives."
WRITTEN = "{release} is written: {files}."
CHANGED = "{release} has changed: {files}."
ASIDE = " What was there before is in {aside}."
IN_GIT = " What was there before is in git."
REFUSED = "{name} was not generated, and {release} is as it was: {why}"
HALF = "{name} was generated, but {release} may not be whole; run the command again once this is mended: {why}"
HAS_WORK = (
    "submissions of {name} are in the gradebook, so no notebook and no cell with points, solution or tests may be added "
    "or removed; undo that in {source}, or give up every mark of {name} with `nbgrader db assignment remove {name} "
    "--force`, and run the command again."
)


class ReleaseExporter(NotebookExporter):  # type: ignore[misc]  # nbconvert ships no types
    """The exporter for `GenerateAssignment.exporter_class`: writes into a temporary folder first."""

    def __init__(self, config: Any = None, **options: Any) -> None:
        super().__init__(config=config, **options)
        if isinstance(self.parent, GenerateAssignment):
            self._staging = ""
            self._patience = gradebook_lock.patience_of(self.config)
            self._released = self.parent._format_dest
            self._problem: Exception | None = None
            self._failed_at, self._writing_began = "", False
            self._rules: dict[tuple[str, ...], Any] = {}
            self._wrap(self.parent)

    def _wrap(self, converter: Any) -> None:
        """Replaces methods of this run's converter, because nbgrader 0.9 has no hook for these steps."""
        converter._format_dest = self._staged_path
        converter.convert_notebooks = self._in_staging(converter.convert_notebooks)
        converter.init_assignment = self._recording_errors(converter.init_assignment)
        converter.convert_single_notebook = self._recording_errors(converter.convert_single_notebook)
        converter.set_permissions = self._recording_errors(self._replacing(converter.set_permissions))

    def _staged_path(self, assignment_id: str, student_id: str, escape: bool = False) -> str:
        return os.path.join(self._staging, assignment_id)

    def _in_staging(self, convert: Callable[[], None]) -> Callable[[], None]:
        def convert_in_staging() -> None:
            converter = self.parent
            if not converter.no_database and not gradebook_lock.is_free(converter.coursedir, self._patience, self.log):
                self._refuse(gradebook_lock.HELD % self._patience)
            if not converter.no_database:
                self._rules = regrade.rules(converter.coursedir.db_url, converter.coursedir.assignment_id)
            with tempfile.TemporaryDirectory(prefix="release-") as self._staging:
                try:
                    convert()
                except NbGraderException as error:
                    self._refuse(self._why(self._problem or error))

        return convert_in_staging

    def _recording_errors(self, step: Callable[..., None]) -> Callable[..., None]:
        def recorded(*arguments: Any) -> None:
            try:
                step(*arguments)
            except Exception as error:
                self._problem, self._failed_at = error, os.path.basename(str(arguments[0]))
                raise

        return recorded

    def _replacing(self, set_permissions: Callable[..., None]) -> Callable[..., None]:
        def replace(assignment_id: str, student_id: str) -> None:
            set_permissions(assignment_id, student_id)
            coursedir = self.parent.coursedir
            there = Path(os.path.normpath(self._released(assignment_id, student_id)))
            first = not there.exists()
            made = Path(self._staged_path(assignment_id, student_id))
            self._writing_began = True
            changes = folder.replace(made, there, complete=coursedir.notebook_id == "*")
            if coursedir.groupshared:
                for path in (there, *(p for p in there.rglob("*") if p.is_dir())):
                    with suppress(PermissionError):
                        path.chmod(path.stat().st_mode | 0o2770)
            if not self.parent.no_database:
                self._tell(self._in_gradebook(assignment_id))
            self._tell(self._what_changed(changes, first, there))
            if again := regrade.notice(coursedir.db_url, assignment_id, self._rules):
                self._tell(again)

        return replace

    def _tell(self, line: str) -> None:
        say(self.parent, line)

    def _in_gradebook(self, assignment: str) -> str:
        with Gradebook(self.parent.coursedir.db_url, self.parent.coursedir.course_id) as gradebook:
            found = gradebook.find_assignment(assignment)
            cells = sum(len(notebook.grade_cells) + len(notebook.task_cells) for notebook in found.notebooks)
            return IN_GRADEBOOK.format(
                name=assignment,
                notebooks=count(len(found.notebooks), "notebook"),
                cells=count(cells, "cell"),
                points=found.max_score,
            )

    def _what_changed(self, changes: folder.Changes, first: bool, there: Path) -> str:
        source = self._relative(self._source())
        release = self._relative(there)
        if not changes:
            return UNCHANGED.format(release=release, source=source)
        if first:
            return WRITTEN.format(release=release, files=", ".join(changes.new))
        files = [
            *(f"{name} (changed)" for name in changes.changed),
            *(f"{name} (new)" for name in changes.new),
            *(f"{name} (removed: {source} does not give it)" for name in changes.gone),
        ]
        told = CHANGED.format(release=release, files=", ".join(files))
        if changes.aside:
            return told + ASIDE.format(aside=self._relative(changes.aside))
        return told + (IN_GIT if changes.changed or changes.gone else "")

    def _source(self) -> Path:
        coursedir = self.parent.coursedir
        return Path(coursedir.format_path(coursedir.source_directory, ".", coursedir.assignment_id))

    def _relative(self, path: Path) -> str:
        return os.path.relpath(path, self.parent.coursedir.root)

    def _why(self, problem: Exception) -> str:
        coursedir = self.parent.coursedir
        text = str(problem).strip()
        if gradebook_lock.is_locked(problem):
            return gradebook_lock.HELD % self._patience
        if "submissions associated with it" in text:  # raised by nbgrader's preprocessors/savecells.py
            return HAS_WORK.format(name=coursedir.assignment_id, source=self._relative(self._source()))
        known = type(problem).__module__.startswith(("autograder.", "nbgrader."))
        return text if known and text else f"{self._failed_at}: {type(problem).__name__}: {text} (--debug shows where)."

    def _refuse(self, why: str) -> None:
        coursedir = self.parent.coursedir
        there = Path(os.path.normpath(self._released(coursedir.assignment_id, ".")))
        sentence = HALF if self._writing_began else REFUSED
        self.log.error(sentence.format(name=coursedir.assignment_id, release=self._relative(there), why=why))
        raise NbGraderException(why)
