"""Gives nbgrader's page for grading by hand the formulas and pictures of the feedback pages.

nbgrader_config.py names both below as options of HTMLExporter, with which the formgrader makes its page. The fields for
points and comments are nbgrader's and not changed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup
from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode

from autograder.feedback import outputs, texts

SVG = "image/svg+xml"
HERE = Path(__file__).parent


class GradingStyle(Preprocessor):  # type: ignore[misc]  # nbconvert ships no types
    """For `HTMLExporter.preprocessors`: adds a style sheet to the page and a description to each drawing."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        resources["config_dir"] = str(HERE / "formgrader")  # nbconvert adds custom/custom.css of this folder
        for cell in nb.cells:
            for output in cell.get("outputs", []):
                drawing = output.get("data", {}).get(SVG)
                if drawing:
                    output.data = NotebookNode({"text/html": str(outputs.svg("".join(drawing)))})
        return nb, resources


@pass_context
def markdown(context: Context, source: str) -> Markup:
    """For `HTMLExporter.filters`, in place of nbconvert's `markdown2html`: a text cell as feedback pages show it."""
    cell = context.get("cell") or {}
    about = cell.get("metadata", {}).get("nbgrader")
    given = isinstance(about, dict) and about.get("locked")
    place = texts.Place(level=2) if given else texts.ANYWHERE
    return Markup(texts.markdown(source, cell.get("attachments"), place).html)
