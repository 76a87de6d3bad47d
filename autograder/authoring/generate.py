"""Refuses to generate an assignment with unfinished questions, and lists every reason at once, by cell."""

from __future__ import annotations

from typing import Any

from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor

from autograder.authoring.unfinished import problems
from autograder.errors import AutograderError
from autograder.rooms.self_contained import RefuseBorrowing


class Unfinished(AutograderError):
    """A notebook must not be released yet; the text has a line for each reason."""


class RefuseUnfinished(NbGraderPreprocessor):  # type: ignore[misc]  # nbgrader ships no types
    """An nbgrader preprocessor, the first one in `GenerateAssignment.preprocessors`."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        found = problems(nb)
        if found:
            # A later preprocessor would report these, but only when the first are corrected.
            found += RefuseBorrowing(parent=self).problems(nb, resources)
            what = "one thing" if len(found) == 1 else f"{len(found)} things"
            name = resources["nbgrader"]["notebook"]
            raise Unfinished("\n  ".join([f"{name}.ipynb has {what} to correct first:", *found]))
        return nb, resources
