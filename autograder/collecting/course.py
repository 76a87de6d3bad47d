"""The course in the current folder, as nbgrader's configuration describes it: folders, assignments, gradebook."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from autograder.collecting.notebooks import Known, of_course
from autograder.errors import AutograderError

NO_NBGRADER = "nbgrader is missing here. This command is for instructors: activate the environment of the course first."
NO_ASSIGNMENT = "The course has no assignment {name}. It has: {names}."
NO_ASSIGNMENTS = (
    "The course has no assignment yet: there is no notebook in {source}/ or {release}/. Run `nbgrader "
    "generate_assignment` with the name of one first."
)
WHICH = "The course has several assignments ({names}): say which with --assignment."


class Course:
    """The course in the current folder and one of its assignments.

    Without a name the course must have exactly one assignment. AutograderError if nbgrader is not installed, the name
    is unknown or the choice is not clear.
    """

    def __init__(self, assignment: str = "") -> None:
        try:
            from autograder.gradebook import reading
        except ImportError:
            raise AutograderError(NO_NBGRADER) from None
        self._reading = reading
        self.coursedir: Any = reading.course_here()
        self.root = Path(self.coursedir.root)
        self.assignment = self._assignment(assignment)
        self.notebooks: list[Known] = of_course(
            [self.folder(self.coursedir.release_directory, "."), self.folder(self.coursedir.source_directory, ".")]
        )

    def _assignment(self, name: str) -> str:
        found: set[str] = set()
        for step in (self.coursedir.source_directory, self.coursedir.release_directory):
            parent = Path(self.coursedir.format_path(step, ".", "."))
            found |= {p.name for p in parent.iterdir() if any(p.glob("*.ipynb"))} if parent.is_dir() else set()
        names = ", ".join(sorted(found))
        if not found:
            where = {"source": self.coursedir.source_directory, "release": self.coursedir.release_directory}
            raise AutograderError(NO_ASSIGNMENTS.format(**where))
        if not name and len(found) > 1:
            raise AutograderError(WHICH.format(names=names))
        if name and name not in found:
            raise AutograderError(NO_ASSIGNMENT.format(name=name, names=names))
        return name or found.pop()

    @property
    def submitted(self) -> Path:
        """The folder that holds all submissions."""
        return self.root / str(self.coursedir.submitted_directory)

    def folder(self, step: str, student: str) -> Path:
        return Path(self.coursedir.format_path(step, student, self.assignment))

    def students_in(self, step: str) -> set[str]:
        """The ids of students with a folder of this assignment in `step` (such as `coursedir.submitted_directory`)."""
        pattern = self.coursedir.format_path(step, "(?P<student>[^/\\\\]+)", self.assignment, escape=True)
        folders = self.root.glob(str(self.folder(step, "*").relative_to(self.root)))
        return {
            m["student"] for f in folders if (m := re.fullmatch(pattern, str(f))) and not m["student"].startswith(".")
        }

    @contextmanager
    def gradebook(self) -> Iterator[Any]:
        """A database session of the gradebook, or None if the file does not exist: reading must not create it."""
        file = self._reading.sqlite_file(self.coursedir.db_url)
        if file and not file.is_file():
            yield None
            return
        with self._reading.opened(self.coursedir.db_url, self.assignment) as session:
            yield session
