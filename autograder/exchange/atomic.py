"""Makes copies of nbgrader's exchange atomic: a copy that fails half-way leaves nothing behind, and a message says so.

`Submit`, `Release` and `Fetch` copy as nbgrader's own classes do (nbgrader/exchange/default/), but into a folder beside
the destination, which is renamed at the end.
"""

from __future__ import annotations

import errno
import fcntl
import glob
import logging
import os
import secrets
import shutil
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from nbgrader.exchange import ExchangeError
from nbgrader.exchange.default import (
    ExchangeFetchAssignment,
    ExchangeReleaseAssignment,
    ExchangeSubmit,
)

from autograder.exchange.root import ClosedRoot, ClosedRootToRelease
from autograder.rooms import gradebook_lock

FULL = "the disk of {where} is full."
STOPPED = "{what}: {why}\n{kept}\n{next}"
_STAGED = ".unfinished-"


class ExplainedErrors:
    """A mix-in for exchange actions: any error becomes an ExchangeError with the text of the class's `explanation`."""

    def start(self: Any) -> None:
        """Runs the action; errors that are not nbgrader's own become an ExchangeError that names the next step."""
        try:
            super().start()  # type: ignore[misc]
            return
        except ExchangeError:
            raise
        except Exception as error:
            lines = self.explanation(error).splitlines()
            if not no_space(error) and not gradebook_lock.is_locked(error):
                self.log.debug("The error behind the message that follows:", exc_info=True)
        # The dialogs of Assignment List and formgrader show lines of this length, and do not break them.
        message = "\n".join(textwrap.fill(line, 78, break_long_words=False, break_on_hyphens=False) for line in lines)
        # Raised outside the `except` block, so that no chained traceback is shown above the message.
        self.log.fatal(message)
        raise ExchangeError(message)


class Submit(ClosedRoot, ExplainedErrors, ExchangeSubmit):  # type: ignore[misc]  # nbgrader ships no types
    """Hands in an assignment in one step."""

    inbound_path: str
    cache_path: str
    _writing_to_cache = False

    def copy_files(self) -> None:
        """Copies to the exchange and to the student's cache under names that `collect` ignores, then renames both."""
        inbound, cache = self.inbound_path, self.cache_path
        self._writing_to_cache = True
        os.makedirs(cache, exist_ok=True)
        with _staging(cache) as name:
            for left in glob.glob(os.path.join(glob.escape(cache), _STAGED + "*")):
                self._clear(left, os.path.join(inbound, os.path.basename(left)))
            self.inbound_path, self.cache_path = os.path.join(inbound, name), os.path.join(cache, name)
            made: list[str] = []
            try:
                self._writing_to_cache = False
                os.mkdir(self.inbound_path, 0o700)
                with _logged_as(self.log, self.inbound_path, inbound):
                    super().copy_files()
                for staged, final in ((self.inbound_path, inbound), (self.cache_path, cache)):
                    (submission,) = os.listdir(staged)
                    os.rename(os.path.join(staged, submission), os.path.join(final, submission))
                    made.append(os.path.join(final, submission))
            except BaseException:
                for path in made:
                    shutil.rmtree(path, ignore_errors=True)
                raise
            finally:
                shutil.rmtree(self.inbound_path, ignore_errors=True)
                self.inbound_path, self.cache_path = inbound, cache

    def do_copy(self, src: str, dest: str, log: Any = None) -> None:
        """Copies as nbgrader does, and records on which disk, so that a message can name the one that is full."""
        self._writing_to_cache = dest.startswith(self.cache_path + os.sep)
        super().do_copy(src, dest, log)

    def _clear(self, cached: str, handed_in: str) -> None:
        """Removes the folders of an attempt that was killed. One that still runs holds a lock, and stays."""
        with suppress(OSError):
            folder = os.open(cached, os.O_RDONLY)
            try:
                fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(handed_in, ignore_errors=True)
                shutil.rmtree(cached, ignore_errors=True)
            finally:
                os.close(folder)

    def explanation(self, error: Exception) -> str:
        """What a student reads."""
        following = "Submit again. If that fails too, show this message to your instructor."
        if no_space(error):
            following = "Tell your instructor or administrator, and submit again when there is space."
            if self._writing_to_cache:
                following = "Delete files that you no longer need, then submit again."
        where = f"your own files ({self.cache_path})" if self._writing_to_cache else f"the exchange ({self.root})"
        return STOPPED.format(
            what=f"{self.coursedir.assignment_id} was NOT handed in",
            why=FULL.format(where=where) if no_space(error) else error,
            kept=f"Nothing is lost: your work is in {self.src_path}, and what you handed in before still counts.",
            next=following,
        )


