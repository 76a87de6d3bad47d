"""What Canvas and Moodle do with a file of grades, as far as their sources say; a model of each importer.

Canvas: `lib/gradebook_importer.rb`. Moodle: `importgradeslib.php` and `locallib.php` of `mod/assign/feedback/offline`
for the grading worksheet, `grade/import/csv/classes/load_data.php` for the gradebook, `unformat_float` for numbers.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, field


class Refused(Exception):
    """The importer takes nothing of the file."""


@dataclass
class Canvas:
    """`points` are an assignment's points before, `grades` the grades before by Canvas's number of a student."""

    points: float
    grades: dict[str, str]
    changes: dict[str, str] = field(default_factory=dict)

    def read(self, raw: bytes, column: str) -> None:
        text = raw.decode("utf-8-sig")
        first = text.splitlines()[:3]
        sizes = {d: {len(row) for row in csv.reader(first, delimiter=d)} for d in ";,"}
        even = {d: max(found) if len(found) == 1 else 0 for d, found in sizes.items()}
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=";" if even[";"] > even[","] else ","))
        top = rows[0]
        if not (len(top) > 3 and "Student" in top[0] and "ID" in top[1]) or "Section" not in top:
            raise Refused("Invalid header row")
        at = top.index(column)
        for row in rows[1:]:
            if "Points Possible" in row[0]:
                self.points = float(self._decimal(row[at]))
            elif not all(re.fullmatch(r"\s*(Muted|Manual Posting.*)?\s*", cell, re.IGNORECASE) for cell in row):
                self._student(row[1], self._decimal(row[at].strip()))

    def _student(self, number: str, new: str) -> None:
        old = self.grades.get(number, "")
        same = new == old or (new in ("", "-") and old in ("", "-"))
        if not same and old and new and "EX" not in (old.upper(), new.upper()):
            same = f"{float(old):.2f}" == f"{float(new):.2f}"
        if not same:
            self.changes[number] = new

    @staticmethod
    def _decimal(cell: str) -> str:
        """The last point or comma is the decimal sign, whatever it was meant for."""
        if not re.fullmatch(r"-?[0-9.,]+%?", cell):
            return cell
        *before, last = re.split("[,.]", cell)
        return f"{''.join(before)}.{last}" if before else last


def unformat(text: str, decimal_sign: str) -> float | None:
    """A number as Moodle reads it in a language with this decimal sign; None if it is none."""
    text = text.strip().replace(" ", "").replace("\N{NO-BREAK SPACE}", "").replace(decimal_sign, ".")
    return float(text) if re.fullmatch(r"-?\d*\.?\d+", text) else None


@dataclass
class Worksheet:
    """An assignment of Moodle's; `headings`: Identifier, Grade and Last modified (grade) in the teacher's language."""

    headings: tuple[str, str, str]
    most: float
    decimal_sign: str = "."
    locked: frozenset[str] = frozenset()
    grades: dict[str, float] = field(default_factory=dict)

    def read(self, raw: bytes) -> None:
        rows = list(csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline="")))
        if not set(self.headings) <= set(rows[0]):
            raise Refused("invalidgradeimport")
        who, grade, _ = map(rows[0].index, self.headings)
        for row in rows[1:]:
            number = unformat(row[grade], self.decimal_sign)
            if number is not None and 0 <= number <= self.most and row[who] not in self.locked:
                self.grades[row[who]] = number  # every other line is left out without a word


def moodle_gradebook(raw: bytes, by: str, column: str, people: set[str], decimal_sign: str = ".") -> dict[str, float]:
    """The grades that an import of the gradebook sets, by the column `by`; `Refused` if one person is unknown."""
    found = {}
    for row in csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline="")):
        if row[by] not in people:
            raise Refused(f"usermappingerror {row[by]}")
        if row[column] not in ("", "-"):
            number = unformat(row[column], decimal_sign)
            if number is None:
                raise Refused("badgrade")
            found[row[by]] = number
    return found
