"""Folders that a student has filled: walked, copied, measured and removed, whatever is in them.

Links are never followed, and nothing here is recursive, because folders can be nested deeper than Python's stack.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator

DEEPEST = 32
"""Levels of folders that are looked into."""
_SMALLEST = 4096
"""Bytes that a file or folder counts for, even if it is empty: inodes are used up as well."""


def walk(folder: str, deepest: int = DEEPEST) -> Iterator[tuple[os.DirEntry[str], int]]:
    """Everything below `folder` with its depth, 1 for what lies in it; a folder comes before what it holds."""
    todo = [(folder, 1)]
    while todo:
        at, depth = todo.pop()
        try:
            with os.scandir(at) as found:
                entries = list(found)
        except OSError:
            continue  # unreadable, or just removed
        for entry in entries:
            yield entry, depth
            if depth < deepest and entry.is_dir(follow_symlinks=False):
                todo.append((entry.path, depth + 1))


def files_beside_notebooks(folder: str) -> Iterator[tuple[str, str]]:
    """The regular files below `folder`, each as a path and a path relative to `folder`.

    Links and pipes are left out, and notebooks with their checkpoints: graded ones hold the hidden tests.
    """
    for entry, _ in walk(folder):
        path = os.path.relpath(entry.path, folder)
        notebook = path.endswith(".ipynb") or ".ipynb_checkpoints" in path.split(os.sep)
        if not notebook and entry.is_file(follow_symlinks=False):
            yield entry.path, path


def copy_files(source: str, target: str) -> None:
    """Copies the `files_beside_notebooks`; one that cannot be copied is left out."""
    for path, relative in files_beside_notebooks(source):
        with contextlib.suppress(OSError):
            to = os.path.join(target, relative)
            os.makedirs(os.path.dirname(to), exist_ok=True)
            shutil.copyfile(path, to)


def chown_tree(folder: str, user: int, group: int) -> None:
    """Gives `folder` and all that is in it to another user, if this process is root's."""
    if os.getuid() == 0:
        for path in (folder, *(entry.path for entry, _ in walk(folder, DEEPEST + 1))):
            os.chown(path, user, group, follow_symlinks=False)


def disk_usage(folder: str) -> float:
    """Bytes on the disk below `folder`; infinite if folders are nested too deep to be counted."""
    total = 0
    for entry, depth in walk(folder):
        if depth == DEEPEST:
            return float("inf")
        with contextlib.suppress(OSError):
            total += max(_SMALLEST, entry.stat(follow_symlinks=False).st_blocks * 512)
    return total


def remove(folder: str) -> None:
    """Removes the folder and everything in it, however deep, and where its owner has taken his own rights away."""
    with contextlib.suppress(OSError):
        os.rmdir(folder)  # most are empty
        return
    with contextlib.suppress(RecursionError):
        shutil.rmtree(folder, ignore_errors=True)
    if os.path.lexists(folder):
        for command in (["chmod", "-R", "u+rwX"], ["rm", "-rf"]):
            subprocess.run([*command, "--", folder], stderr=subprocess.DEVNULL, check=False)
