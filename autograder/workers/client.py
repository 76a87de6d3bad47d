"""One room as the grader sees it: asked one thing at a time, watched while it works, ended when it is over.

A room that says nothing in time, says too much, or uses more than its share is ended here; nothing that it sends is
believed beyond `wire`.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import select
import socket
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from autograder.sandbox import folders, isolation, processes
from autograder.workers import wire
from autograder.workers.process import Ender, Gone, NoRoom, OutOfTime

ENDED = "the process in which the code ran has ended"
_TICK = 0.2
"""Seconds between two looks at what a room uses."""


class Source(Protocol):
    """What a room was forked from: with how much memory of its own, and whether it is still there."""

    resident: int

    def alive(self) -> bool: ...


class Handle:
    """The grader's end of a room."""

    def __init__(
        self,
        channel: socket.socket,
        ender: Ender,
        box: isolation.Box | None,
        scratch: str,
        source: Source,
    ) -> None:
        self._channel, self._ender, self._box = channel, ender, box
        self._scratch, self._source = scratch, source
        self._buffer = bytearray()
        self._looked = time.monotonic()
        self._closed, self._closing = False, threading.Lock()

    def send(self, message: Mapping[str, Any], seconds: float = 10) -> None:
        self._channel.settimeout(seconds)
        try:
            self._channel.sendall(wire.pack(message))
        except OSError:
            raise self._lost() from None

    def call(
        self,
        message: Mapping[str, Any],
        seconds: float,
        most: int = wire.MOST_BYTES,
        answer: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
    ) -> dict[str, Any]:
        """Sends a request and returns its reply; `answer` serves what the examiner's room asks meanwhile."""
        # Nobody can know it before: what a student's code writes to this channel itself is no reply to anything.
        number = secrets.token_hex(8)
        self.send({**message, "id": number})
        end = time.monotonic() + seconds
        while True:
            try:
                reply = self.receive(end - time.monotonic(), most)
            except wire.Refused as refused:
                raise Gone(f"what the process sent is not an answer ({refused})") from None
            if answer and "ask" in reply:
                before = time.monotonic()
                self.send(answer(reply["ask"]))
                end += time.monotonic() - before  # the student's time, not the examiner's
            elif reply.get("id") == number:
                self._watch_what_is_left()
                return reply

    def receive(self, seconds: float, most: int = wire.MOST_BYTES) -> dict[str, Any]:
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
                raise self._lost()
            self._buffer += data
        line = bytes(self._buffer[:at])
        del self._buffer[: at + 1]
        return wire.unpack(line, most)

    def ended(self) -> bool:
        return self._ender.ended()

    def _lost(self) -> Exception:
        """A room ends with the interpreter that it was forked from, and that is no cell's doing."""
        return Gone(ENDED) if self._source.alive() else NoRoom("the interpreter that rooms are forked from has ended")

    def _watch_what_is_left(self) -> None:
        """What a cell leaves running, or on the disk, is that cell's; the next one must not be ended for it."""
        shared = self._box is not None and self._box.level == isolation.LANDLOCK
        if shared or time.monotonic() - self._looked > _TICK:
            self._watch()

    def _watch(self) -> None:
        """Limits that the kernel counts a process at a time are counted here for the whole room."""
        self._looked = time.monotonic()
        if self._ender.ended():
            raise self._lost()
        if not self._box or not os.path.isdir("/proc/self"):
            return
        inside = processes.descendants(self._ender.number)
        if processes.tasks(inside) > self._box.processes + 8:
            raise Gone(f"the code started more than {self._box.processes} processes and threads")
        used = sum(max(0, processes.resident(p) - self._source.resident) for p in inside)
        if used > self._box.memory:
            raise Gone(f"the code used more than {self._box.memory >> 20} MB of memory")
        if self._box.level == isolation.NAMESPACES:
            return  # the private disk has its own limit
        if folders.written(self._scratch) + processes.held(inside) > self._box.written:
            raise Gone(f"the code wrote more than {self._box.written >> 20} MB")

    def interrupt(self) -> None:
        """Ends the room; whoever waits for its reply, in another thread, hears that it has ended."""
        with self._closing:
            if not self._closed:
                with contextlib.suppress(OSError):
                    self._channel.shutdown(socket.SHUT_RDWR)
                self._ender.end()

    def close(self) -> None:
        with self._closing:
            if self._closed:
                return
            self._closed = True
            self._channel.close()
            self._ender.end()
            self._ender.close()
        folders.remove(self._scratch)
