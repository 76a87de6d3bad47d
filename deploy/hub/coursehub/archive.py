"""A tar of folders that are in use: databases are copied by SQLite's own backup, links are not followed.

The manifest is written last, so an archive that was cut short has none and is refused. Folders may change while they
are read: a file is stored as it was when it was opened, and one that has gone is named in the manifest.
"""

from __future__ import annotations

import errno
import grp
import io
import json
import os
import pwd
import sqlite3
import stat
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

MANIFEST = "MANIFEST.json"
FORMAT = 1
BUSY = 60  # seconds to wait for a database that somebody is writing to
DEEPEST = 100  # levels of folders; no course is nested deeper, and os.fwalk holds a file open for each level
_IN_MEMORY = 16 << 20
_DONE = 101  # SQLITE_DONE
_BESIDE = ("-journal", "-wal", "-shm")  # files of SQLite beside a database, which a copy by its backup does not need


class ArchiveError(Exception):
    """The archive cannot be made or used; the text names the next step."""


class Writer:
    """An archive under way. Entries are named `place/…`, whatever folder they come from."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self.left_out: list[str] = []
        self.entries = 0

    def tree(self, folder: Path, place: str, databases: frozenset[Path] = frozenset()) -> None:
        """Adds the folder with everything in it; no link is followed, also if one is put there meanwhile."""
        skipped = {f"{database}{end}" for database in databases for end in _BESIDE}
        for at, folders, files, here in os.fwalk(folder, follow_symlinks=False):
            inside = PurePosixPath(place) / Path(at).relative_to(folder).as_posix()
            self._add(inside, os.fstat(here))
            if len(inside.parts) > DEEPEST:
                self.left_out.append(f"{inside}: what is in it lies too deep")
                folders.clear()
                continue
            for name in sorted(files):
                path = Path(at, name)
                if path in databases:
                    self.database(path, str(inside / name))
                elif str(path) not in skipped:
                    self._entry(here, name, inside / name)
            for name in folders:  # links to folders among them, which are stored and not entered
                if stat.S_ISLNK(os.lstat(name, dir_fd=here).st_mode):
                    self._entry(here, name, inside / name)

    def _entry(self, folder: int, name: str, place: PurePosixPath) -> None:
        try:
            known = os.lstat(name, dir_fd=folder)
            if stat.S_ISLNK(known.st_mode):
                self._add(place, known, link=os.readlink(name, dir_fd=folder))
            elif stat.S_ISREG(known.st_mode):
                with open(os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder), "rb") as file:
                    known = os.fstat(file.fileno())
                    if not stat.S_ISREG(known.st_mode):
                        raise FileNotFoundError("it is no regular file any more")
                    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as copy:
                        while piece := file.read(1 << 20):
                            copy.write(piece)
                        self._add(place, known, copy)
            else:
                self.left_out.append(f"{place}: a pipe, socket or device")
        except OSError as error:  # since it was listed it was removed, or replaced by something else
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise
            self.left_out.append(f"{place}: {error.strerror or error}")

    def database(self, path: Path, place: str) -> None:
        """Adds a consistent copy of a SQLite database that others may be using; ArchiveError if it stays locked."""
        with tempfile.NamedTemporaryFile(suffix=".sqlite") as copy:
            end = time.monotonic() + BUSY

            def patient(status: int, remaining: int, total: int) -> None:
                if status != _DONE and time.monotonic() > end:  # sqlite3 itself would wait without an end
                    raise ArchiveError(
                        f"{path} could not be copied within {BUSY} seconds, because another program holds it. Look "
                        f"for that program (lsof {path}), let it end, and run the backup again."
                    )

            with _connected(f"file:{path}?mode=ro") as source, _connected(f"file:{copy.name}") as target:
                source.backup(target, progress=patient)
            with open(copy.name, "rb") as file:
                self._add(PurePosixPath(place), path.stat(), file)

    def file(self, path: Path, place: str) -> None:
        """Adds one file, which must be root's: a link in its place would be followed."""
        with path.open("rb") as file:
            self._add(PurePosixPath(place), os.fstat(file.fileno()), file)

    def _add(self, place: PurePosixPath, known: os.stat_result, content: Any = None, link: str = "") -> None:
        entry = tarfile.TarInfo(str(place))
        entry.mode, entry.mtime = stat.S_IMODE(known.st_mode), int(known.st_mtime)
        entry.uid, entry.gid = known.st_uid, known.st_gid
        entry.uname, entry.gname = _user(known.st_uid), _group(known.st_gid)
        if content is not None:
            entry.size = content.seek(0, os.SEEK_END)
            content.seek(0)
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


def unpack(path: Path, places: dict[str, Path]) -> None:
    """Puts each entry whose name begins with a key of `places` into that folder; owners are looked up by name."""
    with tarfile.open(path) as tar:
        for entry in tar:
            parts = PurePosixPath(entry.name).parts
            if ".." in parts:
                raise ArchiveError(f"{path} holds {entry.name}, which leads out of its folder.")
            long = next((n for n in (1, 2) if "/".join(parts[:n]) in places), None)
            if long is None:
                continue
            target = places["/".join(parts[:long])].joinpath(*parts[long:])
            target.parent.mkdir(parents=True, exist_ok=True)
            # Root made the archive and trusts it: modes and owners are set as they were.
            tar.extract(entry.replace(name=target.name, deep=False), target.parent, filter="fully_trusted")


@contextmanager
def _connected(uri: str) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(uri, uri=True, timeout=1)
    try:
        yield connection
    finally:
        connection.close()


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
