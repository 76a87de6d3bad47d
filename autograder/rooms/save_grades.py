"""Writes the grades, comments and late penalties of a notebook into the gradebook, in one transaction.

The rules are nbgrader's own, but for one. Where a test gives a number that is no mark of its cell (more than its
maximum, less than 0, nan), nbgrader fails the whole student, or gives full marks. Here that cell alone has no mark, and
a person gives it one; so it is with a test that was ended before it gave one. nbgrader's two preprocessors (0.9.5)
commit after each cell, which takes longer than the grading.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from nbformat import NotebookNode
from nbgrader import utils
from nbgrader.api import BaseCell, Comment, Grade, Gradebook
from nbgrader.preprocessors import AssignLatePenalties, NbGraderPreprocessor

from autograder.rooms import reasons
from autograder.terminal.report import Reason
from autograder.terminal.words import count

LATE = "late by {late}, penalty {penalty}"
LOST = "{cell} was ended before it gave a mark: {why}"
NO_MARK = "{cell} gives {given:g}, which is no mark of 0 to {most:g}: correct its points, or give a mark by hand"


class SaveGrades(NbGraderPreprocessor):  # type: ignore[misc]  # nbgrader ships no types
    """SaveAutoGrades and AssignLatePenalties, in one commit."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        where = resources["nbgrader"]
        self.parent.wait_for_gradebook()
        with self.parent.run.gradebook() as gradebook:
            submitted = gradebook.find_submission_notebook(where["notebook"], where["assignment"], where["student"])
            grades, comments = _by_name(gradebook, Grade, submitted), _by_name(gradebook, Comment, submitted)
            unknown = _unknown(nb)
            for name, why in reasons.lost(nb).items():
                self.parent.report.note(where["student"], LOST.format(cell=name, why=why), Reason.LOST)
            for cell in nb.cells:
                if utils.is_grade(cell):
                    name = cell.metadata.nbgrader.grade_id
                    self._grade(cell, grades[name], where["student"], name in unknown)
                if utils.is_solution(cell) or utils.is_task(cell):
                    _comment(cell, comments[cell.metadata.nbgrader.grade_id])
            self._penalty(gradebook, submitted, where["student"])
            gradebook.db.commit()
        return nb, resources

    def _grade(self, cell: NotebookNode, grade: Any, student: str, unknown: bool) -> None:
        given, most = _number(cell), float(cell.metadata.nbgrader.points)
        if unknown:
            grade.auto_score = None
        elif given is None or 0 <= given <= most:
            grade.auto_score, _ = utils.determine_grade(cell, self.log)
        else:
            grade.auto_score = None
            told = NO_MARK.format(cell=cell.metadata.nbgrader.grade_id, given=given, most=most)
            self.parent.report.note(student, told, Reason.NO_MARK)
        grade.needs_manual_grade = grade.manual_score is not None or grade.auto_score is None

    def _penalty(self, gradebook: Gradebook, submitted: Any, student: str) -> None:
        late = submitted.assignment.total_seconds_late
        submitted.late_submission_penalty = None
        if late <= 0:
            return
        gradebook.db.flush()
        gradebook.db.expire(submitted)  # its score is another one now
        rule = AssignLatePenalties(parent=self.parent)
        rule.init_plugin()
        penalty = rule.plugin_inst.late_submission_penalty(student, submitted.score, late)
        self.parent.report.note(student, LATE.format(late=_duration(late), penalty=f"{penalty or 0:g}"))
        if penalty is not None:
            submitted.late_submission_penalty = rule._check_late_penalty(submitted, penalty)


def _number(cell: NotebookNode) -> float | None:
    """The number that nbgrader takes for the mark of a test: its result, if no error comes first; else None."""
    for output in () if utils.is_solution(cell) else cell.get("outputs", ()):
        if output.output_type == "execute_result":
            with suppress(TypeError, ValueError):
                return float(output.data.get("text/plain"))
        if output.output_type != "display_data" and output.get("name") != "stdout":
            return None
    return None


def _duration(seconds: float) -> str:
    """In days, hours or minutes, the largest unit that fits; at least 1 of it."""
    units = (("day", 86400), ("hour", 3600), ("minute", 60))
    unit, length = next((u for u in units if seconds >= u[1]), units[-1])
    return count(max(1, round(seconds / length)), unit)


def _unknown(nb: NotebookNode) -> set[str]:
    """Cells that only a person can mark: all of a notebook that could not be graded, answers that it lacked, and tests
    that were lost."""
    added, lost = set(reasons.added(nb)), reasons.lost(nb)
    everything = reasons.is_ungradable(nb)
    return {
        cell.metadata.nbgrader.grade_id
        for cell in nb.cells
        if utils.is_grade(cell)
        and (
            everything
            or (name := cell.metadata.nbgrader.grade_id) in lost
            or (utils.is_solution(cell) and name in added)
        )
    }


def _by_name(gradebook: Gradebook, kind: type, submitted: Any) -> dict[str, Any]:
    """The rows of a submitted notebook by the name of their cell, in one query instead of one a cell."""
    rows = gradebook.db.query(kind, BaseCell.name).join(BaseCell, kind.cell_id == BaseCell.id)  # type: ignore[attr-defined]
    return {name: row for row, name in rows.filter(kind.notebook_id == submitted.id)}  # type: ignore[attr-defined]


def _comment(cell: NotebookNode, comment: Any) -> None:
    unchanged = cell.metadata.nbgrader.get("checksum") == utils.compute_checksum(cell)
    comment.auto_comment = "No response." if unchanged and not utils.is_task(cell) else None
