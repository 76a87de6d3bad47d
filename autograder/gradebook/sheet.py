"""Which file of a learning management system this is, where its grades stand, and whom each of its lines is about.

Sources: Canvas's `lib/gradebook_importer.rb` and `lib/gradebook_exporter.rb`; Moodle's
`mod/assign/feedback/offline/importgradeslib.php` and `grade/import/csv/classes/load_data.php`. Moodle writes headings
in the teacher's language, so there people are found by their addresses.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from autograder import class_list
from autograder.gradebook.cells import CannotFill, Cells

CANVAS, WORKSHEET, MOODLE = "Canvas's gradebook", "Moodle's grading worksheet", "Moodle's gradebook"
NO_COLUMN = "{file} ({kind}) has no single column for {wanted}. Name it with --column; it may be one of: {columns}."
NOBODY = (
    "No line of {file} ({kind}) has the user name or the e-mail address of a student of the gradebook. Moodle's files "
    "hold them if your site shows them to teachers; `autograder roster` gives the gradebook addresses."
)
_TITLE = re.compile(r"(.*?)(?: \(\d+\))?", re.DOTALL)
_READ_ONLY = re.compile(r"\(?read\s+only\)?", re.IGNORECASE)
_TOTALS = re.compile(r"\b(?:Current|Final|Override) (?:Score|Points|Grade|Status)\b")
_PARTICIPANT = re.compile(r"\D+\d+")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
_POINTS_POSSIBLE = "Points Possible"


@dataclass(frozen=True)
class Person:
    """A student of the gradebook."""

    id: str
    email: str = ""
    lms_user_id: str = ""


@dataclass
class Sheet:
    """`column` holds the grades; `lines` are the rows that are about somebody."""

    kind: str
    column: int
    lines: list[int]
    most: dict[int, float] = field(default_factory=dict)
    """The most points that the system takes, by line, where the file says so."""
    of: dict[int, str] = field(default_factory=dict)
    """The student that a line is about."""
    doubtful: dict[int, str] = field(default_factory=dict)
    """Why it is not certain whom a line is about."""


def read(cells: Cells, assignment: str, column: str, people: Sequence[Person]) -> Sheet:
    """The sheet that a file is. CannotFill if its column of grades, or everybody in it, is not found."""
    top = [cell.value.strip() for cell in cells.rows[0]] if cells.rows else []
    lines = [at for at, row in enumerate(cells.rows) if at and any(cell.value.strip() for cell in row)]
    points = next((at for at in lines[:3] if _POINTS_POSSIBLE in cells.rows[at][0].value), None)
    if points is not None or {"Section", "ID"} <= set(top[:9]):
        sheet = _canvas(cells, column or assignment, top, lines, points)
    elif top and lines and all(_PARTICIPANT.fullmatch(cells.value(at, 0)) for at in lines):
        sheet = _worksheet(cells, column or "Grade", top, lines)
    else:
        word = re.compile(rf"(?<!\w){re.escape(assignment)}(?!\w)", re.IGNORECASE)

        def is_it(name: str) -> bool:
            return name == column if column else bool(word.search(name)) and "feedback" not in name.casefold()

        sheet = Sheet(MOODLE, _one(cells.name, MOODLE, column or assignment, top, is_it), lines)
    _match(cells, sheet, top, people)
    if not sheet.of and not sheet.doubtful:
        raise CannotFill(NOBODY.format(file=cells.name, kind=sheet.kind))
    return sheet


def decimal_sign(cells: Cells) -> str:
    """A comma if the file writes its numbers so, else a point."""
    numbers = [cell.value.strip() for row in cells.rows[1:] for cell in row if _NUMBER.fullmatch(cell.value.strip())]
    return "," if any("," in n for n in numbers) and not any("." in n for n in numbers) else "."


def _worksheet(cells: Cells, wanted: str, top: list[str], lines: list[int]) -> Sheet:
    """The column beside the grades is the maximum."""
    at = _one(cells.name, WORKSHEET, wanted, top, lambda name: name == wanted)
    most = {line: most_of for line in lines if (most_of := number(cells.value(line, at + 1))) is not None}
    return Sheet(WORKSHEET, at, lines, most if len(set(most.values())) == 1 else {})


def _canvas(cells: Cells, wanted: str, top: list[str], lines: list[int], points: int | None) -> Sheet:
    """Lines above the points possible are about no student, nor is that line: it would change the assignment."""
    first = top.index("Section") + 1 if "Section" in top else 0

    def open_to_all(at: int) -> bool:
        locked = points is not None and _READ_ONLY.search(cells.value(points, at))
        return at >= first and not locked and not _TOTALS.search(top[at])

    names = [name if open_to_all(at) else "" for at, name in enumerate(top)]
    at = _one(cells.name, CANVAS, wanted, names, lambda name: wanted.casefold() in (name.casefold(), _title(name)))
    people = [line for line in lines if points is None or line > points]
    possible = number(cells.value(points, at)) if points is not None else None
    return Sheet(CANVAS, at, people, {} if possible is None else dict.fromkeys(people, possible))


def _title(name: str) -> str:
    found = _TITLE.fullmatch(name.casefold())
    return found[1] if found else ""


def _one(file: str, kind: str, wanted: str, top: Iterable[str], is_it: Callable[[str], bool]) -> int:
    names = list(top)
    found = [at for at, name in enumerate(names) if name and is_it(name)]
    if len(found) != 1:
        columns = ", ".join(f'"{names[at]}"' for at in found) or ", ".join(f'"{name}"' for name in names if name)
        raise CannotFill(NO_COLUMN.format(file=file, kind=kind, wanted=wanted, columns=columns))
    return found[0]


def _match(cells: Cells, sheet: Sheet, top: list[str], people: Sequence[Person]) -> None:
    """Finds each line's student left of the grades: by address anywhere, by user name below a heading that says so.

    A first name may be another student's user name. `ID` is Canvas's own number, and in other files a user name.
    """
    addresses = {p.email.casefold(): p.id for p in people if "@" in p.email}
    names = addresses | {p.id.casefold(): p.id for p in people}
    numbers = {p.lms_user_id: p.id for p in people if p.lms_user_id}
    by = [names if class_list.normalised(heading) in class_list.USER_NAMES else addresses for heading in top]
    if sheet.kind == CANVAS and "ID" in top:
        by[top.index("ID")] = numbers
    for line in sheet.lines:
        cells_of = [(at, cells.value(line, at).casefold()) for at in range(min(sheet.column, len(cells.rows[line])))]
        found = {by[at][said] for at, said in cells_of if said in by[at]}
        if len(found) == 1:
            sheet.of[line] = found.pop()
        elif found:
            sheet.doubtful[line] = f"it names {' and '.join(sorted(found))}"
    for student in set(sheet.of.values()):
        same = [line for line, whose in sheet.of.items() if whose == student]
        for line in same if len(same) > 1 else ():
            del sheet.of[line]
            sheet.doubtful[line] = f"{student} has {len(same)} lines"


def number(text: str) -> float | None:
    """A number as these systems write it, with a point or a comma; None if it is none."""
    return float(text.replace(",", ".")) if _NUMBER.fullmatch(text) else None
