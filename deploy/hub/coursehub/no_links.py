"""Opens and makes what root writes among other people's files: a link is followed only where root alone can lay it.

A path is looked up again by every call that is given it, so whoever can write to a folder on the way can lead the next
call elsewhere. Here each folder is opened from the one before it, and what is changed is changed by its descriptor.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

_ON_THE_WAY = os.O_DIRECTORY | os.O_CLOEXEC | getattr(os, "O_PATH", os.O_RDONLY)  # needs no right to list the folder
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class LinkRefusedError(OSError):
    """There is a link where somebody other than root may have laid it."""


@contextmanager
def parent(path: Path) -> Iterator[int]:
    """The folder that `path` lies in, as a descriptor; LinkRefusedError if a link on the way is not root's."""
    at = os.open("/", _ON_THE_WAY)
    try:
        way = Path("/")
        for part in path.absolute().parts[1:-1]:
            way /= part
            inner = os.open(part, _ON_THE_WAY | _unless_link(at, part, way), dir_fd=at)
            os.close(at)
            at = inner
        yield at
    finally:
        os.close(at)


@contextmanager
def folder(path: Path) -> Iterator[int]:
    """The folder itself, opened so that it can be listed and changed."""
    with parent(path) as at:
        number = os.open(path.name, _FOLDER & ~os.O_NOFOLLOW | _unless_link(at, path.name, path), dir_fd=at)
    try:
        yield number
    finally:
        os.close(number)


@contextmanager
def inner(at: int, name: str) -> Iterator[int]:
    """The folder `name` in the opened folder `at`; NotADirectoryError if it is anything else, a link too."""
    number = os.open(name, _FOLDER, dir_fd=at)
    try:
        yield number
    finally:
        os.close(number)


def made(at: int, name: str) -> None:
    """Makes the folder `name`, closed to others, if nothing of that name is there."""
    with suppress(FileExistsError):
        os.mkdir(name, 0o700, dir_fd=at)


@contextmanager
def new_file(at: int, name: str) -> Iterator[IO[bytes]]:
    """A new file in the opened folder `at`, closed to others, in place of any file or link of that name."""
    with suppress(FileNotFoundError):
        os.unlink(name, dir_fd=at)
    with open(os.open(name, _NEW, 0o600, dir_fd=at), "wb") as file:
        yield file


def own(number: int, user: int, group: int, mode: int) -> None:
    """Sets owner and mode of an opened file or folder; the mode last, because a new owner clears some of its bits."""
    os.fchown(number, user, group)
    os.fchmod(number, mode)


def known(path: Path) -> os.stat_result | None:
    """What is known of the folder `path`, if there is one; LinkRefusedError as in `parent`, also for `path` itself."""
    try:
        with parent(path) as at:
            number = os.open(path.name, _ON_THE_WAY | _unless_link(at, path.name, path), dir_fd=at)
        try:
            return os.fstat(number)
        finally:
            os.close(number)
    except (FileNotFoundError, NotADirectoryError):
        return None


def _unless_link(at: int, name: str, whole: Path) -> int:
    """The flag with which `name` is opened: it lets a link through that is root's, in a folder that is root's alone.

    Whoever runs this as another account, for a demonstration, counts as root.
    """
    mine = {0, os.geteuid()}
    with suppress(FileNotFoundError):
        link = os.lstat(name, dir_fd=at)
        if stat.S_ISLNK(link.st_mode):
            around = os.fstat(at)
            if {link.st_uid, around.st_uid} <= mine and not around.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                return 0
            raise LinkRefusedError(
                f"{whole} is a link, and not only root can have laid it. Look whose it is (ls -l {whole}) and remove it"
            )
    return os.O_NOFOLLOW
