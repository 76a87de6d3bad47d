"""A submission takes its place in the course whole or not at all, and what was there before is kept.

What is remembered of each (how Moodle or Canvas named it, when it was written) lies in `submitted/.collected/`, out of
the reach of what students hand in.
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
"""Errors that come from what one student's files are called; the next student's can be written all the same."""


@dataclass
class Origin:
    """Where a student's work came from; `files` are the names that the system gave, by notebook.

    `seen` is when the work was written, `placed` when it took its place, `digest` which work it is.
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
        """Since when the work is in its place; what is older was made of other work."""
        return _time(self.placed)


class Memory:
    """What was collected of an assignment, by student."""

    def __init__(self, submitted: Path, assignment: str) -> None:
        self.folder = submitted / ".collected"
        self.assignment = assignment
        self.file = self.folder / f"{assignment}.json"
        self.of: dict[str, Origin] = {}
        try:
            read: dict[str, Any] = json.loads(self.file.read_text(encoding="utf-8"))
            self.of = {student: Origin(**origin) for student, origin in read["students"].items()}
        except FileNotFoundError:
            pass
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise AutograderError(DAMAGED.format(path=self.file, why=error)) from None

    def save(self) -> None:
        """Writes the file anew, whole."""
        # In ASCII: a label may be a file's name that is in no encoding.
        text = json.dumps({"students": {s: asdict(o) for s, o in sorted(self.of.items())}}, indent=1)
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
        """The work that is at `final` came from `origin` too, with the same files."""
        before = self.of.get(student)
        if before and before.digest == origin.digest:
            if origin.system == PLAIN:  # it takes Moodle's or Canvas's own names to give feedback back there
                return
            origin = replace(origin, seen=before.seen, placed=before.placed)
        else:  # a run was killed before it remembered, or somebody else put the work there
            origin = replace(origin, placed=max(map(written, final.glob("*.ipynb"))).isoformat())
        if origin != before:
            self.of[student] = origin
            self.save()

    def place(self, student: str, files: Mapping[str, bytes], final: Path, origin: Origin) -> str:
        """Puts `files` at `final`; returns where the work that was there before is kept, or ''."""
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
            # By the clock of this disk, which is the one that later files on it are compared with.
            origin = replace(origin, placed=written(path).isoformat())
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
                final.parent.rmdir()  # only if nothing came of it
        self.of[student] = origin
        self.save()
        return kept

    def tidy(self) -> None:
        """Removes what a run left that was killed."""
        for left in self.folder.glob(f"{_UNFINISHED}*"):
            shutil.rmtree(left, ignore_errors=True)


def written(path: Path) -> datetime:
    """When a file was written."""
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def digest(files: Mapping[str, bytes]) -> str:
    """One value for what was handed in, whatever the time."""
    found = hashlib.sha256()
    for name, data in sorted(files.items()):
        if name != "timestamp.txt":
            found.update(f"{name}\0{len(data)}\0".encode("utf-8", "replace") + data)
    return found.hexdigest()


def there(folder: Path, most: int) -> dict[str, bytes]:
    """The regular files of a submission that is there already."""
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


def stamped(folder: Path) -> datetime | None:
    """The time in a submission's timestamp.txt."""
    from nbgrader.utils import parse_utc

    try:
        text = (folder / "timestamp.txt").read_text(encoding="utf-8")[:200].strip()
        time: datetime = parse_utc(text)
    except Exception:  # none, or one that nobody can read
        return None
    return time.replace(tzinfo=UTC)
