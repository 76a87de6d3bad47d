"""The files of a submission go into its room as data, and are written there, behind the room's locks.

Only regular files, opened without following a link, notebooks aside: graded ones hold tests. What is too large for the
room is left out.
"""

from __future__ import annotations

import base64
import contextlib
import os
import stat
from collections.abc import Iterator
from typing import Any

from autograder.sandbox import folders

_PART = 1 << 20


def file_orders(folder: str, most: int) -> Iterator[dict[str, Any]]:
    """What a room is told, file by file and part by part; at most `most` bytes in all."""
    left = most
    for entry, _ in folders.walk(folder):
        path = os.path.relpath(entry.path, folder)
        if not entry.is_file(follow_symlinks=False) or path.endswith(".ipynb") or ".ipynb_checkpoints" in path:
            continue
        with contextlib.suppress(OSError):  # a file that cannot be read is missing, and costs nobody a room
            for part in _parts(entry.path, left):
                yield {"do": "file", "path": path, **part}
                left -= len(part["data"]) * 3 // 4


def _parts(path: str, most: int) -> Iterator[dict[str, Any]]:
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(handle, "rb") as file:
        known = os.fstat(handle)
        if not stat.S_ISREG(known.st_mode) or known.st_size > most:
            return
        start = 0
        while (data := file.read(_PART)) or not start:
            yield {"start": start, "data": base64.b64encode(data).decode("ascii")}
            start += len(data)
            if not data:
                return


def write_part(order: dict[str, Any]) -> None:
    """In the room: one part of a file, below the folder where the room stands. A full disk leaves it out."""
    path = order["path"]
    with contextlib.suppress(OSError):
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        with open(path, "r+b" if order["start"] else "wb") as file:
            file.seek(order["start"])
            file.write(base64.b64decode(order["data"]))
