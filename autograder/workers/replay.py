"""A student's room that can be lost: it starts again with what came before, without the culprit, and goes on.

It may be used from two threads: one asks, one lets the room catch up with cells that were added meanwhile. That no
room can be made (`NoRoom`) is nobody's cell, and passes through.
"""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from nbformat import NotebookNode

from autograder.student.protocol import SECONDS, Fault, Missing, Reply, Request
from autograder.workers import redaction, wire
from autograder.workers.binding import binds
from autograder.workers.client import Handle
from autograder.workers.outputs import error_output, read_outputs
from autograder.workers.process import Gone, NoRoom, OutOfTime

CELL_TIME = "The cell did not end within {seconds:g} seconds. Everything before it was run again, without it."
CELL_GONE = "The cell was stopped: {why}. Everything before it was run again, without it."
ALL_TIME = "Not run: the notebook has used its {seconds:g} seconds."
_GRACE = 3.0
"""A call ends itself after `SECONDS` and says so; it is ended from outside only if it does not."""

_MOST_READ = 1_000_000
"""Characters of the last cells that are read for a definition: nobody's notebook keeps the grading process busy."""


@dataclass(frozen=True)
class Cell:
    """A cell as the student's room runs it; `course` marks one whose source is the course's."""

    code: str
    count: int
    course: bool = False


class Budget:
    """Seconds that one room of a submission may use in all; they run while it is entered."""

    def __init__(self, whole: float) -> None:
        self.whole, self._used, self._since = whole, 0.0, 0.0

    @property
    def left(self) -> float:
        return self.whole - self._used - (time.monotonic() - self._since if self._since else 0)

    def __enter__(self) -> None:
        self._since = time.monotonic()

    def __exit__(self, *_: object) -> None:
        self._used += time.monotonic() - self._since
        self._since = 0.0


@dataclass
class Shared:
    """What the rooms of one submission share: what has killed one is not tried again, in no other room either."""

    cells: dict[Cell, Fault] = field(default_factory=dict)
    calls: dict[str, Reply] = field(default_factory=dict)
    modules: Mapping[str, str] = field(default_factory=dict)
    """The texts of the submission's own .py files, by module name."""


