"""Starts workers: orders them from a fork server, or where there is none starts each as a new process.

Workers may be ordered from several threads at once: an order and its answer are one turn. Whatever goes wrong before a
worker is confined and ready raises `NoRoom`, because no student's code has run in it yet.
"""

from __future__ import annotations

import contextlib
import copy
import json
import os
import select
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Generic, TypeVar

from autograder.sandbox import folders
from autograder.sandbox.limits import Limits
from autograder.sandbox.visible import clean_environment, trusted_path
from autograder.workers import wire
from autograder.workers.client import WorkerClient
from autograder.workers.errors import BadMessage, Gone, NoRoom
from autograder.workers.process import Forked, Process, Spawned

Key = TypeVar("Key", bound=Hashable)

_START = (
    "import json, runpy, sys; sys.path[:] = json.loads(sys.argv.pop(1));"
    "sys.argv = ['-c', *sys.argv[1:]];"
    "from autograder.workers import forkserver as f;"
    "{'forkserver': f.main, 'alone': f.alone}[sys.argv[1]](int(sys.argv[2]))"
)
_TO_START = 120.0
"""Seconds for an interpreter to import all that it needs."""
_TO_CONFINE = 60.0
"""Seconds for a forked process to confine itself."""


def _command(what: str, number: int) -> list[str]:
    return [sys.executable, "-I", "-c", _START, json.dumps(trusted_path()), what, str(number)]


class Launcher:
    """One fork server, or one branch of it. `fork` is false on systems other than Linux: workers take seconds there."""

    def __init__(self, fork: bool = True) -> None:
        self.scratch = tempfile.mkdtemp(prefix="autograder-")
        """The folder in which every worker has one of its own."""
        os.chmod(self.scratch, 0o711)
        self.resident = 0
        """Bytes of memory that every worker shares with the fork server."""
        self._fork, self._started = fork, 0
        self._turn, self._broken = threading.Lock(), False
        self._process: subprocess.Popen[bytes] | None = None
        if not fork:
            return
        ours, theirs = socket.socketpair()
        # What is printed while it starts would be seen on the grader's terminal.
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
                start_new_session=True,  # a signal to the grader's group must not end it before it has cleared away
            )
        self._wait_until_ready(ours)

    def branch(self, cells: Sequence[str]) -> Launcher:
        """A launcher for examiners: its fork server is forked from this one and has run these cells of the course."""
        if not self._fork:
            return self
        made = copy.copy(self)
        made._turn, made._process = threading.Lock(), None
        made.scratch = tempfile.mkdtemp(prefix="branch-", dir=self.scratch)  # and so removed with it in any case
        ours, theirs = socket.socketpair()
        _, handle = self._order({"branch": True, "confinement": None, "folder": ""}, theirs)
        os.close(handle)
        ours.sendall(wire.pack({"cells": list(cells)}))
        made._wait_until_ready(ours)
        return made

    def start(
        self, role: str, limits: Limits, environment: Mapping[str, str], level: str | None = None, files: str = ""
    ) -> WorkerClient:
        """A new worker, isolated at this level. An examiner's has none, and gets a copy of the folder `files`."""
        with self._turn:
            self._started += 1
            scratch = os.path.join(self.scratch, str(self._started))
        ours, theirs = socket.socketpair()
        os.mkdir(scratch, 0o700)
        try:
            if not level:
                folders.copy_files(files, scratch)
            process = self._new_process(limits, level, scratch, theirs)
        except (NoRoom, OSError) as error:
            ours.close()
            folders.remove(scratch)
            raise NoRoom(str(error)) from None
        worker = WorkerClient(ours, process, limits, scratch, self)
        try:
            said = worker.receive(_TO_CONFINE if self._fork else _TO_START)
            if said.get("locked") is not True:
                raise Gone(str(said.get("why")))
            worker.send({"role": role, "environment": dict(environment), "printed": limits.printed})
        except (Gone, NoRoom, BadMessage) as error:
            worker.close()
            raise NoRoom(str(error)) from None
        return worker

    def alive(self) -> bool:
        """The end of a fork server is seen at its socket, before that of the workers that end with it."""
        if not self._fork:
            return True
        with self._turn:
            if not self._broken and select.select([self._control], [], [], 0)[0]:
                with contextlib.suppress(OSError):
                    self._broken = not self._control.recv(1, socket.MSG_PEEK)
            return not self._broken

    def close(self) -> None:
        """Ends the fork server and all its workers, and removes their folders."""
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

    def _new_process(self, limits: Limits, level: str | None, scratch: str, theirs: socket.socket) -> Process:
        if not self._fork:
            with theirs:
                command = _command("alone", theirs.fileno())
                return Spawned(command, theirs.fileno(), self._environment(), scratch, level)
        confinement = {"level": level, "limits": asdict(limits), "scratch": scratch} if level else None
        order = {"confinement": confinement, "folder": "" if level else scratch}
        return Forked(*self._order(order, theirs), level)

    def _environment(self) -> dict[str, str]:
        return {**clean_environment(), "HOME": self.scratch, "IPYTHONDIR": self.scratch, "TMPDIR": self.scratch}

    def _wait_until_ready(self, control: socket.socket) -> None:
        self._control = control
        self._control.settimeout(_TO_START)
        try:
            ready = wire.unpack(self._line()[0])
        except (OSError, Gone) as error:
            why = self._last_words() or error
            self.close()
            raise NoRoom(f"the warm interpreter did not start: {why}") from None
        self.resident = ready["resident"]

    def _last_words(self) -> str:
        """The last line of the traceback with which the interpreter has ended, if it has."""
        self._said.seek(0)
        return (self._said.read().decode(errors="replace").strip().splitlines() or [""])[-1]

    def _order(self, order: Mapping[str, Any], theirs: socket.socket) -> tuple[int, int]:
        """The number and the pidfd of the process that is forked for an order; `theirs` becomes its socket."""
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
        return said["process"], handles[0]

    def _line(self) -> tuple[bytes, list[int]]:
        line, handles = b"", []
        while not line.endswith(b"\n"):
            data, more, _, _ = socket.recv_fds(self._control, 1 << 16, 1)
            handles += more
            if not data:
                raise Gone("it ended")
            line += data
        return line, handles


