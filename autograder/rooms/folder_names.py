"""Which folders of `submitted/` are graded: a name that is no plain text, or that nbgrader reads as a pattern, is not.

nbgrader looks for a student's notebooks with the folder's name as a pattern of glob: in `st*r` it finds those of
`stair` as well, in `[ab]c` those of `ac` and not its own. With a line break in a name it ends the run for everybody,
and a name that is no text cannot be written into the gradebook.
"""

from __future__ import annotations

import glob
import os
import re
from typing import Any

REFUSED = (
    "its folder {folder} has a name with {what}, which nbgrader cannot use: rename the folder to the student's name in "
    "the roster and grade again"
)
_KINDS = {
    r"[\x00-\x1f\x7f-\x9f]": "a line break or another control character",
    r"[*?\[]": "one of * ? [",
    r"[\ud800-\udfff]": "bytes that are no text",
}


def refused(converter: Any) -> dict[str, str]:
    """Why, by name, the folders that `converter` must not grade; they are taken from its list."""
    coursedir = converter.coursedir
    found: dict[str, str] = {}
    for folder in sorted(glob.glob(converter._format_source(coursedir.assignment_id, coursedir.student_id))):
        student = _student(converter, folder)
        if what := problem(student):
            converter.assignments.pop(folder, None)
            found[student] = REFUSED.format(folder=os.path.relpath(folder, coursedir.root), what=what)
    return found


def problem(student: str) -> str:
    """What makes a name unusable; empty if nothing does."""
    return next((words for pattern, words in _KINDS.items() if re.search(pattern, student)), "")


def _student(converter: Any, folder: str) -> str:
    """As nbgrader finds it, but line breaks count as part of a name."""
    pattern = converter.coursedir.format_path(
        converter._input_directory, "(?P<student>.*)", re.escape(converter.coursedir.assignment_id), escape=True
    )
    match = re.fullmatch(pattern, folder, re.DOTALL)
    return match["student"] if match else ""
