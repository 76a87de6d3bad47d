"""Which files a student's cell writes, so that a test which reads or imports one runs where that file is.

The examiner's cells have a copy of the course's files. There such a file is missing; or it is the instructor's, left
from when the notebook was run in source/, with which everybody would earn full marks.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from pathlib import PurePosixPath

_MAGIC = re.compile(r"^%%(?:writefile|file)\s+(?:-a\s+)?(\S+)")
_FILE = re.compile(r"[^\s*?]*[\w)-]\.\w{1,10}")
_WRITERS = ("write_", "save", "to_", "dump", "imwrite", "touch")


def written(cell: str, tree: ast.Module) -> set[str]:
    """The names of files, without their folders, that a cell writes; `tree` is the cell as Python reads it."""
    if magic := _MAGIC.match(cell):
        return {PurePosixPath(magic[1].strip("'\"")).name}
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _writes(node)]
    return set().union(*(named(call) or named(tree) for call in calls))


def named(tree: ast.AST) -> set[str]:
    """The names of files that stand in texts."""
    texts = [n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    return {PurePosixPath(text).name for text in texts if _FILE.fullmatch(text)}


def modules(files: Iterable[str]) -> set[str]:
    return {name.removesuffix(".py") for name in files if name.endswith(".py")}


def _writes(call: ast.Call) -> bool:
    name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
    given = call.args[1:] if isinstance(call.func, ast.Name) else call.args  # path.open("w"), io.open(path, "w")
    modes = (*given, *(keyword.value for keyword in call.keywords if keyword.arg == "mode"))
    if name == "open":
        texts = [mode.value for mode in modes if isinstance(mode, ast.Constant) and isinstance(mode.value, str)]
        return any(re.fullmatch(r"[rwaxbt+]*[wax+][rwaxbt+]*", text) for text in texts)
    return name.startswith(_WRITERS)
