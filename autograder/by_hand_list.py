"""Keeps by_hand.csv, the instructor's list of answers that may not be by hand, and prints it as a table.

It quotes students' code, so `gradebook.spreadsheet` writes it without formulas. nbgrader_config.py names `ListFindings`
in `Autograde.autograde_preprocessors`, so nbgrader runs it after a notebook was executed. If a submission is graded
again, its rows are replaced.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from pathlib import Path
from typing import Any

from nbgrader.preprocessors import NbGraderPreprocessor

from autograder.by_hand.rules import FINDINGS
from autograder.gradebook import spreadsheet

FILE = "by_hand.csv"
MOST = 20
"""Most rows that the terminal shows."""
COLUMNS = ("student", "assignment", "notebook", "question", "outcome", "rule", "line", "source")


class ListFindings(NbGraderPreprocessor):  # type: ignore[misc]  # nbgrader ships no types
    """An nbgrader preprocessor that moves the findings from the graded notebook to the list."""

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """Moves the findings; nbgrader passes the notebook and in `resources` the student, assignment and notebook."""
        who = {k: resources["nbgrader"][k] for k in ("student", "assignment", "notebook")}
        rows = []
        for cell in nb.cells:
            if not cell.metadata.get("nbgrader", {}).get("grade"):
                continue  # only outputs of the course's tests count: a student's cell could imitate one
            kept = [o for o in cell.get("outputs", []) if FINDINGS not in o.get("data", {})]
            for output in cell.get("outputs", []):
                rows += _rows(output.get("data", {}).get(FINDINGS))
            if "outputs" in cell:
                cell.outputs = kept
        replace(Path(self.parent.parent.coursedir.root) / FILE, who, [{**who, **row} for row in rows])
        return nb, resources


def _rows(text: Any) -> list[dict[str, Any]]:
    """The findings in one output; empty if it has none."""
    try:
        found = json.loads(text) if isinstance(text, str) else []
    except ValueError:
        return []
    return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []


def replace(file: Path, who: dict[str, str], rows: list[dict[str, Any]]) -> None:
    """Replaces the rows of the submission `who` in `file`; a lock file lets several graders run at once."""
    if not rows and not file.exists():
        return
    with open(file.with_suffix(".lock"), "w") as lock:
        _lock(lock.fileno())
        before = read(file)
        kept = [row for row in before if any(row[k] != spreadsheet.harmless(v) for k, v in who.items())]
        new = [{k: "" if row.get(k) is None else spreadsheet.harmless(str(row[k])) for k in COLUMNS} for row in rows]
        if (after := kept + new) != before:
            spreadsheet.write(file, COLUMNS, after)


def read(file: Path) -> list[dict[str, str]]:
    """The rows of the list; empty if there is no file, `spreadsheet.CannotRead` if the file is not such a list."""
    return spreadsheet.read(file, COLUMNS)


def show(file: Path, students: Collection[str] | None = None) -> None:
    """Prints at most `MOST` rows of the list as a table, for these `students` (default: all)."""
    rows = read(file)
    if students is not None:
        those = {spreadsheet.harmless(student) for student in students}
        rows = [row for row in rows if row["student"] in those]
    if not rows:
        return
    columns = ("student", "question", "outcome", "rule", "line", "source")
    cut = [[row[c][:60] for c in columns] for row in rows[:MOST]]
    widths = [max(len(c), *(len(row[i]) for row in cut)) for i, c in enumerate(columns)]
    print(f"\nBy hand: {len(rows)} to look at, also in {file}")
    for line in (list(columns), *cut):
        print("  " + "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())
    if len(rows) > MOST:
        print(f"  ... and {len(rows) - MOST} more")


def _lock(descriptor: int) -> None:
    if os.name == "posix":
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX)
