"""A class list goes into the gradebook whole, or its first wrong line is named and nothing does.

The list is CSV as spreadsheets, Moodle and Canvas write it: UTF-8 with or without a byte order mark, commas, semicolons
or tabs. (`nbgrader db student import` takes one heading, `id`, and does not find it behind a byte order mark.)
"""

from __future__ import annotations

import csv
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from autograder._errors import AutograderError
from autograder.gradebook.reading import course_here, sqlite_file

# What a heading can be called, the surer name first: Canvas has its own number under ID beside the login.
USER_NAMES = (
    *("username", "user name", "login", "login id", "sis login id"),
    *("student id", "user id", "sis user id", "id", "id number"),
)
HEADINGS = {
    "first_name": ("first name", "firstname", "first", "given name", "forename"),
    "last_name": ("last name", "lastname", "last", "surname", "family name"),
    "email": ("email", "e mail", "email address", "e mail address", "mail"),
    "lms_user_id": ("lms user id", "id"),
}
FULL_NAMES = ("student", "name", "full name", "student name")  # Canvas: "Lovelace, Ada"
LONGEST = 128  # of a column of the gradebook
_NAME = re.compile(r"[^/\\+\s.][^/\\+\x00-\x1f]*")


class RosterError(AutograderError):
    """A class list that cannot be used; the text names the file, the line and the remedy."""


@dataclass(frozen=True)
class Student:
    """A line of the list; only what it tells is in `known`."""

    name: str
    known: dict[str, str] = field(default_factory=dict)


def import_roster(file: str, column: str = "") -> int:
    """Reads the list into the gradebook and says what was new."""
    students = list(read_roster(Path(file), column))
    coursedir = course_here()
    # nbgrader looks for `alembic` on PATH when it makes a gradebook; it is there only in an activated environment.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    from nbgrader.api import Gradebook

    with Gradebook(coursedir.db_url, coursedir.course_id) as gradebook:
        before = {student.id for student in gradebook.students}
        for student in students:
            gradebook.update_or_create_student(student.name, **student.known)
    new = [s.name for s in students if s.name not in before]
    others = sorted(before - {s.name for s in students})
    where = sqlite_file(coursedir.db_url)
    print(f"Read {len(students)} students into {where.name if where else 'the gradebook'}: {len(new)} of them new.")
    if others:
        print(f"In the gradebook, but not in {Path(file).name}: {', '.join(others)}. Nobody was removed.")
    return 0


def read_roster(file: Path, column: str = "") -> Iterator[Student]:
    """The students of the list; `column` is the heading of their user names where it is not one of USER_NAMES."""
    lines = csv.reader(text := _text(file).splitlines(), delimiter=_delimiter(text))
    top = next(lines, [])
    headings = [_plain(heading) for heading in top]
    at = {
        key: next((headings.index(name) for name in names if name in headings), -1)
        for key, names in {"": (_plain(column),) if column else USER_NAMES, **HEADINGS, "full": FULL_NAMES}.items()
    }
    if at[""] < 0:
        seen = ", ".join(heading for heading in top if heading) or "missing"
        raise RosterError(
            f"{file}, line 1: no column {column or 'with the user names'}; the headings are {seen}. Expected are "
            "headings such as username, first_name, last_name, email; or say which column it is: --id HEADING."
        )
    if at["lms_user_id"] == at[""]:
        at["lms_user_id"] = -1
    seen_at: dict[str, int] = {}
    for row in lines:
        values = {key: row[i].strip() if 0 <= i < len(row) else "" for key, i in at.items()}
        if not any(cell.strip() for cell in row) or values["full"].casefold() == "points possible":
            continue
        name, here = values[""], f"{file}, line {lines.line_num}"
        if not name:
            raise RosterError(f"{here}: the user name is missing. Fill it in or remove the line.")
        if not _NAME.fullmatch(name) or max(map(len, values.values())) > LONGEST:
            raise RosterError(
                f"{here}: {name[:40]!r} cannot be a user name (no / \\ + and no dot in front; at most {LONGEST} "
                "characters in each column). Correct the line, or name another column with --id."
            )
        if name in seen_at:
            raise RosterError(f"{here}: {name} stands in line {seen_at[name]} too. Remove one of them.")
        seen_at[name] = lines.line_num
        if not values["last_name"] and not values["first_name"]:
            last, comma, first = values["full"].partition(",")
            if not comma:
                first, _, last = values["full"].rpartition(" ")
            values["last_name"], values["first_name"] = last.strip(), first.strip()
        yield Student(name, {key: values[key] for key in HEADINGS if values[key]})
    if not seen_at:
        raise RosterError(f"{file} holds no student below its first line.")


def _text(file: Path) -> str:
    try:
        raw = file.read_bytes()
        return raw.decode("utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except OSError as error:
        raise RosterError(f"{file} cannot be read: {error.strerror}. Correct its name.") from None
    except UnicodeDecodeError:
        raise RosterError(f"{file} is not UTF-8 text. In a spreadsheet save it as `CSV UTF-8`.") from None


def _delimiter(lines: list[str]) -> str:
    first = lines[0] if lines else ""
    return max(",;\t", key=first.count)


def _plain(heading: str) -> str:
    return re.sub(r"[\W_]+", " ", heading).strip().casefold()
