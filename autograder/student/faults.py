"""An exception as data, told by the student's own line: the innermost frame that is the notebook's."""

from __future__ import annotations

import linecache
import os
import re
from types import TracebackType

from autograder._seam import Fault

MOST_TEXT = 300
_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_LOCAL = re.compile(r"local variable '(\w+)'")


def fault_of(error: BaseException) -> Fault:
    """An exception as data, with the line of the student's own cell where it happened."""
    kind = type(error)
    base = next((c for c in kind.__mro__ if c.__module__ == "builtins"), Exception)
    try:
        text = str(error)[:MOST_TEXT]
    except BaseException:
        text = ""
    if isinstance(error, SyntaxError):
        source = error.text if isinstance(error.text, str) else ""
        return Fault(kind.__name__, base.__name__, str(error.msg)[:MOST_TEXT], error.lineno, source.strip()[:MOST_TEXT])
    line, source, within = _own_line(error.__traceback__)
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


def own(file: str) -> bool:
    """Whether a file is the student's, of those in the notebook's folder."""
    return "site-packages" not in file and not file.startswith(_PACKAGE)
