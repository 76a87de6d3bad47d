"""What the gradebook says of a notebook's cells: read once a run, and the only authority on who owns a cell.

A cell's metadata came from the student. It is asked for one thing only, the cell's name; what that cell is, who may
run it and what it says are looked up here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.utils import compute_checksum

from autograder.errors import AutograderError


class Owner(Enum):
    """Who runs a code cell."""

    STUDENT = "the student's room"
    EXAMINER = "the examiner's room"
    BOTH = "both rooms"


class WrongBook(AutograderError):
    """The gradebook contradicts itself: the course must be generated again."""


@dataclass(frozen=True)
class BookCell:
    """One cell of the course, as `generate_assignment` stored it."""

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
        """Makes `cell` this cell: metadata, type, and if it is locked the source, proven by the stored checksum."""
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
                raise WrongBook(
                    f"The gradebook's source of the cell {self.name} does not have the gradebook's checksum. "
                    "Run `nbgrader generate_assignment` again."
                )

    def new(self) -> NotebookNode:
        make = nbformat.v4.new_code_cell if self.cell_type == "code" else nbformat.v4.new_markdown_cell
        cell = make(self.source)
        self.stamp(cell)
        return cell


@dataclass(frozen=True)
class Book:
    """A notebook of the course: its cells by name, in the order of the source notebook."""

    cells: Mapping[str, BookCell]
    kernelspec: Mapping[str, Any]

    def of(self, cell: NotebookNode) -> BookCell | None:
        """The course's cell that a submitted cell says it is."""
        marks = cell.metadata.get("nbgrader")
        name = marks.get("grade_id") if isinstance(marks, dict) else None
        return self.cells.get(name) if isinstance(name, str) else None


def read(gradebook: Gradebook, notebook: str, assignment: str, source: Path) -> Book:
    """The book of one notebook; `source` is the instructor's file: it alone knows the order and the pictures."""
    known = gradebook.find_notebook(notebook, assignment)
    graded = {c.name: c.max_score for c in known.grade_cells}
    solutions = {c.name for c in known.solution_cells}
    tasks = {c.name: c.max_score for c in known.task_cells}
    pictures = _pictures(source)
    cells = {
        c.name: BookCell(
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
    return Book({name: cells[name] for name in ordered}, spec)


def _pictures(source: Path) -> dict[str, Mapping[str, Any]]:
    """The attachments of the source notebook's cells, in its order."""
    if not source.exists():
        return {}
    notebook = nbformat.read(source, as_version=4)
    marked = [c for c in notebook.cells if "grade_id" in c.metadata.get("nbgrader", {})]
    return {c.metadata.nbgrader.grade_id: c.get("attachments", {}) for c in marked}
