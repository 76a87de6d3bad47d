"""A tar of folders that are in use: databases are copied by SQLite's own backup, links are not followed.

The manifest is written last, so an archive that was cut short has none and is refused. Folders may change while they
are read, and their owners may want that: a file is stored with the length that it had when it was opened, and what is
left out is named in the manifest.
"""

from __future__ import annotations

import errno
import grp
import io
import json
import os
import pwd
import stat
import tarfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import Any

from coursehub import database_copy, no_links

MANIFEST = "MANIFEST.json"
FORMAT = 1
BUSY = 60  # seconds to wait for a database that somebody is writing to
DEEPEST = 100  # levels of folders; no course is nested deeper, and a descriptor is open for each level
UNPAID = 1 << 30  # bytes an owner; see Writer._too_hollow
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # a pipe that has taken a file's place would wait
_BESIDE = ("-journal", "-wal", "-shm")  # files of SQLite beside a database, which a copy by its backup does not need


class ArchiveError(Exception):
    """The archive cannot be made or used; the text names the next step."""


class Writer:
    """An archive under way. Entries are named `place/…`, whatever folder they come from."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self.left_out: list[str] = []
        self.databases_left_out: list[str] = []
        self.entries = 0
        self._unpaid: Counter[int] = Counter()
        self._seen: set[tuple[int, int]] = set()

    def tree(self, folder: Path, place: str, database: str = "") -> None:
        """Adds the folder with everything in it; `database` is the name of a file of SQLite in it.

        A name is looked at once, and recorded as what was opened: no link is followed, also if one is put there
        meanwhile, and nothing is recorded below a name that was recorded as a link.
        """
        try:
            with no_links.folder(folder) as here:
                self._folder(here, folder, PurePosixPath(place), database)
        except no_links.LinkRefusedError as error:
            self.left_out.append(f"{place}: {error}")

    def _folder(self, here: int, path: Path, place: PurePosixPath, database: str = "") -> None:
        self._add(place, os.fstat(here))
        if len(place.parts) > DEEPEST:
            self.left_out.append(f"{place}: what is in it lies too deep")
            return
        for name in sorted(os.listdir(here)):
            if name == database:
                self.database(path / name, here, str(place / name))
            elif not database or name not in [database + end for end in _BESIDE]:
                self._entry(here, name, path / name, place / name)

    def _entry(self, at: int, name: str, path: Path, place: PurePosixPath) -> None:
        try:
            known = os.lstat(name, dir_fd=at)
            if stat.S_ISLNK(known.st_mode):
                link, number = os.readlink(name, dir_fd=at), -1
            elif stat.S_ISDIR(known.st_mode) or stat.S_ISREG(known.st_mode):
                link, number = "", os.open(name, _OPEN, dir_fd=at)
            else:
                raise OSError("a pipe, socket or device")
        except OSError as error:  # since it was listed it was removed, or replaced by something else
            self.left_out.append(f"{place}: {error.strerror or error}")
            return
        if number < 0:
            self._add(place, known, link=link)
            return
        try:
            self._opened(number, path, place)
        finally:
            os.close(number)

    def _opened(self, number: int, path: Path, place: PurePosixPath) -> None:
        known = os.fstat(number)
        if stat.S_ISDIR(known.st_mode):
            self._folder(number, path, place)
        elif not stat.S_ISREG(known.st_mode):
            self.left_out.append(f"{place}: a pipe, socket or device")
        elif self._too_hollow(number, known):
            self.left_out.append(f"{place}: it is {known.st_size} bytes long and takes less room on the disk")
        else:
            content = _AsLongAsItWas(number, known.st_size)
            self._add(place, known, content, known.st_size)
            if content.lacking:
                self.left_out.append(f"{place}: its last {content.lacking} bytes, which went while it was read")

    def _too_hollow(self, number: int, known: os.stat_result) -> bool:
        """Whether the owner's files hold more than `UNPAID` bytes in all that are in the archive and not on the disk.

        These are the holes of a file, and the second and later names of one: a quota does not count them.
        """
        file = known.st_dev, known.st_ino
        most = UNPAID - self._unpaid[known.st_uid]
        unpaid = known.st_size if file in self._seen else _holes(number, known.st_size, most)
        if unpaid > most:
            return True
        self._unpaid[known.st_uid] += unpaid
        if known.st_nlink > 1:
            self._seen.add(file)
        return False

    def database(self, path: Path, folder: int, place: str) -> None:
        """Adds a consistent copy of a SQLite database in the opened `folder`."""
        owner = os.fstat(folder)
        try:
            known = os.lstat(path.name, dir_fd=folder)
            if stat.S_ISLNK(known.st_mode):
                known = owner  # what the owner can read through the link is saved as a file of the owner's
            with database_copy.copied(path, BUSY, owner.st_uid, owner.st_gid) as copy:
                self._add(PurePosixPath(place), known, copy, os.fstat(copy.fileno()).st_size)
        except (FileNotFoundError, PermissionError, database_copy.HeldError, database_copy.UnusableError) as error:
            self.left_out.append(f"{place}: {error}")
            self.databases_left_out.append(place)

    def file(self, path: Path, place: str) -> None:
        """Adds one file, which must be root's: a link in its place would be followed."""
        with path.open("rb") as file:
            known = os.fstat(file.fileno())
            self._add(PurePosixPath(place), known, file, known.st_size)

    def _add(
        self, place: PurePosixPath, known: os.stat_result, content: Any = None, size: int = 0, link: str = ""
    ) -> None:
        entry = tarfile.TarInfo(str(place))
        entry.mode, entry.mtime = stat.S_IMODE(known.st_mode), int(known.st_mtime)
        entry.uid, entry.gid = known.st_uid, known.st_gid
        entry.uname, entry.gname = _user(known.st_uid), _group(known.st_gid)
        if content is not None:
            entry.size = size
            entry.mode &= 0o7777 if stat.S_ISREG(known.st_mode) else 0o666
        elif link:
            entry.type, entry.linkname = tarfile.SYMTYPE, link
        else:
            entry.type = tarfile.DIRTYPE
        self._tar.addfile(entry, content)
        self.entries += 1

    def manifest(self, about: dict[str, Any]) -> None:
        whole = {"format": FORMAT, **about, "entries": self.entries, "left_out": self.left_out}
        data = json.dumps(whole, indent=2).encode()
        entry = tarfile.TarInfo(MANIFEST)
        entry.size, entry.mode = len(data), 0o600
        self._tar.addfile(entry, io.BytesIO(data))


