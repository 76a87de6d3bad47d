"""The grader's end of one worker: asks it one thing at a time, and ends it.

A worker that does not reply in time, says too much, says anything that it was not asked, or uses more than its limits
(`watcher`) is ended here. What it sends is decoded by `wire` and believed no further.
"""

from __future__ import annotations

import base64
import contextlib
import secrets
import select
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from nbformat import NotebookNode

from autograder.sandbox import folders
from autograder.sandbox.limits import MB, Limits
from autograder.student.protocol import Reply, Request
from autograder.workers import wire
from autograder.workers.errors import BadMessage, Earlier, Gone, NoRoom, OutOfTime
from autograder.workers.outputs import read_outputs
from autograder.workers.process import Process
from autograder.workers.watcher import Watcher

ENDED = "the process in which the code ran has ended"
_TICK = 0.2
"""Seconds between two looks whether a worker has ended."""
STRAY = "the code wrote to the grader's own channel"
LENT = 48 * MB
"""Bytes of a reply that lends data."""
CallBack = Callable[[Any], dict[str, Any]]
"""Calls a function of the examiner's; the order and the reply are those of `autograder.lending`."""
_TO_SEND = 10.0
"""Seconds that a worker may take to read what it is sent."""


@dataclass(frozen=True)
class Cell:
    """A cell as a worker runs it; `course` is true if its source is the course's."""

    code: str
    count: int
    course: bool = False


class Student(Protocol):
    """Who answers an examiner: what its questions ask, what is found in the cells of that, what its tests borrow."""

    def ask(self, request: Request) -> Reply: ...

    def read(self, function: str) -> list[dict[str, Any]]: ...

    def lend(self, order: dict[str, Any], call_back: CallBack) -> dict[str, Any]: ...


class Source(Protocol):
    """What a worker was started from."""

    resident: int
    """Bytes of memory that every worker shares with it."""

    def alive(self) -> bool: ...


