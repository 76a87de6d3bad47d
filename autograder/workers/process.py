"""How a room ends: by a handle that stays this room's even when process numbers are used again.

Gone       the room has ended or was ended; the text says why, in words for the student
OutOfTime  no reply within the seconds that the request may take
NoRoom     a room could not be made; that is nobody's cell, and never costs a student anything
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
from collections.abc import Mapping, Sequence

from autograder.sandbox import isolation, processes


class Gone(Exception):
    """The room has ended or was ended."""


class OutOfTime(Gone):
    """No reply in time."""


class NoRoom(Exception):
    """No room could be made on this machine now."""


class Forked:
    """A room forked from the warm interpreter."""

    def __init__(self, number: int, handle: int, box: isolation.Box | None) -> None:
        self.number, self._handle = number, handle
        # Without a process space of its own, the subreaper must live to end the others.
        self._gently = box is not None and box.level != isolation.NAMESPACES

    def ended(self, seconds: float = 0) -> bool:
        return bool(select.select([self._handle], [], [], seconds)[0])

    def end(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            if self._gently:
                signal.pidfd_send_signal(self._handle, signal.SIGTERM)
                if self.ended(5):
                    return
                processes.end_descendants(self.number)
            signal.pidfd_send_signal(self._handle, signal.SIGKILL)
        self.ended(5)

    def close(self) -> None:
        os.close(self._handle)


class Spawned:
    """A room that is a process of its own, ended with its group: all that can be done without Linux."""

    def __init__(self, command: Sequence[str], channel: int, environment: Mapping[str, str], folder: str) -> None:
        self._process = subprocess.Popen(
            command,
            env=environment,
            cwd=folder or None,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # until the room keeps what is printed itself
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


Ender = Forked | Spawned
