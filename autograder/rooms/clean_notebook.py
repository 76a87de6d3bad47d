"""Cleans what is the student's in a graded notebook, before the notebook is written.

The text of the course's cells and the outputs of the examiner's room are the course's own and stay. Everything else
counts as the student's. It is cleaned in the process of `scribe`; if that takes more than a notebook may, only some
text of it is shown.
"""

from __future__ import annotations

from typing import Any

from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor

from autograder.rooms import pictures, reasons, sanitise
from autograder.rooms.course_cells import Owner
from autograder.rooms.scribe import TooCostly

MOST_OUTPUTS = 500
"""Outputs of a notebook that are shown."""
MOST_SHOWN = 4_000_000
"""Characters of all outputs of a notebook, without pictures."""
MORE = "({number} outputs more are not shown on this page.)"
TOO_LONG = "(More output of this notebook is not shown on this page.)"
NOT_CLEANED = "what was shown by its cells takes too long to clean, and is shown as text"


class Sanitise(NbGraderPreprocessor):  # type: ignore[misc]  # nbgrader ships no types
    """Cleans what is the student's; comes last in `Autograde.autograde_preprocessors`."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        where = resources["nbgrader"]
        course = self.parent.run.course_cells(where["assignment"], where["notebook"])
        cells, parts = [], []
        for cell in nb.cells:
            of = course.of(cell)
            if cell.cell_type == "code" and not (of and of.owner is Owner.EXAMINER):
                cells.append(cell)
                parts.append({"outputs": cell.outputs})
            elif cell.cell_type == "markdown" and not (of and of.locked):
                cells.append(cell)
                parts.append({"text": cell.source, "attachments": cell.get("attachments", {})})
        try:
            cleaned = self.parent.scribe.clean(parts, str(resources["metadata"]["path"]))
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


def clean(parts: list[dict[str, Any]], folder: str) -> list[dict[str, Any]]:
    """The parts made passive: `outputs` of a cell, or a `text` with its pictures, which may lie in `folder`.

    What is more than a page can show is left out, and said.
    """
    texts = pictures.Pictures(folder)
    left, number, shown = sanitise.MOST_OF_A_NOTEBOOK, 0, 0
    made: list[dict[str, Any]] = []
    for part in parts:
        if "text" in part:
            text, attachments = texts.put_in(part["text"], part["attachments"])
            left -= len(text)
            made.append({"text": sanitise.markdown(text, attachments) if left > 0 else sanitise.as_text(text, 1000)})
            continue
        outputs = []
        for at, output in enumerate(part["outputs"]):
            if number >= MOST_OUTPUTS:
                outputs.append(_stream(MORE.format(number=len(part["outputs"]) - at)))
                break
            number += 1
            _clean(output)
            shown += _length(output)
            outputs.append(output if shown <= MOST_SHOWN else _stream(TOO_LONG))
            if shown > MOST_SHOWN:
                break
        made.append({"outputs": outputs})
    return made


def _clean(output: dict[str, Any]) -> None:
    if "data" in output:
        output["data"] = sanitise.bundle(output["data"])
    if "text" in output:
        output["text"] = sanitise.plain("".join(output["text"]))
    if "traceback" in output:
        output["traceback"] = [sanitise.plain(line) for line in output["traceback"]]


def _length(output: dict[str, Any]) -> int:
    shown = [text for kind, text in output.get("data", {}).items() if kind not in sanitise.PICTURES]
    return sum(map(len, [*shown, output.get("text", ""), *output.get("traceback", ())]))


def _stream(text: str) -> dict[str, Any]:
    return {"output_type": "stream", "name": "stdout", "text": text + "\n"}


def _as_text(part: dict[str, Any]) -> dict[str, Any]:
    """A part of which nothing but plain text is kept, and not much of that."""
    if "text" in part:
        return {"text": sanitise.as_text(part["text"], 1000)}
    texts = [str(output.get("text") or output.get("data", {}).get("text/plain") or "") for output in part["outputs"]]
    return {"outputs": [_stream("".join(texts)[:1000])] if part["outputs"] else []}
