"""Tracebacks as a kernel writes them, and in a tenth of the time that IPython takes for them outside of one.

A traceback is most of the time that a cell with an error takes, and a wrong answer has several.
"""

from __future__ import annotations

import inspect
import os

from IPython.core.compilerop import CachingCompiler

_FOLDER = os.path.join(os.sep, "tmp", "ipykernel")
"""There is none. Python's own folder for temporary files is not asked for: it would be remembered for all rooms."""
_MODULES: dict[str, str] = inspect.modulesbyfile
"""Looked up now, so that a cell that replaces it does not change how the next cells are named."""


class Compiler(CachingCompiler):  # type: ignore[misc]  # IPython ships no types that mypy sees
    """Names cells as a kernel does, after files that are not there, which IPython shows in a quicker way of its own.

    And tells `inspect` that they are no modules: else it looks for each frame through all that torch has loaded.
    """

    def get_code_name(self, raw_code: str, transformed_code: str, number: int) -> str:
        told = int(str(super().get_code_name(raw_code, transformed_code, number)).rpartition("-")[2].strip(">"), 16)
        file = f"{_FOLDER}{os.sep}{number}{told}.py"
        _MODULES[file] = ""
        return file
