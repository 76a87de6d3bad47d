"""One submission being examined: the examiner's room and the student's two, each running its owner's cells.

What is shown of a student's cell comes from the open room. The closed room runs the same cells beside it, answers at
hidden points, and is heard only through `redaction`: so nothing that has seen a hidden point ever writes to the page.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbformat import NotebookNode
from nbgrader.preprocessors import ClearHiddenTests

from autograder.rooms.course_cells import Owner
from autograder.student.protocol import Request
from autograder.workers import replay, wire
from autograder.workers.client import Handle
from autograder.workers.files import file_orders
from autograder.workers.outputs import error_output, read_outputs
from autograder.workers.process import Gone, NoRoom

if TYPE_CHECKING:
    from autograder.rooms.engine import Engine
    from autograder.rooms.exporter import TwoRooms

EXAMINER_GONE = "The test itself did not end: {why}"
_STOPPED = ("TooLong", "ProcessEnded")
_MOST_MODULES, _MOST_SOURCE = 50, 100_000


def modules_of(files: str) -> dict[str, str]:
    """The submission's own modules, for the reader of the by-hand guard: regular .py files beside the notebook."""
    found: dict[str, str] = {}
    for file in sorted(Path(files).glob("*.py"))[:_MOST_MODULES]:
        if file.is_file() and not file.is_symlink():
            with file.open(encoding="utf-8", errors="replace") as text:
                found[file.stem] = text.read(_MOST_SOURCE)
    return found


class Sitting:
    """`tests` is how many of the notebook's cells the examiner runs."""

    def __init__(self, engine: Engine, run: TwoRooms, where: dict[str, str], files: str, tests: int) -> None:
        self._engine, self._run, self._files, self._tests = engine, run, files, tests
        self._keys = {role: (role, where["assignment"], where["notebook"]) for role in (wire.STUDENT, wire.EXAMINER)}
        self._rooms_wanted = 2 if tests else 1
        self._clear = ClearHiddenTests(parent=engine)
        self._examiner: Handle | None = None
        self._course_ran: list[tuple[str, int]] = []
        self._shared = replay.Shared(modules=modules_of(files))
        self._functions: set[str] = set()
        options = (self._student_room, engine.cell_seconds, engine.submission_seconds, engine.printed, self._shared)
        self._open, self._closed = replay.Replay(*options), replay.Replay(*options)
        self._beside = ThreadPoolExecutor(1, thread_name_prefix="closed room")

    def __enter__(self) -> Sitting:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.end(self._run.rooms.put_away)
        self._closed.end(self._run.rooms.put_away)
        self._beside.shutdown(wait=True)
        self._lose_examiner()

    def run(self, cell: NotebookNode, owner: Owner, count: int) -> list[NotebookNode]:
        """The outputs of a cell, from the room of its owner."""
        if owner is Owner.EXAMINER:
            self._tests -= 1
            return self._examine(cell.source, count)
        code = cell.source
        if owner is Owner.BOTH:
            self._prepare_examiner(code, count)
            code = self._without_hidden_tests(cell)
        step = replay.Cell(code, count, course=owner is Owner.BOTH)
        self._closed.later(step)
        if self._tests:  # nobody will ask the closed room after the last of them
            self._beside.submit(self._closed.catch_up)
        return self._open.run(step)

    def _without_hidden_tests(self, cell: NotebookNode) -> str:
        seen = NotebookNode(cell_type="code", source=cell.source, metadata={})
        self._clear._remove_hidden_test_region(seen)
        return str(seen.source)

    def _student_room(self) -> Handle:
        room = self._run.rooms.take(self._keys[wire.STUDENT], self._rooms_wanted)
        try:
            for order in file_orders(self._files, self._engine.written * (1 << 20) // 2):
                room.call(order, self._engine.cell_seconds)
        except Gone as gone:
            room.close()
            raise NoRoom(f"the submission's files could not be written: {gone}") from None
        return room

    def _examine(self, code: str, count: int) -> list[NotebookNode]:
        engine = self._engine
        most = engine.printed * 6 + (1 << 16)
        order = {"do": "run", "code": code, "count": count, "course": False}
        try:
            done = self._examiner_room().call(order, engine.cell_seconds, most, self._answer)
        except (Gone, wire.Refused) as gone:
            self._lose_examiner()
            return [error_output("DeadKernelError", EXAMINER_GONE.format(why=gone))]
        return read_outputs(done, count, engine.printed + 1000)

    def _prepare_examiner(self, code: str, count: int) -> None:
        """The course's own cells run when the first test needs them; what they print is shown from the open room."""
        self._course_ran.append((code, count))
        if self._examiner:
            self._examine(code, count)

    def _examiner_room(self) -> Handle:
        """A fresh one for each submission; after a test that did not end, another with the course's own cells."""
        if self._examiner is None:
            self._examiner = self._run.rooms.take(self._keys[wire.EXAMINER], 1)
            for code, count in self._course_ran:
                order = {"do": "run", "code": code, "count": count, "course": False}
                most = self._engine.printed * 6 + (1 << 16)
                self._examiner.call(order, self._engine.cell_seconds, most, self._answer)
        return self._examiner

    def _lose_examiner(self) -> None:
        if self._examiner:
            self._run.rooms.put_away(self._examiner)
        self._examiner = None

    def _answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        """What the examiner asks goes to the room that may know the points."""
        request = wire.decode(Request, asked)
        room = self._open if request.show else self._closed
        reply = room.ask(request)
        if any(answer.fault and answer.fault.type in _STOPPED for answer in reply.answers):
            self._functions.add(request.function)
        return wire.encode(reply)  # type: ignore[no-any-return]

    def stopped(self) -> str:
        """The student's code that had to be ended: it took too long, or too much; empty if none had to be."""
        cells = [f"cell {cell.count}" for cell in sorted(self._shared.cells, key=lambda cell: cell.count)]
        return ", ".join((*cells, *sorted(self._functions)))
