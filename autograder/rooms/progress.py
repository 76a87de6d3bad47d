"""Tells a run's report that a submission begins, is graded, could not be graded, or was graded before.

nbgrader (0.9.5) has no event for any of these, so the methods of its converter, which it calls for each submission, are
wrapped.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from nbgrader.api import Assignment, Grade, SubmittedAssignment, SubmittedNotebook
from nbgrader.converters import autograde
from sqlalchemy import func, select

from autograder import by_hand_list
from autograder.gradebook import spreadsheet
from autograder.rooms import gradebook_lock, handed_in, reasons, unfinished
from autograder.rooms.names import Names
from autograder.rooms.run import GradingRun
from autograder.terminal.report import UNGRADABLE, Reason, Report
from autograder.terminal.words import count

BY_HAND = "{answers} may not be by hand"
MARK = "{cells} for you to mark"
CUT_OFF = "an earlier run was ended while it graded this; it was graded again"


class _Marks(NamedTuple):
    """What the gradebook has of a submission: `waiting` is the number of cells that a person has to mark."""

    points: float
    possible: float
    waiting: int


class RunProgress:
    """Wraps the methods of `converter`, nbgrader's own for this run; `report` is told what happens."""

    def __init__(self, converter: Any, run: GradingRun, report: Report, names: Names) -> None:
        self._run, self._report, self._converter, self._names = run, report, converter, names
        self._skips = converter.init_destination
        self._begins = converter.init_assignment
        self._ends = converter.set_permissions
        converter.init_destination = self._destination
        converter.init_assignment = self._telling(self._begin)
        converter.convert_single_notebook = self._telling(converter.convert_single_notebook)
        converter.set_permissions = self._telling(self._end)
        self._student = ""
        self._earlier: list[tuple[str, str, list[str]]] = []

    def _destination(self, assignment: str, student: str) -> bool:
        self._student = student
        excluded = student in self._converter.coursedir.student_id_exclude.split(",")
        if not excluded and self.remove_unfinished(assignment, student):
            self._report.note(student, CUT_OFF)
        wanted = bool(self._skips(assignment, student))
        if not wanted and not excluded:
            self.was_graded(assignment, student, list(self._converter.notebooks))
        return wanted

    def was_graded(self, assignment: str, student: str, notebooks: list[str]) -> None:
        """Counts one that an earlier run has graded, and that this run leaves as it is."""
        self._report.before()
        self._earlier.append((assignment, student, notebooks))

    def graded_before(self) -> None:
        """Reports of those who were graded in an earlier run whether a person should still look at them.

        It is looked up when the run has ended: if anything is raised while nbgrader prepares a student's folder (an
        interrupt is enough), nbgrader deletes that folder, and here it holds the graded work.
        """
        while self._earlier:
            assignment, student, notebooks = self._earlier.pop(0)
            try:
                self._look_up(assignment, student, notebooks)
            except Exception as error:
                unknown = [student]
                if gradebook_lock.is_locked(error):  # it was waited for, and each of the others would wait as long
                    unknown += [student for _, student, _ in self._earlier]
                    self._earlier.clear()
                self._report.unknown(unknown, _why(error))

    def _look_up(self, assignment: str, student: str, notebooks: list[str]) -> None:
        converter = self._converter
        if converter.coursedir.notebook_id == "*":
            self._names.missing(notebooks, assignment, student)
        self._listed(assignment, student)
        marks = self._marks(assignment, student)
        for reason in reasons.read(Path(converter._format_dest(assignment, student))):
            if reason not in UNGRADABLE or (marks and marks.waiting):
                self._report.note(student, reason.value, reason)
        self._waits(student, marks)

    def _telling(self, step: Callable[..., None]) -> Callable[..., None]:
        def told(*arguments: Any) -> None:
            try:
                step(*arguments)
            except Exception as error:
                self._report.failed(self._student, _why(error))
                raise

        return told

    def _begin(self, assignment: str, student: str) -> None:
        self._report.start(student)
        converter = self._converter
        if converter.create_student:
            self._make_row(assignment, student)
        every = converter.coursedir.notebook_id == "*"
        missing = self._names.missing(converter.notebooks, assignment, student) if every else []
        try:
            with self._one_connection():
                self._begins(assignment, student)
        finally:
            self._names.for_a_person(missing, assignment, student)

    def _make_row(self, assignment: str, student: str) -> None:
        with self._run.gradebook() as gradebook:
            handed_in.submission_row(gradebook, assignment, student)

    @contextlib.contextmanager
    def _one_connection(self) -> Iterator[None]:
        """Meanwhile nbgrader uses the run's connection. It opens five of its own for each submission, and each looks at
        all tables and compiles all queries anew, which takes longer than many a submission's cells.
        """
        theirs = autograde.Gradebook
        with self._run.gradebook() as gradebook:
            autograde.Gradebook = lambda *_: contextlib.nullcontext(gradebook)
            try:
                yield
            finally:
                autograde.Gradebook = theirs

    def remove_unfinished(self, assignment: str, student: str) -> bool:
        """Removes what a run that was killed has left half-written of the submission; returns whether it did."""
        folder = Path(self._converter._format_dest(assignment, student))
        try:
            known = self._run.points(assignment)
        except Exception:  # nbgrader would delete the folder if anything were raised here
            return False
        expected = [name for path in self._converter.notebooks if (name := Path(path).stem) in known]
        files = [folder / f"{name}.ipynb" for name in expected] or list(folder.glob("*.ipynb"))
        return unfinished.remove(self._converter, folder, files, reasons.is_finished)

    def _end(self, assignment: str, student: str) -> None:
        self._ends(assignment, student)
        with contextlib.suppress(spreadsheet.CannotRead):  # it is said in the run's header, and costs no grade
            self._listed(assignment, student)
        marks = self._marks(assignment, student)
        self._waits(student, marks)
        if marks:
            self._report.done(student, marks.points, marks.possible)

    def _marks(self, assignment: str, student: str) -> _Marks | None:
        """What the gradebook has, if the student is in it."""
        with self._run.gradebook() as gradebook:
            work, mine = SubmittedAssignment, (Assignment.name == assignment, SubmittedAssignment.student_id == student)
            sums = select(work.score, work.late_submission_penalty, work.max_score).join(Assignment).where(*mine)
            found = gradebook.db.execute(sums).first()
            if not found:
                return None
            grades = select(func.count()).select_from(Grade).join(SubmittedNotebook).join(work).join(Assignment)
            waiting = gradebook.db.execute(grades.where(*mine, Grade.needs_manual_grade)).scalar_one()
        score, late, possible = found
        return _Marks(max(0.0, score - late), possible, waiting)

    def _waits(self, student: str, marks: _Marks | None) -> None:
        if marks and marks.waiting and not self._report.reasons(student) & (UNGRADABLE | {Reason.LOST}):
            self._report.note(student, MARK.format(cells=count(marks.waiting, "cell")), Reason.MARK)

    def _listed(self, assignment: str, student: str) -> None:
        rows = by_hand_list.read(Path(self._converter.coursedir.root) / by_hand_list.FILE)
        who = spreadsheet.harmless(student), spreadsheet.harmless(assignment)
        mine = {(r["notebook"], r["question"]) for r in rows if (r["student"], r["assignment"]) == who}
        if mine:
            self._report.note(student, BY_HAND.format(answers=count(len(mine), "answer")), Reason.BY_HAND)


def _why(error: Exception) -> str:
    text = " ".join(str(error).split()) or "no reason given"
    ours = type(error).__module__.startswith(("autograder.", "nbgrader."))
    return text if ours else f"{type(error).__name__}: {text}"
