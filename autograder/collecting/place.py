"""Moves a submission into the course's folder in one step, and keeps the work that it replaces.

How Moodle or Canvas named the work, and when it was written, is recorded in `submitted/.collected/`. No file of a
student can get that path.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from autograder.collecting.archive import RefusedWork
from autograder.collecting.owners import PLAIN
from autograder.errors import AutograderError

STAMP = "%Y-%m-%d %H:%M:%S UTC"
CANNOT_KEEP = "its files cannot be put into {path} ({why}): look at their names, and at what is there"
CANNOT_WRITE = "{path} cannot be written ({why}). Nothing is lost; run the same command again when it can."
DAMAGED = "{path} cannot be read ({why}). Move it away: it only remembers where collected files came from."
_UNFINISHED = "unfinished-"
_OF_NAMES = {errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.EILSEQ, errno.EINVAL}
"""Errors caused by the names of one student's files. Any other error (such as a full disk) ends the run."""


@dataclass
class Origin:
    """Where a student's work came from; `files` maps each notebook to the name that Moodle or Canvas gave it.

    `seen` is when the work was written and `placed` when it was put into the course (both ISO 8601, UTC). `digest` is
    the hash of its content.
    """

    system: str
    label: str
    number: str = ""
    prefix: str = ""
    files: dict[str, str] = field(default_factory=dict)
    seen: str = ""
    digest: str = ""
    placed: str = ""

    @property
    def time(self) -> datetime | None:
        return _time(self.seen)

    @property
    def since(self) -> datetime | None:
        """When the work was put into the course; a grade or page that is older was made from other work."""
        return _time(self.placed)


class Memory:
    """The record of what was collected of an assignment: the `Origin` of each student's work.

    AutograderError if its file exists and cannot be read.
    """

    def __init__(self, submitted: Path, assignment: str) -> None:
        self.folder = submitted / ".collected"
        self.assignment = assignment
        self.file = self.folder / f"{assignment}.json"
        self.origins: dict[str, Origin] = {}
        try:
            read: dict[str, Any] = json.loads(self.file.read_text(encoding="utf-8"))
            self.origins = {student: Origin(**origin) for student, origin in read["students"].items()}
        except FileNotFoundError:
            pass
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise AutograderError(DAMAGED.format(path=self.file, why=error)) from None

    def save(self) -> None:
        """Replaces the file in one step; AutograderError if it cannot be written."""
        # json.dumps writes ASCII, so that a file name that is not valid UTF-8 can be stored too.
        text = json.dumps({"students": {s: asdict(o) for s, o in sorted(self.origins.items())}}, indent=1)
        aside = self.file.with_name(f"{self.file.name}.{secrets.token_hex(4)}.new")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            try:
                aside.write_text(text, encoding="utf-8")
                os.replace(aside, self.file)
            finally:
                aside.unlink(missing_ok=True)
        except OSError as error:
            raise AutograderError(CANNOT_WRITE.format(path=self.file, why=error.strerror or error)) from None

    def recollected(self, student: str, final: Path, origin: Origin) -> None:
        """Records that the work at `final` was found again at `origin`, with the same content."""
        before = self.origins.get(student)
        if before and before.digest == origin.digest:
            if origin.system == PLAIN:  # keep the names of Moodle or Canvas: feedback can be uploaded only under them
                return
            origin = replace(origin, seen=before.seen, placed=before.placed)
        else:  # an earlier run was killed before it saved, or the work was put there by hand
            origin = replace(origin, placed=max(map(modified, final.glob("*.ipynb"))).isoformat())
        if origin != before:
            self.origins[student] = origin
            self.save()

    def place(self, student: str, files: Mapping[str, bytes], final: Path, origin: Origin) -> str:
        """Puts `files` (content by relative path) at `final`; returns where earlier work is kept, or "".

        RefusedWork if the names of the files do not fit the disk, AutograderError for any other failure.
        """
        try:
            return self._place(student, files, final, origin)
        except OSError as error:
            if error.errno in _OF_NAMES:
                raise RefusedWork(CANNOT_KEEP.format(path=final, why=error.strerror)) from None
            raise AutograderError(CANNOT_WRITE.format(path=final, why=error.strerror or error)) from None

    def _place(self, student: str, files: Mapping[str, bytes], final: Path, origin: Origin) -> str:
        final.parent.mkdir(parents=True, exist_ok=True)
        self.folder.mkdir(parents=True, exist_ok=True)
        aside = self.folder / f"{_UNFINISHED}{secrets.token_hex(8)}"
        earlier = self.folder / "earlier" / self.assignment / f"{student}-{datetime.now(UTC):%Y%m%dT%H%M%S%f}"
        kept = ""
        try:
            for name, data in files.items():
                path = aside / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
            # The time comes from the file system, whose clock may differ from this machine's: it is compared with the
            # times of other files there.
            origin = replace(origin, placed=modified(path).isoformat())
            if os.path.lexists(final):
                earlier.parent.mkdir(parents=True, exist_ok=True)
                os.rename(final, earlier)
                kept = str(earlier)
            try:
                os.rename(aside, final)
            except BaseException:
                if kept:
                    os.rename(earlier, final)
                raise
        finally:
            shutil.rmtree(aside, ignore_errors=True)
            with suppress(OSError):
                final.parent.rmdir()  # succeeds only if it is empty, because the move failed
        self.origins[student] = origin
        self.save()
        return kept

    def tidy(self) -> None:
        """Removes the unfinished folders of runs that were killed."""
        for left in self.folder.glob(f"{_UNFINISHED}*"):
            shutil.rmtree(left, ignore_errors=True)


def modified(path: Path) -> datetime:
    """When a file was last written, in UTC."""
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def digest(files: Mapping[str, bytes]) -> str:
    """SHA-256 of the names and contents of `files`, without timestamp.txt."""
    found = hashlib.sha256()
    for name, data in sorted(files.items()):
        if name != "timestamp.txt":
            found.update(f"{name}\0{len(data)}\0".encode("utf-8", "replace") + data)
    return found.hexdigest()


def existing_files(folder: Path, most: int) -> dict[str, bytes]:
    """The regular files in `folder`, by relative path: at most 1000, each of at most `most` bytes."""
    found: dict[str, bytes] = {}
    for path in sorted(folder.rglob("*")) if folder.is_dir() else []:
        if path.is_file() and not path.is_symlink() and path.stat().st_size <= most and len(found) < 1000:
            found[path.relative_to(folder).as_posix()] = path.read_bytes()
    return found


def _time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def timestamp_of(folder: Path) -> datetime | None:
    """The time in a submission's timestamp.txt; None if there is none or it is not a time."""
    from nbgrader.utils import parse_utc

    try:
        text = (folder / "timestamp.txt").read_text(encoding="utf-8")[:200].strip()
        time: datetime = parse_utc(text)
    except Exception:  # no file, or text that dateutil cannot parse, for which it raises many types
        return None
    return time.replace(tzinfo=UTC)
