"""A folder or zip that others filled is read without writing anything: names are only words, sizes are capped.

Nothing is unpacked under the name it came with, so a name cannot lead out of a folder; a link is never followed.
"""

from __future__ import annotations

import os
import stat
import struct
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from io import BytesIO
from pathlib import Path

from autograder.errors import AutograderError
from autograder.terminal.words import shown

MISSING = "there is no file {path}."
NO_SUCH = "{path} is neither a folder nor a zip file: give what you downloaded, or a folder with what you were sent."
NOT_ZIP = "{path} is not a zip file that can be read ({why}). Download it again."
TOO_MANY = "it holds more than {most} files"
LINK = "it is a link"
ODD_NAME = "its name leads out of the folder"
PASSWORD = "it is locked with a password"
TOO_LARGE = "it has {size:.0f} MB, more than the {most:.0f} MB that are allowed"
BOMB = "it unpacks to {ratio:.0f} times its size"
LONG_NAME = "its name is too long"
PACKED = "it is packed in a way that is not read here: ask for an ordinary zip"
BROKEN = "it cannot be unpacked ({why})"
_MOST_FILES = 50_000
_MOST_RATIO = 300
_LONGEST, _DEEPEST = 1000, 50
"""Characters of a name (Moodle puts the student's before one of 255) and folders in folders; a zip may have more."""
_IGNORED = {"__macosx", ".ipynb_checkpoints", "__pycache__", "thumbs.db", "desktop.ini"}


class RefusedWork(AutograderError):
    """A file, or a student's files, that cannot be taken; the text says why."""


@dataclass(frozen=True)
class Entry:
    """One file: its path as words, its size and time, and how to read it; `problem` says why one may not."""

    parts: tuple[str, ...]
    size: int
    time: datetime | None
    read: Callable[[], bytes]
    problem: str = ""

    @property
    def name(self) -> str:
        return self.parts[-1]

    @property
    def shown(self) -> str:
        return shown("/".join(self.parts))


def entries(source: Path, most: int) -> list[Entry]:
    """Every file of a folder or zip; `most` is how many bytes a file may have."""
    if source.is_dir():
        return list(_folder(source, most))
    if not os.path.lexists(source):
        raise AutograderError(MISSING.format(path=source))
    if not source.is_file():
        raise AutograderError(NO_SUCH.format(path=source))
    try:
        return list(_zip(zipfile.ZipFile(source), most, datetime.fromtimestamp(source.stat().st_mtime, UTC)))
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise AutograderError(NOT_ZIP.format(path=source, why=error)) from None
    except RefusedWork as error:
        raise AutograderError(f"{source}: {error}.") from None


def inside(entry: Entry, most: int) -> list[Entry]:
    """The files of a zip that a student handed in; RefusedWork says why they cannot be had."""
    try:
        return list(_zip(zipfile.ZipFile(BytesIO(read(entry))), most, entry.time))
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise RefusedWork(BROKEN.format(why=error)) from None


def read(entry: Entry) -> bytes:
    """What the file holds; RefusedWork says why it cannot be had."""
    if entry.problem:
        raise RefusedWork(entry.problem)
    try:
        return entry.read()
    except RefusedWork:
        raise
    except Exception as error:  # whatever a damaged archive makes of zipfile
        raise RefusedWork(BROKEN.format(why=error)) from None


def _folder(source: Path, most: int) -> Iterator[Entry]:
    count = 0
    for where, folders, files in os.walk(source, followlinks=False):
        folders[:] = sorted(name for name in folders if not _ignored((name,)))
        for name in sorted(files):
            path = Path(where, name)
            parts = path.relative_to(source).parts
            if _ignored(parts):
                continue
            count += 1
            if count > _MOST_FILES:
                raise AutograderError(f"{source}: {TOO_MANY.format(most=_MOST_FILES)}.")
            try:
                known = path.lstat()
            except OSError:
                continue
            problem = "" if stat.S_ISREG(known.st_mode) else LINK
            problem = problem or (_large(known.st_size, most) if known.st_size > most else "")
            time = datetime.fromtimestamp(known.st_mtime, UTC)
            yield Entry(parts, known.st_size, time, lambda path=path: _bytes(path, most), problem)  # type: ignore[misc]


def _bytes(path: Path, most: int) -> bytes:
    # Opened without following a link that took the file's place, and no more than was allowed.
    with open(os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)), "rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise RefusedWork(_large(len(data), most))
    return data


def _zip(archive: zipfile.ZipFile, most: int, otherwise: datetime | None) -> Iterator[Entry]:
    infos = [info for info in archive.infolist() if not info.is_dir()]
    if len(infos) > _MOST_FILES:
        raise RefusedWork(TOO_MANY.format(most=_MOST_FILES))
    for info in infos:
        path = _name(info).replace("\\", "/")
        parts = tuple(part for part in path.split("/") if part not in ("", "."))
        if not parts or _ignored(parts):
            continue
        problem = ""
        if len(parts) > _DEEPEST or max(map(len, parts)) > _LONGEST:
            # The beginning says whose it is; nothing that reads names gets more of it.
            problem, parts = LONG_NAME, tuple(part[:_LONGEST] for part in parts[:_DEEPEST])
        if path.startswith("/") or ".." in parts or (len(path) > 1 and path[1] == ":"):
            problem = ODD_NAME
        elif stat.S_ISLNK(info.external_attr >> 16):
            problem = LINK
        elif info.flag_bits & 1:
            problem = PASSWORD
        elif info.file_size > most:
            problem = _large(info.file_size, most)
        elif info.file_size > 1 << 20 and info.file_size > _MOST_RATIO * max(1, info.compress_size):
            problem = BOMB.format(ratio=info.file_size / max(1, info.compress_size))
        elif info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            problem = PACKED  # zipfile unpacks the others whole, however much that is
        yield Entry(parts, info.file_size, _time(info) or otherwise, partial(_unpacked, archive, info), problem)


def _unpacked(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    # A size has to be asked for. Without one, zipfile unpacks all that is packed and only then cuts it to the size that
    # the zip claims, which is the one that was looked at.
    with archive.open(info) as file:
        return file.read(info.file_size)


def _name(info: zipfile.ZipInfo) -> str:
    """The name; UTF-8 that was not declared as such is recognised."""
    if not info.flag_bits & 0x800:
        try:
            return info.filename.encode("cp437").decode("utf-8")
        except UnicodeError:
            pass
    return info.filename


def _time(info: zipfile.ZipInfo) -> datetime | None:
    """When the file was written: the extra field in UTC, else the zip's own, which is in the time of some machine."""
    now = datetime.now(UTC)
    extra = info.extra
    while len(extra) >= 4:
        kind, size = struct.unpack_from("<HH", extra)
        if kind == 0x5455 and size >= 5 and len(extra) >= 9 and extra[4] & 1:
            (seconds,) = struct.unpack_from("<i", extra, 5)
            return datetime.fromtimestamp(seconds, UTC) if seconds > 0 else None
        extra = extra[4 + size :]
    try:
        time = datetime(*info.date_time).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return time if time.year > 1980 and time < now + timedelta(days=1) else None


def _large(size: int, most: int) -> str:
    return TOO_LARGE.format(size=size / 1e6, most=most / 1e6)


def _ignored(parts: tuple[str, ...]) -> bool:
    return any(part.casefold() in _IGNORED or (part.startswith(".") and part not in (".", "..")) for part in parts)
