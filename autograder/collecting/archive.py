"""Reads a folder or zip of students' files without writing anything to the disk, with limits on sizes and counts.

The content is hostile input. No file is unpacked under the name it has in the archive, so a name such as `../x` cannot
write outside a folder. Links are never followed.
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
"""Most characters of a name (Moodle puts the student's name before a name of up to 255) and most nested folders."""
_IGNORED = {"__macosx", ".ipynb_checkpoints", "__pycache__", "venv", "node_modules", "thumbs.db", "desktop.ini"}


class RefusedWork(AutograderError):
    """A file, or all files of a student, cannot be accepted; the text says why."""


@dataclass(frozen=True)
class Entry:
    """One file: the parts of its path, its size in bytes, when it was written, and a function that returns its content.

    If `problem` is not empty, it says why the file must not be read.
    """

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
    """Every file of the folder or zip `source`; a file of more than `most` bytes gets a `problem`.

    AutograderError if the source is missing, cannot be read or holds too many files.
    """
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
    """The files of a zip that a student handed in, each of at most `most` bytes; RefusedWork if it cannot be read."""
    try:
        return list(_zip(zipfile.ZipFile(BytesIO(read(entry))), most, entry.time))
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise RefusedWork(BROKEN.format(why=error)) from None


def read(entry: Entry) -> bytes:
    """The content of the file; RefusedWork if it has a `problem` or cannot be unpacked."""
    if entry.problem:
        raise RefusedWork(entry.problem)
    try:
        return entry.read()
    except RefusedWork:
        raise
    except Exception as error:  # zipfile raises many types on a damaged archive, zlib.error and EOFError among them
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
            problem = problem or (_too_large(known.st_size, most) if known.st_size > most else "")
            time = datetime.fromtimestamp(known.st_mtime, UTC)
            yield Entry(parts, known.st_size, time, lambda path=path: _bytes(path, most), problem)  # type: ignore[misc]


def _bytes(path: Path, most: int) -> bytes:
    # The file may have been replaced or grown since it was listed: do not follow a link, do not read more than allowed.
    with open(os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)), "rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise RefusedWork(_too_large(len(data), most))
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
            # The beginning is enough to say whose file it is, and later code never meets the long name.
            problem, parts = LONG_NAME, tuple(part[:_LONGEST] for part in parts[:_DEEPEST])
        if path.startswith("/") or ".." in parts or (len(path) > 1 and path[1] == ":"):
            problem = ODD_NAME
        elif stat.S_ISLNK(info.external_attr >> 16):
            problem = LINK
        elif info.flag_bits & 1:
            problem = PASSWORD
        elif info.file_size > most:
            problem = _too_large(info.file_size, most)
        elif info.file_size > 1 << 20 and info.file_size > _MOST_RATIO * max(1, info.compress_size):
            problem = BOMB.format(ratio=info.file_size / max(1, info.compress_size))
        elif info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            problem = PACKED  # zipfile would unpack the whole file into memory, whatever its size
        yield Entry(parts, info.file_size, _time(info) or otherwise, partial(_unpacked, archive, info), problem)


def _unpacked(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    # Without a size, zipfile would unpack everything and only then cut it to the size that the zip claims. Only the
    # claimed size was checked, so a false one could fill the memory.
    with archive.open(info) as file:
        return file.read(info.file_size)


def _name(info: zipfile.ZipInfo) -> str:
    """The file's name. Some programs write UTF-8 without setting the zip format's flag for it (0x800)."""
    if not info.flag_bits & 0x800:
        try:
            return info.filename.encode("cp437").decode("utf-8")
        except UnicodeError:
            pass
    return info.filename


def _time(info: zipfile.ZipInfo) -> datetime | None:
    """When the file was written: the extended timestamp (extra field 0x5455, in UTC), else the zip's local time.

    The local time is of an unknown time zone; this machine's is assumed.
    """
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


def _too_large(size: int, most: int) -> str:
    return TOO_LARGE.format(size=size / 1e6, most=most / 1e6)


def _ignored(parts: tuple[str, ...]) -> bool:
    return any(part.casefold() in _IGNORED or (part.startswith(".") and part not in (".", "..")) for part in parts)
