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
from dataclasses import dataclass, field

from autograder.selection import (
    DEEPEST,
    NOT_A_FILE,
    PROGRAMS,
    TOO_DEEP,
    Budget,
    Limits,
    UnsafeCopy,
    in_order,
    odd_name,
)

_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_PIECE = 1 << 20


@dataclass
class Copy:
    """One copy. `skip(name, is_folder)` leaves a file out silently; `tell(name, why)` is called for others left out.

    What is beyond the limits is left out like everything else that cannot be copied.
    """

    limits: Limits
    skip: Callable[[str, bool], bool]
    tell: Callable[[str, str], None]
    owner: int = -1
    _budget: Budget = field(init=False)

    def __post_init__(self) -> None:
        self._budget = Budget(self.limits)

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
        os.mkdir(into)
        with os.scandir(at) as entries:
            names = [entry.name for entry in in_order(entries)]
        for name in names:
            self._entry(at, name, where, into, deep)

    def _entry(self, at: int, name: str, where: str, into: str, deep: int) -> None:
        shown = os.path.join(where, name)
        if why := odd_name(name, shown):
            self.tell(shown[:1000], why)
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
            elif why := self._refused(file, name, known, deep):
                self.tell(shown, why)
            elif is_folder:
                self._contents(file, shown, os.path.join(into, name), deep + 1)
            else:
                self._content(file, os.path.join(into, name), known.st_size)
        finally:
            os.close(file)

    def _refused(self, file: int, name: str, known: os.stat_result, deep: int) -> str:
        """Why an opened file or folder is left out; "" if it is copied."""
        if stat.S_ISREG(known.st_mode):
            return self._budget.refuses(known.st_size)
        if not stat.S_ISDIR(known.st_mode):
            return NOT_A_FILE
        if self.limits.holds_programs(name, lambda inside: _is_there(inside, file)):
            return PROGRAMS
        return TOO_DEEP.format(most=DEEPEST) if deep >= DEEPEST else self._budget.refuses()

    def _content(self, file: int, into: str, size: int) -> None:
        """Copies the bytes that were counted: a file can grow meanwhile."""
        with open(into, "xb") as out:
            while size and (piece := os.read(file, min(_PIECE, size))):
                size -= len(piece)
                out.write(piece)


def _is_there(name: str, folder: int) -> bool:
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except OSError:
        return False
    return True
