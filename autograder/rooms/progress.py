"""Tells a run's report that a submission begins, is graded, could not be graded, or was graded before.

nbgrader (0.9.5) has no event for any of these, so the methods of its converter, which it calls for each submission, are
wrapped.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nbgrader.api import MissingEntry

from autograder import by_hand_list
from autograder.gradebook import spreadsheet
from autograder.rooms import gradebook_lock, handed_in, reasons
from autograder.rooms.run import GradingRun
from autograder.terminal.report import Reason, Report
from autograder.terminal.words import count

RENAMED = "there is no {missing}, but {found}: rename that in {folder} and grade again"
LACKS = "there is no {missing}"
NOT_OURS = "{found} is no notebook of the assignment and was not graded"
BY_HAND = "{answers} may not be by hand"
MARK = "{cells} for you to mark"


class RunProgress:
    """Wraps the methods of `converter`, nbgrader's own for this run; `report` is told what happens."""

    def __init__(self, converter: Any, run: GradingRun, report: Report) -> None:
        self._run, self._report, self._converter = run, report, converter
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
        wanted = bool(self._skips(assignment, student))
        if not wanted and student not in self._converter.coursedir.student_id_exclude.split(","):
            self._report.before()
            self._earlier.append((assignment, student, list(self._converter.notebooks)))
        return wanted

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
            self._names(assignment, student, notebooks)
        for reason in reasons.read(Path(converter._format_dest(assignment, student))):
            self._report.note(student, reason.value, reason)
        self._listed(assignment, student)
        self._marks(assignment, student)

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
        if converter.coursedir.notebook_id == "*":
            self._names(assignment, student, converter.notebooks)
        if converter.create_student:
            with self._run.gradebook() as gradebook:
                handed_in.submission_row(gradebook, assignment, student)
        self._begins(assignment, student)

    def _names(self, assignment: str, student: str, notebooks: list[str]) -> None:
        """Reports notebooks with points that are missing or have another name: nbgrader gives 0 points for both."""
        with self._run.gradebook() as gradebook:
            points = {f"{n.name}.ipynb": n.max_score for n in gradebook.find_assignment(assignment).notebooks}
        there = [os.path.basename(path) for path in notebooks]
        missing = sorted({name for name in points if points[name]} - set(there))
        strange = [name for name in there if name not in points]
        found = ", ".join(strange[:3]) + (" ..." if len(strange) > 3 else "")
        if missing and strange:
            folder = os.path.relpath(self._converter._format_source(assignment, student), self._root())
            why = RENAMED.format(missing=" and no ".join(missing), found=found, folder=folder)
            self._report.note(student, why, Reason.RENAMED)
        elif missing:
            self._report.note(student, LACKS.format(missing=" and no ".join(missing)), Reason.NOTHING)
        elif strange:
            self._report.note(student, NOT_OURS.format(found=found))

    def _end(self, assignment: str, student: str) -> None:
        self._ends(assignment, student)
        with contextlib.suppress(spreadsheet.CannotRead):  # it is said in the run's header, and costs no grade
            self._listed(assignment, student)
        if marks := self._marks(assignment, student):
            self._report.done(student, *marks)

    def _marks(self, assignment: str, student: str) -> tuple[float, float] | None:
        """Points and possible points, if the student is in the gradebook; cells that a person marks are noted."""
        with self._run.gradebook() as gradebook:
            try:
                submission = gradebook.find_submission(assignment, student)
            except MissingEntry:
                return None
            score, of = submission.score - submission.late_submission_penalty, submission.max_score
            cells = sum(bool(g.needs_manual_grade) for n in submission.notebooks for g in n.grades)
        if cells:
            self._report.note(student, MARK.format(cells=count(cells, "cell")), Reason.MARK)
        return max(0.0, score), of

    def _listed(self, assignment: str, student: str) -> None:
        rows = by_hand_list.read(Path(self._root()) / by_hand_list.FILE)
        who = spreadsheet.harmless(student), spreadsheet.harmless(assignment)
        mine = sum((row["student"], row["assignment"]) == who for row in rows)
        if mine:
            self._report.note(student, BY_HAND.format(answers=count(mine, "answer")), Reason.BY_HAND)

    def _root(self) -> str:
        return str(self._converter.coursedir.root)


def _why(error: Exception) -> str:
    text = " ".join(str(error).split()) or "no reason given"
    ours = type(error).__module__.startswith(("autograder.", "nbgrader."))
    return text if ours else f"{type(error).__name__}: {text}"
