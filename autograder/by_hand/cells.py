"""Cells as trees: what IPython understands and Python does not is read as IPython would run it, and lines keep count.

Of `%%time`, `%%capture` and their like it is the body that runs, so it is the body that is read. A cell for another
program (`%%bash`) has a body that no answer can call.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

Function = ast.FunctionDef | ast.AsyncFunctionDef

_BODY_RUNS = {"time", "prun", "capture", "mprun"}
_RUNS_APART = {"timeit", "memit"}
"""What these define, they keep to themselves."""
PYTHON_MAGICS = _BODY_RUNS | _RUNS_APART
HIDES_ERRORS = {"capture"}
_OPTIONS = re.compile(r"(?:\s*--?[A-Za-z][\w-]*(?:\s+\d+)?(?=\s))*\s*")
_ESCAPED, _SPECIAL = re.compile(r"\s*[%!?]"), re.compile(r".*\?\s*$|[\w\s.,\[\]()*]+=\s*[%!]")
_LONGEST, _MOST_SPECIAL, _DEEPEST, _KEPT = 20_000, 4_000, 3, 5_000
"""IPython takes ten microseconds a character for a line such as `x?` and `y = !ls`, and magics may hold magics."""
_UNREADABLE = (SyntaxError, ValueError, RecursionError, MemoryError, ImportError, RuntimeError)


def parse(source: str) -> tuple[ast.Module | None, list[str]]:
    """The tree of a cell, or None where it is no Python, and its lines. Nobody may change the tree: it is kept."""
    return _parsed(source) if len(source) < _KEPT else _tree(source), source.split("\n")


@lru_cache(maxsize=128)
def _parsed(source: str) -> ast.Module | None:
    """A check reads all cells of the notebook again."""
    return _tree(source)


def magic_of(source: str) -> str:
    """`time` of a cell that begins with `%%time`; "" of an ordinary one."""
    found = re.match(r"\s*%%(\w+)", source)
    return found[1] if found else ""


def definitions(body: Sequence[ast.stmt]) -> Iterator[Function]:
    """The functions that a cell's own lines define, not those inside others."""
    todo = [*reversed(body)]
    while todo:
        statement = todo.pop()
        if isinstance(statement, Function):
            yield statement
        elif not isinstance(statement, ast.ClassDef):
            todo += [s for block in branches(statement) for s in block]


def branches(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    """The blocks inside a compound statement, without those that a constant condition rules out."""
    skip = None
    if isinstance(statement, ast.If) and isinstance(statement.test, ast.Constant):
        skip = "orelse" if statement.test.value else "body"
    for name in ("body", "orelse", "finalbody"):
        if name != skip and isinstance(block := getattr(statement, name, None), list):
            yield block
    for part in (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
        yield part.body


def _tree(source: str, depth: int = 0) -> ast.Module | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "\d" in a student's text is no reason to write on a graded cell's stderr
        try:
            try:
                tree = ast.parse(source)
            except SyntaxError:
                tree = ast.parse(_as_ipython_runs_it(source))
                return _Unwrapped(depth).visit(tree)  # type: ignore[no-any-return]
            # typed by hand, or a cell as IPython keeps it in `In`
            return _Unwrapped(depth).visit(tree) if "get_ipython" in source else tree
        except _UNREADABLE:
            return None


def _as_ipython_runs_it(source: str) -> str:
    """The cell with IPython's own lines as calls. Line by line: given a whole cell, IPython reads it once for each."""
    from IPython.core.inputtransformer2 import TransformerManager, tr  # there wherever cells are run

    lines = source.split("\n")
    first = next((i for i, line in enumerate(lines) if line.strip()), 0)
    special = [line for line in lines if _SPECIAL.match(line) and not _ESCAPED.match(line)]
    if len(source) > 3 * _LONGEST or sum(len(line) + 20 for line in special) > _MOST_SPECIAL:
        raise ValueError
    manager = TransformerManager()
    if lines[first].lstrip().startswith("%%"):
        return "\n" * first + str(manager.transform_cell("\n".join(lines[first:])))
    for clean in manager.cleanup_transforms:
        lines[first:] = "".join(clean([f"{line}\n" for line in lines[first:]])).split("\n")[:-1]
    for n, line in enumerate(lines):
        bare = line.strip()
        if _ESCAPED.match(line):
            size = 2 if bare[:2] in tr else 1
            lines[n] = line[: line.index(bare)] + tr[bare[:size]](bare[size:])
        elif _SPECIAL.match(line):
            lines[n] = line[: line.index(bare)] + manager.transform_cell(bare).rstrip("\n")
    return "\n".join(lines)


class _Unwrapped(ast.NodeTransformer):
    """`get_ipython().run_cell_magic("time", "", body)` as the body; `!command` as something outside the notebook."""

    def __init__(self, depth: int) -> None:
        self.depth = depth

    def visit_Expr(self, node: ast.Expr) -> Any:
        body = _body(node.value, self.depth)
        return self.generic_visit(node) if body is None else body

    def visit_Assign(self, node: ast.Assign) -> Any:
        body = _body(node.value, self.depth)
        if body and isinstance(body[-1], ast.Expr):
            node.value = body[-1].value
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> Any:
        if _of_ipython(node) in ("system", "getoutput", "getoutput_pexpect"):
            node.func = ast.copy_location(ast.Name("open", ast.Load()), node.func)
        return self.generic_visit(node)


def _of_ipython(node: ast.expr) -> str:
    """`run_line_magic` of `get_ipython().run_line_magic(…)`."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Call(func=ast.Name(id="get_ipython")), attr=attribute)):
            return attribute
    return ""


def _body(node: ast.expr, depth: int) -> list[ast.stmt] | None:
    """The statements that a magic runs; None if it is none that runs Python."""
    kind = _of_ipython(node)
    if kind not in ("run_line_magic", "run_cell_magic"):
        return None
    assert isinstance(node, ast.Call)
    words = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
    if len(words) != len(node.args) or len(words) < 2:
        return None
    name = words[0].lstrip("%")
    if name in _RUNS_APART:
        return [ast.copy_location(ast.Pass(), node)]
    if name not in _BODY_RUNS:
        return None
    whole = kind == "run_cell_magic"
    code = words[2] if whole and len(words) > 2 else _OPTIONS.sub("", words[1], count=1)
    tree = _tree(code, depth + 1) if depth < _DEEPEST else None
    for statement in tree.body if tree else ():
        ast.increment_lineno(statement, node.lineno - (0 if whole else 1))
    return tree.body if tree else None
