"""Compiles cells, with tracebacks as a kernel writes them, in a tenth of the time that IPython takes outside of one.

A traceback is most of the time that a cell with an error takes, and a wrong answer has several.
"""

from __future__ import annotations

import ast
import inspect
import os
from typing import Any

from IPython.core.compilerop import CachingCompiler

_FOLDER = os.path.join(os.sep, "tmp", "ipykernel")
"""There is none. Python's own folder for temporary files is not asked for: it would be remembered for all rooms."""
_MODULES: dict[str, str] = inspect.modulesbyfile
"""Looked up now, so that a cell that replaces it does not change how the next cells are named."""


class Compiler(CachingCompiler):  # type: ignore[misc]  # IPython ships no types that mypy sees
    """Names cells as a kernel does, after files that are not there, which IPython shows in a quicker way of its own.

    And tells `inspect` that they are no modules: else it looks for each frame through all that torch has loaded.
    While it is `learning`, the tree of each cell is kept for a process that is forked from this one, to be used once.
    """

    def __init__(self) -> None:
        super().__init__()
        self.learning = False
        self._learnt: dict[tuple[str, int], Any] = {}

    def ast_parse(self, source: str, filename: str = "<unknown>", symbol: str = "exec") -> Any:
        known = self._learnt.pop((source, self.flags), None) if symbol == "exec" else None
        tree = known or super().ast_parse(source, filename, symbol)
        if self.learning and isinstance(tree, ast.Module):
            self._learnt[source, self.flags] = tree
        return tree

    def get_code_name(self, raw_code: str, transformed_code: str, number: int) -> str:
        told = int(str(super().get_code_name(raw_code, transformed_code, number)).rpartition("-")[2].strip(">"), 16)
        file = f"{_FOLDER}{os.sep}{number}{told}.py"
        _MODULES[file] = ""
        return file