@contextmanager
def written(path: Path) -> Iterator[Writer]:
    """A new archive at `path` that only its owner can read; if anything is raised meanwhile, there is no archive."""
    partial = path.with_name(path.name + ".partial")
    mode = "w:gz" if path.suffix in (".gz", ".tgz") else "w"
    try:
        with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            with tarfile.open(fileobj=file, mode=mode, format=tarfile.PAX_FORMAT) as tar:  # type: ignore[call-overload]
                yield Writer(tar)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def manifest(path: Path) -> dict[str, Any]:
    """What the archive's last entry says; ArchiveError if there is none."""
    try:
        with tarfile.open(path) as tar:
            names = tar.getnames()
            if not names or names[-1] != MANIFEST:
                raise ArchiveError(f"{path} has no {MANIFEST} at its end: it was cut short, or is no backup of a hub.")
            found: dict[str, Any] = json.load(tar.extractfile(MANIFEST))  # type: ignore[arg-type]
    except (OSError, EOFError, tarfile.TarError) as error:
        raise ArchiveError(f"{path} cannot be read to its end ({error}). Take another copy of the backup.") from None
    if found["format"] != FORMAT or found["entries"] != len(names) - 1:
        raise ArchiveError(f"{path} does not hold what its {MANIFEST} says. Take another copy of the backup.")
    return found


class _AsLongAsItWas(io.RawIOBase):
    """The first `size` bytes of an open file; zeros where there are fewer by now, because tar has promised `size`."""

    def __init__(self, number: int, size: int) -> None:
        self._number, self._left, self.lacking = number, size, 0

    def read(self, most: int = -1) -> bytes:
        wanted = self._left if most < 0 else min(most, self._left)
        data = b""
        with suppress(OSError):  # of the disk
            while len(data) < wanted and (piece := os.read(self._number, wanted - len(data))):
                data += piece
        self._left -= wanted
        self.lacking += wanted - len(data)
        return data.ljust(wanted, b"\0")


def _holes(number: int, size: int, most: int) -> int:
    """How many of the file's bytes are holes; the counting ends when there are more than `most`."""
    at = holes = 0
    while at < size and holes <= most:
        try:
            data = os.lseek(number, at, os.SEEK_DATA)
        except OSError as error:
            if error.errno != errno.ENXIO:
                break  # a file system that cannot tell
            data = size  # nothing but a hole is left
        holes += min(data, size) - at
        at = os.lseek(number, data, os.SEEK_HOLE) if data < size else size
    os.lseek(number, 0, os.SEEK_SET)
    return holes


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return ""


def _group(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return ""
