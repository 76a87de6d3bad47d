"""Refuses, before release, a course whose tests use a name or a file that only students have.

Such a test works in one kernel and never in two rooms, because what a student defines exists in the student's room
only. `check` and `grade` find the student's function by its name, and ask that room.
"""

from __future__ import annotations

import ast
import builtins
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import InstantiateTests, NbGraderPreprocessor
from nbgrader.utils import is_grade, is_locked

from autograder.errors import AutograderError
from autograder.rooms import borrowed_files, course_files
from autograder.rooms.course_files import parsed
from autograder.rooms.engine import Engine

NEEDS = (
    "The locked cell {cell} uses {name}, which only the unlocked cell {other} defines. When a submission is graded, "
    "locked cells run where nothing of the student's exists. Define {name} in a locked cell, or ask the student's "
    "function through a question: q1.check(), q1.grade(...)."
)


class NeedsStudent(AutograderError):
    """A course that cannot be graded in two rooms."""


class RefuseBorrowing(NbGraderPreprocessor):  # type: ignore[misc]  # nbgrader ships no types
    """In `GenerateAssignment.preprocessors` behind IncludeHeaderFooter, which adds cells, and before all others."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        found = self.problems(nb, resources)
        if found:
            raise NeedsStudent("\n".join(found))
        return nb, resources

    def problems(self, nb: NotebookNode, resources: Any) -> list[str]:
        """A sentence for each name and file that a locked cell could not have, and one for files that are too large."""
        found = borrowed(nb, InstantiateTests(parent=self).autotest_delimiter)
        folder = resources.get("metadata", {}).get("path")
        if not folder:
            return found
        code = [(_name(c), c) for c in nb.cells if c.cell_type == "code"]
        locked = [(name, c.source) for name, c in code if is_locked(c)]
        tests = [(name, c.source) for name, c in code if is_locked(c) and is_grade(c)]
        unlocked = [(name, c.source) for name, c in code if not is_locked(c)]
        editable = course_files.editable(self.config, resources["nbgrader"]["assignment"])
        engine = Engine(parent=self)
        coursedir = CourseDirectory(parent=self)
        large = course_files.too_large(Path(folder), coursedir, engine.limits().handed_in, engine.written)
        return [
            *found,
            *borrowed_files.borrowed(tests, locked, unlocked, Path(folder)),
            *course_files.nobodys(locked, Path(folder)),
            *course_files.edited(locked, Path(folder), editable),
            *filter(None, [large]),
            *course_files.too_many(Path(folder), coursedir),
        ]


def borrowed(nb: NotebookNode, autotest: str = "AUTOTEST") -> list[str]:
    """A sentence for each name that a locked cell would have to borrow from a student.

    The comments `### AUTOTEST …`, of which nbgrader makes tests later, are read as what they will be.
    """
    code = [c for c in nb.cells if c.cell_type == "code"]
    locked = [c for c in code if is_locked(c)]
    given = set().union(*(_bound(c) for c in locked)) | set(dir(builtins))
    theirs: dict[str, str] = {}
    for cell in code:
        if not is_locked(cell):
            theirs.update(dict.fromkeys(_bound(cell), _name(cell)))
    problems = []
    for cell in locked:
        for name in sorted(((_used(cell.source) | _used(_autotests(cell, autotest))) - given) & theirs.keys()):
            problems.append(NEEDS.format(cell=cell.metadata.nbgrader.grade_id, name=name, other=theirs[name]))
    return problems


def _name(cell: NotebookNode) -> str:
    return str(cell.metadata.get("nbgrader", {}).get("grade_id", "without a name"))


def _autotests(cell: NotebookNode, delimiter: str) -> str:
    """What the cell's AUTOTEST comments will test, a line each."""
    comments = [line for line in cell.source.split("\n") if line.lstrip().startswith("#") and delimiter in line]
    return "\n".join(part.strip() for line in comments for part in line.partition(delimiter)[2].split(";"))


def _bound(cell: NotebookNode) -> set[str]:
    """Every name that the cell may bind; names inside functions count too, so that no good course is refused."""
    names: set[str] = set()
    for node in ast.walk(parsed(cell.source)):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            names.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.alias):
            names.add((node.asname or node.name).split(".")[0])
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            names.add(node.name)
    return names


def _used(source: str) -> set[str]:
    return {n.id for n in ast.walk(parsed(source)) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
