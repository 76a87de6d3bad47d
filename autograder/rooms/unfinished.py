"""Removes what a run that was killed has left half-written: nbgrader would skip its folder as done.

Each kind of converter says when one of its files is finished.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from autograder.sandbox import folders


def remove(converter: Any, folder: Path, files: Iterable[Path], finished: Callable[[Path], bool]) -> bool:
    """Removes the `folder` of a submission, which holds `files`, if one is not finished; returns whether it did.

    If only some of its notebooks are converted, these alone are removed.
    """
    expected = list(files)
    if not folder.is_dir() or (expected and all(finished(file) for file in expected)):
        return False
    if converter.coursedir.notebook_id == "*":
        folders.remove(str(folder))
    else:
        for file in expected:
            file.unlink(missing_ok=True)
    return True
