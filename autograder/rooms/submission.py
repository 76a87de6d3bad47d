"""One submission being graded: the examiner's room and the student's two, each running its owner's cells.

What a student's cell shows comes from the open room, which never learns a hidden point. The closed room runs the same
cells beside it and answers at hidden points; what it says passes through `redaction` and is never shown as an output.
So no cell that runs after a hidden test can print what that test has asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from autograder.rooms import defined_in_tests
from autograder.rooms.course_cells import Owner
from autograder.rooms.run import GradingRun
from autograder.rooms.ways import Way
from autograder.sandbox.folders import files_beside_notebooks
from autograder.student.protocol import Reply, Request
from autograder.workers import wire
from autograder.workers.client import CallBack, Cell, WorkerClient
from autograder.workers.errors import BadMessage, Gone, NoRoom, OutOfTime
from autograder.workers.files import choose, read_parts
from autograder.workers.outputs import error_output, verdict_of
from autograder.workers.replay import Budget, Shared, StudentRoom

EXAMINER_GONE = "The test was ended before it gave a mark, and a person gives it: {why}"
SLOW = "the answer has used the {seconds:g} seconds of this test"
MOST_NESTED = 50
NESTED = "the test and the answer have called each other {most} times, one inside the other"
OWN = Way()
"""A test that needs nothing but what the course gives and what its questions ask."""
_STOPPED = ("TooLong", "ProcessEnded")
_MOST_MODULES, _MOST_SOURCE = 50, 100_000


def modules_of(files: str) -> dict[str, str]:
    """The .py files beside the notebook by module name, for the by-hand guard; of a long one its beginning."""
    found: dict[str, str] = {}
    for file in sorted(Path(files).glob("*.py"))[:_MOST_MODULES]:
        if file.is_file() and not file.is_symlink():
            with file.open(encoding="utf-8", errors="replace") as text:
                found[file.stem] = text.read(_MOST_SOURCE)
    return found


class SubmissionRun:
    """`files` is the submission's folder, `tests` how many of the cells the examiner runs.

    `without_hidden_tests` is what a student's room may see of the source of a cell of the course.
    """

    def __init__(
        self,
        run: GradingRun,
        where: dict[str, str],
        files: str,
        tests: int,
        without_hidden_tests: Callable[[str], str],
    ) -> None:
        self._run, self._tests = run, tests
        self._assignment, self._notebook = where["assignment"], where["notebook"]
        courses = {path for _, path in files_beside_notebooks(run.source_folder(self._assignment))}
        self._chosen, self.left_out = choose(files, run.limits.handed_in, courses)
        """The files for the student's rooms, and the names of those for which there is no room."""
        self.files = [*(relative for _, relative in self._chosen), *self.left_out]
        """The names of all of them."""
        self._without_hidden_tests = without_hidden_tests
        self._next_workers = 2 if tests else 1
        self._examiner: WorkerClient | None = None
        self._course_ran: list[tuple[Cell, Mapping[str, Any] | None]] = []
        self.lent: Mapping[str, Any] = {}
        """What the last test has borrowed and asked."""
        self.put_out: list[NotebookNode] = []
        """What the last test inside has put out; only for the instructor, while a source is tried."""
        self._lent_for = Budget(run.limits.cell_seconds)
        """The time that the student's room may take for one test."""
        self._nested = 0
        """How many calls of the student's and of the examiner's functions wait for each other."""
        self._functions: set[str] = set()
        self.lost: dict[int, str] = {}
        """Why the examiner was lost in a cell, by the cell's number: no code of the student's runs there."""
        self._shared = Shared(modules=modules_of(files))
        self._told: Sequence[str] = ()
        """The cells that the examiner was told of last."""
        self._open = StudentRoom(self._start_student, run.limits, self._shared)
        self._closed = StudentRoom(self._start_student, run.limits, self._shared)
        self._beside = ThreadPoolExecutor(1, thread_name_prefix="closed room")

    def __enter__(self) -> SubmissionRun:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.end(self._run.put_away)
        self._closed.end(self._run.put_away)
        self._beside.shutdown(wait=True)
        self._lose_examiner()

    def run(self, code: str, owner: Owner, count: int, way: Way = OWN, *, used: bool = False) -> list[NotebookNode]:
        """The outputs of a cell, from the room of its owner; `way` says how a test gets at what is the student's.

        With `used`, a cell of the student's further down uses what the test defines.
        """
        if owner is Owner.EXAMINER:
            self._tests -= 1
            if way.closed:
                return self._test_inside(Cell(code, count))
            outputs = self._examine(Cell(code, count), way.loan())
            if used:
                self._define(Cell(code, count), self._open, self._closed)
            return outputs
        if owner is Owner.BOTH:
            self._prepare_examiner(Cell(code, count), way.loan())
            code = self._without_hidden_tests(code)
        cell = Cell(code, count, course=owner is Owner.BOTH)
        self._closed.later(cell)
        if self._tests:  # nobody will ask the closed room after the last of them
            self._beside.submit(self._closed.catch_up)
        return self._open.run(cell)

    def run_all(self, cells: Sequence[tuple[str, Owner, Way]]) -> list[list[NotebookNode]]:
        """The outputs of each, in order, as `run` gives them."""
        used = self.used_later(cells)
        return [self.run(source, owner, at + 1, way, used=at in used) for at, (source, owner, way) in enumerate(cells)]

    def used_later(self, cells: Sequence[tuple[str, Owner, Way]]) -> set[int]:
        """The places of tests that define what a cell of the student's uses; the cells are given as `run` gets them."""
        alone = [owner is Owner.EXAMINER and not way.closed for _, owner, way in cells]
        shown = [self._without_hidden_tests(c) if test else c for (c, _, _), test in zip(cells, alone, strict=True)]
        return defined_in_tests.used_later(list(zip(shown, alone, strict=True)))

    def stopped(self) -> str:
        """The student's cells and functions that had to be ended, in words; empty if none had to be."""
        cells = [f"cell {cell.count}" for cell in sorted(self._shared.cells, key=lambda cell: cell.count)]
        return ", ".join((*cells, *sorted(self._functions)))

    def _start_student(self) -> WorkerClient:
        worker = self._run.worker(wire.STUDENT, self._assignment, self._notebook, self._next_workers)
        try:
            for part in read_parts(self._chosen):
                worker.put_file(*part)
        except Gone as gone:
            worker.close()
            raise NoRoom(f"the submission's files could not be written: {gone}") from None
        return worker

    def _test_inside(self, cell: Cell) -> list[NotebookNode]:
        """Runs a test in the student's closed room; only whether it passed, or the credit, is shown of it.

        The open room runs what students may see of it, so that cells below find there what it defines.
        """
        self.put_out = outputs = self._closed.run(cell)
        self._define(cell, self._open)
        return verdict_of(outputs)

    def _define(self, test: Cell, *rooms: StudentRoom) -> None:
        """Runs what students may see of a test in their rooms, unheard, for what it defines."""
        shown = self._without_hidden_tests(test.code)
        for room in rooms if shown.strip() else ():
            room.later(Cell(shown, test.count))

    def _examine(self, cell: Cell, loan: Mapping[str, Any] | None = None) -> list[NotebookNode]:
        self._lent_for = Budget(self._run.limits.cell_seconds)
        try:
            outputs, self.lent = self._examiner_worker().test(cell, self._run.limits.cell_seconds, self, loan)
            return outputs
        except (Gone, BadMessage) as gone:
            self._lose_examiner()
            self.lost[cell.count] = str(gone)
            return [error_output("DeadKernelError", EXAMINER_GONE.format(why=gone))]

    def _prepare_examiner(self, cell: Cell, loan: Mapping[str, Any] | None) -> None:
        """The course's own cells run when the first test needs them; what they print is shown from the open room."""
        self._course_ran.append((cell, loan))
        if self._examiner:
            self._examine(cell, loan)

    def _examiner_worker(self) -> WorkerClient:
        """A new one for each submission; after a test that did not end, another that has run the course's cells."""
        if self._examiner is None:
            self._examiner = self._run.worker(wire.EXAMINER, self._assignment, self._notebook, 1)
            for cell, loan in self._course_ran:
                self._examiner.test(cell, self._run.limits.cell_seconds, self, loan)
        return self._examiner

    def _lose_examiner(self) -> None:
        if self._examiner:
            self._run.put_away(self._examiner)
        self._examiner = None

    def lend(self, order: dict[str, Any], call_back: CallBack) -> dict[str, Any]:
        """What the closed room lends: it is the one that may know hidden arguments."""
        if self._lent_for.left <= 0:
            return {"raised": {"base": "TimeoutError", "text": SLOW.format(seconds=self._lent_for.whole)}}
        if self._nested == MOST_NESTED:
            return {"raised": {"base": "RecursionError", "text": NESTED.format(most=MOST_NESTED)}}

        def in_time(call: Any) -> dict[str, Any]:
            if self._lent_for.left <= 0:  # it would go on for as long as the answer calls the test's function
                raise OutOfTime(SLOW.format(seconds=self._lent_for.whole))
            return call_back(call)

        self._nested += 1
        try:
            with self._lent_for:
                reply = self._closed.lend(order, in_time)
        finally:
            self._nested -= 1
        raised = reply.get("raised")
        if isinstance(raised, dict) and raised.get("stopped") is True:
            self._functions.add(str(order.get("label", "a call")))
        return reply

    def ask(self, request: Request) -> Reply:
        """What the examiner asks goes to the room that may know the points."""
        room = self._open if request.show else self._closed
        reply = room.ask(request)
        if any(answer.fault and answer.fault.type in _STOPPED for answer in reply.answers):
            self._functions.add(request.function)
        self._told = reply.cells
        return reply

    def read(self, function: str) -> list[dict[str, Any]]:
        """What is found in these cells, read as the examiner has got them."""
        modules = {name: wire.clean(text) for name, text in self._shared.modules.items()}
        return self._run.scribe.by_hand([wire.clean(cell) for cell in self._told], function, modules)
