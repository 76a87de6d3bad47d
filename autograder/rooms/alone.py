"""One grading run of an assignment at a time: a second one says so, waits, and leaves if the first does not end.

The lock is the kernel's, so that it ends with the process that holds it, however that ends.
"""

from __future__ import annotations

import os
from typing import Any

from filelock import FileLock, Timeout
from nbgrader.converters.base import NbGraderException

FILE = ".grading-{assignment}.lock"
WAITING = "Another run is grading %s (process %s); waiting up to %g seconds for it to end."
NO_LOCK = "%s cannot be locked (%s): see to it that nobody else grades this assignment at the same time."
BUSY = (
    "Another run is grading %s (process %s) and did not end within %g seconds. Nothing was done here, and nothing is "
    "lost: run the same command again when it has ended. c.TwoRooms.patience sets how long to wait."
)


class Alone:
    """The lock of a course's assignment, a file in the course's folder. `end` must be called in any case."""

    def __init__(self, converter: Any, assignment: str) -> None:
        self._log, self._assignment = converter.log, assignment
        self._path = os.path.join(converter.coursedir.root, FILE.format(assignment=assignment))
        # Other instructors of the same group take the same lock.
        mode = 0o664 if converter.coursedir.groupshared else 0o644
        self._lock = FileLock(self._path, timeout=0, mode=mode)

    def begin(self, patience: float) -> None:
        """Takes the lock; NbGraderException if another run holds it for more than `patience` seconds.

        Where no lock can be had, as on some network disks, that is said, and grading goes on without one.
        """
        try:
            self._take(patience)
        except (OSError, NotImplementedError) as error:
            self._log.warning(NO_LOCK, self._path, error)
            return
        with open(self._path, "w", encoding="utf-8") as file:
            file.write(f"{os.getpid()}\n")

    def end(self) -> None:
        self._lock.release()

    def _take(self, patience: float) -> None:
        try:
            self._lock.acquire()
        except Timeout:
            self._log.warning(WAITING, self._assignment, self._holder(), patience)
            try:
                self._lock.acquire(timeout=patience, poll_interval=0.2)
            except Timeout:
                self._log.error(BUSY, self._assignment, self._holder(), patience)
                raise NbGraderException(f"another run is grading {self._assignment}") from None

    def _holder(self) -> str:
        try:
            with open(self._path, encoding="utf-8") as file:
                return file.read(20).strip() or "unknown"
        except OSError:
            return "unknown"
