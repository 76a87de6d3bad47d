"""The grader's end: starts the warm interpreter and makes, drives, watches and ends rooms.

A room that says nothing in time, says too much, or uses more than its share is ended here; nothing that it sends is
believed beyond `_wire`.
"""

from __future__ import annotations

import contextlib
import copy
import json
import os
import select
import signal
import site
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from autograder.rooms import _folders, _processes, _sandbox, _wire

PACKAGE = str(Path(__file__).parent.parent)
_START = (
    "import json, runpy, sys; sys.path[:] = json.loads(sys.argv.pop(1));"
    "sys.argv = ['-c', *sys.argv[1:]];"
    "from autograder.rooms import _zygote as z; {'zygote': z.main, 'alone': z.alone}[sys.argv[1]](int(sys.argv[2]))"
)
_TICK = 0.2
"""Seconds between two looks at what a room uses."""
_TO_START = 120.0
_TO_LOCK = 20.0


class Gone(Exception):
    """The room has ended or was ended; the text says why, in words for the student."""


class OutOfTime(Gone):
    """No reply within the seconds that the request may take."""


def trusted_path() -> list[str]:
    """Where modules may come from: Python's own folders and this package, not the folder where grading started."""
    inside = {
        str(Path(p).resolve()) for p in (sys.prefix, sys.base_prefix, sys.exec_prefix, site.getusersitepackages())
    }
    own = str(Path(PACKAGE).parent)
    found = [p for p in sys.path if p and any(_within(Path(p).resolve(), base) for base in inside)]
    return [*found, *([] if own in found else [own])]


def _within(path: Path, base: str) -> bool:
    return str(path) == base or base in map(str, path.parents)


def readable() -> tuple[str, ...]:
    """What a student's room can read besides the system: Python, its packages and this one; never the course."""
    known = [sys.prefix, sys.base_prefix, PACKAGE]
    if os.path.isdir(site.getusersitepackages()) and site.getusersitepackages() in sys.path:
        known.append(site.getusersitepackages())
    return tuple(p for p in dict.fromkeys(known) if not p.startswith("/usr/") or p.startswith("/usr/local"))


def _command(what: str, number: int) -> list[str]:
    return [sys.executable, "-I", "-c", _START, json.dumps(trusted_path()), what, str(number)]


def clean_environment() -> dict[str, str]:
    """What a student may know of the grader's environment: nothing."""
    here = str(Path(sys.executable).parent)
    return {
        "PATH": f"{here}:/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "HOME": _sandbox.HOME,
        "TMPDIR": "/tmp",
        "IPYTHONDIR": "/tmp/.ipython",
        "MPLCONFIGDIR": "/tmp/.matplotlib",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }


