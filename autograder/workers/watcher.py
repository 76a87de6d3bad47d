"""Watches what a worker uses, by the clock: whatever arrives on its channel, and while nobody waits for it.

The kernel limits each process; here all that the worker has started is counted together. A worker that uses more than
its limits is ended, and whoever waits for its reply is told why.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

from autograder.sandbox import folders, processes
from autograder.sandbox.limits import LANDLOCK, MB, NAMESPACES, Limits
from autograder.workers.errors import Gone
from autograder.workers.process import Process

_TICK = 0.2
"""Seconds between two looks."""
_OURS = 8
"""Processes and threads of a worker that are not the student's."""


class Watcher:
    """A thread that calls `end_it` when the process uses too much; `shared` is what it shares with its source."""

    def __init__(self, process: Process, limits: Limits, scratch: str, shared: int, end_it: Callable[[], None]) -> None:
        self.exceeded = ""
        """Why the worker was ended, in words for the student."""
        self._process, self._limits, self._scratch, self._shared, self._end_it = (
            process,
            limits,
            scratch,
            shared,
            end_it,
        )
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watcher", daemon=True)
        if os.path.isdir("/proc/self"):
            self._thread.start()

    def look_now(self) -> None:
        """After a reply, so that what a cell leaves is blamed on that cell: raises `Gone` if it is too much."""
        if self._process.level == LANDLOCK:  # elsewhere the kernel limits what is written itself
            self.exceeded = self.exceeded or self._look()
        if self.exceeded:
            raise Gone(self.exceeded)

    def end(self) -> None:
        """Stops watching; the process may be closed when this returns."""
        self._over.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(_TICK):
            if self._process.ended():
                return
            self.exceeded = self.exceeded or self._look()
            if self.exceeded:
                self._end_it()
                return

    def _look(self) -> str:
        """What is too much, in words; "" if nothing is."""
        limits, inside = self._limits, processes.descendants(self._process.number)
        if self._process.level in (None, NAMESPACES):
            inside = [self._process.number, *inside]  # elsewhere it only waits
        if self._process.level and processes.tasks(inside) > limits.processes + _OURS:
            return f"the code started more than {limits.processes} processes and threads"
        if sum(max(0, processes.resident(p) - self._shared) for p in inside) > limits.memory:
            return f"the code used more than {limits.memory // MB} MB of memory"
        if self._process.level in (None, NAMESPACES):
            return ""  # the private disk has its own limit, and an examiner writes what the course's tests write
        if folders.disk_usage(self._scratch) + processes.unlinked_bytes(inside) > limits.written:
            return f"the code wrote more than {limits.written // MB} MB"
        return ""