class Launchers(Generic[Key]):
    """The launchers of a run: one for students, and a branch of it for the examiners of each notebook.

    One whose fork server has ended, for instance because the machine was short of memory, is replaced when the next
    worker is wanted. `cells_of` says which cells of the course the examiners of a notebook need.
    """

    def __init__(self, fork: bool, cells_of: Callable[[Key], Sequence[str]]) -> None:
        self._fork, self._cells_of = fork, cells_of
        self._lock = threading.Lock()
        self._first: Launcher | None = None
        self._branches: dict[Key, Launcher] = {}

    def students(self) -> Launcher:
        with self._lock:
            return self._alive()

    def examiners(self, key: Key) -> Launcher:
        with self._lock:
            first = self._alive()
            branch = self._branches.get(key)
            if branch is None or not branch.alive():
                if branch:
                    branch.close()
                try:
                    branch = first.branch(self._cells_of(key))
                except NoRoom:
                    if not first.alive():
                        raise
                    return first  # a cell of the course has ended the branch: every examiner runs that cell itself
                self._branches[key] = branch
            return branch

    def close(self) -> None:
        with self._lock:
            self._drop()

    def _alive(self) -> Launcher:
        if self._first is None or not self._first.alive():
            self._drop()
            self._first = Launcher(self._fork)
        return self._first

    def _drop(self) -> None:
        for branch in self._branches.values():
            if branch is not self._first:
                branch.close()
        self._branches.clear()
        if self._first:
            self._first.close()
        self._first = None
