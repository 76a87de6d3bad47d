"""Feedback pages: one HTML page for each notebook, made from the graded notebook and the gradebook.

    page      the exporter that nbgrader_config.py names    hide       removes the source of hidden tests
    grades    reads the gradebook                           questions  divides the notebook into questions
    verdicts  right, partly right … in words                texts      markdown and HTML, cleaned
    outputs   what a cell printed, drew or raised           formulas   LaTeX to MathML
    lacking   unreadable files, and headings that were lost

`autograder feedback` writes those of a class: `class_pages` says what there is to do, `submission_pages` which of a
submission's files are up to date and how they are put in place, and `page_workers` runs the processes.

The two classes below are imported on first use, so that `import autograder.feedback` loads no nbgrader.
`HideHiddenTests` stays here for the configurations of older courses.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {"FeedbackPage": "page", "HideHiddenTests": "hide"}
__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
