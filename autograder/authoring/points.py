"""The points of a graded cell stand in two places, its metadata and `qN.grade(points=…)`, and must be the same number.

If `grade` gives more, nbgrader has no mark for a right answer; if it gives less, nobody can earn full marks. The cells
`qN-hidden` of a question have rules of their own in `unfinished`; these here are of graded cells with any other name.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterator
from typing import Any

from autograder.authoring import source

DIFFER = (
    "{cell}: the Create Assignment panel gives {worth:g} points, and what the cell ends with gives at most {most:g}: "
    "{line}. Write the same number in both places."
)
_ARITHMETIC: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def problems(notebook: Any, without: set[str]) -> Iterator[str]:
    """A sentence for each graded cell whose last line gives other points than its metadata, `without` some."""
    for cell in notebook.cells:
        marks = cell.metadata.get("nbgrader", {})
        name, worth = source.grade_id(cell), marks.get("points")
        if cell.cell_type != "code" or not marks.get("grade") or worth is None or name in without:
            continue
        tree = source.read(cell.source)
        last = tree.body[-1] if tree and tree.body else None
        if isinstance(last, ast.Expr) and any(map(_asks, ast.walk(last))):
            most = value(last.value)
            if most is not None and most != worth:
                yield DIFFER.format(cell=name, worth=worth, most=most, line=ast.unparse(last))


def value(given: ast.expr | None) -> float | None:
    """The number that an expression of numbers and `qN.grade(points=…)` is when all is right; None of any other."""
    if isinstance(given, ast.BinOp) and (calculate := _ARITHMETIC.get(type(given.op))):
        left, right = value(given.left), value(given.right)
        if left is None or right is None:
            return None
        try:
            return calculate(left, right)
        except ZeroDivisionError:
            return None
    if isinstance(given, ast.Call) and _asks(given):
        return value(source.argument(given, "points", 0))
    return source.number(given)


def _asks(node: ast.AST) -> bool:
    """Whether this is `qN.grade(…)`, which has a seed; another program's method of that name has none."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "grade"
        and source.argument(node, "seed", 1) is not None
    )
