"""A student's room: if its worker is lost, another one runs the cells before again, without the culprit, and goes on.

It may be used from two threads: one asks, the other lets the room catch up with cells that were added meanwhile. That
no worker can be started (`NoRoom`) is no cell's fault; it is raised to the caller.
"""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from nbformat import NotebookNode

from autograder.sandbox.limits import Limits
from autograder.student.protocol import SECONDS, Fault, Missing, Reply, Request
from autograder.workers import redaction, wire
from autograder.workers.binding import binds
from autograder.workers.client import CallBack, Cell, WorkerClient
from autograder.workers.errors import BadMessage, Earlier, Gone, NoRoom, OutOfTime
from autograder.workers.outputs import error_output

T = TypeVar("T")
CELL_TIME = "The cell did not end within {seconds:g} seconds. Everything before it was run again, without it."
CELL_GONE = "The cell was stopped: {why}. Everything before it was run again, without it."
ALL_TIME = "Not run: the notebook has used its {seconds:g} seconds."
_GRACE = 3.0
"""Seconds more: a call ends itself after `SECONDS` and says so; only one that does not is ended from outside."""
_MOST_READ = 1_000_000
"""Characters of the last cells that are searched for a definition, which takes the grader's own time."""


class Budget:
    """Seconds that one room may use in all; they are counted while it is entered."""

    def __init__(self, whole: float) -> None:
        self.whole, self._used, self._since = whole, 0.0, 0.0
        self._entered = 0

    @property
    def left(self) -> float:
        return self.whole - self._used - (time.monotonic() - self._since if self._since else 0)

    def __enter__(self) -> None:
        if not self._entered:
            self._since = time.monotonic()
        self._entered += 1

    def __exit__(self, *_: object) -> None:
        self._entered -= 1
        if not self._entered:
            self._used += time.monotonic() - self._since
            self._since = 0.0


@dataclass
class Shared:
    """What the rooms of one submission share: a culprit in one room is not run in the other either."""

    cells: dict[Cell, Fault] = field(default_factory=dict)
    """Cells that have cost a worker, and how."""
    calls: dict[str, Reply] = field(default_factory=dict)
    """Functions that have cost a worker, and what is told of them instead."""
    known: dict[str, Reply] = field(default_factory=dict)
    """What functions have answered at points that the student knows."""
    modules: Mapping[str, str] = field(default_factory=dict)
    """The texts of the submission's own .py files, by module name."""


