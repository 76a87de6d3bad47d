"""Copies a student's folder safely: only regular files that belong to its owner, within limits.

The process that copies has rights that the student lacks, and the student can change the folder meanwhile. So each file
is opened relative to its folder's descriptor and never through a link, and `fstat` of the opened file decides, not an
earlier look at the path. A file of another owner (a hard link to it) is left out.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass

from autograder.errors import AutograderError

_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_DEEPEST = 10
_LONGEST = 1000
_PIECE = 1 << 20


class UnsafeCopy(AutograderError):
    """The whole folder must not be copied; the text says why."""


@dataclass
class Limits:
    """Most bytes of a file (a larger one is left out), and most bytes and names of the folder (else UnsafeCopy)."""

    file: int
    folder: int
    names: int = 1000


@dataclass
class Copy:
    """One copy. `skip(name, is_folder)` leaves a file out silently; `tell(name, why)` is called for others left out."""

    limits: Limits
    skip: Callable[[str, bool], bool]
    tell: Callable[[str, str], None]
    owner: int = -1
    bytes: int = 0
    names: int = 0

    def folder(self, source: str, into: str, owner: int) -> None:
        """Copies `source`, which must belong to the user id `owner`, to the new folder `into`; else UnsafeCopy."""
        self.owner = owner
        try:
            at = os.open(source, _OPEN | os.O_DIRECTORY)
        except OSError as error:
            raise UnsafeCopy(f"it cannot be opened as a folder ({error.strerror})") from None
        try:
            if os.fstat(at).st_uid != owner:
                raise UnsafeCopy("it changed its owner while it was looked at")
            self._contents(at, "", into, 0)
        finally:
            os.close(at)

    def _contents(self, at: int, where: str, into: str, deep: int) -> None:
        if deep > _DEEPEST:
            raise UnsafeCopy(f"its folders are nested more than {_DEEPEST} deep")
        os.mkdir(into)
        with os.scandir(at) as entries:
            for entry in entries:
                self.names += 1
                if self.names > self.limits.names:
                    raise UnsafeCopy(f"it holds more than {self.limits.names} files")
                self._entry(at, entry.name, where, into, deep)

    def _entry(self, at: int, name: str, where: str, into: str, deep: int) -> None:
        shown = os.path.join(where, name)
        if not _writable_name(name) or len(shown) > _LONGEST:
            self.tell(shown[:_LONGEST], "its name is not text, or too long")
            return
        try:
            file = os.open(name, _OPEN, dir_fd=at)
        except OSError as error:
            # ELOOP: a link; ENXIO: a socket; ENOENT: deleted meanwhile; EACCES: no permission.
            self.tell(shown, "it is a link" if error.errno == errno.ELOOP else os.strerror(error.errno or 0))
            return
        try:
            known = os.fstat(file)
            is_folder = stat.S_ISDIR(known.st_mode)
            if self.skip(name, is_folder):
                return
            if known.st_uid != self.owner:
                self.tell(shown, "it belongs to somebody else")
            elif is_folder:
                self._contents(file, shown, os.path.join(into, name), deep + 1)
            elif not stat.S_ISREG(known.st_mode):
                self.tell(shown, "it is a pipe or a device")
            elif known.st_size > self.limits.file:
                self.tell(shown, f"it is larger than {self.limits.file} bytes")
            else:
                self._content(file, os.path.join(into, name))
        finally:
            os.close(file)

    def _content(self, file: int, into: str) -> None:
        # Bytes are counted while they are read, because a file can grow after `fstat`.
        with open(into, "xb") as out:
            while piece := os.read(file, _PIECE):
                self.bytes += len(piece)
                if self.bytes > self.limits.folder:
                    raise UnsafeCopy(f"it holds more than {self.limits.folder} bytes")
                out.write(piece)


def _writable_name(name: str) -> bool:
    """Whether a name is printable text, so that nbgrader can log it and store it in a database."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return name.isprintable()
