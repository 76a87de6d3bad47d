"""Cleans what is the student's in a graded notebook, before the notebook is written.

The text of the course's cells and the outputs of the examiner's room are the course's own and stay. Everything else
counts as the student's. It is cleaned in the process of `scribe`; if that takes more than a notebook may, only some
text of it is shown.
"""

from __future__ import annotations

from typing import Any

from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor

from autograder.rooms import reasons, sanitise
from autograder.rooms.cleaning import stream
from autograder.rooms.course_cells import Owner
from autograder.rooms.scribe import TooCostly

NOT_CLEANED = "what was shown by its cells takes too long to clean, and is shown as text"


class Sanitise(NbGraderPreprocessor):  # type: ignore[misc]  # nbgrader ships no types
    """Cleans what is the student's; comes last in `Autograde.autograde_preprocessors`."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        where = resources["nbgrader"]
        course = self.parent.run.course_cells(where["assignment"], where["notebook"])
        ways = {} if course.language else self.parent.run.ways(where["assignment"], where["notebook"])
        cells, parts = [], []
        for cell in nb.cells:
            of = course.of(cell)
            # A test that borrows may show what an answer has returned.
            ours = of is not None and of.owner is Owner.EXAMINER and of.name in ways and not ways[of.name].names
            if cell.cell_type == "code" and not ours:
                cells.append(cell)
                parts.append({"outputs": cell.outputs})
            elif cell.cell_type == "markdown" and not (of and of.locked):
                cells.append(cell)
                parts.append({"text": cell.source, "attachments": cell.get("attachments", {})})
        try:
            with self.parent.run.meanwhile():
                cleaned = self.parent.run.scribe.clean(parts, str(resources["metadata"]["path"]))
        except TooCostly:
            self.parent.report.note(where["student"], NOT_CLEANED)
            cleaned = [_as_text(part) for part in parts]
        for cell, part in zip(cells, cleaned, strict=True):
            if "outputs" in part:
                cell.outputs = [NotebookNode(output) for output in part["outputs"]]
            else:
                cell.source = part["text"]
                cell.pop("attachments", None)
        reasons.end(nb)
        return nb, resources


def _as_text(part: dict[str, Any]) -> dict[str, Any]:
    """A part of which nothing but plain text is kept, and not much of that."""
    if "text" in part:
        return {"text": sanitise.as_text(part["text"], 1000)}
    texts = [str(output.get("text") or output.get("data", {}).get("text/plain") or "") for output in part["outputs"]]
    return {"outputs": [stream("".join(texts)[:1000])] if part["outputs"] else []}