class Replay:
    """One line of rooms with one history."""

    def __init__(
        self, start: Callable[[], Handle], cell_seconds: float, submission_seconds: float, most: int, shared: Shared
    ) -> None:
        self._start, self._seconds, self._most, self._shared = start, cell_seconds, most, shared
        self._budget = Budget(submission_seconds)
        self._room: Handle | None = None
        self._history: list[Cell] = []
        self._ran = 0
        self._over = False
        self._one = threading.RLock()

    def run(self, cell: Cell) -> list[NotebookNode]:
        """The outputs of a cell."""
        for function in list(self._shared.calls):
            if re.search(rf"\b{re.escape(function)}\b", cell.code):
                self._shared.calls.pop(function, None)  # it may be another function now
        with self._one:
            if self._budget.left <= 0:
                return [error_output("CellTimeoutError", ALL_TIME.format(seconds=self._budget.whole))]
            try:
                with self._budget:
                    outputs = self._run(self._ready(), cell)
                self.later(cell)
                self._ran += 1
                return outputs
            except Gone as gone:
                self._lose()
                self.later(cell)
                self._shared.cells[cell] = self._fault(gone)
                if isinstance(gone, OutOfTime):
                    return [error_output("CellTimeoutError", CELL_TIME.format(seconds=self._seconds))]
                return [error_output("DeadKernelError", CELL_GONE.format(why=gone))]

    def later(self, cell: Cell) -> None:
        """The cell belongs to the history and is run when the room is next needed, or catches up."""
        self._history.append(cell)

    def catch_up(self) -> None:
        """Runs what was left for later; whatever goes wrong is met again, and told, when the room is asked."""
        with self._one, contextlib.suppress(Gone, NoRoom), self._budget:
            self._ready()

    def ask(self, request: Request) -> Reply:
        """What the student's function answers; a fault if it took the room with it."""
        known = self._shared.calls.get(request.function)
        if known:
            return known
        with self._one:
            try:
                with self._budget:
                    return self._ask(request)
            except (Gone, wire.Refused) as gone:
                self._lose()
                if isinstance(gone, OutOfTime):
                    reply = redaction.no_answer("TooLong", f"no answer within {SECONDS:g} seconds")
                elif isinstance(gone, wire.Refused):
                    reply = redaction.no_answer("NoAnswer", "what came back is not an answer")
                else:
                    reply = redaction.no_answer("ProcessEnded", str(gone))
                self._shared.calls[request.function] = reply
                return reply

    def end(self, put_away: Callable[[Handle], None]) -> None:
        """Nothing more will be asked; a room that is still catching up is ended."""
        self._over = True
        if not self._one.acquire(blocking=False):
            room = self._room
            if room:
                room.interrupt()
            self._one.acquire()
        room, self._room = self._room, None
        self._one.release()
        if room:
            put_away(room)

    def _ask(self, request: Request) -> Reply:
        seconds = min(SECONDS + _GRACE, self._budget.left)
        room = self._ready()
        done = room.call({"do": "ask", "request": wire.encode(request)}, seconds)
        # A cell that is too long to cross is as good as none: what it defines has no source, and is found so.
        cells = tuple(c.code if len(c.code) <= wire.MOST_TEXT else "" for c in self._history[-wire.MOST_ITEMS :])
        reply = redaction.seal(wire.decode(Reply, done.get("reply")), request, cells)
        stopped = self._stopped(request.function)
        if stopped:  # what is there under that name is what an older cell has defined
            reply = Reply(missing=Missing(stopped, older=reply.missing is None))
        # The sources that the by-hand guard reads are the notebook's, not what the room says they are.
        return replace(reply, cells=cells, modules=self._shared.modules)

    def _stopped(self, function: str) -> Fault | None:
        """Why the last cell that gives the function's name a value was stopped, if it was."""
        left = _MOST_READ
        for cell in reversed(self._history):
            left -= len(cell.code)
            if left < 0:
                break
            if binds(cell.code, function, self._shared.modules):
                return self._shared.cells.get(cell)
        return None

    def _fault(self, gone: Gone) -> Fault:
        if isinstance(gone, OutOfTime):
            return Fault("TooLong", "RuntimeError", f"it did not end within {self._seconds:g} seconds")
        return Fault("ProcessEnded", "RuntimeError", str(gone))

    def _run(self, room: Handle, cell: Cell) -> list[NotebookNode]:
        order = {"do": "run", "code": wire.clean(cell.code), "count": cell.count, "course": cell.course}
        done = room.call(order, min(self._seconds, self._budget.left), self._most * 6 + (1 << 16))
        return read_outputs(done, cell.count, self._most + 1000)

    def _ready(self) -> Handle:
        """The room, with the whole history run in it; a cell that now kills it becomes a culprit as well."""
        while True:
            self._refuse_when_over()
            if self._room is None:
                self._room = self._start()
                self._refuse_when_over()  # whoever called `end` meanwhile saw no room to interrupt
            for cell in self._history[self._ran :]:
                if cell not in self._shared.cells:
                    try:
                        self._run(self._room, cell)
                    except Gone as gone:
                        self._lose()
                        if self._over:
                            raise
                        self._shared.cells[cell] = self._fault(gone)
                        break
                self._ran += 1
            else:
                return self._room

    def _refuse_when_over(self) -> None:
        if self._over or self._budget.left <= 0:
            raise OutOfTime("the notebook has used its time")

    def _lose(self) -> None:
        """What went wrong may still be using the machine, so the next room is not begun before this one has ended."""
        if self._room:
            self._room.close()
        self._room, self._ran = None, 0
