"""Lines of JSON over a socket: how the command, the station and the graders speak with each other."""

from __future__ import annotations

import json
import socket
from typing import Any


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
