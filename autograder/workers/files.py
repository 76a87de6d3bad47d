"""The files of a submission go into its room as data, and are written there by the worker, which is confined.

The grader only reads them: regular files, opened without following a link. What is too large for the room is left out.
"""

from __future__ import annotations

import base64
import contextlib
import os
import stat
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from autograder.sandbox import folders
from autograder.sandbox.limits import MB

_PART = MB


def choose(folder: str, most: int, first: Collection[str] = ()) -> tuple[list[tuple[str, str]], list[str]]:
    """The files below `folder` that fit into `most` bytes, as path and relative path; and those that do not.

    The files `first` come first, because a course's own must not be missing for what a student has put beside them;
    then the small ones.
    """
    sizes = {file: _size(file[0]) for file in folders.files_beside_notebooks(folder)}
    kept, left = [], []
    for file in sorted(sizes, key=lambda file: (file[1] not in first, sizes[file])):
        if sizes[file] <= most:
            kept.append(file)
            most -= sizes[file]
        else:
            left.append(file[1])
    return kept, left


def read_parts(files: Iterable[tuple[str, str]]) -> Iterator[tuple[str, int, bytes]]:
    """Each of the `files` that were chosen in parts: its relative path, where the part starts, its bytes."""
    for path, relative in files:
        with contextlib.suppress(OSError):  # a file that cannot be read is left out
            for start, data in _parts(path):
                yield relative, start, data


def _size(path: str) -> int:
    try:
        return os.lstat(path).st_size
    except OSError:
        return 0  # it was just removed


def _parts(path: str) -> Iterator[tuple[int, bytes]]:
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            return
        start = 0
        while (data := file.read(_PART)) or not start:  # an empty file has one part
            yield start, data
            start += len(data)
            if not data:
                return


def write_part(order: dict[str, Any]) -> None:
    """In the worker: one part of a file, below the working folder. It is left out if the disk is full."""
    path = order["path"]
    with contextlib.suppress(OSError):
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        with open(path, "r+b" if order["start"] else "wb") as file:
            file.seek(order["start"])
            file.write(base64.b64decode(order["data"]))
