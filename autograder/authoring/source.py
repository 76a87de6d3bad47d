"""Analyses the source text of cells without running it and without importing torch."""

from __future__ import annotations

import ast
import re
from typing import Any

SUFFIXES = ("-statement", "-forward", "", "-check", "-hidden")
"""The endings of the grade_ids of a question's five cells, in order; the answer cell's is empty."""
BEGIN_HIDDEN, END_HIDDEN = "### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS"
BEGIN_SOLUTION, END_SOLUTION = "### BEGIN SOLUTION", "### END SOLUTION"
NAME = re.compile(r"q\w+")
OF_A_QUESTION = re.compile(r"^(q\w+?)(-statement|-forward|-check|-hidden)?$")
"""Matches the grade_id of one of the five cells: the question's name, and the ending."""
_TIME = re.compile(r"^([ \t]*)%time\b[ \t]*")


def grade_id(of: Any) -> str:
    """nbgrader's id of the cell; "" if it has none."""
    return str(of.metadata.get("nbgrader", {}).get("grade_id", ""))


def locked(cell: Any) -> bool:
    """Whether nbgrader's metadata says that the cell is read-only for students."""
    return bool(cell.metadata.get("nbgrader", {}).get("locked"))


def without_magics(text: str) -> str:
    """The cell with lines that only IPython understands made empty; of `%time x = 1`, `x = 1` is kept.

    The number of lines stays the same. A line that begins with `%` but is valid Python (it continues the line above) is
    kept.
    """
    lines = text.split("\n")
    while True:
        text = "\n".join(lines)
        try:
            ast.parse(text)
        except SyntaxError as error:
            at = (error.lineno or 0) - 1
            if not 0 <= at < len(lines) or not lines[at].lstrip().startswith(("%", "!")):
                return text
            lines[at] = _TIME.sub(r"\1", lines[at]) if _TIME.match(lines[at]) else ""
        else:
            return text


def read(source: str) -> ast.Module | None:
    """The syntax tree of a cell, without magics; None after a syntax error."""
    try:
        return ast.parse(without_magics(source))
    except SyntaxError:
        return None


def decorated(source: str) -> list[str]:
    """The names of functions decorated with `@question(…)`."""
    tree = read(source)
    functions = [s for s in tree.body if isinstance(s, ast.FunctionDef)] if tree else []
    return [f.name for f in functions if any(_called_name(d) == "question" for d in f.decorator_list)]


def _called_name(node: ast.expr) -> str:
    function = node.func if isinstance(node, ast.Call) else None
    return getattr(function, "id", getattr(function, "attr", ""))


def calls(source: str, method: str) -> list[tuple[str, ast.Call]]:
    """Calls `name.<method>(…)` where the name is a question's by its form, in the order of lines."""
    tree = read(source)
    found = []
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == method:
            of = node.func.value
            if isinstance(of, ast.Name) and NAME.fullmatch(of.id):
                found.append((of.id, node))
    return sorted(found, key=lambda pair: pair[1].lineno)


def argument(call: ast.Call, name: str, place: int) -> ast.expr | None:
    """The expression that the call passes for an argument, by its name or position; None if it passes none."""
    return next((k.value for k in call.keywords if k.arg == name), call.args[place] if len(call.args) > place else None)


def number(given: ast.expr | None) -> float | None:
    """The value of a literal number; None for anything else."""
    value = given.value if isinstance(given, ast.Constant) else None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def is_last(source: str, call: ast.Call) -> bool:
    """Whether the call is the last statement and has no `;` after it, so that its result is the cell's output."""
    tree = read(source)
    last = tree.body[-1] if tree and tree.body else None
    if not isinstance(last, ast.Expr) or not isinstance(last.value, ast.Call) or last.lineno != call.lineno:
        return False
    return (
        not "\n".join(source.split("\n")[(last.end_lineno or last.lineno) - 1 :]).split("#")[0].rstrip().endswith(";")
    )


def bound(source: str) -> set[str]:
    """The names that a cell assigns, defines or imports."""
    names: set[str] = set()
    for node in ast.walk(read(source) or ast.Module([], [])):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            names.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.alias):
            names.add((node.asname or node.name).split(".")[0])
            if node.name == "*":
                names |= {"question", "torch"}
    return names


def loaded(source: str) -> set[str]:
    """The names whose value a cell uses."""
    tree = read(source) or ast.Module([], [])
    return {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}


def placeholder(source: str) -> bool:
    """Whether an answer cell contains a placeholder: TODO, or `...` as a value or a line (but not as an index)."""
    text = source.partition(BEGIN_SOLUTION)[2].partition(END_SOLUTION)[0] if BEGIN_SOLUTION in source else source
    if re.search(r"\bTODO\b", text):
        return True
    tree = read(source)
    if tree is None:
        return re.search(r"(?:=|^)\s*\.\.\.\s*$", text, flags=re.MULTILINE) is not None
    return any(
        _has_ellipsis(n.value)
        for n in ast.walk(tree)
        if isinstance(n, ast.Assign | ast.Expr | ast.Return | ast.AnnAssign)
    )


def _has_ellipsis(value: ast.expr | None) -> bool:
    """Whether the value is `...` or an expression that contains it."""
    if isinstance(value, ast.BinOp):
        return _has_ellipsis(value.left) or _has_ellipsis(value.right)
    if isinstance(value, ast.UnaryOp):
        return _has_ellipsis(value.operand)
    if isinstance(value, ast.Tuple):
        return any(map(_has_ellipsis, value.elts))
    return isinstance(value, ast.Constant) and value.value is ...
