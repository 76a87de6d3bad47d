"""Starts workers: orders them from a fork server, or where there is none starts each as a new process.

Workers may be ordered from several threads at once, and from several processes that were forked from the one that made
the launcher: an order is one packet, and brings the socket on which it is answered. Whatever goes wrong before a worker
is confined and ready raises `NoRoom`, because no student's code has run in it yet.
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
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, NoReturn

from autograder.sandbox import folders
from autograder.sandbox.limits import Limits
from autograder.sandbox.visible import clean_environment, trusted_path
from autograder.workers import wire
from autograder.workers.errors import BadMessage, Gone, NoRoom
from autograder.workers.process import Forked, Process, Spawned

if TYPE_CHECKING:
    from autograder.workers.client import WorkerClient

_START = (
    # No garbage is collected until all is imported: that takes a fifth of the time and frees next to nothing.
    "import gc, json, runpy, sys; gc.disable(); sys.path[:] = json.loads(sys.argv.pop(1));"
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
    """One fork server, or one branch of it. `fork` is false on systems other than Linux: workers take seconds there.

    It starts in the background. NoRoom, if it does not start or has ended, is raised when something is wanted of it.
    """

    def __init__(self, fork: bool = True) -> None:
        self.scratch = tempfile.mkdtemp(prefix="autograder-")
        """The folder in which every worker has one of its own."""
        os.chmod(self.scratch, 0o711)
        self.resident = 0
        """Bytes of memory that every worker shares with the fork server."""
        self._fork, self._ready, self._broken = fork, False, False
        self._process: subprocess.Popen[bytes] | None = None
        if not fork:
            return
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
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
        self._control = ours

    def branch(self, cells: Sequence[str]) -> Launcher:
        """A launcher for examiners: its fork server is forked from this one and has run these cells of the course."""
        if not self._fork:
            return self
        with _sent(cells) as course:
            return self._forked({"branch": True}, course)

    def prepared(self, readable: Sequence[str]) -> Launcher:
        """A launcher for students in namespaces, in which these folders can be read besides the system's."""
        made = self._forked({"prepare": list(readable)})
        made.resident = self.resident  # inside it may not be known
        return made

    def _forked(self, order: dict[str, Any], *course: socket.socket) -> Launcher:
        self._wait_until_ready()
        made = copy.copy(self)
        made._process, made._ready = None, False
        made.scratch = tempfile.mkdtemp(prefix="branch-", dir=self.scratch)  # and so removed with it in any case
        made._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        folder = os.path.join(made.scratch, "root")
        os.mkdir(folder)
        os.close(self._order({**order, "confinement": None, "folder": folder}, theirs, *course))
        made._wait_until_ready()
        return made

    def learn(self, cells: Sequence[str]) -> None:
        """Lets the fork server run cells that students are given, so that no worker has to read their questions.

        NoRoom if one of the cells has ended it.
        """
        if self._fork and cells:
            with _sent(cells) as course:
                self._order({"learn": True}, course)

    def lent(self) -> Launcher:
        """This launcher as a forked process may use it: its fork server and its folder stay when it is closed there."""
        self._wait_until_ready()
        made = copy.copy(self)
        made._process, made.scratch = None, tempfile.mkdtemp(prefix="lent-", dir=self.scratch)
        return made

    def start(
        self, role: str, limits: Limits, environment: Mapping[str, str], level: str | None = None, files: str = ""
    ) -> WorkerClient:
        """A new worker, isolated at this level. An examiner's has none, and gets a copy of the folder `files`."""
        from autograder.workers.client import WorkerClient  # brings nbformat, for which no fork server should wait

        scratch = tempfile.mkdtemp(prefix="room-", dir=self.scratch)
        ours, theirs = socket.socketpair()
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
        if self._fork and not self._broken:
            try:
                self._wait_until_ready()
                # It says nothing once it is ready, so that there is only its end to be read.
                self._broken = bool(select.select([self._control], [], [], 0)[0])
            except (OSError, ValueError, NoRoom):  # it was closed meanwhile
                self._broken = True
        return not self._broken

    def close(self) -> None:
        """Ends the fork server and all its workers, and removes their folders."""
        self._broken = True
        if hasattr(self, "_control"):
            self._control.close()
        if self._process:
            try:
                self._process.wait(2 if self._ready else 0)  # one that has not started has no workers to end
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
        return Forked(self._order(order, theirs), level)

    def _environment(self) -> dict[str, str]:
        return {**clean_environment(), "HOME": self.scratch, "IPYTHONDIR": self.scratch, "TMPDIR": self.scratch}

    def _wait_until_ready(self) -> None:
        if self._ready or not self._fork:
            return
        if self._broken:
            raise NoRoom("it was closed before it had started")
        try:
            self._control.settimeout(_TO_START)
            said = wire.unpack(self._control.recv(1 << 16) or _ended())
        except (OSError, Gone) as error:
            why = self._last_words() or error
            self.close()
            raise NoRoom(f"the warm interpreter did not start: {why}") from None
        if "why" in said:
            self.close()
            raise NoRoom(said["why"])
        self._ready, self.resident = True, said["resident"]

    def _last_words(self) -> str:
        """The last line of the traceback with which the interpreter has ended, if it has."""
        self._said.seek(0)
        return (self._said.read().decode(errors="replace").strip().splitlines() or [""])[-1]

    def _order(self, order: Mapping[str, Any], *theirs: socket.socket) -> int:
        """The pidfd of the process that is forked for an order, if one is; it gets the sockets `theirs`."""
        self._wait_until_ready()
        answers, said_here = socket.socketpair()
        answers.settimeout(_TO_START)
        with answers, contextlib.ExitStack() as given:
            for one in (said_here, *theirs):
                given.enter_context(one)
            try:
                socket.send_fds(self._control, [wire.pack(order)], [one.fileno() for one in (said_here, *theirs)])
                given.close()
                line, handles = _line(answers)
            except (OSError, Gone) as error:
                self._broken = True
                raise NoRoom(f"the warm interpreter has ended ({error})") from None
        said = wire.unpack(line)
        if "why" in said:
            raise NoRoom(f"no process can be started: {said.get('why')}")
        return handles[0] if handles else -1


@contextlib.contextmanager
def _sent(cells: Sequence[str]) -> Iterator[socket.socket]:
    """A socket from which cells can be read; a thread sends them, because they may be longer than its buffer."""
    ours, theirs = socket.socketpair()

    def send() -> None:
        with ours, contextlib.suppress(OSError):  # that the other end has gone is seen elsewhere
            ours.sendall(wire.pack({"cells": list(cells)}))

    sender = threading.Thread(target=send, daemon=True)
    sender.start()
    try:
        with theirs:
            yield theirs
    finally:
        sender.join()


def _line(answers: socket.socket) -> tuple[bytes, list[int]]:
    line, handles = b"", []
    while not line.endswith(b"\n"):
        data, more, _, _ = socket.recv_fds(answers, 1 << 16, 1)
        handles += more
        line += data or _ended()
    return line, handles


def _ended() -> NoReturn:
    raise Gone("it ended")
