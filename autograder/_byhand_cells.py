"""Cells as text: what IPython understands and Python does not is emptied line by line, so that lines keep count."""

from __future__ import annotations

import ast
import re

_PYTHON_MAGICS = re.compile(r"^(\s*)%{1,2}(?:time|timeit|prun|capture|memit|mprun)\b(?:\s+-\w+(?:\s+\d+)?)*")
_SHELL = re.compile(r"^\s*(?:[%!?]|[\w.]+\?+\s*$)|^\s*[\w, ]+=\s*[%!]")


def parse(source: str) -> tuple[ast.Module | None, list[str]]:
    """The tree of a cell, or None where it is no Python; IPython's own lines are emptied, so that lines keep count."""
    shown = source.split("\n")
    lines = list(shown)
    first = next((i for i, line in enumerate(lines) if line.strip()), 0)
    if lines[first].startswith("%%"):
        if not _PYTHON_MAGICS.match(lines[first]):
            return None, shown
        lines[first] = ""
    for attempt in (lines, [_plain(line) for line in lines]):
        try:
            return ast.parse("\n".join(attempt)), shown
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
    return None, shown


def _plain(line: str) -> str:
    line = _PYTHON_MAGICS.sub(r"\1", line)
    if not _SHELL.match(line):
        return line
    return line[: len(line) - len(line.lstrip())] + "pass"
