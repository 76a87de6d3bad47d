"""Reads the code of cells without running it: which of the student's files it imports, and which names it defines."""

from __future__ import annotations

import ast

from autograder.at_home.notebook import Cell, Notebook


def modules(notebook: Notebook) -> tuple[str, ...]:
    """The names of files beside the notebook that it imports, directly or through others: the grader needs them too."""
    found: dict[str, None] = {}
    waiting = [_parsed(cell) for cell in notebook.cells]
    for tree in waiting:
        for node in ast.walk(tree):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and node.module and not node.level else []
            for file in [name.split(".")[0] + ".py" for name in names]:
                path = notebook.path.parent / file
                if file not in found and path.is_file():
                    found[file] = None
                    waiting.append(_tree(path.read_text(encoding="utf-8", errors="replace")))
    return tuple(found)


def _parsed(cell: Cell) -> ast.AST:
    """The cell's code without IPython's own lines (`%…`, `!…`); an empty module if it cannot be parsed."""
    lines = ["" if line.lstrip().startswith(("%", "!", "?")) else line for line in cell.source.split("\n")]
    return _tree("\n".join(lines) if cell.kind == "code" else "")


def _tree(source: str) -> ast.AST:
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return ast.Module([], [])


def defines(cell: Cell) -> set[str]:
    """The names that the cell's code assigns, defines or imports, at any depth."""
    tree = _parsed(cell)
    found = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    found |= {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef)}
    imports = [n for n in ast.walk(tree) if isinstance(n, ast.Import | ast.ImportFrom)]
    return found | {(a.asname or a.name).split(".")[0] for node in imports for a in node.names}
