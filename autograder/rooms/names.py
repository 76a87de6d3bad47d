"""Which of a student's files is which notebook of the assignment, where one has another name or is missing.

A browser saves `problems (1).ipynb`. It is taken for the notebook that is missing if no other file has that notebook's
cells; what is not certain is reported, and a person gives the points.
"""

from __future__ import annotations

import contextlib
import glob
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.api import MissingEntry

from autograder.at_home.notebook import UnreadableNotebook
from autograder.rooms import folder_names, handed_in
from autograder.rooms.run import GradingRun
from autograder.terminal.report import Reason, Report

RENAMED = "there is no {missing}, but {found}: rename that in {folder} and grade again"
LACKS = "there is no {missing}"
NOT_OURS = "{found} is no notebook of the assignment and was not graded"
TAKEN = "{found} was graded as {name}"
_OTHER_ENDING = re.compile(r"(.*)\.ipynb(?:\.\w+)?", re.IGNORECASE)
"""`problems.ipynb.txt`, as a browser or Windows may save it, or `problems.IPYNB`."""


class Names:
    """The names of the notebooks of one run."""

    def __init__(self, run: GradingRun, report: Report) -> None:
        self._run, self._report = run, report
        self.renamed: dict[str, str] = {}
        """The files that were handed in under another name, by the path that nbgrader knows them by."""

    def adopt(self, converter: Any) -> None:
        """Adds to the `converter`'s submissions the files that are notebooks of the assignment but for the ending."""
        coursedir = converter.coursedir
        if coursedir.notebook_id != "*":
            return
        for folder in glob.glob(converter._format_source(coursedir.assignment_id, coursedir.student_id)):
            student = handed_in.student_of(converter, folder)
            if os.path.islink(folder) or not os.path.isdir(folder) or folder_names.problem(student):
                continue
            with os.scandir(folder) as entries:
                odd = sorted(
                    e.path for e in entries if e.is_file(follow_symlinks=False) and _has_another_ending(e.name)
                )
            there = converter.assignments.get(folder, [])
            with contextlib.suppress(MissingEntry):  # the run is about to say so
                if found := [path for path in odd if self._is_missing(path, there, coursedir.assignment_id)]:
                    converter.assignments[folder] = [*there, *found]

    def _is_missing(self, path: str, there: list[str], assignment: str) -> bool:
        """Whether a file with another ending is a notebook that is not `there`."""
        missing = set(self._run.points(assignment)) - set(map(_name, there))
        return any(name.lower() == _stem(path).lower() and self._holds(path, assignment, name) for name in missing)

    def missing(self, notebooks: list[str], assignment: str, student: str) -> list[str]:
        """Puts the paths in `notebooks` right, reports what is odd, and returns which notebooks are missing.

        Of the notebooks of the assignment those with points count.
        """
        points = self._run.points(assignment)
        self._rename(notebooks, assignment, student, points)
        there = [_name(path) for path in notebooks]
        missing = sorted({name for name in points if points[name]} - set(there))
        strange = [os.path.basename(path) for path in notebooks if _name(path) not in points]
        found = ", ".join(strange[:3]) + (" ..." if len(strange) > 3 else "")
        lacks = " and no ".join(f"{name}.ipynb" for name in missing)
        if missing and strange:
            folder = os.path.join(*Path(notebooks[0]).parts[-4:-1])
            why = RENAMED.format(missing=lacks, found=found, folder=folder)
            self._report.note(student, why, Reason.RENAMED)
        elif missing:
            self._report.note(student, LACKS.format(missing=lacks), Reason.NOTHING)
        elif strange:
            self._report.note(student, NOT_OURS.format(found=found))
        notebooks[:] = [path for path in notebooks if path.endswith(".ipynb")]
        return missing

    def for_a_person(self, missing: list[str], assignment: str, student: str) -> None:
        """Enters that a person gives the points of notebooks that are missing; nbgrader would give 0."""
        with self._run.gradebook() as gradebook:
            for name in missing:
                with contextlib.suppress(MissingEntry):  # nbgrader may have refused a student whom it does not know
                    handed_in.for_a_person(gradebook.find_submission_notebook(name, assignment, student))
            gradebook.db.commit()

    def _rename(self, notebooks: list[str], assignment: str, student: str, points: Mapping[str, float]) -> None:
        strange = [path for path in notebooks if _name(path) not in points]
        for name in sorted({name for name in points if points[name]} - {_name(path) for path in notebooks}):
            holds = [path for path in strange if self._holds(path, assignment, name)]
            if len(holds) != 1:
                continue
            wanted = os.path.join(os.path.dirname(holds[0]), f"{name}.ipynb")
            self.renamed[wanted] = holds[0]
            notebooks[notebooks.index(holds[0])] = wanted
            strange.remove(holds[0])
            self._report.note(student, TAKEN.format(found=os.path.basename(holds[0]), name=f"{name}.ipynb"))

    def _holds(self, path: str, assignment: str, notebook: str) -> bool:
        """Whether a file holds an answer cell, or a cell with points, of a notebook of the course."""
        course = self._run.course_cells(assignment, notebook)
        try:
            with self._run.meanwhile():
                content, _ = self._run.scribe.read(os.path.abspath(path))
        except UnreadableNotebook:
            return False
        found = [course.of(cell) for cell in nbformat.from_dict(content).cells]
        return any(cell and (cell.grade or cell.solution) for cell in found)


def _name(path: str) -> str:
    """The name of a notebook; of another file, the file's."""
    return Path(path).stem if path.endswith(".ipynb") else os.path.basename(path)


def _has_another_ending(path: str) -> bool:
    return not path.endswith(".ipynb") and bool(_stem(path))


def _stem(path: str) -> str:
    found = _OTHER_ENDING.fullmatch(os.path.basename(path))
    return found[1] if found else ""
