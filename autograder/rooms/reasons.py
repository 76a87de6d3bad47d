"""Keeps in a notebook's metadata what its grading has found, for the steps and the runs that come later.

These metadata can be trusted: `Restore` has removed the student's. Why a person should look at the submission is kept
but for three reasons: answers that may not be by hand are in by_hand.csv, and cells to mark, be it because their test
gave no mark, are in the gradebook until they are marked.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from autograder.terminal.report import Reason

KEY = "autograder"
_REASONS, _BEGUN, _UNGRADABLE = "needs_a_person", "unfinished", "ungradable"
_ADDED, _LOST = "added_back", "lost_tests"


def begin(nb: NotebookNode, ungradable: bool, added: Sequence[str]) -> None:
    """Marks a notebook whose cells are restored and not yet graded; `added` names cells that were not in it."""
    nb.metadata[KEY] = {_BEGUN: True, _UNGRADABLE: ungradable, _ADDED: list(added)}


def end(nb: NotebookNode) -> None:
    """The notebook is graded: the file that is written next is final."""
    _of(nb).pop(_BEGUN, None)


def is_finished(file: Path) -> bool:
    """Whether a file is a graded notebook as the last step of grading writes it, and all of it."""
    try:
        return not json.loads(file.read_bytes())["metadata"].get(KEY, {}).get(_BEGUN)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def is_ungradable(nb: NotebookNode) -> bool:
    return bool(_of(nb).get(_UNGRADABLE))


def added(nb: NotebookNode) -> list[str]:
    """The names of cells that the student's notebook did not have."""
    return list(_of(nb).get(_ADDED, ()))


def lose(nb: NotebookNode, tests: Mapping[str, str]) -> None:
    """Keeps which tests were ended before they gave a mark, by the name of their cell, and why."""
    if tests:
        nb.metadata[KEY] = {**_of(nb), _LOST: dict(tests)}


def lost(nb: NotebookNode) -> dict[str, str]:
    """The tests that `lose` has kept."""
    return dict(_of(nb).get(_LOST, {}))


def write(nb: NotebookNode, reasons: Iterable[Reason]) -> None:
    """Puts the reasons into a notebook that is being graded."""
    names = [reason.name for reason in Reason if reason in reasons]
    if names:
        nb.metadata[KEY] = {**_of(nb), _REASONS: names}


def read(folder: Path) -> set[Reason]:
    """The reasons in the graded notebooks of a folder."""
    found: set[str] = set()
    for file in folder.glob("*.ipynb"):
        try:
            found.update(json.loads(file.read_bytes())["metadata"][KEY][_REASONS])
        except (OSError, ValueError, KeyError, TypeError):
            continue  # it was graded without this package, or holds no reason
    return {reason for reason in Reason if reason.name in found}


def _of(nb: NotebookNode) -> Any:
    return nb.metadata.get(KEY, {})
