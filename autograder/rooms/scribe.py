"""A process of its own reads and cleans what students wrote, within limits of time and memory.

Parsers and cleaners take time and memory that grow faster than some texts do. Here such a text ends one process, which
is then started again, and not the grading. A line of JSON goes to the process, and one comes back.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from functools import partial
from typing import Any

try:
    import resource
except ImportError:  # there is none on Windows
    resource = None  # type: ignore[assignment]

from autograder.at_home.notebook import LARGEST, UnreadableNotebook
from autograder.sandbox.limits import MB
from autograder.sandbox.visible import clean_environment, trusted_path

SECONDS = 30
"""Of processor time, for one notebook."""
_PATIENCE = 20.0
"""Times as long as that: how long a busy machine may take for it."""
MEMORY = 2048 * MB
_START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv.pop(1));"
    "from autograder.rooms import cleaning, repair, scribe; scribe.serve()"  # all of it before the first order comes
)
_LONGEST_ANSWER = 64 * MB
_OUT_OF_TIME = -signal.SIGXCPU if hasattr(signal, "SIGXCPU") else 1
CANNOT_OPEN = "it cannot be opened ({why})"
NO_FILE = "it is not a regular file"
TOO_LARGE = "it is larger than {most} MB"
TOO_COSTLY = "it takes more than {seconds} seconds or {memory} MB of memory"


class TooCostly(UnreadableNotebook):
    """What was to be read or cleaned takes more time or memory than one notebook may."""


class Scribe:
    """The process; it starts `at_once` or when needed, and again after it had to be ended. `close` must be called."""

    def __init__(self, seconds: int = SECONDS, memory: int = MEMORY, *, at_once: bool = True) -> None:
        self._seconds, self._memory = seconds, memory
        self._turn = threading.Lock()
        self._process = self._start() if at_once else None
        self._inherited = False
        """Whether another process has started it, so that this one cannot wait for its end."""

    def read(self, path: str) -> tuple[dict[str, Any], list[str]]:
        """The notebook in a file and what was repaired in it (`repair.read`); UnreadableNotebook if it is none."""
        said = self._ask({"read": path})
        if "unreadable" in said:
            raise UnreadableNotebook(said["unreadable"])
        return said["notebook"], said["repairs"]

    def clean(self, parts: list[dict[str, Any]], folder: str) -> list[dict[str, Any]]:
        """The parts of a notebook as `cleaning.clean` makes them; TooCostly if that cannot be had."""
        said: list[dict[str, Any]] = self._ask({"clean": parts, "folder": os.path.abspath(folder)})["cleaned"]
        return said

    def close(self) -> None:
        with self._turn:
            self._end()

    def inherit(self) -> None:
        """In a forked process: the process is that of the one from which it was forked, which must `leave` it."""
        self._inherited = self._process is not None

    def leave(self) -> None:
        """Leaves the process to another one that was forked from this one, and has the other copy of its pipes."""
        process, self._process = self._process, None
        if process:
            _close_pipes(process)

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-I", "-c", _START, json.dumps(trusted_path()), str(self._memory), str(self._seconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=clean_environment(),
            cwd="/",
        )

    def _ask(self, order: dict[str, Any]) -> dict[str, Any]:
        with self._turn:
            for _ in range(2):  # twice, because the machine itself may have been short of memory
                if self._process is None or (not self._inherited and self._process.poll() is not None):
                    self._end()
                    self._process = self._start()
                answer = self._answer(self._process, json.dumps(order).encode() + b"\n")
                if answer.endswith(b"\n"):
                    said: dict[str, Any] = json.loads(answer)
                    return said
                if self._end() == _OUT_OF_TIME:
                    break
            raise TooCostly(TOO_COSTLY.format(seconds=self._seconds, memory=self._memory // MB))

    def _answer(self, process: subprocess.Popen[bytes], order: bytes) -> bytes:
        """A line, or what has come of one when the process ended."""
        orders, answers = process.stdin, process.stdout
        assert orders
        assert answers
        # Nobody waits for one that was inherited before this process has ended, so that its number stays its own.
        kill = partial(os.kill, process.pid, signal.SIGKILL) if self._inherited else process.kill
        clock = threading.Timer(self._seconds * _PATIENCE, kill)
        clock.start()
        try:
            orders.write(order)
            orders.flush()
            return answers.readline(_LONGEST_ANSWER)
        except OSError:
            return b""
        finally:
            clock.cancel()
            clock.join()

    def _end(self) -> int | None:
        """Ends the process, if it has not ended; what it has not read of an order is lost. Its exit status."""
        process, self._process = self._process, None
        inherited, self._inherited = self._inherited, False
        if process is None:
            return None
        if inherited:
            os.kill(process.pid, signal.SIGKILL)
            _close_pipes(process)
            return None
        if process.poll() is None:
            process.kill()
        with contextlib.suppress(OSError):
            process.communicate()
        return process.returncode


def _close_pipes(process: subprocess.Popen[bytes]) -> None:
    """For a process that this one will not wait for."""
    for pipe in (process.stdin, process.stdout):
        if pipe:
            with contextlib.suppress(OSError):  # what was not read of an order
                pipe.close()
    process.returncode = 0


def serve() -> None:
    """The process itself: orders from its standard input, answers to what was its standard output."""
    memory, seconds = map(int, sys.argv[1:])
    _limit("RLIMIT_AS", memory)
    _limit("RLIMIT_CORE", 0)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    for line in sys.stdin.buffer:
        _limit("RLIMIT_CPU", int(time.process_time()) + 1 + seconds)
        answers.write(json.dumps(_done(json.loads(line))).encode() + b"\n")
        answers.flush()


def _limit(name: str, value: int) -> None:
    if resource:
        kind = getattr(resource, name)
        _, hard = resource.getrlimit(kind)
        resource.setrlimit(kind, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))


def _done(order: dict[str, Any]) -> dict[str, Any]:
    from autograder.rooms import cleaning, repair

    if "clean" in order:
        return {"cleaned": cleaning.clean(order["clean"], order["folder"])}
    try:
        notebook, repairs = repair.read(_bytes(order["read"]))
    except UnreadableNotebook as error:
        return {"unreadable": str(error)}
    except OSError as error:
        return {"unreadable": CANNOT_OPEN.format(why=error.strerror)}
    except Exception as error:  # a memory error, or what nobody foresaw: it is this notebook's alone
        return {"unreadable": type(error).__name__}
    return {"notebook": notebook, "repairs": repairs}


def _bytes(path: str) -> bytes:
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    with open(handle, "rb") as file:
        known = os.fstat(handle)
        if not stat.S_ISREG(known.st_mode):
            raise UnreadableNotebook(NO_FILE)
        if known.st_size > LARGEST * MB:
            raise UnreadableNotebook(TOO_LARGE.format(most=LARGEST))
        return file.read()
