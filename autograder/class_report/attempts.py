"""When a student last ran the cells of a question, as far as anybody knows.

Jupyter writes such times into a notebook only if JupyterLab's setting "Recording timing" is on, which it is not by
default, and grading removes them. So they are read from the notebook that was handed in. They are the student's own
statement: nothing but a figure of the report comes of them, and a time after the handing in is left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

_TIME = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?(?:Z|\+00:00)")
_RUN = "iopub.execute_input"
"""When a cell began to run: a field of nbformat's cells."""


def last(file: Path, cells: Mapping[str, Collection[str]], until: str = "") -> dict[str, str]:
    """The last time at which one of the `cells` of each question ran; without questions of which none is known.

    Times are written as `until`, that of handing in ("" if it is not known): 2026-11-30 18:00:00.
    """
    try:
        text = file.read_bytes()
        notebook = json.loads(text) if b'"execution"' in text else {}
        ran = [
            (cell["metadata"], _time(cell["metadata"]["execution"])) for cell in notebook["cells"] if _is_timed(cell)
        ]
        times = [(str(about["nbgrader"]["grade_id"]), time) for about, time in ran if "nbgrader" in about]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}
    found: dict[str, str] = {}
    for question, names in cells.items():
        own = [time for name, time in times if name in names and time and (not until or time <= until)]
        if own:
            found[question] = max(own)
    return found


def _is_timed(cell: Any) -> bool:
    return isinstance(cell, dict) and isinstance(cell.get("metadata", {}).get("execution"), dict)


def _time(execution: Mapping[str, Any]) -> str:
    found = _TIME.fullmatch(str(execution.get(_RUN, "")))
    return f"{found[1]} {found[2]}" if found else ""