class Warm:
    """The warm interpreter, or where there is none a way to start rooms one by one."""

    def __init__(self, fork: bool = True) -> None:
        self.scratch = tempfile.mkdtemp(prefix="autograder-")
        os.chmod(self.scratch, 0o711)
        self.fork, self._rooms, self.resident = fork, 0, 0
        self._process: subprocess.Popen[bytes] | None = None
        if not fork:
            return
        ours, theirs = socket.socketpair()
        with theirs:
            number = theirs.fileno()
            self._process = subprocess.Popen(
                _command("zygote", number),
                env=self._environment(),
                cwd="/",
                stdin=subprocess.DEVNULL,
                pass_fds=[number],
            )
        self._greet(ours)

    def _greet(self, control: socket.socket) -> None:
        self._control = control
        self._control.settimeout(_TO_START)
        try:
            hello = _wire.unpack(self._line()[0])
        except (OSError, Gone) as error:
            self.close()
            raise Gone(f"the warm interpreter did not start: {error}") from None
        self.resident = hello["resident"]

    def branch(self, cells: Sequence[str]) -> Warm:
        """A warm interpreter for examiners, forked from this one, that has met these cells of the course."""
        if not self.fork:
            return self
        made = copy.copy(self)
        ours, theirs = socket.socketpair()
        with theirs:
            order = {"branch": True, "box": None, "folder": ""}
            socket.send_fds(self._control, [_wire.pack(order)], [theirs.fileno()])
            _, handles = self._line()
        os.close(handles[0])
        ours.sendall(_wire.pack({"cells": list(cells)}))
        made._process = None
        made.scratch = tempfile.mkdtemp(prefix="autograder-")
        made._greet(ours)
        return made

    def _environment(self) -> dict[str, str]:
        return {**clean_environment(), "HOME": self.scratch, "IPYTHONDIR": self.scratch, "TMPDIR": self.scratch}

    def _line(self) -> tuple[bytes, list[int]]:
        line, handles = b"", []
        while not line.endswith(b"\n"):
            data, more, _, _ = socket.recv_fds(self._control, 1 << 16, 1)
            handles += more
            if not data:
                raise Gone("it ended")
            line += data
        return line, handles

    def room(self, role: str, box: _sandbox.Box | None, environment: Mapping[str, str], most: int, folder: str) -> Room:
        """A new room. `box` says how to lock it (None: the examiner's, which stands in `folder`)."""
        self._rooms += 1
        scratch = os.path.join(self.scratch, str(self._rooms))
        os.mkdir(scratch, 0o700)
        if box:
            box = replace(box, scratch=scratch)
        ours, theirs = socket.socketpair()
        with theirs:
            if self.fork:
                order = {"box": asdict(box) if box else None, "folder": folder}
                socket.send_fds(self._control, [_wire.pack(order)], [theirs.fileno()])
                line, handles = self._line()
                made = _wire.unpack(line)
                if not handles:
                    ours.close()
                    raise Gone(made["why"])
                ender: _Ender = _Forked(made["room"], handles[0], box)
            else:
                if box:
                    folder = os.path.join(scratch, "work")
                    _folders.copy_files(box.files, folder, box.written // 2)
                ender = _Spawned(theirs.fileno(), self._environment(), folder)
        room = Room(ours, ender, box, scratch, self.resident)
        try:
            said = room.receive(_TO_LOCK if self.fork else _TO_START)
            if said.get("locked") is not True:
                raise Gone(str(said.get("why")))
            room.send({"role": role, "environment": dict(environment), "most": most})
        except Gone:
            room.close()
            raise
        return room

    def close(self) -> None:
        if self.fork and hasattr(self, "_control"):
            self._control.close()
        if self._process:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(2)
            self._process.kill()
            self._process.wait()
            self._process = None
        _folders.remove(self.scratch)


class _Forked:
    """Ends a forked room by its handle, which stays this room's even when process numbers are used again."""

    def __init__(self, number: int, handle: int, box: _sandbox.Box | None) -> None:
        self.number, self._handle = number, handle
        # Without a process space of its own, the subreaper must live to end the others.
        self._gently = bool(box) and box is not None and box.level != _sandbox.NAMESPACES

    def ended(self, seconds: float = 0) -> bool:
        return bool(select.select([self._handle], [], [], seconds)[0])

    def end(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            if self._gently:
                signal.pidfd_send_signal(self._handle, signal.SIGTERM)
                if self.ended(5):
                    return
                _processes.end_descendants(self.number)
            signal.pidfd_send_signal(self._handle, signal.SIGKILL)
        self.ended(5)

    def close(self) -> None:
        os.close(self._handle)


class _Spawned:
    """Ends a room that is a process of its own, and its group: all that can be done without Linux."""

    def __init__(self, channel: int, environment: dict[str, str], folder: str) -> None:
        self._process = subprocess.Popen(
            _command("alone", channel),
            env=environment,
            cwd=folder or None,
            stdin=subprocess.DEVNULL,
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


_Ender = _Forked | _Spawned


class Room:
    """One room as the grader sees it."""

    def __init__(
        self, channel: socket.socket, ender: _Ender, box: _sandbox.Box | None, scratch: str, resident: int
    ) -> None:
        self._channel, self._ender, self._box = channel, ender, box
        self._scratch, self._resident = scratch, resident
        self._buffer = bytearray()
        self._asked = 0

    def send(self, message: Mapping[str, Any], seconds: float = 10) -> None:
        self._channel.settimeout(seconds)
        try:
            self._channel.sendall(_wire.pack(message))
        except OSError:
            raise Gone("the process in which the code ran has ended") from None

    def call(
        self,
        message: Mapping[str, Any],
        seconds: float,
        most: int = _wire.MOST_BYTES,
        answer: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
    ) -> dict[str, Any]:
        """Sends a request and returns its reply; `answer` serves what the examiner's room asks meanwhile."""
        self._asked += 1
        self.send({**message, "id": self._asked})
        end = time.monotonic() + seconds
        while True:
            try:
                reply = self.receive(end - time.monotonic(), most)
            except _wire.Refused as refused:
                raise Gone(f"what the process sent is not an answer ({refused})") from None
            if answer and "ask" in reply:
                before = time.monotonic()
                self.send(answer(reply["ask"]))
                end += time.monotonic() - before  # the student's time, not the examiner's
            elif reply.get("id") == self._asked:
                return reply

    def receive(self, seconds: float, most: int = _wire.MOST_BYTES) -> dict[str, Any]:
        end = time.monotonic() + seconds
        searched = 0
        while (at := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            if searched > most:
                raise Gone("the process sent more than may be printed")
            left = end - time.monotonic()
            if left <= 0:
                raise OutOfTime("no reply in time")
            if not select.select([self._channel], [], [], min(left, _TICK))[0]:
                self._watch()
                continue
            try:
                data = self._channel.recv(1 << 16)
            except OSError:
                data = b""
            if not data:
                raise Gone("the process in which the code ran has ended")
            self._buffer += data
        line = bytes(self._buffer[:at])
        del self._buffer[: at + 1]
        return _wire.unpack(line, most)

    def _watch(self) -> None:
        """Limits that the kernel counts a process at a time are counted here for the whole room."""
        if self._ender.ended():
            raise Gone("the process in which the code ran has ended")
        if not self._box or not os.path.isdir("/proc/self"):
            return
        inside = _processes.descendants(self._ender.number)
        if _processes.tasks(inside) > self._box.processes + 8:
            raise Gone(f"the code started more than {self._box.processes} processes and threads")
        used = sum(max(0, _processes.resident(p) - self._resident) for p in inside)
        if used > self._box.memory:
            raise Gone(f"the code used more than {self._box.memory >> 20} MB of memory")
        if self._box.level == _sandbox.NAMESPACES:
            return  # the private disk has its own limit
        if _folders.written(self._scratch) + _processes.held(inside) > self._box.written:
            raise Gone(f"the code wrote more than {self._box.written >> 20} MB")

    def close(self) -> None:
        self._channel.close()
        self._ender.end()
        self._ender.close()
        _folders.remove(self._scratch)
