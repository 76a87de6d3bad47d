"""Each cell is run by its owner: the student's cells in a locked room, graded locked cells in the examiner's.

The student has two rooms. What is shown of a cell comes from the first. The second runs the same cells, answers at
hidden points, and is heard only through `_sealed`: so nothing that has seen a hidden point ever writes to the page.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbformat import NotebookNode
from nbgrader.preprocessors import ClearHiddenTests, NbGraderPreprocessor
from traitlets import Bool, Enum, Float, Integer, List, Unicode

from autograder._student import Request
from autograder.rooms import _folders, _outputs, _replay, _room, _sandbox, _warm, _wire
from autograder.rooms._book import Book, Owner
from autograder.rooms._warm import Gone

if TYPE_CHECKING:
    from autograder.rooms._exporter import TwoRooms

EXAMINER_GONE = "The test itself did not end: {why}"
MB = 1 << 20
_MOST_MODULES, _MOST_SOURCE = 50, 100_000


class Engine(NbGraderPreprocessor):  # type: ignore[misc]  # nbgrader ships no types
    """Runs a submission in two rooms; takes the place of Execute in `Autograde.autograde_preprocessors`."""

    unsafe = Bool(
        False,
        help="Grade even where student code cannot be isolated. Only for submissions that you would run yourself.",
    ).tag(config=True)
    isolation = Enum(
        ["strongest", _sandbox.NAMESPACES, _sandbox.LANDLOCK, _sandbox.NONE],
        "strongest",
        help="How to lock a student's room; `none` needs `unsafe` as well.",
    ).tag(config=True)
    fork = Bool(
        hasattr(os, "pidfd_open"),
        help="Fork rooms from a warm interpreter. Linux only; elsewhere each room is a new process, and takes seconds.",
    ).tag(config=True)
    cell_seconds = Float(60.0, help="Seconds that a cell may take.").tag(config=True)
    submission_seconds = Float(600.0, help="Seconds that all cells and calls of a notebook may take.").tag(config=True)
    memory = Integer(2048, help="MB of memory that a room may use.").tag(config=True)
    processes = Integer(64, help="Processes and threads that a room may have at a time.").tag(config=True)
    written = Integer(64, help="MB that a room may write, files of the submission included twice over.").tag(
        config=True
    )
    printed = Integer(MB, help="Characters that a cell may print; what is more is counted and left out.").tag(
        config=True
    )
    readable = List(
        Unicode(), help="Folders that student code may read besides Python's own, such as data sets on this machine."
    ).tag(config=True)

    def box(self, level: str, files: str) -> _sandbox.Box:
        return _sandbox.Box(
            level=level,
            scratch="",
            files=files,
            readable=(*_warm.readable(), *self.readable),
            memory=self.memory * MB,
            processes=self.processes,
            written=self.written * MB,
            seconds=int(self.submission_seconds) + 1,
        )

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        where = resources["nbgrader"]
        book: Book = self.parent.book(where["assignment"], where["notebook"])
        files = os.path.abspath(resources["metadata"]["path"])
        with Sitting(self, self.parent, where, files) as sitting:
            for count, cell in enumerate((c for c in nb.cells if c.cell_type == "code" and c.source.strip()), 1):
                of = book.of(cell)
                if of:
                    of.stamp(cell)  # the file lay in a folder meanwhile
                cell.outputs = sitting.run(cell, of.owner if of else Owner.STUDENT, count)
                cell.execution_count = count
        return nb, resources


def _modules(files: str) -> dict[str, str]:
    """The submission's own modules, for the reader of the by-hand guard: regular .py files beside the notebook."""
    found: dict[str, str] = {}
    for file in sorted(Path(files).glob("*.py"))[:_MOST_MODULES]:
        if file.is_file() and not file.is_symlink():
            with file.open(encoding="utf-8", errors="replace") as text:
                found[file.stem] = text.read(_MOST_SOURCE)
    return found


class Sitting:
    """One submission being examined: the examiner's room and the student's two."""

    def __init__(self, engine: Engine, run: TwoRooms, where: dict[str, str], files: str) -> None:
        self._engine, self._run, self._where = engine, run, where
        self._clear = ClearHiddenTests(parent=engine)
        self._environment = {**_warm.clean_environment(), "NBGRADER_EXECUTION": "autograde"}
        self._box = engine.box(run.level, files)
        self._examiner: _warm.Room | None = None
        self._course_ran: list[tuple[str, int]] = []
        shared, budget = _replay.Shared(modules=_modules(files)), _replay.Budget(engine.submission_seconds)
        options = (self._student_room, engine.cell_seconds, budget, engine.printed, shared)
        self._open, self._closed = _replay.Replay(*options), _replay.Replay(*options)

    def __enter__(self) -> Sitting:
        self._desk = tempfile.TemporaryDirectory(prefix="autograder-examiner-")
        _folders.copy_files(self._run.course_files(self._where), self._desk.name, 1 << 40)
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()
        self._closed.close()
        self._lose_examiner()
        self._desk.cleanup()

    def run(self, cell: NotebookNode, owner: Owner, count: int) -> list[NotebookNode]:
        """The outputs of a cell, from the room of its owner."""
        if owner is Owner.EXAMINER:
            return self._examine(cell.source, count)
        code = cell.source
        if owner is Owner.BOTH:
            self._prepare_examiner(code, count)
            code = self._without_hidden_tests(cell)
        step = _replay.Cell(code, count, course=owner is Owner.BOTH)
        self._closed.later(step)
        return self._open.run(step)

    def _without_hidden_tests(self, cell: NotebookNode) -> str:
        seen = NotebookNode(cell_type="code", source=cell.source, metadata={})
        self._clear._remove_hidden_test_region(seen)
        return str(seen.source)

    def _student_room(self) -> _warm.Room:
        box, engine = self._box, self._engine
        return self._run.warm.room(_room.STUDENT, box, self._environment, engine.printed, "")

    def _examine(self, code: str, count: int) -> list[NotebookNode]:
        engine = self._engine
        most = engine.printed * 6 + (1 << 16)
        order = {"do": "run", "code": code, "count": count, "course": False}
        try:
            done = self._examiner_room().call(order, engine.cell_seconds, most, self._answer)
        except (Gone, _wire.Refused) as gone:
            self._lose_examiner()
            return [_outputs.error("DeadKernelError", EXAMINER_GONE.format(why=gone))]
        return _outputs.read(done, count, engine.printed + 1000)

    def _prepare_examiner(self, code: str, count: int) -> None:
        """The course's own cells run when the first test needs them; what they print is shown from the open room."""
        self._course_ran.append((code, count))
        if self._examiner:
            self._examine(code, count)

    def _examiner_room(self) -> _warm.Room:
        """A fresh one for each submission; after a test that did not end, another with the course's own cells."""
        if self._examiner is None:
            environment = {**os.environ, "NBGRADER_EXECUTION": "autograde"}
            warm = self._run.examiners(self._where["assignment"], self._where["notebook"])
            self._examiner = warm.room(_room.EXAMINER, None, environment, self._engine.printed, self._desk.name)
            for code, count in self._course_ran:
                self._examiner.call(
                    {"do": "run", "code": code, "count": count, "course": False}, self._engine.cell_seconds
                )
        return self._examiner

    def _lose_examiner(self) -> None:
        if self._examiner:
            self._examiner.close()
        self._examiner = None

    def _answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        """What the examiner asks goes to the room that may know the points."""
        request = _wire.decode(Request, asked)
        room = self._open if request.show else self._closed
        return _wire.encode(room.ask(request))  # type: ignore[no-any-return]
