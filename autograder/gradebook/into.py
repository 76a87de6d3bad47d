"""`autograder grades ps1 --into FILE`: fills in one column of the gradebook file that Canvas or Moodle has given.

A learning management system takes such a file back, and what it then does is not what one would expect: Canvas changes
the assignment where the line of points differs, and takes an empty cell over a grade for a change; Moodle leaves out
lines without a word. So only grades that are final and certain are written, every other byte of the file stays, and
whoever is left as they were is named with the reason.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nbgrader.api import Student
from sqlalchemy import select

from autograder.gradebook import reading, sheet, spreadsheet
from autograder.gradebook.cells import Cells
from autograder.gradebook.export import listed
from autograder.gradebook.grades import table, ungraded

FILLED = "{file} ({kind}), column {column}: {new} filled in, {changed} changed, {same} as they were."
CHANGED = "Changed: {students}."
LEFT = "Left as it was, {why}: {students}."
OTHER_POINTS = (
    "{kind} has {theirs:g} points for it and the gradebook {ours:g}: grades are written as points of the gradebook."
)
NOT_THERE = "Not in {file}: {students}."
EXCUSED = ("EX", "N/A")


def into(assignment: str, file: Path, column: str, to: str, tell: Callable[[str], None]) -> int:
    """Writes into `file`, or from it into the file `to`; returns 1 if a line was left that a person should look at.

    CannotFill if it is no file of Canvas's or Moodle's, GradebookError if the gradebook cannot be read.
    """
    coursedir = reading.course_here()
    with reading.opened(coursedir.db_url, assignment) as session:
        found = reading.find(session, assignment)
        waiting = ungraded(coursedir, session, found)
        rows = {str(row["student_id"]): row for row in table(session, found, (), waiting).rows}
        people = [
            sheet.Person(student.id, student.email or "", student.lms_user_id or "")
            for student in session.scalars(select(Student))
        ]
    cells = Cells(file)
    made = sheet.read(cells, assignment, column, people)
    sign = sheet.decimal_sign(cells)
    values: dict[tuple[int, int], str] = {}
    told: dict[str, list[str]] = defaultdict(list)
    changes: list[str] = []
    same = 0
    for line in made.lines:
        student = made.of.get(line)
        now = cells.value(line, made.column)
        why = _why_not(made, line, rows.get(student or ""), now, student in waiting)
        if why or student is None:
            told[why].append(student or _who(cells, line))
            continue
        score, number = spreadsheet.cell(rows[student]["score"]), sheet.number(now)
        if number is not None and spreadsheet.cell(number) == score:
            same += 1
            continue
        values[line, made.column] = score.replace(".", sign)
        if now not in ("", "-"):
            changes.append(f"{student} {now} → {score}")
    target = Path(to) if to else file
    spreadsheet.replace(target, cells.changed(values))
    new = len(values) - len(changes)
    name = cells.rows[0][made.column].value.strip()
    tell(FILLED.format(file=target, kind=made.kind, column=name, new=new, changed=len(changes), same=same))
    for line_of in _notes(made, rows, changes, told, file):
        tell(line_of)
    return int(any(told))


def _why_not(made: sheet.Sheet, line: int, row: Any, now: str, waiting: bool) -> str:
    """Why a line is left as it is; "" if its grade is to be written."""
    if line in made.doubtful:
        return f"because {made.doubtful[line]}"
    if row is None:
        return "because nobody of the gradebook has this user name or address"
    if now.upper() in EXCUSED:
        return f"because the file says {now}"
    if waiting:
        return "because the work is handed in and not graded yet"
    if not row["handed_in"]:
        return "because nothing was handed in"
    if row["needs_manual_grade"]:
        return "because a person still has to mark cells"
    most = made.most.get(line)
    if made.kind == sheet.WORKSHEET and most is not None and row["score"] > most:
        return f"because Moodle takes at most {most:g} points and leaves such a line out without a word"
    return ""


def _notes(
    made: sheet.Sheet, rows: dict[str, Any], changes: list[str], told: dict[str, list[str]], file: Path
) -> list[str]:
    lines = [CHANGED.format(students=listed(changes))] if changes else []
    lines += [LEFT.format(why=why, students=listed(students)) for why, students in told.items()]
    ours = {float(str(row["max_score"])) for row in rows.values()}
    theirs = set(made.most.values())
    if len(ours) == len(theirs) == 1 and ours != theirs:
        lines.append(OTHER_POINTS.format(kind=made.kind, theirs=theirs.pop(), ours=ours.pop()))
    certain = {*made.of.values()}
    missing = [student for student, row in rows.items() if student not in certain and row["handed_in"]]
    if missing:
        lines.append(NOT_THERE.format(file=file.name, students=listed(missing)))
    return lines


def _who(cells: Cells, line: int) -> str:
    """A line as a person finds it: its number and first cells."""
    shown = " ".join(cell.value.strip() for cell in cells.rows[line][:2])
    return f"line {line + 1} ({spreadsheet.harmless(shown)[:60]})"
