"""Compiles cells, with tracebacks as a kernel writes them, in a tenth of the time that IPython takes outside of one.

A traceback is most of the time that a cell with an error takes, and a wrong answer has several.
"""

from __future__ import annotations

import ast
import inspect
import os
from types import CodeType
from typing import Any

from IPython.core.compilerop import CachingCompiler

_FOLDER = os.path.join(os.sep, "tmp", "ipykernel")
"""There is none. Python's own folder for temporary files is not asked for: it would be remembered for all rooms."""
_MODULES: dict[str, str] = inspect.modulesbyfile
"""Looked up now, so that a cell that replaces it does not change how the next cells are named."""


class Compiler(CachingCompiler):  # type: ignore[misc]  # IPython ships no types that mypy sees
    """Names cells as a kernel does, after files that are not there, which IPython shows in a quicker way of its own.

    And tells `inspect` that they are no modules: else it looks for each frame through all that torch has loaded.
    While it is `learning`, the tree of each cell is kept for a process that is forked from this one, to be used once,
    and the code of its statements.
    """

    def __init__(self) -> None:
        super().__init__()
        self.learning = False
        self._learnt: dict[tuple[str, int], Any] = {}
        self._codes: dict[tuple[ast.AST, str, int], CodeType] = {}

    def forget(self) -> None:
        """What was learnt is no longer what cells would be compiled to."""
        self._learnt.clear()
        self._codes.clear()

    def ast_parse(self, source: str, filename: str = "<unknown>", symbol: str = "exec") -> Any:
        known = self._learnt.pop((source, self.flags), None) if symbol == "exec" else None
        tree = known or super().ast_parse(source, filename, symbol)
        if self.learning and isinstance(tree, ast.Module):
            self._learnt[source, self.flags] = tree
        return tree

    def __call__(self, source: Any, filename: str, symbol: str, **more: Any) -> Any:
        body = source.body if isinstance(source, ast.Module | ast.Interactive) else ()
        key = (body[0], symbol, self.flags) if len(body) == 1 else None
        if key in self._codes:
            return _in_file(self._codes[key], filename)
        code = super().__call__(source, filename, symbol, **more)
        if self.learning and key and key[-1] == self.flags:  # and it imports nothing from __future__
            self._codes[key] = code
        return code

    def get_code_name(self, raw_code: str, transformed_code: str, number: int) -> str:
        told = int(str(super().get_code_name(raw_code, transformed_code, number)).rpartition("-")[2].strip(">"), 16)
        file = f"{_FOLDER}{os.sep}{number}{told}.py"
        _MODULES[file] = ""
        return file


def _in_file(code: CodeType, file: str) -> CodeType:
    """The same code, as if compiled from this file."""
    if code.co_filename == file:
        return code
    consts = tuple(_in_file(c, file) if isinstance(c, CodeType) else c for c in code.co_consts)
    return code.replace(co_filename=file, co_consts=consts)
