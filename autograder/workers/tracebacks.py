"""What IPython works out anew for each traceback is worked out once, before rooms are forked.

A traceback is most of the time that a cell with an error takes, and a wrong answer has several. Its text stays what a
kernel writes.
"""

from __future__ import annotations

import functools
import inspect
import os
from typing import Any

from IPython.core.compilerop import CachingCompiler
from pygments.formatters.terminal256 import Terminal256Formatter
from pygments.lexer import words


class Compiler(CachingCompiler):  # type: ignore[misc]  # IPython ships no types that mypy sees
    """Tells `inspect` that a cell is no module: else it looks for each frame through all that torch has loaded."""

    def cache(self, transformed_code: str, number: int = 0, raw_code: str | None = None) -> str:
        name: str = super().cache(transformed_code, number, raw_code)
        for file in (name, os.path.abspath(name)):
            inspect.modulesbyfile[file] = ""
        return name


def remember() -> None:
    """Keeps pygments' patterns of Python's words, and which colour of a terminal is nearest to a style's."""
    words.get = functools.cache(words.get)
    formatter, nearest = Terminal256Formatter(), functools.cache(Terminal256Formatter._closest_color)

    def closest(_: Any, red: int, green: int, blue: int) -> int:
        return int(nearest(formatter, red, green, blue))

    Terminal256Formatter._closest_color = closest
