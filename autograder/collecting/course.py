"""The course as nbgrader's configuration names it: its folders, its assignments, its gradebook if there is one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from autograder._errors import AutograderError
from autograder.collecting.notebooks import Known, of_course

NOT_HERE = "{folder} is not a course: there is no nbgrader_config.py. Go to the course's folder first (cd)."
NO_NBGRADER = "nbgrader is missing here. This command is for instructors: activate the environment of the course first."
NO_ASSIGNMENT = "The course has no assignment {name}.{others}"
ONE_OF = " It has: {names}."
WHICH = "The course has several assignments ({names}): say which with --assignment."


class Course:
    """The course whose folder this is."""

    def __init__(self, assignment: str = "") -> None:
        if not Path("nbgrader_config.py").is_file():
            raise AutograderError(NOT_HERE.format(folder=Path.cwd()))
        try:
            from nbgrader.apps import NbGrader
        except ImportError:
            raise AutograderError(NO_NBGRADER) from None
        app = NbGrader()
        app.initialize([])
        self.coursedir: Any = app.coursedir
        self.root = Path(app.coursedir.root)
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
        if not name and len(found) > 1:
            raise AutograderError(WHICH.format(names=names))
        if not found or (name and name not in found):
            raise AutograderError(NO_ASSIGNMENT.format(name=name, others=ONE_OF.format(names=names) if found else ""))
        return name or found.pop()

    @property
    def submitted(self) -> Path:
        """The folder of all submissions."""
        return self.root / str(self.coursedir.submitted_directory)

    def folder(self, step: str, student: str) -> Path:
        return Path(self.coursedir.format_path(step, student, self.assignment))

    def students_in(self, step: str) -> set[str]:
        """Who has a folder for this assignment in a step."""
        pattern = self.coursedir.format_path(step, "(?P<student>[^/\\\\]+)", self.assignment, escape=True)
        folders = self.root.glob(str(self.folder(step, "*").relative_to(self.root)))
        return {
            m["student"] for f in folders if (m := re.fullmatch(pattern, str(f))) and not m["student"].startswith(".")
        }

    @contextmanager
    def gradebook(self) -> Iterator[Any]:
        """The gradebook, or None where there is none yet: looking must not make one."""
        from nbgrader.api import Gradebook
        from sqlalchemy.engine import make_url

        url = make_url(self.coursedir.db_url)
        if url.get_backend_name() == "sqlite" and not (url.database and Path(url.database).is_file()):
            yield None
            return
        with Gradebook(self.coursedir.db_url, self.coursedir.course_id) as gradebook:
            yield gradebook
