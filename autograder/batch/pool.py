"""The graders of this machine: each a process with one submission at a time, replaced if it is lost."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from autograder.batch import rows, station
from autograder.batch.station import Lines, pack
from autograder.rooms.run import GradingRun
from autograder.sandbox import processes

Order = dict[str, Any]


@dataclass(frozen=True)
class Reply:
    """What came of an order: what the grader says, or None if the process in which it was graded has ended."""

    order: Order
    said: Mapping[str, Any] | None


class LocalPool:
    """`jobs` graders. It is made before anything is opened that a forked process must not share."""

    def __init__(self, jobs: int, app: Any, run: GradingRun) -> None:
        self.jobs = jobs
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._station = processes.fork()
        if not self._station:
            try:
                self._control.close()
                station.serve(theirs, app, run.level, run.launchers)
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(1)
        theirs.close()
        self._idle: list[Lines] = []
        self._busy: dict[Lines, Order] = {}

    def begin(self, course: rows.Rows) -> None:
        """Tells the graders what the gradebook says of the assignment."""
        with self._connection() as connection:
            connection.sendall(pack(course))
        self._idle = [Lines(self._connection()) for _ in range(self.jobs)]

    def _connection(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        with theirs:
            socket.send_fds(self._control, [b"."], [theirs.fileno()])
        return ours

    @property
    def free(self) -> int:
        """How many orders can be given now."""
        return len(self._idle)

    def give(self, order: Order) -> None:
        """Gives an order to a grader that is free."""
        grader = self._idle.pop()
        self._busy[grader] = order
        with contextlib.suppress(OSError):  # that it has ended is seen when its reply is read
            grader.connection.sendall(pack(order))

    def replies(self, seconds: float) -> list[Reply]:
        """What has been graded or lost, within so many seconds."""
        waits = {grader.connection: grader for grader in self._busy}
        ready, _, _ = select.select(list(waits), [], [], seconds)
        return [reply for connection in ready if (reply := self._reply(waits[connection]))]

    def _reply(self, grader: Lines) -> Reply | None:
        try:
            grader.fill()
            said = grader.waiting()
            if said is None:
                return None
        except EOFError:
            grader.connection.close()
            self._idle.append(Lines(self._connection()))
            return Reply(self._busy.pop(grader), None)
        self._idle.append(grader)
        return Reply(self._busy.pop(grader), said)

    def end(self) -> None:
        """Ends every process; returns when the station has ended."""
        for grader in (*self._idle, *self._busy):
            grader.connection.close()
        self._idle, self._busy = [], {}
        self._control.close()
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._station, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self._station, 0)
