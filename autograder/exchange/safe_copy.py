"""A folder that somebody else wrote, copied without trusting it: its owner's regular files only, and not too many.

The one who copies has rights that the owner of the folder lacks, and the folder may change while it is copied. So every
name is opened relative to the folder it was listed in, never through a link, and judged by what was opened (`fstat`),
not by what was looked at before. A file that belongs to somebody else (a hard link) stays out, too.
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
    """The folder as a whole may not be copied; the text says why."""


@dataclass
class Limits:
    """Bytes a file, bytes and names in the whole folder; a larger file is left out, a larger folder is refused."""

    file: int
    folder: int
    names: int = 1000


@dataclass
class Copy:
    """One copy under way; `skip` decides by name what stays out without a word, `tell` hears of all else left out."""

    limits: Limits
    skip: Callable[[str, bool], bool]
    tell: Callable[[str, str], None]
    owner: int = -1
    bytes: int = 0
    names: int = 0

    def folder(self, source: str, into: str, owner: int) -> None:
        """Copies `source`, which must belong to `owner`, to the new folder `into`."""
        self.owner = owner
        try:
            at = os.open(source, _OPEN | os.O_DIRECTORY)
        except OSError as error:
            raise UnsafeCopy(f"it cannot be opened as a folder ({error.strerror})") from None
        try:
            if os.fstat(at).st_uid != owner:
                raise UnsafeCopy("it changed its owner while it was looked at")
            self._inside(at, "", into, 0)
        finally:
            os.close(at)

    def _inside(self, at: int, where: str, into: str, deep: int) -> None:
        if deep > _DEEPEST:
            raise UnsafeCopy(f"its folders are nested more than {_DEEPEST} deep")
        os.mkdir(into)
        with os.scandir(at) as entries:
            for entry in entries:
                self.names += 1
                if self.names > self.limits.names:
                    raise UnsafeCopy(f"it holds more than {self.limits.names} files")
                self._one(at, entry.name, where, into, deep)

    def _one(self, at: int, name: str, where: str, into: str, deep: int) -> None:
        shown = os.path.join(where, name)
        if not _writable_name(name) or len(shown) > _LONGEST:
            self.tell(shown[:_LONGEST], "its name is not text, or too long")
            return
        try:
            file = os.open(name, _OPEN, dir_fd=at)
        except OSError as error:
            # ELOOP is a link, ENXIO a socket; a file may also be gone or closed to us.
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
                self._inside(file, shown, os.path.join(into, name), deep + 1)
            elif not stat.S_ISREG(known.st_mode):
                self.tell(shown, "it is a pipe or a device")
            elif known.st_size > self.limits.file:
                self.tell(shown, f"it is larger than {self.limits.file} bytes")
            else:
                self._bytes(file, os.path.join(into, name))
        finally:
            os.close(file)

    def _bytes(self, file: int, into: str) -> None:
        # Counted as they are read: a file can grow after its size was asked.
        with open(into, "xb") as out:
            while piece := os.read(file, _PIECE):
                self.bytes += len(piece)
                if self.bytes > self.limits.folder:
                    raise UnsafeCopy(f"it holds more than {self.limits.folder} bytes")
                out.write(piece)


def _writable_name(name: str) -> bool:
    """Whether a name can be logged and written down: nbgrader does both."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return name.isprintable()