class WorkerClient:
    """`limits` are watched from now on; `scratch` is removed when the worker is closed."""

    def __init__(self, channel: socket.socket, process: Process, limits: Limits, scratch: str, source: Source) -> None:
        self._channel, self._process, self._limits = channel, process, limits
        self._scratch, self._source = scratch, source
        self._buffer = bytearray()
        self._before = ""
        """The number of the order before, which was answered."""
        self._closed, self._closing = False, threading.Lock()
        self._watcher = Watcher(process, limits, scratch, source.resident, self.interrupt)

    def put_file(self, path: str, start: int, data: bytes) -> None:
        """Writes `data` into a file of the worker's working folder, from the byte `start` on. Raises `Gone`."""
        part = {"do": "file", "path": path, "start": start, "data": base64.b64encode(data).decode("ascii")}
        self._call(part, self._limits.cell_seconds)

    def run_cell(self, cell: Cell, seconds: float, student: Student | None = None) -> list[NotebookNode]:
        """The outputs of a cell, which may take so many seconds; `student` answers what an examiner's test asks.

        Raises `Gone` (or `OutOfTime`), and `BadMessage` if it is the examiner's question that makes no sense.
        """
        return self.test(cell, seconds, student, None)[0]

    def test(
        self, cell: Cell, seconds: float, student: Student | None, loan: Mapping[str, Any] | None
    ) -> tuple[list[NotebookNode], dict[str, Any]]:
        """As `run_cell`, of a test that borrows what `loan` says; and what came of the loan."""
        order = {"do": "run", "code": wire.clean(cell.code), "count": cell.count, "course": cell.course, "loan": loan}
        reply = self._call(order, seconds, wire.reply_bytes(self._limits.printed), student)
        told = {name: reply.get(name, []) for name in ("borrowed", "asked")}
        return read_outputs(reply, cell.count, self._limits.printed), told

    def lend(self, order: Mapping[str, Any], seconds: float, call_back: CallBack) -> dict[str, Any]:
        """What the student's room replies to an order of the examiner's for what it lends; a reply is not looked into.

        It may call a function that was given to it, by `call_back`. Raises `Gone` (or `OutOfTime`).
        """
        reply = self._call({"do": "lend", "lend": order}, seconds, LENT, call_back=call_back)
        reply.pop("id", None)
        return reply

    def ask(self, request: Request, seconds: float) -> Reply:
        """What the student's function answers. Raises `Gone` (or `OutOfTime`), and `BadMessage` if it is no answer."""
        reply = self._call({"do": "ask", "request": wire.encode(request)}, seconds)
        return wire.decode(Reply, reply.get("reply"))

    def send(self, message: Mapping[str, Any]) -> None:
        self._channel.settimeout(_TO_SEND)
        try:
            self._channel.sendall(wire.pack(message))
        except OSError:
            raise self._lost() from None

    def receive(self, seconds: float, most: int = wire.MOST_BYTES) -> dict[str, Any]:
        """The next message of at most `most` bytes. Raises `Gone`, `OutOfTime`, `NoRoom`, `BadMessage`."""
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
                if self._process.ended():  # the code may have left a process that keeps the channel open
                    raise self._lost()
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

    def _call(
        self,
        message: Mapping[str, Any],
        seconds: float,
        most: int = wire.MOST_BYTES,
        student: Student | None = None,
        call_back: CallBack | None = None,
    ) -> dict[str, Any]:
        """Sends an order and returns its reply."""
        # Student code can write to this channel, but cannot guess the number that makes a message a reply.
        number = secrets.token_hex(8)
        if self._pending():
            raise Earlier(STRAY)
        self.send({**message, "id": number})
        end = time.monotonic() + seconds
        while True:
            try:
                reply = self.receive(end - time.monotonic(), most)
            except BadMessage:  # what is wrong with it may be a choice of the room's, and this text reaches the page
                raise Gone("what the process sent is not an answer") from None
            before = time.monotonic()
            if student and "ask" in reply:
                self.send(wire.encode(student.ask(wire.decode(Request, reply["ask"]))))
            elif student and "read" in reply:
                self.send({"findings": student.read(str(reply["read"]))})
            elif student and "lend" in reply:
                self.send({"reply": student.lend(reply["lend"], partial(self._call_examiner, student))})
            elif call_back and reply.get("id") == number and "call" in reply:
                self.send({"back": call_back(reply["call"])})
            elif reply.get("id") == number:
                self._before = number
                self._watcher.look_now()
                return reply
            else:
                raise Earlier(STRAY) if self._before and reply.get("id") == self._before else Gone(STRAY)
            end += time.monotonic() - before  # the other worker has its own limit of time

    def _call_examiner(self, student: Student, call: Any) -> dict[str, Any]:
        """What a function of the examiner's gives, which the student's has called; it may borrow more meanwhile."""
        try:
            self.send({"call": call})
            while "lend" in (reply := self.receive(self._limits.cell_seconds, LENT)):
                self.send({"reply": student.lend(reply["lend"], partial(self._call_examiner, student))})
        except Gone:  # a late reply would be taken for another
            self.interrupt()
            raise
        back = reply.get("back")
        return back if type(back) is dict else {}

    def _pending(self) -> bool:
        """Whether something has arrived that no order asked for; the end of the channel does not count."""
        if self._buffer:
            return True
        with contextlib.suppress(OSError):
            if select.select([self._channel], [], [], 0)[0]:
                return bool(self._channel.recv(1, socket.MSG_PEEK))
        return False

    def ended(self) -> bool:
        return self._process.ended()

    def _lost(self) -> Exception:
        """If the process that it was forked from has ended too, no cell is to blame."""
        if self._watcher.exceeded:
            return Gone(self._watcher.exceeded)
        return Gone(ENDED) if self._source.alive() else NoRoom("the interpreter that rooms are forked from has ended")

    def interrupt(self) -> None:
        """Ends the worker, from any thread; another one that waits for its reply gets `Gone`."""
        with self._closing:
            if not self._closed:
                with contextlib.suppress(OSError):
                    self._channel.shutdown(socket.SHUT_RDWR)
                self._process.end()

    def close(self) -> None:
        """Ends the worker, and removes its folder."""
        self._watcher.end()
        with self._closing:
            if self._closed:
                return
            self._closed = True
            self._channel.close()
            self._process.end()
            self._process.close()
        folders.remove(self._scratch)
