"""An exception as data, told by the student's own line: the innermost frame that is the notebook's, in a call.

Of what runs below a function in its cell, the line of the cell is told: the function is no cause of it.
"""

from __future__ import annotations

import contextlib
import linecache
import os
import re
import sys
from types import TracebackType

from autograder.student.changes import Unchanged
from autograder.student.protocol import Fault

MOST_TEXT = 300
_MOST_SOURCE = 100_000
_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_PYTHON = os.path.dirname(os.__file__) + os.sep
_LOCAL = re.compile(r"local variable '(\w+)'")


def fault_of(error: BaseException, of_cell: bool = False, in_call: bool = False) -> Fault:
    """An exception as data, with the line of the student's own cell where it happened, or the cell's line that led
    there. The line that a SyntaxError itself names is the cell's only where none of it was run.
    """
    kind = type(error)
    base = next((c for c in kind.__mro__ if c.__module__ == "builtins"), Exception)
    try:
        text = str(error)[:MOST_TEXT]
    except BaseException:
        text = ""
    if isinstance(error, SyntaxError) and not (of_cell or in_call):
        source = error.text if isinstance(error.text, str) else ""
        return Fault(kind.__name__, base.__name__, str(error.msg)[:MOST_TEXT], error.lineno, source.strip()[:MOST_TEXT])
    line, source, within = (_line_of_cell(error.__traceback__) if of_cell else None) or _own_line(error.__traceback__)
    return Fault(
        kind.__name__[:60], base.__name__, text, line, source, _unknown_name(error, text), line is not None, within
    )


def _unknown_name(error: BaseException, text: str) -> str:
    """The name that has no value, of a NameError; Python does not say it of a local one but in words."""
    if not isinstance(error, NameError):
        return ""
    name = getattr(error, "name", None)
    local = _LOCAL.search(text)
    return name if isinstance(name, str) else local[1] if local else ""


def _own_line(trace: TracebackType | None) -> tuple[int | None, str, str]:
    """The innermost frame that is the student's, a notebook cell or a file beside the notebook: its line, the text of
    that line, and the function that it is in.
    """
    found: tuple[int | None, str, str] = None, "", ""
    here = os.getcwd() + os.sep
    while trace:
        code = trace.tb_frame.f_code
        file = code.co_filename
        cell = not os.path.exists(file) and not file.startswith("<frozen")
        if cell or (file.startswith(here) and own(file)):
            source = linecache.getline(file, trace.tb_lineno).strip()[:MOST_TEXT]
            found = trace.tb_lineno, source, code.co_name[:MOST_TEXT]
        trace = trace.tb_next
    return found


def _line_of_cell(trace: TracebackType | None) -> tuple[int, str, str] | None:
    """The outermost frame that runs a cell's lines, no function; below `%%time` the cell is run by another one."""
    while trace:
        code = trace.tb_frame.f_code
        of_cell = code.co_name.startswith("<") and not code.co_filename.startswith("<frozen")
        if of_cell and not os.path.exists(code.co_filename):
            source = linecache.getline(code.co_filename, trace.tb_lineno).strip()
            if not source.startswith("get_ipython().run_cell_magic("):
                return trace.tb_lineno, source[:MOST_TEXT], "<module>"
        trace = trace.tb_next
    return None


def own(file: str) -> bool:
    """Whether a file is the student's, of those in the notebook's folder."""
    return "site-packages" not in file and not file.startswith((_PACKAGE, _PYTHON))


_looked: list[tuple[Unchanged, dict[str, str]]] = []
"""The last look at the modules, of which there are thousands: what they were, and the own files of any folder."""


def _own_files() -> dict[str, str]:
    if not (_looked and _looked[0][0]):
        unchanged = Unchanged(sys.modules)
        files = {name: getattr(module, "__file__", None) for name, module in list(sys.modules.items())}
        _looked[:] = [(unchanged, {n: file for n, file in files.items() if isinstance(file, str) and own(file)})]
    return _looked[0][1]


def modules_beside() -> dict[str, str]:
    """The student's own modules: imported from files in the notebook's folder."""
    here = os.getcwd() + os.sep
    found: dict[str, str] = {}
    for name, file in _own_files().items():
        if file.startswith(here):
            with contextlib.suppress(OSError, UnicodeDecodeError), open(file, encoding="utf-8") as text:
                found[name] = text.read(_MOST_SOURCE)
    return found
