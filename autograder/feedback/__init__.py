"""Feedback pages: one HTML page a notebook, made from the graded notebook and the gradebook.

    page      the exporter that nbgrader_config.py names    hide       no hidden test's source reaches a page
    grades    what the gradebook says                       questions  the notebook as questions with their parts
    verdicts  right, partly right … in words                texts      markdown and HTML, cleaned
    outputs   what a cell printed, drew or raised           formulas   LaTeX to MathML
    lacking   what a submission lacks: readable text, headings

The names below are loaded when they are asked for. `HideHiddenTests` stands in configurations of older courses.
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
