"""The graders of this machine: each has one submission at a time, and is replaced if its process is lost."""

from __future__ import annotations

import contextlib
import os
import select
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from autograder.batch import rows, station
from autograder.batch.lines import Lines, pack
from autograder.errors import AutograderError
from autograder.rooms.run import GradingRun
from autograder.sandbox import processes

Order = dict[str, Any]
"""What is to be graded: student, assignment, folder and notebooks; where to put it, the student's rows, which try."""
KEEP_ENDING = (
    "The process from which graders are forked has ended {times} times. What was graded is saved; see whether the "
    "machine is short of memory, and run the same command again."
)
_MOST_STARTS = 4
_FIRST = 6.0
"""Seconds in which the first submission should be graded."""


class NoGraders(AutograderError):
    """The graders cannot be started, or keep ending."""


@dataclass(frozen=True)
class Reply:
    """What came of an order: what the grader says, or None if the process in which it was graded has ended."""

    order: Order
    said: Mapping[str, Any] | None


class Pool(Protocol):
    """Grades orders somewhere. `NoGraders` is raised where that has become impossible."""

    @property
    def jobs(self) -> int:
        """How many orders are graded at a time."""

    @property
    def free(self) -> int:
        """How many orders can be given now."""

    def begin(self, course: rows.Rows, most: int) -> None:
        """Tells the graders what the gradebook says of the assignment; at most so many orders will come."""

    def give(self, order: Order) -> None:
        """Gives an order."""

    def replies(self, seconds: float) -> list[Reply]:
        """What has been graded or lost since; waits for that at most so many seconds."""

    def end(self) -> None:
        """Ends every process; what is being graded is dropped."""


class LocalPool:
    """`jobs` graders. It is made before anything is opened that a forked process must not share."""

    def __init__(self, jobs: int, app: Any, run: GradingRun, unsafe: bool) -> None:
        self._jobs, self._again = jobs, (app.coursedir.root, app.coursedir.assignment_id, unsafe)
        self._idle: list[Lines] = []
        self._busy: dict[Lines, Order] = {}
        self._course: rows.Rows = {}
        self._starts = 1
        self._alone_until = float("inf")
        """Until then, or until the first is graded, there is one grader: more would only delay it."""
        # Only a process of one thread may fork, and the course's configuration may have started another.
        alone = processes.tasks([os.getpid()]) == 1
        self._station = station.forked(app, run.level, run.launchers) if alone else station.started(*self._again)

    @property
    def jobs(self) -> int:
        return self._jobs

    @property
    def free(self) -> int:
        return len(self._idle)

    def begin(self, course: rows.Rows, most: int) -> None:
        self._course, self._jobs = course, min(self._jobs, most)
        with contextlib.suppress(OSError):  # it has ended
            self._tell_course()
        self._alone_until = time.monotonic() + _FIRST
        self._fill()

    def _tell_course(self) -> None:
        with self._station.connect() as connection:
            connection.sendall(pack(self._course))

    def _fill(self) -> None:
        """As many graders as there should be; from another station, if this one has ended."""
        wanted = 1 if time.monotonic() < self._alone_until else self._jobs
        while len(self._idle) + len(self._busy) < wanted:
            try:
                self._idle.append(Lines(self._station.connect()))
            except OSError:
                self._station.end()
                if self._starts == _MOST_STARTS:
                    raise NoGraders(KEEP_ENDING.format(times=self._starts)) from None
                self._starts += 1
                self._station = station.started(*self._again)
                with contextlib.suppress(OSError):
                    self._tell_course()

    def give(self, order: Order) -> None:
        grader = self._idle.pop()
        while select.select([grader.connection], [], [], 0)[0]:  # its process has ended, or it would say nothing now
            grader.connection.close()
            self._fill()
            grader = self._idle.pop()
        self._busy[grader] = order
        with contextlib.suppress(OSError):  # that it has ended is seen when its reply is read
            grader.connection.sendall(pack(order))

    def replies(self, seconds: float) -> list[Reply]:
        waits = {grader.connection: grader for grader in self._busy}
        ready, _, _ = select.select(list(waits), [], [], seconds)
        found = [reply for connection in ready if (reply := self._reply(waits[connection]))]
        if found:
            self._alone_until = 0.0
        self._fill()
        return found

    def _reply(self, grader: Lines) -> Reply | None:
        try:
            grader.fill()
            said = grader.waiting()
        except EOFError:
            grader.connection.close()
            return Reply(self._busy.pop(grader), None)
        if said is None:
            return None
        self._idle.append(grader)
        return Reply(self._busy.pop(grader), said)

    def end(self) -> None:
        for grader in (*self._idle, *self._busy):
            grader.connection.close()
        self._station.end(0 if self._busy else station.TO_CLEAR_UP)
        self._idle, self._busy = [], {}
