"""Where rooms come from: the grader's end of the warm interpreter, which makes one room for each order.

Rooms may be ordered from several threads at once: an order and its answer are one turn. Whatever goes wrong before a
room is locked and ready raises `NoRoom`, because no student's code has run in it yet.
"""

from __future__ import annotations

import contextlib
import copy
import json
import os
import select
import site
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from autograder.sandbox import folders, isolation
from autograder.workers import wire
from autograder.workers.client import Handle
from autograder.workers.process import Ender, Forked, Gone, NoRoom, Spawned

PACKAGE = str(Path(__file__).parent.parent)
_START = (
    "import json, runpy, sys; sys.path[:] = json.loads(sys.argv.pop(1));"
    "sys.argv = ['-c', *sys.argv[1:]];"
    "from autograder.workers import forkserver as f;"
    "{'forkserver': f.main, 'alone': f.alone}[sys.argv[1]](int(sys.argv[2]))"
)
_TO_START = 120.0
_TO_LOCK = 60.0


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
        "HOME": isolation.HOME,
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
        self._turn, self._broken = threading.Lock(), False
        self._process: subprocess.Popen[bytes] | None = None
        if not fork:
            return
        ours, theirs = socket.socketpair()
        # What is printed while it warms up is nobody's; on a terminal it would be seen.
        self._said = tempfile.TemporaryFile()  # noqa: SIM115  (`close` closes it)
        with theirs:
            number = theirs.fileno()
            self._process = subprocess.Popen(
                _command("forkserver", number),
                env=self._environment(),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._said,
                pass_fds=[number],
            )
        self._greet(ours)

    def _greet(self, control: socket.socket) -> None:
        self._control = control
        self._control.settimeout(_TO_START)
        try:
            hello = wire.unpack(self._line()[0])
        except (OSError, Gone) as error:
            why = self._last_words() or error
            self.close()
            raise NoRoom(f"the warm interpreter did not start: {why}") from None
        self.resident = hello["resident"]

    def _last_words(self) -> str:
        """The last line of the traceback that the interpreter ended with, if it did."""
        self._said.seek(0)
        return (self._said.read().decode(errors="replace").strip().splitlines() or [""])[-1]

    def branch(self, cells: Sequence[str]) -> Warm:
        """A warm interpreter for examiners, forked from this one, that has met these cells of the course."""
        if not self.fork:
            return self
        made = copy.copy(self)
        made._turn, made._process = threading.Lock(), None
        made.scratch = tempfile.mkdtemp(prefix="branch-", dir=self.scratch)  # and removed with it, whatever happens
        ours, theirs = socket.socketpair()
        _, handle = self._order({"branch": True, "box": None, "folder": ""}, theirs)
        os.close(handle)
        ours.sendall(wire.pack({"cells": list(cells)}))
        made._greet(ours)
        return made

    def _environment(self) -> dict[str, str]:
        return {**clean_environment(), "HOME": self.scratch, "IPYTHONDIR": self.scratch, "TMPDIR": self.scratch}

    def _order(self, order: Mapping[str, Any], theirs: socket.socket) -> tuple[int, int]:
        """The number and the handle of the process that was forked for an order; it owns `theirs`."""
        with theirs, self._turn:
            try:
                socket.send_fds(self._control, [wire.pack(order)], [theirs.fileno()])
                line, handles = self._line()
            except (OSError, Gone) as error:
                self._broken = True
                raise NoRoom(f"the warm interpreter has ended ({error})") from None
        said = wire.unpack(line)
        if not handles:
            raise NoRoom(f"no process can be started: {said.get('why')}")
        return said["room"], handles[0]

    def _line(self) -> tuple[bytes, list[int]]:
        line, handles = b"", []
        while not line.endswith(b"\n"):
            data, more, _, _ = socket.recv_fds(self._control, 1 << 16, 1)
            handles += more
            if not data:
                raise Gone("it ended")
            line += data
        return line, handles

    def room(
        self, role: str, box: isolation.Box | None, environment: Mapping[str, str], most: int, files: str = ""
    ) -> Handle:
        """A new room; `box` says how to lock it. The examiner's has none: it stands in a copy of the folder `files`."""
        with self._turn:
            self._rooms += 1
            scratch = os.path.join(self.scratch, str(self._rooms))
        ours, theirs = socket.socketpair()
        os.mkdir(scratch, 0o700)
        folder = "" if box else scratch
        try:
            if not box:
                folders.copy_files(files, folder, 1 << 40)
            ender: Ender
            if self.fork:
                box = replace(box, scratch=scratch) if box else None
                order = {"box": asdict(box) if box else None, "folder": folder}
                ender = Forked(*self._order(order, theirs), box)
            else:
                with theirs:
                    command = _command("alone", theirs.fileno())
                    ender = Spawned(command, theirs.fileno(), self._environment(), scratch)
        except (NoRoom, OSError) as error:
            ours.close()
            folders.remove(scratch)
            raise NoRoom(str(error)) from None
        room = Handle(ours, ender, box, scratch, self)
        try:
            said = room.receive(_TO_LOCK if self.fork else _TO_START)
            if said.get("locked") is not True:
                raise Gone(str(said.get("why")))
            room.send({"role": role, "environment": dict(environment), "most": most})
        except (Gone, NoRoom, wire.Refused) as error:
            room.close()
            raise NoRoom(str(error)) from None
        return room

    def alive(self) -> bool:
        """A process's end is seen at its socket before the rooms forked from it are ended for it."""
        if not self.fork:
            return True
        with self._turn:
            if not self._broken and select.select([self._control], [], [], 0)[0]:
                with contextlib.suppress(OSError):
                    self._broken = not self._control.recv(1, socket.MSG_PEEK)
            return not self._broken

    def close(self) -> None:
        with self._turn:
            self._broken = True
            if hasattr(self, "_control"):
                self._control.close()
        if self._process:
            try:
                self._process.wait(2)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
            self._said.close()
        folders.remove(self.scratch)
