"""Exports grades as CSV: `autograder grades`, and the plugin `Grades` for `nbgrader export`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TextIO

from nbgrader.plugins import ExportPlugin

from autograder.errors import AutograderError
from autograder.gradebook import reading, spreadsheet
from autograder.gradebook.grades import Table, natural, table, ungraded
from autograder.seeds import public_note

STDOUT = "-"
MOST_NAMES = 8


class Grades(ExportPlugin):  # type: ignore[misc]  # nbgrader ships no types
    """The plugin for `ExportApp.plugin_class`: one row for each student and assignment."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        # nbgrader creates a missing gradebook when it opens it, so this check comes first.
        coursedir = getattr(self.parent, "coursedir", None)
        file = reading.sqlite_file(coursedir.db_url) if coursedir else None
        if file and not file.exists():
            wanted = str(self.assignment[0]) if self.assignment else "ps1"
            self._fail(reading.GradebookError(reading.NONE.format(file=file, assignment=wanted)))

    def export(self, gradebook: Any) -> None:
        """Writes the file `to` (default: grades.csv); errors end the command with a sentence."""
        only = [str(name) for name in self.student]
        try:
            names = [str(name) for name in self.assignment]
            names = names or sorted((a.name for a in gradebook.assignments), key=natural)
            made, lines = Table(), []
            for name in names:
                found = reading.find(gradebook.db, name)
                waiting = ungraded(self.parent.coursedir, gradebook.db, found) if self.parent else []
                one = table(gradebook.db, found, only, waiting)
                before = f"{name}: " if len(names) > 1 else ""
                lines += [before + line for line in [*notes(one), *_not_graded(name, waiting, only)]]
                made.add(one)
            file = Path(self.to or "grades.csv")
            spreadsheet.write(file, made.columns, made.rows)
        except AutograderError as error:
            self._fail(error)
        else:
            for line in (summary(made, file), *lines):
                self.log.info("%s", line)

    def _fail(self, error: AutograderError) -> None:
        if self.parent is None:
            raise error
        self.parent.fail("%s", _sentence(error))


def grades(assignment: str, to: str, students: Sequence[str], tell: Callable[[str, TextIO], None]) -> int:
    """`autograder grades`: writes the grades of `students` (if empty, all) to the file `to` and tells a summary.

    With `to` = "-" the table goes to standard output and the summary to standard error. Returns 0; AutograderError if
    the gradebook cannot be read or the file not written.
    """
    coursedir = reading.course_here()
    with reading.opened(coursedir.db_url, assignment) as session:
        found = reading.find(session, assignment)
        waiting = ungraded(coursedir, session, found)
        made = table(session, found, students, waiting)
        note = public_note(session, assignment)
    if to == STDOUT:
        spreadsheet.write_to(sys.stdout, made.columns, made.rows)
        lines, out = notes(made), sys.stderr
    else:
        file = Path(to or f"grades-{Path(assignment).name}.csv")
        spreadsheet.write(file, made.columns, made.rows)
        lines, out = [summary(made, file), *notes(made)], sys.stdout
    lines += _not_graded(assignment, waiting, students)
    for line in filter(None, [*lines, note]):
        tell(line, out)
    return 0


def summary(made: Table, file: Path) -> str:
    """The line of the summary that says what was written to `file`."""
    people = len({row["student_id"] for row in made.rows})
    assignments = len({row["assignment"] for row in made.rows})
    of = f", {assignments} assignments each," if assignments > 1 else ""
    return f"Wrote {people} student{'s' * (people != 1)}{of} to {file}"


def notes(made: Table) -> list[str]:
    """Lines on students whose grade is not final, or who handed in nothing."""
    lines = []
    if manual := made.students("needs_manual_grade", True):
        lines.append(f"Still to be graded by a person, in the formgrader: {listed(manual)}.")
    if nothing := made.students("handed_in", False):
        lines.append(f"Handed in nothing: {listed(nothing)}.")
    return lines


def _not_graded(assignment: str, waiting: Sequence[str], only: Sequence[str]) -> list[str]:
    names = [name for name in waiting if not only or name in only]
    end = f"Run `nbgrader autograde {assignment}`, then this again."
    return [f"Handed in, but not graded yet, so without these marks: {listed(names)}. {end}"] if names else []


def listed(names: Sequence[str]) -> str:
    """The names as text; beyond `MOST_NAMES` only their number."""
    unique = list(dict.fromkeys(names))
    more = len(unique) - MOST_NAMES
    return ", ".join(unique[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def _sentence(error: AutograderError) -> str:
    text = str(error)
    return text[:1].upper() + text[1:]
