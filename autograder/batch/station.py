"""The process that graders are forked from: it has imported nbgrader and read the course, and has fork servers ready.

It is forked from the command that grades, before that opens the gradebook, or started anew: `main`. It is told the
course once; then each order brings the socket of a new grader. It ends, with all graders and rooms, when its own socket
is closed.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
from typing import Any, NoReturn

from autograder.batch.grader import Grader
from autograder.sandbox import processes, syscalls
from autograder.workers.launcher import Launchers


def pack(message: Any) -> bytes:
    """A line of JSON."""
    return json.dumps(message).encode() + b"\n"


class Lines:
    """Reads lines of JSON from a socket."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self._buffer = bytearray()

    def receive(self) -> Any:
        """The next message; EOFError if the other end was closed."""
        while (message := self.waiting()) is None:
            self.fill()
        return message

    def fill(self) -> None:
        """Reads what has arrived, at least one byte."""
        try:
            data = self.connection.recv(1 << 18)
        except ConnectionError:
            data = b""
        if not data:
            raise EOFError
        self._buffer += data

    def waiting(self) -> Any:
        """The next message that has arrived whole; None if there is none."""
        at = self._buffer.find(b"\n")
        if at < 0:
            return None
        line = bytes(self._buffer[:at])
        del self._buffer[: at + 1]
        return json.loads(line)


def serve(control: socket.socket, app: Any, level: str, launchers: Launchers[tuple[str, str]]) -> NoReturn:
    """The process's whole life; `control` is its end of a pair of sockets that carry packets."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that commands
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    grader = None
    while True:
        data, handles, _, _ = socket.recv_fds(control, 1 << 16, 1)
        if not data:
            os._exit(0)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        with socket.socket(fileno=handles[0]) as connection:
            if grader is None:
                grader = Grader(app, Lines(connection).receive(), level, launchers)
                grader.draw_points()
            elif not processes.fork():
                control.close()
                syscalls.die_with_parent(signal.SIGKILL)
                _grade(connection, grader)


def _grade(connection: socket.socket, grader: Grader) -> NoReturn:
    """A grader's whole life: an order a line, a reply a line."""
    try:
        grader.begin()
        orders = Lines(connection)
        with contextlib.suppress(EOFError, BrokenPipeError):
            while True:
                connection.sendall(pack(grader.grade(orders.receive())))
        grader.close()
        os._exit(0)
    except BaseException:
        if os.environ.get("AUTOGRADER_DEBUG"):
            import traceback

            traceback.print_exc()
    finally:
        os._exit(1)
