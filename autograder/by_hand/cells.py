"""Cells as trees: what IPython understands and Python does not is read as IPython would run it, and lines keep count.

Of `%%time`, `%%capture` and their like it is the body that runs, so it is the body that is read. A cell for another
program (`%%bash`) has a body that no answer can call.
"""

from __future__ import annotations

import ast
import contextlib
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
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


def as_run(source: str) -> ast.Module | None:
    """The tree of a cell as IPython runs it, its magics as calls; None where it cannot be read. Nobody may change it:
    it is kept.
    """
    return _plain(source) or _read(source, _as_ipython_runs_it)


def magic_of(source: str) -> str:
    """`time` of a cell that begins with `%%time`; "" of an ordinary one."""
    found = re.match(r"\s*%%(\w+)", source)
    return found[1] if found else ""


def definitions(body: Sequence[ast.stmt]) -> Iterator[Function]:
    """The functions that a cell's own lines define, not those inside others or that a constant rules out."""
    todo = [*reversed(body)]
    while todo:
        statement = todo.pop()
        if isinstance(statement, Function):
            yield statement
        elif not isinstance(statement, ast.ClassDef):
            test = getattr(statement, "test", None)
            skip = ("orelse" if test.value else "body") if isinstance(test, ast.Constant) else ""
            blocks = [getattr(statement, name, None) for name in ("body", "orelse", "finalbody") if name != skip]
            blocks += [part.body for name in ("handlers", "cases") for part in getattr(statement, name, ())]
            todo += [s for block in blocks if isinstance(block, list) for s in block]


def _plain(source: str) -> ast.Module | None:
    """The tree of a cell that is Python as it stands. Nobody may change it: it is kept."""
    return _plain_kept(source) if len(source) < _KEPT else _read(source)


def _read(source: str, as_python: Callable[[str], str] = str) -> ast.Module | None:
    with warnings.catch_warnings(), contextlib.suppress(*_UNREADABLE):
        warnings.simplefilter("ignore")  # "\d" in a student's text is no reason to write on a graded cell's stderr
        return ast.parse(as_python(source))
    return None


_plain_kept = lru_cache(maxsize=128)(_read)


def _tree(source: str, depth: int = 0) -> ast.Module | None:
    if not depth and "get_ipython" not in source and (tree := _plain(source)):
        return tree
    # Made anew, because it is changed: what a magic holds, and IPython's own lines, typed or as IPython keeps them.
    with contextlib.suppress(*_UNREADABLE):
        tree = _read(source) or _read(source, _as_ipython_runs_it)
        return tree and _Unwrapped(depth).visit(tree)
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
        body = self._body(node.value)
        return self.generic_visit(node) if body is None else body

    def visit_Assign(self, node: ast.Assign) -> Any:
        body = self._body(node.value)
        if body and isinstance(body[-1], ast.Expr):
            node.value = body[-1].value
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> Any:
        match node.func:
            case ast.Attribute(value=ast.Call(func=ast.Name(id="get_ipython")), attr="system" | "getoutput"):
                node.func = ast.copy_location(ast.Name("open", ast.Load()), node.func)
        return self.generic_visit(node)

    def _body(self, node: ast.expr) -> list[ast.stmt] | None:
        """The statements that a magic runs; None if it is none that runs Python."""
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Call(func=ast.Name(id="get_ipython")), attr=kind),
                args=[ast.Constant(value=str(magic)), ast.Constant(value=str(line)), *cell],
            ) if kind in ("run_line_magic", "run_cell_magic"):
                if magic in _RUNS_APART:
                    return [ast.copy_location(ast.Pass(), node)]
                inside = [c.value for c in cell if isinstance(c, ast.Constant) and isinstance(c.value, str)]
                code = inside[0] if inside else _OPTIONS.sub("", line, count=1)
                tree = _tree(code, self.depth + 1) if magic in _BODY_RUNS and self.depth < _DEEPEST else None
                for statement in tree.body if tree else ():
                    ast.increment_lineno(statement, node.lineno - (0 if inside else 1))
                return tree.body if tree else None
        return None
