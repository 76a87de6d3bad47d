"""Writes the grades, comments and late penalties of a notebook into the gradebook, in one transaction.

The rules are nbgrader's own. Its two preprocessors (0.9.5) commit after each cell, which takes longer than the grading.
"""

from __future__ import annotations

from typing import Any

from nbformat import NotebookNode
from nbgrader import utils
from nbgrader.api import BaseCell, Comment, Grade, Gradebook
from nbgrader.preprocessors import AssignLatePenalties, NbGraderPreprocessor

from autograder.rooms import reasons
from autograder.terminal.words import count

LATE = "late by {late}, penalty {penalty}"


class SaveGrades(NbGraderPreprocessor):  # type: ignore[misc]  # nbgrader ships no types
    """SaveAutoGrades and AssignLatePenalties, in one commit."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        where = resources["nbgrader"]
        self.parent.wait_for_gradebook()
        with self.parent.run.gradebook() as gradebook:
            submitted = gradebook.find_submission_notebook(where["notebook"], where["assignment"], where["student"])
            grades, comments = _by_name(gradebook, Grade, submitted), _by_name(gradebook, Comment, submitted)
            unknown = _unknown(nb)
            for cell in nb.cells:
                if utils.is_grade(cell):
                    name = cell.metadata.nbgrader.grade_id
                    self._grade(cell, grades[name], name in unknown)
                if utils.is_solution(cell) or utils.is_task(cell):
                    _comment(cell, comments[cell.metadata.nbgrader.grade_id])
            gradebook.db.flush()
            gradebook.db.expire(submitted)
            self._penalty(submitted, where["student"])
            gradebook.db.commit()
        return nb, resources

    def _grade(self, cell: NotebookNode, grade: Any, unknown: bool) -> None:
        grade.auto_score = None if unknown else utils.determine_grade(cell, self.log)[0]
        grade.needs_manual_grade = grade.manual_score is not None or grade.auto_score is None

    def _penalty(self, submitted: Any, student: str) -> None:
        late = submitted.assignment.total_seconds_late
        submitted.late_submission_penalty = None
        if late <= 0:
            return
        rule = AssignLatePenalties(parent=self.parent)
        rule.init_plugin()
        penalty = rule.plugin_inst.late_submission_penalty(student, submitted.score, late)
        self.parent.report.note(student, LATE.format(late=_duration(late), penalty=f"{penalty or 0:g}"))
        if penalty is not None:
            submitted.late_submission_penalty = rule._check_late_penalty(submitted, penalty)


def _duration(seconds: float) -> str:
    """In days, hours or minutes, the largest unit that fits; at least 1 of it."""
    units = (("day", 86400), ("hour", 3600), ("minute", 60))
    unit, length = next((u for u in units if seconds >= u[1]), units[-1])
    return count(max(1, round(seconds / length)), unit)


def _unknown(nb: NotebookNode) -> set[str]:
    """Cells that only a person can mark: all of a notebook that could not be graded, and answers that it lacked."""
    added = set(reasons.added(nb))
    everything = reasons.is_ungradable(nb)
    return {
        cell.metadata.nbgrader.grade_id
        for cell in nb.cells
        if utils.is_grade(cell)
        and (everything or (utils.is_solution(cell) and cell.metadata.nbgrader.grade_id in added))
    }


def _by_name(gradebook: Gradebook, kind: type, submitted: Any) -> dict[str, Any]:
    """The rows of a submitted notebook by the name of their cell, in one query instead of one a cell."""
    rows = gradebook.db.query(kind, BaseCell.name).join(BaseCell, kind.cell_id == BaseCell.id)  # type: ignore[attr-defined]
    return {name: row for row, name in rows.filter(kind.notebook_id == submitted.id)}  # type: ignore[attr-defined]


def _comment(cell: NotebookNode, comment: Any) -> None:
    unchanged = cell.metadata.nbgrader.get("checksum") == utils.compute_checksum(cell)
    comment.auto_comment = "No response." if unchanged and not utils.is_task(cell) else None
