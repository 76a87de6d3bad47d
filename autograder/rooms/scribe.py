"""A process of its own reads and cleans what students wrote, and looks whether answers are by hand, within limits.

Parsers and cleaners take time and memory that grow faster than some texts do. Here such a text ends one process, which
is then started again, and not the grading. A line of JSON goes to the process, and one comes back (`desk`).
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import IO, Any

from autograder.at_home.notebook import UnreadableNotebook
from autograder.by_hand.rules import found
from autograder.rooms import desk
from autograder.sandbox import processes
from autograder.sandbox.limits import MB
from autograder.sandbox.visible import clean_environment, trusted_path

SECONDS = 30
"""Of processor time, for one notebook."""
MEMORY = 2048 * MB
_PATIENCE = 20.0
"""Times as long as an order's seconds: how long a busy machine may take for it."""
_START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv.pop(1));"
    "from autograder.rooms import desk; desk.serve(*map(int, sys.argv[1:]))"
)
_LONG = 1.0
"""Seconds after which others no longer wait for an order to be done, but have another process for theirs."""
_TICK = 0.5
"""Seconds between two looks at the clock."""
_LONGEST_ANSWER = 64 * MB
_OUT_OF_TIME = -signal.SIGXCPU if hasattr(signal, "SIGXCPU") else 1
TOO_COSTLY = "it takes more than {seconds} seconds or {memory} MB of memory"


class TooCostly(UnreadableNotebook):
    """What was to be read or cleaned takes more time or memory than one notebook may."""