class Fetch(ClosedRoot, ExplainedErrors, ExchangeFetchAssignment):  # type: ignore[misc]
    """Fetches an assignment in one step."""

    def copy_files(self) -> None:
        """Fetches; if the folder exists, only adds missing files, as nbgrader does."""
        if os.path.isdir(self.dest_path):
            super().copy_files()
            return
        with _replaced(self, "dest_path"):
            super().copy_files()

    def explanation(self, error: Exception) -> str:
        """What a student reads."""
        full = FULL.format(where=f"your own files ({self.dest_path})")
        return STOPPED.format(
            what=f"{self.coursedir.assignment_id} was NOT fetched",
            why=full if no_space(error) else error,
            kept="Nothing of yours was changed.",
            next="Delete files that you no longer need, then fetch again." if no_space(error) else "Fetch again.",
        )


class Release(ClosedRootToRelease, ExplainedErrors, ExchangeReleaseAssignment):  # type: ignore[misc]
    """Releases an assignment in one step; until then students fetch the earlier release."""

    def copy_files(self) -> None:
        """Releases; a second release without --force is refused, as nbgrader does."""
        if os.path.isdir(self.dest_path) and not self.force:
            super().copy_files()
            return
        with _replaced(self, "dest_path"):
            super().copy_files()

    def explanation(self, error: Exception) -> str:
        """What an instructor reads."""
        return STOPPED.format(
            what=f"{self.coursedir.assignment_id} was NOT released",
            why=FULL.format(where=f"the exchange ({self.root})") if no_space(error) else error,
            kept=f"Nothing is lost: it is in {self.src_path}, and what was released before still is.",
            next="Make space there, then release again." if no_space(error) else "Release again.",
        )


@contextmanager
def _staging(folder: str) -> Iterator[str]:
    """Makes a folder in `folder` and yields its name; it is locked (flock) until the block ends, then removed."""
    name = _STAGED + secrets.token_hex(8)
    path = os.path.join(folder, name)
    os.mkdir(path, 0o700)
    held = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield name
    finally:
        shutil.rmtree(path, ignore_errors=True)
        os.close(held)


@contextmanager
def _replaced(action: Any, attribute: str) -> Iterator[None]:
    """Makes `action` write to a temporary folder, which replaces the one named by `attribute` at the end."""
    final = getattr(action, attribute)
    with replacing(final) as aside:
        setattr(action, attribute, aside)
        try:
            with _logged_as(action.log, aside, final):
                yield
        finally:
            setattr(action, attribute, final)


@contextmanager
def _logged_as(log: Any, staged: str, final: str) -> Iterator[None]:
    """Replaces the temporary path in log messages by the `final` one."""

    def renamed(record: logging.LogRecord) -> bool:
        record.msg = str(record.msg).replace(staged, final)
        return True

    logger = getattr(log, "logger", log)  # a LoggerAdapter has no filters of its own
    logger.addFilter(renamed)
    try:
        yield
    finally:
        logger.removeFilter(renamed)


@contextmanager
def replacing(final: str) -> Iterator[str]:
    """Yields a path at which to make a folder. If the block succeeds, it replaces `final`; else it is removed."""
    parent, name = os.path.split(final)
    aside, old = (os.path.join(parent, f"{_STAGED}{name}-{secrets.token_hex(4)}{end}") for end in ("", "-old"))
    try:
        yield aside
        if os.path.lexists(final):
            os.rename(final, old)
        try:
            os.rename(aside, final)
        except BaseException:
            if os.path.lexists(old):
                os.rename(old, final)
            raise
    finally:
        for path in (aside, old):
            shutil.rmtree(path, ignore_errors=True)


def no_space(error: Exception) -> bool:
    """Whether the error means a full disk or quota; `shutil.Error` has the error number only in its text."""
    numbers = (errno.ENOSPC, errno.EDQUOT)
    if isinstance(error, shutil.Error):
        return any(f"[Errno {number}]" in str(error) for number in numbers)
    return isinstance(error, OSError) and error.errno in numbers
