"""Why a person should look at a submission stays in its graded notebook, for the summary of every later run.

The notebook's metadata are the grader's: `Restore` has removed the student's. Answers that may not be by hand are in
by_hand.csv, and cells to mark in the gradebook, where they come to an end when they are marked; they are not kept here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from nbformat import NotebookNode

from autograder.terminal.report import Reason

KEY = "autograder"


def write(nb: NotebookNode, reasons: Iterable[Reason]) -> None:
    """Puts the reasons into a notebook that is being graded."""
    names = [reason.name for reason in Reason if reason in reasons]
    if names:
        nb.metadata[KEY] = {"needs_a_person": names}


def read(folder: Path) -> set[Reason]:
    """The reasons in the graded notebooks of a folder."""
    found: set[str] = set()
    for file in folder.glob("*.ipynb"):
        try:
            found.update(json.loads(file.read_bytes())["metadata"][KEY]["needs_a_person"])
        except (OSError, ValueError, KeyError, TypeError):
            continue  # nothing is kept in it
    return {reason for reason in Reason if reason.name in found}
