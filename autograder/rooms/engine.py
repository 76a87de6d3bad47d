"""Runs each cell of a submission in the room of its owner; and the options that say what a room may use."""

from __future__ import annotations

import os
from functools import partial
from typing import Any

from nbformat import NotebookNode
from nbgrader.preprocessors import ClearHiddenTests, NbGraderPreprocessor
from nbgrader.utils import is_grade
from traitlets import Bool, Enum, Float, Integer, List, Unicode

from autograder.rooms import other_language, reasons
from autograder.rooms.as_released import is_released
from autograder.rooms.course_cells import Owner, without_hidden_tests
from autograder.rooms.run import STRONGEST
from autograder.rooms.submission import OWN, SubmissionRun
from autograder.sandbox.limits import LANDLOCK, MB, NAMESPACES, NONE, Limits
from autograder.sandbox.visible import readable
from autograder.terminal.report import Reason
from autograder.workers.errors import NoRoom

AGAIN = "it was graded again from its start: {why}"
STOPPED = "{what} stopped"
NO_ROOM = "for {names} there was no room where student code runs ({most} MB, half of c.Engine.written)"
_TRIES = 3


class Engine(NbGraderPreprocessor):  # type: ignore[misc]  # nbgrader ships no types
    """Runs a submission in two rooms; takes the place of Execute in `Autograde.autograde_preprocessors`."""

    unsafe = Bool(
        False,
        help="Grade even where student code cannot be isolated, and notebooks in other languages than Python, which "
        "never are. Only for submissions that you would run yourself.",
    ).tag(config=True)
    trusting = Bool(
        True,
        help="Allow tests that reach into the student's notebook; they run where the student's code runs, and a "
        "student who knows how can make them pass.",
    ).tag(config=True)
    isolation = Enum(
        [STRONGEST, NAMESPACES, LANDLOCK, NONE],
        STRONGEST,
        help="How to lock a student's room; `none` needs `unsafe` as well.",
    ).tag(config=True)
    fork = Bool(
        hasattr(os, "pidfd_open"),
        help="Fork rooms from a warm interpreter. Linux only; elsewhere each room is a new process, and takes seconds.",
    ).tag(config=True)
    cell_seconds = Float(Limits.cell_seconds, help="Seconds that a cell may take.").tag(config=True)
    submission_seconds = Float(
        Limits.submission_seconds,
        help="Seconds that all cells and calls of a notebook may take, in each of the student's two rooms.",
    ).tag(config=True)
    memory = Integer(Limits.memory // MB, help="MB of memory that a room may use.").tag(config=True)
    processes = Integer(Limits.processes, help="Processes and threads that a room may have at a time.").tag(config=True)
    written = Integer(
        Limits.written // MB, help="MB that a room may write; the submission's files may be half of it."
    ).tag(config=True)
    printed = Integer(
        Limits.printed, help="Characters that a cell may print; what is more is counted and left out."
    ).tag(config=True)
    readable = List(
        Unicode(), help="Folders that student code may read besides Python's own, such as data sets on this machine."
    ).tag(config=True)

    def limits(self) -> Limits:
        """The options as plain data, in bytes."""
        return Limits(
            readable=(*readable(), *self.readable),
            memory=self.memory * MB,
            processes=self.processes,
            written=self.written * MB,
            printed=self.printed,
            cell_seconds=self.cell_seconds,
            submission_seconds=self.submission_seconds,
        )

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        where = resources["nbgrader"]
        if reasons.is_ungradable(nb):
            reasons.write(nb, self.parent.report.reasons(where["student"]))
            return nb, resources
        course = self.parent.run.course_cells(where["assignment"], where["notebook"])
        if course.language:
            with self.parent.run.meanwhile():
                other_language.run(nb, resources, course.language, self)
            reasons.write(nb, self.parent.report.reasons(where["student"]))
            return nb, resources
        ways = self.parent.run.ways(where["assignment"], where["notebook"])
        files = os.path.abspath(resources["metadata"]["path"])
        cells = [(c, course.of(c)) for c in nb.cells if c.cell_type == "code" and c.source.strip()]
        for cell, of in cells:
            if of:
                of.stamp(cell)  # the file has lain in a folder since Restore has done so
        whole = [(c.source, *((of.owner, ways.get(of.name, OWN)) if of else (Owner.STUDENT, OWN))) for c, of in cells]
        of_examiner = [owner for _, owner, _ in whole].count(Owner.EXAMINER)
        released = partial(without_hidden_tests, ClearHiddenTests(parent=self))
        for left in reversed(range(_TRIES)):
            try:
                with (
                    self.parent.run.meanwhile(),
                    SubmissionRun(self.parent.run, where, files, of_examiner, released) as submission,
                ):
                    alike = is_released(whole, course, submission.files, released)
                    known = self.parent.run.outputs.known(where) if alike else []
                    outputs = known or submission.run_all(whole)
                    stopped, ended = submission.stopped(), submission.lost
                break
            except NoRoom as lost:  # the machine's fault: the submission must not lose marks by it
                if not left:
                    raise
                self.parent.report.note(where["student"], AGAIN.format(why=lost))
        for at, (cell, _) in enumerate(cells):
            cell.outputs, cell.execution_count = outputs[at], at + 1
        if alike and not known and not stopped:
            self.parent.run.outputs.keep(where, outputs)
        if no_room := submission.left_out:
            names = ", ".join(no_room[:3]) + (f" and {len(no_room) - 3} more" if len(no_room) > 3 else "")
            told = NO_ROOM.format(names=names, most=self.limits().handed_in // MB)
            self.parent.report.note(where["student"], told, Reason.LEFT_OUT)
        if stopped:
            self.parent.report.note(where["student"], STOPPED.format(what=stopped), Reason.STOPPED)
        tests = [(c.metadata.nbgrader.grade_id, c.execution_count) for c, _ in cells if is_grade(c)]
        reasons.lose(nb, {name: ended[count] for name, count in tests if count in ended})
        reasons.write(nb, self.parent.report.reasons(where["student"]))
        return nb, resources
