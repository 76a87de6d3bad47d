"""The main loop of a worker: one shell, which obeys the orders that come over one socket, until that is closed.

A student's worker answers `ask` by calling the student's function. An examiner's worker asks: when its tests call
`check` and `grade`, `RemoteStudent` sends the request to the grader, which asks the student's worker.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from autograder.by_hand import apart
from autograder.by_hand.interpreter import read
from autograder.by_hand.rules import Finding
from autograder.lending.lender import Lender
from autograder.lending.loan import Loan
from autograder.lending.stand_ins import is_theirs
from autograder.sandbox.limits import MB
from autograder.student.kernel import KernelStudent, answering
from autograder.student.protocol import Reply, Request
from autograder.workers import wire
from autograder.workers.files import write_part
from autograder.workers.integrity import snapshot
from autograder.workers.shell import DescriptorOutput, Shell, attach, run_cell

TOO_MUCH = "The outputs of this cell are too large to be kept: {size} bytes, and at most {most} are."
_LONGEST_ORDER = 64 * MB
"""What the grader sends is trusted."""


class Channel:
    """A socket that carries one message a line, in both directions."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lines = connection.makefile("rb")

    def send(self, message: dict[str, Any]) -> None:
        self.write(wire.pack(message))

    def write(self, line: bytes) -> None:
        """A message that is packed."""
        self._connection.sendall(line)

    def receive(self) -> dict[str, Any]:
        """The next message; if the grader has closed the other end, the process ends here."""
        line = self._lines.readline()
        if not line:
            os._exit(0)
        return wire.unpack(line, _LONGEST_ORDER)


class RemoteStudent:
    """The student whose functions are in another process, and whose cells a third one reads."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._last = Reply()

    def ask(self, request: Request) -> Reply:
        self._channel.send({"ask": wire.encode(request)})
        self._last = wire.decode(Reply, self._channel.receive())
        return self._last

    def read(self, cells: Sequence[str], function: str, modules: Mapping[str, str]) -> tuple[Finding, ...]:
        """What is found in the cells of the last reply, which the grader has sent and need not be sent itself."""
        if (cells, modules) != (self._last.cells, self._last.modules):
            return read(cells, function, modules)
        self._channel.send({"read": function})
        return wire.decode(wire.Findings, self._channel.receive()).findings


def _ask_for(channel: Channel, order: dict[str, Any], called: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    """What the student's room replies to an order for what it lends; `called` calls functions of this one meanwhile."""
    channel.send({"lend": order})
    while "call" in (said := channel.receive()):
        channel.send({"back": called(said["call"])})
    return said["reply"]


def _come_back(start: str) -> None:
    """Leaves a working folder that was removed, or is so deep that each look at its name would take seconds."""
    lost = os.stat(".").st_nlink == 0
    try:
        os.readlink("/proc/self/cwd")
    except OSError as error:
        lost |= error.errno == errno.ENAMETOOLONG
    if lost:
        with contextlib.suppress(OSError):  # the next cell that needs the folder will say so
            os.makedirs(start, exist_ok=True)
            os.chdir(start)


def _told_whose(done: dict[str, Any]) -> dict[str, Any]:
    """Marks the name of a test's error if the student's code has raised it, just now or before the test kept it."""
    if is_theirs(getattr(sys, "last_value", None)):
        for output in done["outputs"]:
            if output["output_type"] == "error":
                output["ename"] += wire.IN_THE_ANSWER
    return done


