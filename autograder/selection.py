"""What of a student's folder is handed in, collected and graded: one rule, so that nothing gets lost between the three.

Folders that hold programs and not work, such as an environment beside the notebook, are left out by their names. Of the
rest each folder's notebooks come first, then its other files, then the folders in it, each by name, until a limit is
reached. So a limit never costs the notebook, and whoever hands in is told exactly what will be missing.
"""

from __future__ import annotations

import fnmatch
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from traitlets import Integer, List, Unicode
from traitlets.config import Configurable

from autograder.errors import AutograderError

OF_NBGRADER = ("timestamp.txt", "submission_secret.txt")
"""The files that nbgrader puts beside what a student hands in."""
PROGRAMS = "it holds programs or a cache, and no work"
LINK = "it is a link that leads nowhere"
NOT_A_FILE = "it is a pipe or a device"
UNREADABLE = "it cannot be read"
TOO_LARGE = "it is larger than the {most:g} MB that one file may have"
TOO_MANY = "more than {most} files and folders"
TOO_MUCH = "more than {most:g} MB of files"
TOO_DEEP = "more than {most} folders in each other"
ODD_NAME = "its name is not text, or too long"
ENDLESS = "a folder of it holds more than {most} names"
DEEPEST = 10
"""Levels of folders that are taken."""
_ENVIRONMENT = ("pyvenv.cfg", "conda-meta")
"""What lies in a Python environment, whatever its name."""
_LONGEST, _MOST_NAMES, _MOST_NAMED = 1000, 100_000, 3


class UnsafeCopy(AutograderError):
    """The whole folder must not be copied; the text says why."""


class HandedIn(Configurable):  # type: ignore[misc]  # traitlets' class is untyped for mypy
    """The options, for `nbgrader submit`, `collect` and `autograde` alike."""

    files = Integer(
        1000,
        help="Files and folders of a submission that are handed in, collected and graded; notebooks come first. How "
        "many bytes, say CourseDirectory.max_file_size and max_dir_size.",
    ).tag(config=True)
    programs = List(
        Unicode(),
        [
            *("venv", ".venv", ".conda", "__pycache__", ".ipynb_checkpoints", "node_modules", ".git", ".hg", ".svn"),
            *(".tox", ".nox", ".cache", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".local", ".npm", "__MACOSX"),
        ],
        help="Names of folders that hold programs or caches, and no work: they are not handed in, collected or graded. "
        "A folder with pyvenv.cfg in it, as every environment of Python has, is one under any name.",
    ).tag(config=True)


@dataclass(frozen=True)
class Limits:
    """Most bytes of a file and of all, most files and folders; and which folders hold programs."""

    file: int
    folder: int
    files: int = 1000
    programs: tuple[str, ...] = ()

    def holds_programs(self, name: str, has: Callable[[str], bool]) -> bool:
        """Whether a folder is no work, by its `name` or because it `has` what every environment has."""
        return name.casefold() in map(str.casefold, self.programs) or any(map(has, _ENVIRONMENT))


def limits_of(coursedir: Any) -> Limits:
    """The options as plain data, with those of nbgrader's `coursedir` for the bytes."""
    # nbgrader makes `coursedir` before it reads nbgrader_config.py, and gives it no more than its own options.
    options = HandedIn(parent=coursedir.parent or coursedir)
    return Limits(1000 * coursedir.max_file_size, 1000 * coursedir.max_dir_size, options.files, tuple(options.programs))


def is_ignored(coursedir: Any, name: str, is_folder: bool) -> bool:
    """Whether nbgrader's own options `ignore` and `include` leave the name out, which is not worth a word."""
    if any(fnmatch.fnmatch(name, pattern) for pattern in coursedir.ignore):
        return True
    return not is_folder and not any(fnmatch.fnmatch(name, pattern) for pattern in coursedir.include)


