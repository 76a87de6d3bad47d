"""The text of a question's cells, read without running it and without torch."""

from __future__ import annotations

import ast
import re
from typing import Any

SUFFIXES = ("-statement", "-forward", "", "-check", "-hidden")
"""The grade_ids of a question's cells, in their order, behind its name."""
BEGIN_HIDDEN, END_HIDDEN = "### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS"
BEGIN_SOLUTION, END_SOLUTION = "### BEGIN SOLUTION", "### END SOLUTION"
NAME = re.compile(r"q\w+")
OF_A_QUESTION = re.compile(r"^(q\w+?)(-statement|-forward|-check|-hidden)?$")
"""The grade_id of one of the five cells: the question's name, and which cell it is."""
_TIME = re.compile(r"^([ \t]*)%time\b[ \t]*")


def grade_id(of: Any) -> str:
    """The cell's name in nbgrader; empty if it has none."""
    return str(of.metadata.get("nbgrader", {}).get("grade_id", ""))


def locked(cell: Any) -> bool:
    return bool(cell.metadata.get("nbgrader", {}).get("locked"))


def without_magics(text: str) -> str:
    """The cell without its lines that only IPython reads, and with as many lines; of `%time x = 1`, `x = 1` stays.

    A line that begins with `%` is no magic where Python can read it: it goes on with the one above.
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
    try:
        return ast.parse(without_magics(source))
    except SyntaxError:
        return None


def decorated(source: str) -> list[str]:
    """The functions under `@question(…)`."""
    tree = read(source)
    functions = [s for s in tree.body if isinstance(s, ast.FunctionDef)] if tree else []
    return [f.name for f in functions if any(_called(d) == "question" for d in f.decorator_list)]


def _called(node: ast.expr) -> str:
    function = node.func if isinstance(node, ast.Call) else None
    return getattr(function, "id", getattr(function, "attr", ""))


def calls(source: str, method: str) -> list[tuple[str, ast.Call]]:
    """Calls `name.check(…)` or `name.grade(…)` of a question-like name, in the order of the lines."""
    tree = read(source)
    found = []
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == method:
            of = node.func.value
            if isinstance(of, ast.Name) and NAME.fullmatch(of.id):
                found.append((of.id, node))
    return sorted(found, key=lambda pair: pair[1].lineno)


def argument(call: ast.Call, name: str, place: int) -> ast.expr | None:
    """What the call gives for an argument, by its name or its place."""
    return next((k.value for k in call.keywords if k.arg == name), call.args[place] if len(call.args) > place else None)


def number(given: ast.expr | None) -> float | None:
    """The number that stands there; None if it is anything else."""
    value = given.value if isinstance(given, ast.Constant) else None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def is_last(source: str, call: ast.Call) -> bool:
    tree = read(source)
    last = tree.body[-1] if tree and tree.body else None
    if not isinstance(last, ast.Expr) or not isinstance(last.value, ast.Call) or last.lineno != call.lineno:
        return False
    return (
        not "\n".join(source.split("\n")[(last.end_lineno or last.lineno) - 1 :]).split("#")[0].rstrip().endswith(";")
    )


def bound(source: str) -> set[str]:
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
    tree = read(source) or ast.Module([], [])
    return {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}


def placeholder(source: str) -> bool:
    """Whether an answer cell still holds a placeholder: TODO, or `...` as a value or a line (not as an index)."""
    text = source.partition(BEGIN_SOLUTION)[2].partition(END_SOLUTION)[0] if BEGIN_SOLUTION in source else source
    if re.search(r"\bTODO\b", text):
        return True
    tree = read(source)
    if tree is None:
        return re.search(r"(?:=|^)\s*\.\.\.\s*$", text, flags=re.MULTILINE) is not None
    return any(
        _dots(n.value) for n in ast.walk(tree) if isinstance(n, ast.Assign | ast.Expr | ast.Return | ast.AnnAssign)
    )


def _dots(value: ast.expr | None) -> bool:
    """Whether the value is `...`, or computes with it."""
    if isinstance(value, ast.BinOp):
        return _dots(value.left) or _dots(value.right)
    if isinstance(value, ast.UnaryOp):
        return _dots(value.operand)
    if isinstance(value, ast.Tuple):
        return any(map(_dots, value.elts))
    return isinstance(value, ast.Constant) and value.value is ...
