"""Reads a class list, a CSV file with one student a line; a line that is wrong is an error, never skipped."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path

COLUMNS = ("username", "first_name", "last_name", "email")
SHORT = {"first": "first_name", "last": "last_name"}
# Accounts of the machine and of the hub itself: no person may have one of these.
RESERVED = re.compile(r"root|nobody|coursehub|grader-.*")
USERNAME = re.compile(r"[a-z_][a-z0-9_.-]{0,30}")


class RosterError(ValueError):
    """A roster that cannot be used; the text names the file, the line and the remedy."""


@dataclass(frozen=True)
class Student:
    """A student, with the fields of the gradebook."""

    username: str
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None


def read_roster(path: Path) -> list[Student]:
    """The students in the CSV file at `path`, which has a header line with at least `username`."""
    try:
        text = path.read_text(encoding="utf-8-sig")  # spreadsheets write a byte order mark
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise RosterError(
            f"the roster {path} cannot be read ({reason}); correct its name, or save it as CSV."
        ) from None
    lines = csv.reader(text.splitlines())
    header = [SHORT.get(name.strip().lower(), name.strip().lower()) for name in next(lines, [])]
    if "username" not in header:
        raise RosterError(f"{path.name} line 1: expected a header such as `username,first_name,last_name,email`.")
    unknown = [name for name in header if name not in COLUMNS]
    if unknown:
        raise RosterError(f"{path.name} line 1: unknown column `{unknown[0]}`; the columns are {', '.join(COLUMNS)}.")
    students: dict[str, Student] = {}
    for row in lines:
        if not any(cell.strip() for cell in row):
            continue
        values = {name: cell.strip() or None for name, cell in zip(header, row, strict=False)}
        username = values.get("username") or ""
        here = f"{path.name} line {lines.line_num}"
        if len(row) > len(header):
            raise RosterError(f"{here}: {len(row)} values for {len(header)} columns; quote values that hold a comma.")
        if not USERNAME.fullmatch(username):
            raise RosterError(f"{here}: `{username}` is not a Linux user name: small letters, digits, - _ .")
        if RESERVED.fullmatch(username):
            raise RosterError(f"{here}: `{username}` is an account of the machine; choose another user name.")
        if username in students:
            raise RosterError(f"{here}: `{username}` is in the file twice; remove one line.")
        students[username] = Student(username, *(values.get(name) for name in COLUMNS[1:]))
    return list(students.values())