class Scribe:
    """The process; it starts with `start` or when it is needed, and again after it had to be ended.

    `close` must be called. `seconds` of processor time and bytes of `memory` are the limits of one notebook.
    """

    def __init__(self, seconds: int = SECONDS, memory: int = MEMORY) -> None:
        self._limits = seconds, memory
        self._turn, self._making = threading.Lock(), threading.Lock()
        self._process: subprocess.Popen[bytes] | _Forked | None = None
        self._begun: float | None = None
        """When what it does was begun."""
        self._until = math.inf
        """When that has taken too long by the clock."""
        self._over = threading.Event()
        self._clock: threading.Thread | None = None
        self._other: Scribe | None = None
        """Used by others while this one has long been busy with an order."""

    def start(self) -> None:
        """Starts it ahead; forked from this process, which takes no time, where this one has a single thread."""
        alone = sys.platform == "linux" and processes.tasks([os.getpid()]) == 1
        with self._turn:
            self._process = _Forked(*self._limits) if alone else self._started()

    def read(self, path: str) -> tuple[dict[str, Any], list[str]]:
        """The notebook in a file and what was repaired in it (`repair.read`); UnreadableNotebook if it is none."""
        said = self._ask({"read": path}, self._limits[0])
        if "unreadable" in said:
            raise UnreadableNotebook(said["unreadable"])
        return said["notebook"], said["repairs"]

    def clean(self, parts: list[dict[str, Any]], folder: str) -> list[dict[str, Any]]:
        """The parts of a notebook as `cleaning.clean` makes them; TooCostly if that cannot be had."""
        order = {"clean": parts, "folder": os.path.abspath(folder)}
        said: list[dict[str, Any]] = self._ask(order, self._limits[0])["cleaned"]
        return said

    def by_hand(self, cells: Sequence[str], function: str, modules: Mapping[str, str]) -> list[dict[str, Any]]:
        """The fields of what `interpreter.read` finds; of what takes more than it may, that it is too long."""
        try:
            said = self._ask({"by_hand": [list(cells), function, dict(modules)]}, desk.SECONDS_BY_HAND)
        except TooCostly:
            return [asdict(found("too-long"))]
        findings: list[dict[str, Any]] = said["findings"]
        return findings

    def close(self) -> None:
        with self._turn:
            self._end()
            if self._clock:
                self._over.set()
                self._clock.join()
                self._clock = None
                self._over.clear()
        if self._other:
            self._other.close()
            self._other = None

    def _watch(self) -> None:
        """Ends the process when its time is over by the clock: it may have been stopped, or the machine be too busy."""
        while not self._over.wait(_TICK):
            process = self._process
            if process and time.monotonic() > self._until:
                process.kill()

    def _started(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-I", "-c", _START, json.dumps(trusted_path()), *map(str, self._limits)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=clean_environment(),
            cwd="/",
        )

    def _ask(self, order: dict[str, Any], seconds: int) -> dict[str, Any]:
        begun = self._begun
        if not self._turn.acquire(timeout=_LONG if begun is None else max(0.0, begun + _LONG - time.monotonic())):
            return self._another()._ask(order, seconds)
        try:
            self._begun = time.monotonic()
            return self._do(order, seconds)
        finally:
            self._begun = None
            self._turn.release()

    def _another(self) -> Scribe:
        with self._making:
            self._other = self._other or Scribe(*self._limits)
            return self._other

    def _do(self, order: dict[str, Any], seconds: int) -> dict[str, Any]:
        for _ in range(2):  # twice, because the machine itself may have been short of memory
            if self._process is None or self._process.poll() is not None:
                self._end()
                self._process = self._started()
            answer = self._answer(self._process, json.dumps(order).encode() + b"\n", seconds * _PATIENCE)
            if answer.endswith(b"\n"):
                said: dict[str, Any] = json.loads(answer)
                return said
            if self._end() == _OUT_OF_TIME:
                break
        raise TooCostly(TOO_COSTLY.format(seconds=self._limits[0], memory=self._limits[1] // MB))

    def _answer(self, process: subprocess.Popen[bytes] | _Forked, order: bytes, seconds: float) -> bytes:
        """A line, or what has come of one when the process ended."""
        orders, answers = process.stdin, process.stdout
        assert orders
        assert answers
        self._until = time.monotonic() + seconds
        if self._clock is None:
            self._clock = threading.Thread(target=self._watch, name="clock", daemon=True)
            self._clock.start()
        try:
            orders.write(order)
            orders.flush()
            return answers.readline(_LONGEST_ANSWER)
        except OSError:
            return b""
        finally:
            self._until = math.inf

    def _end(self) -> int | None:
        """Ends the process, if it has not ended; what it has not read of an order is lost. Its exit status."""
        process, self._process = self._process, None
        if process is None:
            return None
        if process.poll() is None:
            process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe:
                with contextlib.suppress(OSError):  # what was not read of an order
                    pipe.close()
        return process.wait()


class _Forked:
    """A process that is forked from this one; as much of `subprocess.Popen` as is used here."""

    def __init__(self, seconds: int, memory: int) -> None:
        theirs, orders = os.pipe()
        answers, ours = os.pipe()
        # Ctrl-C waits: the new process would leave what follows here, and go on as this one.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            number = processes.fork()
            if not number:
                desk.serve_forked(theirs, ours, seconds, memory)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        os.close(theirs)
        os.close(ours)
        self.pid = number
        self.returncode: int | None = None
        self._handle = os.pidfd_open(number)
        self.stdin: IO[bytes] = os.fdopen(orders, "wb")
        self.stdout: IO[bytes] = os.fdopen(answers, "rb")

    def poll(self) -> int | None:
        return self._waited(os.WNOHANG)

    def wait(self) -> int:
        status = self._waited(0)
        assert status is not None
        return status

    def kill(self) -> None:
        with contextlib.suppress(OSError):  # it has ended
            signal.pidfd_send_signal(self._handle, signal.SIGKILL)

    def _waited(self, how: int) -> int | None:
        if self.returncode is None:
            number, status = os.waitpid(self.pid, how)
            if number:
                self.returncode = os.waitstatus_to_exitcode(status)
                os.close(self._handle)
        return self.returncode
