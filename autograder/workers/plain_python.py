"""Cells that are plain Python, as most are: read by Python's own parser, in a quarter of the time that IPython takes.

IPython looks for its magics by a lexer written in Python, then compiles the cell to see whether it awaits something. A
cell that compiles has no magic in it, and the same compiling says whether it awaits. What IPython would do to a cell
that compiles as well (prompts that were copied with the code, indentation, empty lines at the top) is left to it.
"""

from __future__ import annotations

import ast
import inspect
import re
from functools import lru_cache

from IPython.core.inputtransformer2 import TransformerManager

_IPYTHON = re.compile(r"\A\s|>>>|\.\.\.|In \[|^[ \t]*[%!?,;/]|=[ \t]*[%!]|\?[ \t]*$", re.MULTILINE)
"""What IPython may read in a way of its own. More is matched than that: such a cell only takes longer."""


class Transformer(TransformerManager):  # type: ignore[misc]  # IPython ships no types that mypy sees
    """Changes no cell that is plain Python; IPython's own in all else."""

    def __init__(self) -> None:
        super().__init__()
        self._own = self._transforms()
        self._known = "", False

    def transform_cell(self, cell: str) -> str:
        text = cell if cell.endswith("\n") else cell + "\n"
        if self._transforms() == self._own and not _IPYTHON.search(text):
            awaits = _awaits(text)
            self._known = text, bool(awaits)  # IPython, too, takes what does not compile for a cell that does not await
            if awaits is not None:
                return text
        return str(super().transform_cell(cell))

    def awaits(self, text: str | None) -> bool | None:
        """Whether a transformed cell needs an event loop; None if that is not known of it."""
        known, awaits = self._known
        return awaits if known == text else None

    def _transforms(self) -> list[object]:
        """A notebook may add its own."""
        return [*self.cleanup_transforms, *self.line_transforms, *self.token_transformers]


@lru_cache(maxsize=256)
def _awaits(text: str) -> bool | None:
    """Whether a cell needs an event loop; None of one that does not compile. A forked room knows the course's cells."""
    try:
        code = compile(text, "<>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    except (SyntaxError, ValueError, MemoryError, RecursionError, OverflowError):
        return None
    return bool(code.co_flags & inspect.CO_COROUTINE)
