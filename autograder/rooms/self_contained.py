"""Refuses, before release, a course whose tests use a name that only an unlocked cell defines.

Such a test works in one kernel and never in two rooms, because what a student defines exists in the student's room
only. `check` and `grade` find the student's function by its name, and ask that room.
"""

from __future__ import annotations

import ast
import builtins
from typing import Any

from IPython.core.inputtransformer2 import TransformerManager
from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import is_locked

from autograder.errors import AutograderError

NEEDS = (
    "The locked cell {cell} uses {name}, which only the unlocked cell {other} defines. When a submission is graded, "
    "locked cells run where nothing of the student's exists. Define {name} in a locked cell, or ask the student's "
    "function through a question: q1.check(), q1.grade(...)."
)


class NeedsStudent(AutograderError):
    """A course that cannot be graded in two rooms."""


class RefuseBorrowing(NbGraderPreprocessor):  # type: ignore[misc]  # nbgrader ships no types
    """First in `GenerateAssignment.preprocessors`."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        found = borrowed(nb)
        if found:
            raise NeedsStudent("\n".join(found))
        return nb, resources


def borrowed(nb: NotebookNode) -> list[str]:
    """A sentence for each name that a locked cell would have to borrow from a student."""
    code = [c for c in nb.cells if c.cell_type == "code"]
    locked = [c for c in code if is_locked(c)]
    given = set().union(*(_bound(c) for c in locked)) | set(dir(builtins))
    theirs: dict[str, str] = {}
    for cell in code:
        if not is_locked(cell):
            theirs.update(
                dict.fromkeys(_bound(cell), cell.metadata.get("nbgrader", {}).get("grade_id", "without a name"))
            )
    problems = []
    for cell in locked:
        for name in sorted((_used(cell) - given) & theirs.keys()):
            problems.append(NEEDS.format(cell=cell.metadata.nbgrader.grade_id, name=name, other=theirs[name]))
    return problems


def _tree(cell: NotebookNode) -> ast.Module:
    try:
        source: str = TransformerManager().transform_cell(cell.source)
        return ast.parse(source)
    except SyntaxError:
        return ast.Module([], [])  # the cell will say so itself


def _bound(cell: NotebookNode) -> set[str]:
    """Every name that the cell may bind; names inside functions count too, so that no good course is refused."""
    names: set[str] = set()
    for node in ast.walk(_tree(cell)):
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


def _used(cell: NotebookNode) -> set[str]:
    return {n.id for n in ast.walk(_tree(cell)) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
