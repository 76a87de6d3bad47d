"""The process of a worker, seen from the grader: whether it has ended, and how it is ended.

Each class offers `ended(seconds)`, `end()`, `close()`, `number` (the process id) and `level` (of isolation; None for an
examiner, who is not isolated).
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
from collections.abc import Mapping, Sequence

from autograder.sandbox import processes
from autograder.sandbox.limits import NAMESPACES

_TO_END = 5.0
"""Seconds to wait for a process that was told to end."""


class Forked:
    """Forked from the fork server; `handle` is a pidfd, which is never reused for another process as numbers are."""

    def __init__(self, handle: int, level: str | None) -> None:
        self.number, self.level, self._handle = processes.of_handle(handle), level, handle

    def ended(self, seconds: float = 0) -> bool:
        return bool(select.select([self._handle], [], [], seconds)[0])

    def end(self) -> None:
        """Ends the process and all that it has started; returns when it has ended, or after some seconds."""
        with contextlib.suppress(ProcessLookupError):
            if self.level not in (None, NAMESPACES):
                # Without a process space of its own, it is the subreaper who must end the others, and so outlive them.
                signal.pidfd_send_signal(self._handle, signal.SIGTERM)
                if self.ended(_TO_END):
                    return
                processes.end_descendants(self.number)
            signal.pidfd_send_signal(self._handle, signal.SIGKILL)
        self.ended(_TO_END)

    def close(self) -> None:
        os.close(self._handle)


class Spawned:
    """A new process, ended with its process group: all that can be done on a system that is not Linux."""

    def __init__(
        self, command: Sequence[str], channel: int, environment: Mapping[str, str], folder: str, level: str | None
    ) -> None:
        self.level = level
        self._process = subprocess.Popen(
            command,
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # until the worker records what is printed itself
            stderr=subprocess.DEVNULL,
            pass_fds=[channel],
            start_new_session=True,
        )
        self.number = self._process.pid

    def ended(self, seconds: float = 0) -> bool:
        return self._process.poll() is not None

    def end(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.number, signal.SIGKILL)
        self._process.wait()

    def close(self) -> None: ...


Process = Forked | Spawned
