"""An assignment whose questions are not finished is refused when it is generated: every reason at once, by cell.

Stands before nbgrader's own steps in `GenerateAssignment.preprocessors`.
"""

from __future__ import annotations

from typing import Any

from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor

from autograder.authoring.unfinished import problems
from autograder.errors import AutograderError
from autograder.rooms.self_contained import borrowed


class Unfinished(AutograderError):
    """A notebook that must not be released yet; the text holds a line for each reason."""


class RefuseUnfinished(NbGraderPreprocessor):  # type: ignore[misc]  # nbgrader ships no types
    """First in `GenerateAssignment.preprocessors`."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        found = problems(nb)
        if found:
            found += borrowed(nb)  # the next step would say it, but only after these are mended
            what = "one thing" if len(found) == 1 else f"{len(found)} things"
            name = resources["nbgrader"]["notebook"]
            raise Unfinished("\n  ".join([f"{name}.ipynb has {what} to correct first:", *found]))
        return nb, resources
