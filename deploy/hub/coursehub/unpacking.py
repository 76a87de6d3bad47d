"""Unpacks a backup among people who may be there already: nothing is written through a link, and owners go by name.

tarfile's own extraction looks every path up again, and its safe filters would drop owners and people's own links.
"""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import tarfile
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

from coursehub import no_links
from coursehub.archive import ArchiveError


def unpack(path: Path, places: dict[str, Path]) -> list[str]:
    """Puts each entry whose name begins with a key of `places` into that folder; owners are looked up by name.

    Returns what could not be put, because the way to it is a link or a file: older archives may hold such entries.
    """
    left_out = []
    with tarfile.open(path) as tar:
        for entry in tar:
            parts = PurePosixPath(entry.name).parts
            if ".." in parts:
                raise ArchiveError(f"{path} holds {entry.name}, which leads out of its folder.")
            long = next((n for n in (1, 2) if "/".join(parts[:n]) in places), None)
            if long is None:
                continue
            try:
                _put(tar, entry, places["/".join(parts[:long])], parts[long:])
            except (FileExistsError, FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
                left_out.append(f"{entry.name}: {error.strerror}")
    return left_out


def _put(tar: tarfile.TarFile, entry: tarfile.TarInfo, top: Path, way: tuple[str, ...]) -> None:
    """Puts one entry at `top/way`; each folder on it is opened from the one before, as its owner may be changing it."""
    top.mkdir(parents=True, exist_ok=True)
    with ExitStack() as opened:
        at = opened.enter_context(no_links.folder(top))
        for name in way[: None if entry.isdir() else -1]:
            no_links.made(at, name)
            at = opened.enter_context(no_links.inner(at, name))
        user, group = _owner(entry)
        if entry.isdir():
            no_links.own(at, user, group, entry.mode)
        elif entry.isreg() and way:
            content = tar.extractfile(entry)
            assert content, "a regular file has one"
            with no_links.new_file(at, way[-1]) as file:
                shutil.copyfileobj(content, file)
                file.flush()
                os.utime(file.fileno(), (entry.mtime, entry.mtime))
                no_links.own(file.fileno(), user, group, entry.mode)
        elif entry.issym() and way:
            with suppress(FileNotFoundError):
                os.unlink(way[-1], dir_fd=at)
            os.symlink(entry.linkname, way[-1], dir_fd=at)
            os.chown(way[-1], user, group, dir_fd=at, follow_symlinks=False)
        else:
            raise ArchiveError(f"{tar.name!r} holds {entry.name}, which is no file, folder or link.")


def _owner(entry: tarfile.TarInfo) -> tuple[int, int]:
    """The numbers of the owner and the group on this machine; -1, which leaves them, where only root could set them."""
    if os.geteuid():
        return -1, -1
    return _number(pwd.getpwnam, entry.uname, entry.uid), _number(grp.getgrnam, entry.gname, entry.gid)


@cache
def _number(find: Callable[[str], Any], name: str, otherwise: int) -> int:
    try:
        return int(find(name)[2])
    except KeyError:
        return otherwise
