"""Inside a room: one shell, driven over one socket by whoever made the room; nothing is decided here.

A student's room answers `ask` with what `KernelStudent` says. The examiner's room sends `ask` the other way: there
`answering(RoomStudent(...))` is in force, so `check` and `grade` ask a student who lives behind the socket.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from autograder.student.kernel import KernelStudent, answering
from autograder.student.protocol import Reply, Request
from autograder.workers import integrity, wire
from autograder.workers.files import write_part
from autograder.workers.shell import Files, Shell, attach, run_cell

TOO_MUCH = "The outputs of this cell are too large to be kept: {size} bytes, and at most {most} are."
_LONGEST_ORDER = 1 << 26
"""What the grader sends is trusted; only its end must be found."""


class Channel:
    """Lines in both directions."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lines = connection.makefile("rb")

    def send(self, message: dict[str, Any]) -> None:
        self._connection.sendall(wire.pack(message))

    def receive(self) -> dict[str, Any]:
        line = self._lines.readline()
        if not line:
            os._exit(0)  # the grader is gone, or done with this room
        return wire.unpack(line, _LONGEST_ORDER)


class RoomStudent:
    """The student whose functions live in another process: what is asked goes out, what comes back is checked data."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def ask(self, request: Request) -> Reply:
        self._channel.send({"ask": wire.encode(request)})
        return wire.decode(Reply, self._channel.receive())


def _come_back(start: str) -> None:
    """From a folder that was removed, or is so deep that every look at its name would take seconds."""
    lost = os.stat(".").st_nlink == 0
    try:
        os.readlink("/proc/self/cwd")
    except OSError as error:
        lost |= error.errno == errno.ENAMETOOLONG
    if lost:
        with contextlib.suppress(OSError):  # then the next cell will say so
            os.makedirs(start, exist_ok=True)
            os.chdir(start)


class Room:
    """Serves one shell until the other end hangs up."""

    def __init__(self, channel: Channel, shell: Shell, files: Files, places: dict[str, str]) -> None:
        order = channel.receive()
        self._channel, self._shell, self._files = channel, shell, files
        self._role, self._most = order["role"], order["most"]
        self._course: dict[str, Any] = {}
        os.environ.clear()
        os.environ.update(order["environment"] | (places if order["role"] == wire.STUDENT else {}))
        # Modules beside the notebook can be imported, as from a kernel; the examiner stands in the course's own folder.
        sys.path[:] = ["", *(p for p in sys.path if p)]
        attach(shell, order["most"])
        # Looked up now: a student may replace what these names mean later, and would only lose by it.
        self._run, self._pack, self._ask = run_cell, wire.pack, self.ask
        self._as_before = integrity.Pristine().call

    def serve(self) -> None:
        if self._role == wire.EXAMINER:
            with answering(RoomStudent(self._channel)):
                self._loop({"run": self.run})
        else:
            self._loop({"run": self.run, "ask": self._ask, "file": self.file})

    def _loop(self, does: dict[str, Callable[[dict[str, Any]], dict[str, Any]]]) -> None:
        me = os.getpid()
        start = os.getcwd()
        while True:
            order = self._channel.receive()
            _come_back(start)
            reply = does[order["do"]](order)
            if os.getpid() != me:
                os._exit(0)  # a copy that the cell's code forked off; only one process may answer
            self._channel.send({"id": order["id"], **reply})

    def run(self, order: dict[str, Any]) -> dict[str, Any]:
        before = dict(self._shell.user_ns) if order["course"] else {}
        done = self._run(self._shell, order["code"], order["count"], self._files)
        if order["course"]:
            # What the course's cells define, for calls in a notebook that has deleted it since.
            self._course.update(
                (n, v) for n, v in self._shell.user_ns.items() if not n.startswith("_") and before.get(n) is not v
            )
        size = len(self._pack(done))
        if size > self._most * 6:
            text = TOO_MUCH.format(size=size, most=self._most * 6)
            done = {"outputs": [{"output_type": "stream", "name": "stderr", "text": text}], "ok": done["ok"]}
        return done

    def file(self, order: dict[str, Any]) -> dict[str, Any]:
        """A file of the submission; before any cell has run."""
        write_part(order)
        return {}

    def ask(self, order: dict[str, Any]) -> dict[str, Any]:
        with self._as_before():
            request = wire.decode(Request, order["request"])
            given = {n: self._course[n] for n in request.given if n in self._course}
            request = Request(**{**vars(request), "given": given})
            reply = KernelStudent().ask(request)
            return {"reply": wire.encode(replace(reply, cells=(), modules={}))}  # the grader has them itself