class StudentRoom:
    """`start` starts a worker that has the submission's files and has run no cell."""

    def __init__(self, start: Callable[[], WorkerClient], limits: Limits, shared: Shared) -> None:
        self._start, self._seconds, self._shared = start, limits.cell_seconds, shared
        self._budget = Budget(limits.submission_seconds)
        self._worker: WorkerClient | None = None
        self._history: list[Cell] = []
        self._ran = 0
        """How many cells of the history the worker has run, or passed over as culprits."""
        self._asked = ""
        """The function that was asked last, if no cell has run since."""
        self._over = False
        self._one = threading.RLock()
        """Held by the thread that uses the worker."""

    def run(self, cell: Cell) -> list[NotebookNode]:
        """The outputs of a cell."""
        for answers in (self._shared.calls, self._shared.known):
            for function in [f for f in list(answers) if re.search(rf"\b{re.escape(f)}\b", cell.code)]:
                answers.pop(function, None)  # it may be another function now
        with self._one:
            if self._budget.left <= 0:
                return [error_output("CellTimeoutError", ALL_TIME.format(seconds=self._budget.whole))]
            try:
                with self._budget:
                    outputs = self._with_worker(lambda worker: self._run(worker, cell))
                self._asked = ""
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
        """Adds the cell to the history; it is run when the room is next needed, or catches up."""
        self._history.append(cell)

    def catch_up(self) -> None:
        """Runs the cells that were left for later; an error is ignored here, and met again when the room is asked."""
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
            except (Gone, BadMessage) as gone:
                self._lose()
                if isinstance(gone, OutOfTime):
                    reply = redaction.no_answer("TooLong", f"no answer within {SECONDS:g} seconds")
                elif isinstance(gone, BadMessage):
                    reply = redaction.no_answer("NoAnswer", "what came back is not an answer")
                else:
                    reply = redaction.no_answer("ProcessEnded", str(gone))
                self._shared.calls[request.function] = reply
                return reply

    def lend(self, order: dict[str, Any], call_back: CallBack, again: bool = False) -> dict[str, Any]:
        """What this room replies to an order for what it lends; an exception if the call took the room with it."""
        with self._one:
            try:
                with self._budget:
                    seconds = min(SECONDS + _GRACE, self._budget.left)
                    return self._with_worker(lambda worker: worker.lend(order, seconds, call_back))
            except Gone as gone:
                self._lose()
                if order.get("do") == "names" and not again:  # an earlier call may have ended it just now
                    return self.lend(order, call_back, again=True)
                late = isinstance(gone, OutOfTime)
                why = f"no answer within {SECONDS:g} seconds" if late else str(gone)
                return {"raised": {"base": "TimeoutError" if late else "RuntimeError", "text": why, "stopped": True}}
            except BadMessage:
                self._lose()
                return {"raised": {"base": "RuntimeError", "text": "what came back is not an answer"}}

    def end(self, put_away: Callable[[WorkerClient], None]) -> None:
        """Gives the worker to `put_away`, because nothing more will be asked; if it is still at work, interrupts it."""
        self._over = True
        if not self._one.acquire(blocking=False):
            worker = self._worker
            if worker:
                worker.interrupt()
            self._one.acquire()
        worker, self._worker = self._worker, None
        self._one.release()
        if worker:
            put_away(worker)

    def _ask(self, request: Request) -> Reply:
        seconds = min(SECONDS + _GRACE, self._budget.left)
        reply = self._with_worker(lambda worker: worker.ask(request, seconds))
        self._asked = request.function
        # A cell that is too long to be sent on is left out: what it defines has no source, and the guard says so.
        cells = tuple(c.code if len(c.code) <= wire.MOST_TEXT else "" for c in self._history[-wire.MOST_ITEMS :])
        reply = redaction.redact(reply, request, cells, self._shared.known.get(request.function))
        if request.show:
            self._shared.known.setdefault(request.function, reply)
        stopped = self._stopped(request.function)
        if stopped:  # the function of that name in the worker is one that an older cell has defined
            reply = Reply(missing=Missing(stopped, older=reply.missing is None))
        # The guard reads the sources of the notebook itself: what the worker says of them may be made up.
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

    def _run(self, worker: WorkerClient, cell: Cell) -> list[NotebookNode]:
        return worker.run_cell(cell, min(self._seconds, self._budget.left))

    def _ready(self) -> WorkerClient:
        """A worker that has run the whole history; a cell that costs it now becomes a culprit as well."""
        while True:
            self._refuse_when_over()
            if self._worker is None:
                self._worker = self._start()
                self._refuse_when_over()  # `end`, if it was called meanwhile, has found no worker to interrupt
            for cell in self._history[self._ran :]:
                if cell not in self._shared.cells:
                    try:
                        self._run(self._worker, cell)
                    except Gone as gone:
                        if isinstance(gone, Earlier) and self._blames_earlier(gone):
                            break
                        self._lose()
                        if self._over:
                            raise
                        self._shared.cells[cell] = self._fault(gone)
                        break
                self._ran += 1
            else:
                return self._worker

    def _with_worker(self, do: Callable[[WorkerClient], T]) -> T:
        """What `do` gives; again without what ran before it, if that has disturbed it."""
        while True:
            worker = self._ready()
            try:
                return do(worker)
            except Earlier as gone:
                if not self._blames_earlier(gone):
                    raise

    def _blames_earlier(self, gone: Earlier) -> bool:
        """Takes what ran last for the culprit, the function that was asked or the cell; false if there is none."""
        ran = [cell for cell in self._history[: self._ran] if cell not in self._shared.cells]
        if self._asked:
            self._shared.calls[self._asked] = redaction.no_answer("ProcessEnded", str(gone))
        elif ran:
            self._shared.cells[ran[-1]] = self._fault(gone)
        else:
            return False
        self._lose()
        return True

    def _refuse_when_over(self) -> None:
        if self._over or self._budget.left <= 0:
            raise OutOfTime("the notebook has used its time")

    def _lose(self) -> None:
        """Returns when the worker has ended: the next one would share the machine with what has gone wrong in it."""
        if self._worker:
            self._worker.close()
        self._worker, self._ran, self._asked = None, 0, ""
