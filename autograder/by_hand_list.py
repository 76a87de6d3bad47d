"""Keeps by_hand.csv, the instructor's list of answers that may not be by hand.

It quotes students' code, so `gradebook.spreadsheet` writes it without formulas. nbgrader_config.py names `ListFindings`
in `Autograde.autograde_preprocessors`, so nbgrader runs it after a notebook was executed. If a submission is graded
again, its rows are replaced.

The list never costs a grade: one that cannot be read is set aside, and what cannot be listed is said on the terminal.
"""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from nbgrader.preprocessors import NbGraderPreprocessor

from autograder.by_hand.rules import FINDINGS, MOST_FINDINGS, MOST_SOURCE
from autograder.errors import AutograderError
from autograder.gradebook import spreadsheet

FILE = "by_hand.csv"
COLUMNS = ("student", "assignment", "notebook", "question", "outcome", "rule", "line", "source")
SET_ASIDE = (
    "{file} could not be read ({why}). It is {aside} now, and a new list is begun; --force lists again those who were "
    "graded before."
)
NOT_SET_ASIDE = (
    "{file} could not be read ({why}) and not be renamed ({error}): nothing is listed until you move it away."
)
Finding = tuple[dict[str, str], list[dict[str, Any]]]
"""Student, assignment and notebook, and the rows of that notebook."""
Note = Callable[[str, str], object]
NOT_LISTED = "what may not be by hand could not be listed: {why}"


class ListFindings(NbGraderPreprocessor):  # type: ignore[misc]  # nbgrader ships no types
    """An nbgrader preprocessor that moves the findings from the graded notebook to the list."""

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """Moves the findings; nbgrader passes the notebook and in `resources` the student, assignment and notebook."""
        who = {k: resources["nbgrader"][k] for k in ("student", "assignment", "notebook")}
        rows = []
        for cell in nb.cells:
            marks = cell.metadata.get("nbgrader", {})
            if not marks.get("grade") or marks.get("solution"):
                continue  # only outputs of the course's tests count: a student's cell could imitate one
            kept = [o for o in cell.get("outputs", []) if FINDINGS not in o.get("data", {})]
            for output in cell.get("outputs", []):
                rows += _rows(output.get("data", {}).get(FINDINGS))
            if "outputs" in cell:
                cell.outputs = kept
        self.parent.list_findings(who, [{**row, **who} for row in rows])
        return nb, resources


def enter(file: Path, found: Sequence[Finding], note: Note, not_listed: Note) -> None:
    """Puts the findings into the list; both functions are told, of a student, what has gone wrong."""
    if not found:
        return
    if aside := set_aside(file):
        note(found[0][0]["student"], aside)
    try:
        replace(file, found)
    except (AutograderError, OSError) as error:
        for who, rows in found:
            if rows:
                not_listed(who["student"], NOT_LISTED.format(why=error))


def _rows(text: Any) -> list[dict[str, Any]]:
    """The findings in one output, the first of them if they are many; empty if it has none."""
    try:
        found = json.loads(text) if isinstance(text, str) else []
    except ValueError:
        return []
    return [row for row in found[:MOST_FINDINGS] if isinstance(row, dict)] if isinstance(found, list) else []


def replace(file: Path, found: Sequence[Finding]) -> None:
    """Replaces the rows of these notebooks in `file`; a lock file lets several graders run at once."""
    if not file.exists() and not any(rows for _, rows in found):
        return
    with open(file.with_suffix(".lock"), "w", encoding="utf-8") as lock:
        _lock(lock.fileno())
        before = read(file)
        again = {_whose(who) for who, _ in found}
        kept = [row for row in before if _whose(row) not in again]
        if (after := kept + [_row(row) for _, rows in found for row in rows]) != before:
            spreadsheet.write(file, COLUMNS, after)


def _whose(row: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(spreadsheet.harmless(row[k]) for k in ("student", "assignment", "notebook"))


def _row(row: dict[str, Any]) -> dict[str, str]:
    texts = {k: "" if row.get(k) is None else str(row[k]) for k in COLUMNS}
    return {k: spreadsheet.harmless(text[:MOST_SOURCE] if k == "source" else text) for k, text in texts.items()}


def read(file: Path) -> list[dict[str, str]]:
    """The rows of the list; empty if there is no file, `spreadsheet.CannotRead` if the file is not such a list."""
    return spreadsheet.read(file, COLUMNS)


def set_aside(file: Path) -> str:
    """Renames a list that cannot be read, and returns the sentence that says so; "" if it can be read."""
    try:
        read(file)
        return ""
    except spreadsheet.CannotRead as error:
        why = error.why
    free = (file.with_name(f"{file.stem}-unread-{n}{file.suffix}") for n in itertools.count(1))
    aside = next(name for name in free if not name.exists())
    try:
        file.rename(aside)
    except OSError as error:
        return NOT_SET_ASIDE.format(file=file.name, why=why, error=error.strerror)
    return SET_ASIDE.format(file=file.name, why=why, aside=aside.name)


def _lock(descriptor: int) -> None:
    if os.name == "posix":
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX)
