"""Makes copies of nbgrader's exchange atomic: a copy that fails half-way leaves nothing behind, and a message says so.

`Release` and `Fetch` copy as nbgrader's own classes do (nbgrader/exchange/default/), but into a folder beside the
destination, which is renamed at the end; `submit` does the same with what a student hands in.
"""

from __future__ import annotations

import errno
import logging
import os
import secrets
import shutil
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from nbgrader.exchange import ExchangeError
from nbgrader.exchange.default import ExchangeFetchAssignment, ExchangeReleaseAssignment

from autograder.exchange.root import ClosedRoot, ClosedRootToRelease
from autograder.rooms import gradebook_lock

FULL = "the disk of {where} is full."
STOPPED = "{what}: {why}\n{kept}\n{next}"
STAGED = ".unfinished-"


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
        # Raised outside the `except` block, so that no chained traceback is shown above the message.
        self.stop(lines)

    def stop(self: Any, lines: list[str]) -> None:
        """Raises an ExchangeError of these lines, broken as the dialogs of Assignment List and formgrader need it."""
        message = "\n".join(textwrap.fill(line, 78, break_long_words=False, break_on_hyphens=False) for line in lines)
        self.log.fatal(message)
        raise ExchangeError(message)


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
def _replaced(action: Any, attribute: str) -> Iterator[None]:
    """Makes `action` write to a temporary folder, which replaces the one named by `attribute` at the end."""
    final = getattr(action, attribute)
    with replacing(final) as aside:
        setattr(action, attribute, aside)
        try:
            with logged_as(action.log, aside, final):
                yield
        finally:
            setattr(action, attribute, final)


@contextmanager
def logged_as(log: Any, staged: str, final: str) -> Iterator[None]:
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
    aside, old = (os.path.join(parent, f"{STAGED}{name}-{secrets.token_hex(4)}{end}") for end in ("", "-old"))
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


def share_with_group(folder: str) -> None:
    """As nbgrader's option `groupshared` wants it: the group of the course may change everything."""
    for here, _, files in os.walk(folder):
        os.chmod(here, 0o2770)
        for name in files:
            os.chmod(os.path.join(here, name), 0o660)


def no_space(error: Exception) -> bool:
    """Whether the error means a full disk or quota; `shutil.Error` has the error number only in its text."""
    numbers = (errno.ENOSPC, errno.EDQUOT)
    if isinstance(error, shutil.Error):
        return any(f"[Errno {number}]" in str(error) for number in numbers)
    return isinstance(error, OSError) and error.errno in numbers
