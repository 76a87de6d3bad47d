"""The files of a submission go into its room as data, and are written there by the worker, which is confined.

The grader only reads them: regular files, opened without following a link. What is too large for the room is left out.
"""

from __future__ import annotations

import base64
import contextlib
import os
import stat
from collections.abc import Iterator
from typing import Any

from autograder.sandbox import folders
from autograder.sandbox.limits import MB

_PART = MB


def read_parts(folder: str, most: int) -> Iterator[tuple[str, int, bytes]]:
    """Each file below `folder` in parts: its relative path, where the part starts, its bytes; `most` bytes in all."""
    left = most
    for path, relative in folders.files_beside_notebooks(folder):
        with contextlib.suppress(OSError):  # a file that cannot be read is left out
            for start, data in _parts(path, left):
                yield relative, start, data
                left -= len(data)


def _parts(path: str, most: int) -> Iterator[tuple[int, bytes]]:
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(handle, "rb") as file:
        known = os.fstat(handle)
        if not stat.S_ISREG(known.st_mode) or known.st_size > most:
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
