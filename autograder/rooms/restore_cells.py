"""Makes each cell of the course what the gradebook says, once; all other cells of a submission are the student's own.

Takes the place of nbgrader's (0.9.5) DeduplicateIds, OverwriteKernelspec, OverwriteCells and CheckCellMetadata, which
trust the metadata of a submitted cell, and which end the whole run over a duplicated solution cell or a newer schema
version.
"""

from __future__ import annotations

import re
from typing import Any

from nbformat import NotebookNode, from_dict
from nbformat.v4 import new_markdown_cell
from nbgrader.preprocessors import ClearHiddenTests, NbGraderPreprocessor

from autograder.rooms import reasons, sanitise
from autograder.rooms.course_cells import CourseCell, CourseCells, without_hidden_tests
from autograder.rooms.merged import take_apart
from autograder.rooms.order import below_own_code, first_copies, put_in_order
from autograder.rooms.recognise import lost_marks
from autograder.terminal.report import Reason

UNREADABLE = "autograder_unreadable"
"""Set in `resources` for a file that could not be read as a notebook."""
MISSING = "cells were missing and were added back: {names}"
MARKED = "cells without nbgrader's marks, recognised: {names}"
EMPTY = "{file} holds none of the course's cells"
TWICE = "cells that are there more than once, of which the last counts: {names}"
CHANGED = "cells of the course that were changed and put back: {names}"
MERGED = "cells that were merged with others and taken apart again: {names}"
MOVED = "cells of the course that stood where they could not work and were moved: {names}"
_CELL_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")


class Restore(NbGraderPreprocessor):  # type: ignore[misc]  # nbgrader ships no types
    """Comes last in `Autograde.sanitize_preprocessors`."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        where = resources["nbgrader"]
        course = self.parent.run.course_cells(where["assignment"], where["notebook"])
        kept: set[str] = set()
        found: dict[str, list[str]] = {TWICE: [], CHANGED: [], MISSING: [], MARKED: [], MERGED: []}
        clear = ClearHiddenTests(parent=self)

        def released(of: CourseCell) -> str:
            return without_hidden_tests(clear, of.source)

        found[MERGED] = take_apart(nb.cells, course, released)
        for name, cell in lost_marks(nb.cells, course, released).items():
            cell.metadata = NotebookNode(nbgrader=NotebookNode(grade_id=name))
            found[MARKED].append(name)
        first = first_copies(nb.cells, course)
        for cell in reversed(nb.cells):
            self._restore(cell, course, kept, found)
        unreadable = bool(resources.pop(UNREADABLE, False))
        empty = not kept and any(cell.grade for cell in course.cells.values())
        self._add_missing(nb, course, kept, found[MISSING])
        found[MOVED] = put_in_order(nb.cells, course, first)
        _only_ours(nb, course)
        reasons.begin(nb, unreadable or empty, found[MISSING])
        if not unreadable:
            self._tell(where, found, empty)
        return nb, resources

    def _tell(self, where: dict[str, str], found: dict[str, list[str]], empty: bool) -> None:
        note = self.parent.report.note
        if empty:
            note(where["student"], EMPTY.format(file=f"{where['notebook']}.ipynb"), Reason.NOTHING)
            return
        for what, names in found.items():
            if names:
                note(where["student"], what.format(names=", ".join(names)))

    def _restore(self, cell: NotebookNode, course: CourseCells, kept: set[str], found: dict[str, list[str]]) -> None:
        of = course.of(cell)
        if of and of.name in kept and of.name not in found[TWICE]:
            found[TWICE].append(of.name)
        if not of or of.name in kept:
            cell.metadata = NotebookNode()
            if cell.cell_type == "raw":
                _as_text(cell)
            return
        kept.add(of.name)
        if of.locked and (cell.source, cell.cell_type) != (of.source, of.cell_type) and not of.grade:
            found[CHANGED].append(of.name)
        of.stamp(cell)

    def _add_missing(self, nb: NotebookNode, course: CourseCells, kept: set[str], missing: list[str]) -> None:
        """After the cell that comes before it in the course; a test also after the student's code that follows that."""
        names = list(course.cells)
        for at, name in enumerate(names):
            of = course.cells[name]
            if name in kept or not _needed(of):
                continue
            missing.append(name)
            places = {c.metadata.nbgrader.grade_id: i for i, c in enumerate(nb.cells) if "nbgrader" in c.metadata}
            place = max((places[n] for n in names[:at] if n in places), default=-1) + 1
            if of.grade:
                place = below_own_code(nb.cells, place)
            nb.cells.insert(place, of.new())


def _needed(cell: CourseCell) -> bool:
    """Whether a missing cell is added: cells with marks, and the course's code, which the tests may need."""
    return cell.grade or cell.task or (cell.locked and cell.cell_type == "code")


def _as_text(cell: NotebookNode) -> None:
    """nbconvert copies a raw cell into the page as it is, with any script in it."""
    cell.cell_type, cell.source = "markdown", sanitise.as_text(cell.source)


def _only_ours(nb: NotebookNode, course: CourseCells) -> None:
    """Removes the student's metadata, which reach pages as titles, class names and widgets."""
    python = {"language_info": {"name": "python", "pygments_lexer": "ipython3"}}
    nb.metadata = from_dict({} if course.language else python)
    if course.kernelspec:
        nb.metadata.kernelspec = from_dict(dict(course.kernelspec))
    used: set[str] = set()
    for cell in nb.cells:
        identity = cell.get("id")
        if not isinstance(identity, str) or not _CELL_ID.fullmatch(identity) or identity in used:
            cell["id"] = new_markdown_cell().id
        used.add(cell["id"])
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