@dataclass
class Budget:
    """How much of the limits is used up."""

    limits: Limits
    files: int = 0
    bytes: int = 0

    def refuses(self, size: int = 0) -> str:
        """Why a file of this size, or a folder, cannot be taken as well; "" if it can, and then it is counted."""
        if size > self.limits.file:
            return TOO_LARGE.format(most=self.limits.file / 1e6)
        if self.files >= self.limits.files:
            return TOO_MANY.format(most=self.limits.files)
        if self.bytes + size > self.limits.folder:
            return TOO_MUCH.format(most=self.limits.folder / 1e6)
        self.files += 1
        self.bytes += size
        return ""


@dataclass
class LeftOut:
    """What was left out: the paths by the reason."""

    by_reason: dict[str, list[str]] = field(default_factory=dict)

    def add(self, path: str, why: str) -> None:
        self.by_reason.setdefault(why, []).append(path)

    def told(self) -> Iterator[tuple[str, str, int]]:
        """For each reason: the paths in words, some of them by name; the reason; how many there are."""
        for why, paths in self.by_reason.items():
            named = ", ".join(map(repr, paths[:_MOST_NAMED]))
            more = f" and {len(paths) - _MOST_NAMED} more" if len(paths) > _MOST_NAMED else ""
            yield named + more, why, len(paths)

    def __bool__(self) -> bool:
        return bool(self.by_reason)


def in_order(entries: Iterable[os.DirEntry[str]], *, follow: bool = False) -> list[os.DirEntry[str]]:
    """The entries of a folder in the order in which they are taken; UnsafeCopy if there is no end of them."""
    found = list(islice(entries, _MOST_NAMES + 1))
    if len(found) > _MOST_NAMES:
        raise UnsafeCopy(ENDLESS.format(most=_MOST_NAMES))
    return sorted(found, key=lambda e: (_is_folder(e, follow), not e.name.endswith(".ipynb"), e.name))


def _is_folder(entry: os.DirEntry[str], follow: bool) -> bool:
    try:
        return entry.is_dir(follow_symlinks=follow)
    except OSError:
        return False


def odd_name(name: str, path: str) -> str:
    """`ODD_NAME` if nbgrader could not log the name or store it in a database; else ""."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return ODD_NAME
    return "" if name.isprintable() and len(path) <= _LONGEST else ODD_NAME


def select(
    folder: str, budget: Budget, skip: Callable[[str, bool], bool], any_name: bool = False
) -> tuple[list[str], LeftOut]:
    """The files and folders below one's own `folder` that are taken, as paths relative to it, and what is left out.

    Links are followed, as in any copy of one's own files. `skip(name, is_folder)` passes over a name without a word.
    """
    taken: list[str] = []
    left = LeftOut()

    def take(here: str) -> None:
        with os.scandir(os.path.join(folder, here)) as entries:
            found = in_order(entries, follow=True)
        for entry in found:
            path, is_folder = os.path.join(here, entry.name), _is_folder(entry, follow=True)
            if skip(entry.name, is_folder):
                continue
            odd = "" if any_name else odd_name(entry.name, path)
            if why := odd or _refused(entry, is_folder, path, budget):
                left.add(path, why)
                continue
            taken.append(path)
            if is_folder:
                take(path)

    take("")
    return taken, left


def _refused(entry: os.DirEntry[str], is_folder: bool, path: str, budget: Budget) -> str:
    """Why an entry is left out; "" if it is taken."""
    if is_folder:
        if budget.limits.holds_programs(entry.name, lambda name: os.path.lexists(os.path.join(entry.path, name))):
            return PROGRAMS
        if path.count(os.sep) >= DEEPEST:
            return TOO_DEEP.format(most=DEEPEST)
        return budget.refuses() if os.access(entry.path, os.R_OK | os.X_OK) else UNREADABLE
    try:
        known = entry.stat()
    except OSError:
        return LINK
    if not stat.S_ISREG(known.st_mode):
        return NOT_A_FILE
    return budget.refuses(known.st_size) if os.access(entry.path, os.R_OK) else UNREADABLE
