"""What the gradebook says of a notebook's cells: who runs a cell, what its source is, what it is worth.

The metadata of a submitted cell can be edited by the student. Only the cell's name is read from it; all else is looked
up here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.preprocessors import ClearHiddenTests
from nbgrader.utils import compute_checksum, is_grade, is_locked, is_solution, is_task

from autograder.errors import AutograderError


class Owner(Enum):
    """Who runs a code cell."""

    STUDENT = "the student's room"
    EXAMINER = "the examiner's room"
    BOTH = "both rooms"


class WrongGradebook(AutograderError):
    """The gradebook contradicts itself: the course must be generated again."""


@dataclass(frozen=True)
class CourseCell:
    """One cell of the course, as `nbgrader generate_assignment` has stored it."""

    name: str
    cell_type: str
    source: str
    checksum: str
    locked: bool
    grade: bool
    solution: bool
    task: bool
    points: float
    attachments: Mapping[str, Any] | None
    """Pictures of a text cell, from the source notebook; None where that cannot be found."""

    @property
    def owner(self) -> Owner:
        if not self.locked:
            return Owner.STUDENT
        return Owner.EXAMINER if self.grade else Owner.BOTH

    def stamp(self, cell: NotebookNode) -> None:
        """Makes `cell` this cell: metadata, type, and if it is locked the source.

        WrongGradebook if the source does not have the checksum that is stored with it.
        """
        cell.metadata = NotebookNode()
        cell.metadata.nbgrader = NotebookNode(
            {
                "grade_id": self.name,
                "grade": self.grade,
                "solution": self.solution,
                "locked": self.locked,
                "task": self.task,
                "cell_type": self.cell_type,
                "checksum": self.checksum,
                "schema_version": 3,
            }
        )
        if self.grade or self.task:
            cell.metadata.nbgrader.points = self.points
        cell.cell_type = self.cell_type
        if self.cell_type == "code":
            cell.setdefault("outputs", [])
            cell.setdefault("execution_count", None)
            cell.pop("attachments", None)
        else:
            cell.pop("outputs", None)
            cell.pop("execution_count", None)
        if self.locked:
            cell.source = self.source
            if self.attachments is not None:
                cell.pop("attachments", None)
            if self.attachments:
                cell.attachments = nbformat.from_dict(self.attachments)
            if compute_checksum(cell) != self.checksum:
                raise WrongGradebook(
                    f"The gradebook's source of the cell {self.name} does not have the gradebook's checksum. "
                    "Run `nbgrader generate_assignment` again."
                )

    def new(self) -> NotebookNode:
        """The cell as it was released."""
        make = nbformat.v4.new_code_cell if self.cell_type == "code" else nbformat.v4.new_markdown_cell
        cell = make(self.source)
        self.stamp(cell)
        return cell


@dataclass(frozen=True)
class CourseCells:
    """The cells of a notebook of the course by name, in the order of the source notebook."""

    cells: Mapping[str, CourseCell]
    kernelspec: Mapping[str, Any]
    language: str = ""
    """Empty for Python."""
    code: Sequence[tuple[str, str, bool]] = ()
    """All code cells of the instructor's notebook in order, also those without a mark: name, source, whether locked.
    Empty where there is none: what the gradebook has of answers is what students get.
    """
    texts: frozenset[str] = frozenset()
    """What stands in its text cells without a mark, `as_compared`."""

    def of(self, cell: NotebookNode) -> CourseCell | None:
        """The course's cell whose name a submitted cell carries, if there is one."""
        marks = cell.metadata.get("nbgrader")
        name = marks.get("grade_id") if isinstance(marks, dict) else None
        return self.cells.get(name) if isinstance(name, str) else None

    def is_locked(self, cell: NotebookNode) -> bool:
        """Whether a cell is one of the course's, which students do not write."""
        of = self.of(cell)
        return of is not None and of.locked