class Worker:
    """`environment` replaces what the grader sends of a student's, where the isolation has put folders elsewhere."""

    def __init__(
        self, channel: Channel, shell: Shell, descriptors: DescriptorOutput, environment: dict[str, str]
    ) -> None:
        order = channel.receive()
        self._channel, self._shell, self._descriptors = channel, shell, descriptors
        self._role, self._most = order["role"], wire.outputs_bytes(order["printed"])
        self._course: dict[str, Any] = {}
        self._now = ""
        """The number of the order that is obeyed."""
        self._lends = False
        """Whether no cell has run since something was lent."""
        self._lender = Lender(shell.user_ns, self._call_back)
        os.environ.clear()
        os.environ.update(order["environment"] | (environment if self._role == wire.STUDENT else {}))
        # Modules beside the notebook can be imported, as from a kernel; beside the examiner lie the course's own files.
        sys.path[:] = ["", *(p for p in sys.path if p)]
        attach(shell, order["printed"])
        # Looked up now, so that a cell that replaces them does not change how the next cells are run.
        self._run_cell, self._pack, self._ask, self._lend = run_cell, wire.pack, self.ask, self.lend
        self._restored = snapshot().restored

    def serve(self) -> None:
        if self._role == wire.EXAMINER:
            loan = Loan(partial(_ask_for, self._channel))
            student = RemoteStudent(self._channel)
            with answering(student), apart.reading(student.read):
                self._loop({"run": partial(self.test, loan)})
        else:
            self._loop({"run": self.run, "ask": self._ask, "lend": self._lend, "file": self.file})

    def _loop(self, orders: dict[str, Callable[[dict[str, Any]], dict[str, Any]]]) -> None:
        me = os.getpid()
        start = os.getcwd()
        while True:
            order = self._channel.receive()
            self._now = order["id"]
            _come_back(start)
            reply = orders[order["do"]](order)
            if os.getpid() != me:
                os._exit(0)  # a copy that the cell's code has forked; only one process may answer
            line = self._pack({"id": order["id"], **reply})
            if "outputs" in reply and len(line) > self._most:
                text = TOO_MUCH.format(size=len(line), most=self._most)
                instead = [{"output_type": "stream", "name": "stderr", "text": text}]
                line = self._pack({"id": order["id"], **reply, "outputs": instead})
            self._channel.write(line)

    def run(self, order: dict[str, Any]) -> dict[str, Any]:
        self._lends = False
        before = dict(self._shell.user_ns) if order["course"] else {}
        done = self._run_cell(self._shell, order["code"], order["count"], self._descriptors)
        if order["course"]:
            # Kept for calls of the student's function, because later cells may delete what the course has defined.
            self._course.update(
                (n, v) for n, v in self._shell.user_ns.items() if not n.startswith("_") and before.get(n) is not v
            )
        return done

    def test(self, loan: Loan, order: dict[str, Any]) -> dict[str, Any]:
        """Runs a cell of the examiner's, with what it borrows of the student's."""
        wanted = order["loan"]
        if wanted is None:
            return _told_whose(self.run(order))
        found = loan.begin(wanted, self._shell.user_ns)
        done = self.run(order)
        asked = sorted(loan.asked)
        if loan.kept and done["ok"]:
            # A function has changed what it was given, which the solution did not: the test must pass with that, too.
            loan.begin(wanted, self._shell.user_ns, changing=True)
            again = self.run(order)
            done = done if again["ok"] else again
        return {**_told_whose(done), "borrowed": found, "asked": asked}

    def lend(self, order: dict[str, Any]) -> dict[str, Any]:
        with self._restored(modules=not self._lends):
            self._lends = True
            return self._lender.answer(order["lend"])

    def _call_back(self, call: dict[str, Any]) -> dict[str, Any]:
        """What the examiner's function gives; it may borrow again before it does.

        The end of the student's time waits meanwhile: between a call and its reply it would cost the room.
        """
        now, waits = self._now, {signal.SIGALRM} if hasattr(signal, "SIGALRM") else set()
        signal.pthread_sigmask(signal.SIG_BLOCK, waits)
        try:
            self._channel.send({"id": now, "call": call})
            while "lend" in (order := self._channel.receive()):
                self._now = order["id"]
                self._channel.send({"id": order["id"], **self._lender.answer(order["lend"])})
            back: dict[str, Any] = order["back"]
            return back
        finally:
            self._now = now
            signal.pthread_sigmask(signal.SIG_UNBLOCK, waits)

    def file(self, order: dict[str, Any]) -> dict[str, Any]:
        """A part of a file of the submission; these orders come before any cell."""
        write_part(order)
        return {}

    def ask(self, order: dict[str, Any]) -> dict[str, Any]:
        with self._restored():
            request = wire.decode(Request, order["request"])
            given = {n: self._course[n] for n in request.given if n in self._course}
            request = Request(**{**vars(request), "given": given})
            reply = KernelStudent().ask(request)
            return {"reply": wire.encode(replace(reply, cells=(), modules={}))}  # the grader has these itself
