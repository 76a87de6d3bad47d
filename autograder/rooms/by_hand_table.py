"""Prints the instructor's list of answers that may not be by hand as a table, at the end of a run.

Every cell of it may be a student's text, and goes through `shown`.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from autograder import by_hand_list
from autograder.gradebook import spreadsheet
from autograder.terminal import show
from autograder.terminal.words import shown

MOST = 20
"""Most rows that the terminal shows."""
_COLUMNS = ("student", "question", "outcome", "rule", "line", "source")


def print_table(file: Path, students: Collection[str] | None = None) -> None:
    """Prints at most `MOST` rows of the list, for these `students` (default: all); or why it cannot."""
    try:
        rows = by_hand_list.read(file)
    except spreadsheet.CannotRead as error:
        show(str(error))
        return
    if students is not None:
        those = {spreadsheet.harmless(student) for student in students}
        rows = [row for row in rows if row["student"] in those]
    if not rows:
        return
    cut = [[shown(row[c], 60) for c in _COLUMNS] for row in rows[:MOST]]
    widths = [max(len(c), *(len(row[i]) for row in cut)) for i, c in enumerate(_COLUMNS)]
    show(f"\nBy hand: {len(rows)} to look at, also in {file}")
    for line in (list(_COLUMNS), *cut):
        show("  " + "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())
    if len(rows) > MOST:
        show(f"  ... and {len(rows) - MOST} more")
