"""Notebooks to write into: ps1's own, with the six questions of the contract, without what its author added."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from typing import Any

import nbformat

from autograder.authoring.source import OF_A_QUESTION, grade_id
from autograder.commands.authors import EXAMPLE
from tests.conftest import NAMES, ROOT

FORWARD = "\n".join(line[4:] for line in EXAMPLE.split("\n")[2:])
"""The forward pass that the page for authors and `autograder new --help` show."""
SOLUTION = """    dhdr = 1
    dhdq = 1
    dhdp = dhdr * (1 - r * r)
    dhdt = dhdp * s + dhdq / t
"""
PRODUCT = """\
@question(wrt="x", at={"x": 2.0, "y": 3.0}, domain={"x": (-2, 2), "y": (-2, 2)})
def q1(x, y):
    p = x * y
    z = p + torch.sin(x)
    return z
"""
"""Another one, the first question of an assignment ps2."""
SOLUTION_OF_PRODUCT = "    dzdp = 1\n    dzdx = dzdp * y + torch.cos(x)\n"
_MADE = nbformat.read(ROOT / "source" / "ps1" / "problems.ipynb", as_version=4)


def six() -> Any:
    """A fresh copy of ps1's notebook with Q1 to Q6."""
    made = copy.deepcopy(_MADE)
    of_others = {g for g in map(grade_id, made.cells) if OF_A_QUESTION.match(g) and g.partition("-")[0] not in NAMES}
    made.cells = [c for c in made.cells if grade_id(c) not in of_others]
    return made


def find(notebook: Any, name: str) -> Any:
    return next(c for c in notebook.cells if grade_id(c) == name)


def replaced(name: str, old: str, new: str) -> Callable[[Any], None]:
    """A change of one cell's text, of which `old` must be a part."""

    def change(notebook: Any) -> None:
        cell = find(notebook, name)
        assert old in cell.source
        cell.source = cell.source.replace(old, new)

    return change


def marked(name: str, key: str, value: object) -> Callable[[Any], None]:
    """A change of one cell's nbgrader mark, as the Create Assignment panel makes it."""
    return lambda notebook: find(notebook, name).metadata.nbgrader.update({key: value})


def without(*names: str) -> Callable[[Any], None]:
    def change(notebook: Any) -> None:
        notebook.cells = [c for c in notebook.cells if grade_id(c) not in names]

    return change


def solved(source: str, solution: str) -> str:
    """An answer cell with this solution between its markers."""
    before, rest = source.split("    ### BEGIN SOLUTION\n")
    _, after = rest.split("    ### END SOLUTION")
    return f"{before}    ### BEGIN SOLUTION\n{solution}    ### END SOLUTION{after}"


def finish(notebook: Any, name: str, solution: str) -> None:
    """Writes what `autograder new` leaves to the author: a question's solution and words."""
    answer, statement = find(notebook, name), find(notebook, f"{name}-statement")
    answer.source = solved(answer.source, solution)
    statement.source = re.sub(r"TODO[^\n]*", "Words of the author's.", statement.source)
