"""Each cell is run by its owner: the student's cells in a locked room, graded locked cells in the examiner's.

The settings of both, and the step of nbgrader's chain that runs a submission in them.
"""

from __future__ import annotations

import os
from typing import Any

from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Bool, Enum, Float, Integer, List, Unicode

from autograder.rooms import on_record
from autograder.rooms.course_cells import Book, Owner
from autograder.rooms.submission import Sitting
from autograder.sandbox import isolation as isolation_
from autograder.terminal.report import Reason
from autograder.workers import launcher
from autograder.workers.process import NoRoom

AGAIN = "it was graded again from its start: {why}"
STOPPED = "{what} stopped"
MB = 1 << 20
_TRIES = 3


class Engine(NbGraderPreprocessor):  # type: ignore[misc]  # nbgrader ships no types
    """Runs a submission in two rooms; takes the place of Execute in `Autograde.autograde_preprocessors`."""

    unsafe = Bool(
        False,
        help="Grade even where student code cannot be isolated. Only for submissions that you would run yourself.",
    ).tag(config=True)
    isolation = Enum(
        ["strongest", isolation_.NAMESPACES, isolation_.LANDLOCK, isolation_.NONE],
        "strongest",
        help="How to lock a student's room; `none` needs `unsafe` as well.",
    ).tag(config=True)
    fork = Bool(
        hasattr(os, "pidfd_open"),
        help="Fork rooms from a warm interpreter. Linux only; elsewhere each room is a new process, and takes seconds.",
    ).tag(config=True)
    cell_seconds = Float(60.0, help="Seconds that a cell may take.").tag(config=True)
    submission_seconds = Float(
        600.0, help="Seconds that all cells and calls of a notebook may take, in each of the student's two rooms."
    ).tag(config=True)
    memory = Integer(2048, help="MB of memory that a room may use.").tag(config=True)
    processes = Integer(64, help="Processes and threads that a room may have at a time.").tag(config=True)
    written = Integer(64, help="MB that a room may write; the submission's files may be half of it.").tag(config=True)
    printed = Integer(MB, help="Characters that a cell may print; what is more is counted and left out.").tag(
        config=True
    )
    readable = List(
        Unicode(), help="Folders that student code may read besides Python's own, such as data sets on this machine."
    ).tag(config=True)

    def box(self, level: str) -> isolation_.Box:
        return isolation_.Box(
            level=level,
            scratch="",
            readable=(*launcher.readable(), *self.readable),
            memory=self.memory * MB,
            processes=self.processes,
            written=self.written * MB,
            seconds=int(self.submission_seconds) + 1,
        )

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        where = resources["nbgrader"]
        book: Book = self.parent.book(where["assignment"], where["notebook"])
        files = os.path.abspath(resources["metadata"]["path"])
        cells = [(c, book.of(c)) for c in nb.cells if c.cell_type == "code" and c.source.strip()]
        tests = sum(of is not None and of.owner is Owner.EXAMINER for _, of in cells)
        for left in reversed(range(_TRIES)):
            try:
                with Sitting(self, self.parent, where, files, tests) as sitting:
                    for count, (cell, of) in enumerate(cells, 1):
                        if of:
                            of.stamp(cell)  # the file lay in a folder meanwhile
                        cell.outputs = sitting.run(cell, of.owner if of else Owner.STUDENT, count)
                        cell.execution_count = count
                    stopped = sitting.stopped()
                break
            except NoRoom as lost:  # nobody's cell: the submission must not pay for it
                if not left:
                    raise
                self.parent.report.note(where["student"], AGAIN.format(why=lost))
        if stopped:
            self.parent.report.note(where["student"], STOPPED.format(what=stopped), Reason.STOPPED)
        on_record.write(nb, self.parent.report.reasons(where["student"]))
        return nb, resources
