"""Keeps in a graded notebook why a person should look at the submission, so that later runs can say it again.

The notebook's metadata can be trusted: `Restore` has removed the student's. Three reasons are not kept here: answers
that may not be by hand are in by_hand.csv, and cells to mark, be it because their test gave no mark, are in the
gradebook until they are marked.
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
            continue  # it was graded without this package, or holds no reason
    return {reason for reason in Reason if reason.name in found}
