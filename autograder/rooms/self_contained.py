"""Refuses, before release, a course in another language, with a module that only students have, or with too many files.

What its tests use of a student's notebook is borrowed; whether that works is tried (`tried`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import is_locked

from autograder.errors import AutograderError
from autograder.rooms import course_cells, course_files, other_language, ways
from autograder.rooms.engine import Engine


class NeedsStudent(AutograderError):
    """A course that cannot be graded in two rooms."""


class RefuseBorrowing(NbGraderPreprocessor):  # type: ignore[misc]  # nbgrader ships no types
    """In `GenerateAssignment.preprocessors` behind IncludeHeaderFooter, which adds cells, and before all others.

    The name is from when every borrowed name was refused; it stands in the configurations of courses.
    """

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        found = self.problems(nb, resources)
        if (language := course_cells.language(nb.metadata)) and not Engine(parent=self).unsafe:
            name = resources["nbgrader"]["notebook"]
            found.insert(0, other_language.LANGUAGE.format(notebook=name, language=language))
        if found:
            raise NeedsStudent("\n".join(found))
        return nb, resources

    def problems(self, nb: NotebookNode, resources: Any) -> list[str]:
        """A sentence for each name and file that a locked cell could not have, and one for files that are too large."""
        folder = resources.get("metadata", {}).get("path")
        if not folder:
            return []
        locked = [(c.metadata.nbgrader.grade_id, c.source) for c in nb.cells if c.cell_type == "code" and is_locked(c)]
        engine, course = Engine(parent=self), course_cells.of_notebook(nb)
        coursedir = CourseDirectory(parent=self)
        large = course_files.too_large(Path(folder), coursedir, engine.limits().handed_in, engine.written)
        return [
            *([] if course.language else course_files.nobodys(locked, Path(folder), ways.written(course))),
            *filter(None, [large]),
            *course_files.too_many(Path(folder), coursedir),
        ]