def without_hidden_tests(clear: ClearHiddenTests, source: str) -> str:
    """The source of a cell as students get it."""
    if clear.begin_test_delimeter not in source and clear.end_test_delimeter not in source:
        return source
    cell = NotebookNode(cell_type="code", source=source, metadata={})
    clear._remove_hidden_test_region(cell)
    return str(cell.source)


def read(gradebook: Gradebook, notebook: str, assignment: str, source: Path) -> CourseCells:
    """The cells of one notebook; their order and pictures are only in `source`, the instructor's file."""
    known = gradebook.find_notebook(notebook, assignment)
    graded = {c.name: c.max_score for c in known.grade_cells}
    solutions = {c.name for c in known.solution_cells}
    tasks = {c.name: c.max_score for c in known.task_cells}
    own = nbformat.read(source, as_version=4) if source.exists() else nbformat.v4.new_notebook()
    pictures = _pictures(own)
    cells = {
        c.name: CourseCell(
            name=c.name,
            cell_type=c.cell_type,
            source=c.source,
            checksum=c.checksum,
            locked=c.locked,
            grade=c.name in graded,
            solution=c.name in solutions,
            task=c.name in tasks,
            points=float(graded.get(c.name, tasks.get(c.name, 0.0))),
            attachments=pictures.get(c.name),
        )
        for c in known.source_cells
    }
    order = {name: at for at, name in enumerate(pictures)}
    ordered = sorted(cells, key=lambda name: (order.get(name, len(order)), cells[name].grade))
    spec = json.loads(known.kernelspec) if known.kernelspec else {}
    spoken = language({**own.metadata, "kernelspec": spec})
    return CourseCells({name: cells[name] for name in ordered}, spec, spoken, _code(own), _texts(own))


def language(metadata: Mapping[str, Any]) -> str:
    """The language of a notebook, as its kernel's specification says or else the notebook itself; empty for Python."""
    about = metadata.get("kernelspec", {}).get("language") or metadata.get("language_info", {}).get("name")
    return "" if not about or str(about).lower() in ("python", "ipython") else str(about)


def of_notebook(nb: NotebookNode) -> CourseCells:
    """The cells of the instructor's own notebook, before nbgrader has put it into the gradebook."""
    cells = {
        c.metadata.nbgrader.grade_id: CourseCell(
            name=c.metadata.nbgrader.grade_id,
            cell_type=c.cell_type,
            source=c.source,
            checksum="",
            locked=is_locked(c),
            grade=is_grade(c),
            solution=is_solution(c),
            task=is_task(c),
            points=float(c.metadata.nbgrader.get("points", 0)),
            attachments=None,
        )
        for c in nb.cells
        if c.metadata.get("nbgrader", {}).get("grade_id")
    }
    return CourseCells(cells, nb.metadata.get("kernelspec", {}), language(nb.metadata), _code(nb), _texts(nb))


def _code(nb: NotebookNode) -> list[tuple[str, str, bool]]:
    code = [c for c in nb.cells if c.cell_type == "code"]
    return [(c.metadata.get("nbgrader", {}).get("grade_id", ""), c.source, bool(is_locked(c))) for c in code]


def _texts(nb: NotebookNode) -> frozenset[str]:
    unmarked = [c for c in nb.cells if c.cell_type != "code" and "nbgrader" not in c.metadata]
    return frozenset(as_compared(c.source) for c in unmarked if c.source.strip())


def as_compared(text: str) -> str:
    """The text without what an editor may change in passing: blanks at the ends of lines, empty lines around it."""
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def _pictures(source: NotebookNode) -> dict[str, Mapping[str, Any]]:
    """The attachments of the source notebook's cells, in its order."""
    marked = [c for c in source.cells if "grade_id" in c.metadata.get("nbgrader", {})]
    return {c.metadata.nbgrader.grade_id: c.get("attachments", {}) for c in marked}
