"""One run at a time writes an assignment's grades or feedback pages, or releases these: a second one says so, waits,
and leaves if the first does not end.

Two would write the same files at once, or a page from grades that are just changing. The lock is the kernel's, so that
it ends with the process that holds it, however that ends.
"""

from __future__ import annotations

import os
from typing import Any

from filelock import FileLock, Timeout
from nbgrader.converters.base import NbGraderException

FILE = ".grading-{assignment}.lock"
GRADING, PAGES, RELEASING = "grading", "writing the feedback pages of", "releasing the feedback on"
HELD = "Another run is {work} {assignment} (process {process})"
WAITING = "%s; waiting up to %g seconds for it to end."
NO_LOCK = "%s cannot be locked (%s): see to it that no other run is %s %s at the same time."
BUSY = (
    "%s and did not end within %g seconds. Nothing was done here, and nothing is lost: run the same command again when "
    "it has ended. c.TwoRooms.patience sets how long to wait."
)


class Alone:
    """The lock of a course's assignment, a file in the course's folder. `end` must be called in any case.

    `work` is what this run does, such as `GRADING`, for the message of another run.
    """

    def __init__(self, converter: Any, assignment: str, work: str = GRADING) -> None:
        self._log, self._assignment, self._work = converter.log, assignment, work
        self._path = os.path.join(converter.coursedir.root, FILE.format(assignment=assignment))
        # Other instructors of the same group take the same lock.
        mode = 0o664 if converter.coursedir.groupshared else 0o644
        self._lock = FileLock(self._path, timeout=0, mode=mode)

    def begin(self, patience: float) -> None:
        """Takes the lock; NbGraderException if another run holds it for more than `patience` seconds.

        Where no lock can be had, as on some network disks, that is said, and the run goes on without one.
        """
        try:
            self._take(patience)
        except (OSError, NotImplementedError) as error:
            self._log.warning(NO_LOCK, self._path, error, self._work, self._assignment)
            return
        with open(self._path, "w", encoding="utf-8") as file:
            file.write(f"{os.getpid()} {self._work}\n")

    def end(self) -> None:
        self._lock.release()

    def _take(self, patience: float) -> None:
        try:
            self._lock.acquire()
        except Timeout:
            self._log.warning(WAITING, self._holder(), patience)
            try:
                self._lock.acquire(timeout=patience, poll_interval=0.2)
            except Timeout:
                held = self._holder()
                self._log.error(BUSY, held, patience)
                raise NbGraderException(held) from None

    def _holder(self) -> str:
        """What the other run does, as it has written into the file; it may just be about to."""
        try:
            with open(self._path, encoding="utf-8") as file:
                process, _, work = file.read(100).strip().partition(" ")
        except OSError:
            process = work = ""
        return HELD.format(work=work or "at work on", assignment=self._assignment, process=process or "unknown")
