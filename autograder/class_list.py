"""Reads a class list for all commands, so that each finds the same user names; an error names the first wrong line.

The list is CSV as written by spreadsheets, Moodle (participants, grading worksheet) and Canvas (gradebook): UTF-8 with
or without a byte order mark, or UTF-16, with commas, semicolons or tabs.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path

from autograder.errors import AutograderError

# The headings that are understood, reduced to letters and digits; the first one found is used.
USER_NAMES = ("username", "login", "loginid", "sisloginid", "studentid", "userid", "sisuserid", "id", "idnumber")
HEADINGS = {
    "first_name": ("firstname", "first", "givenname", "forename"),
    "last_name": ("lastname", "last", "surname", "familyname"),
    "email": ("email", "emailaddress", "mail"),
    "lms_user_id": ("lmsuserid",),
    "participant": ("identifier",),  # Moodle's grading worksheet: "Participant 17"
    "full": ("student", "name", "fullname", "studentname"),  # Canvas: "Lovelace, Ada"
}
CANVAS = {"loginid", "sisloginid", "sisuserid"}  # if one of these is present, ID is Canvas's own number
LONGEST = 128  # characters of a field, as in nbgrader's database


class RosterError(AutograderError):
    """A class list cannot be used; the text names the file, the line and the remedy."""


@dataclass(frozen=True)
class Student:
    """A line of the list, with the gradebook's field names; `participant` is Moodle's number if names are hidden."""

    id: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    lms_user_id: str = ""
    participant: str = ""


@dataclass(frozen=True)
class UserNames:
    """Which user names a command allows, and the same rule in words.

    `option` is the command's option that names the column. `instead(email, full_name)` makes a missing user name.
    """

    allowed: re.Pattern[str]
    rule: str
    option: str = ""
    instead: Callable[[str, str], str] | None = None


def read(file: Path, names: UserNames, column: str = "") -> list[Student]:
    """The students of the list; `column` is the heading of the user names if it is none of USER_NAMES.

    RosterError if the file cannot be read or a line is wrong.
    """
    (_, top), *rows = _rows(file) or [(1, [])]
    at = _columns(top, column)
    if at["id"] < 0 and not (names.instead and max(at["email"], at["full"]) >= 0):
        seen = ", ".join(heading for heading in top if heading) or "missing"
        other = f"; or say which column it is: {names.option} HEADING" if names.option else ""
        raise RosterError(
            f"{file}, line 1: no column {column or 'with the user names'}; the headings are {seen}. Expected are "
            f"headings such as username, first_name, last_name, email{other}."
        )
    found: dict[str, tuple[int, Student]] = {}
    for line, row in rows:
        values = {key: row[i].strip() if 0 <= i < len(row) else "" for key, i in at.items()}
        full, here = values["full"], f"{file}, line {line}"
        called = full or f"{values['first_name']} {values['last_name']}".strip()
        name = values["id"] or (names.instead(values["email"], called) if names.instead else "")
        # Canvas writes two lines above the students: "Manual Posting", and the points possible.
        empty = not {cell.strip().casefold() for cell in row} - {"", "manual posting"}
        if empty or full.casefold() == "points possible":
            continue
        if not name:
            raise RosterError(f"{here}: the user name is missing. Fill it in or remove the line.")
        if not names.allowed.fullmatch(name) or max(map(len, values.values())) > LONGEST:
            other = f", or name another column with {names.option}" if names.option else ""
            raise RosterError(
                f"{here}: {name[:40]!r} cannot be a user name ({names.rule}; at most {LONGEST} characters in each "
                f"column). Correct the line{other}."
            )
        if name in found:
            raise RosterError(f"{here}: {name} stands in line {found[name][0]} too. Remove one of them.")
        if min(at["last_name"], at["first_name"]) < 0 or not (values["last_name"] or values["first_name"]):
            last, comma, first = full.partition(",")
            if not comma:
                first, _, last = full.rpartition(" ")
            values["last_name"] = values["last_name"] or last.strip()
            values["first_name"] = values["first_name"] or first.strip()
        values |= {"id": name, "participant": re.findall(r"\d*$", values["participant"])[0]}
        found[name] = line, Student(**{field.name: values[field.name] for field in fields(Student)})
    if not found:
        raise RosterError(f"{file} holds no student below its first line.")
    return [student for _, student in found.values()]


def headings(file: Path) -> str:
    """The headings of the list as written in the file, separated by commas."""
    return ", ".join(heading for heading in (_rows(file) or [(1, [])])[0][1] if heading)


def _rows(file: Path) -> list[tuple[int, list[str]]]:
    """The rows, each with the number of its last line."""
    try:
        raw = file.read_bytes()
        text = raw.decode("utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig").splitlines()
        lines = csv.reader(text, delimiter=max(",;\t", key="".join(text[:1]).count))
        return [(lines.line_num, row) for row in lines]
    except OSError as error:
        raise RosterError(f"{file} cannot be read: {error.strerror}. Correct its name.") from None
    except UnicodeDecodeError:
        raise RosterError(f"{file} is not UTF-8 text. In a spreadsheet save it as `CSV UTF-8`.") from None
    except csv.Error as error:
        raise RosterError(f"{file}, line {lines.line_num}: not CSV ({error}). Save the list as CSV again.") from None


def _columns(top: list[str], column: str) -> dict[str, int]:
    """The index of the column of each field of Student and of the full name; -1 if there is none."""
    headings = [normalised(heading) for heading in top]
    wanted = {"id": (normalised(column),) if column else USER_NAMES, **HEADINGS}
    if CANVAS & set(headings):
        wanted["lms_user_id"] += ("id",)
    at = {key: next((headings.index(n) for n in names if n in headings), -1) for key, names in wanted.items()}
    return at | {"lms_user_id": -1 if at["lms_user_id"] == at["id"] else at["lms_user_id"]}


def normalised(heading: str) -> str:
    """A heading reduced to small letters and digits."""
    return "".join(c for c in heading.casefold() if c.isalnum())
