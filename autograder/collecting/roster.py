"""Finds the student to whom the name on a file belongs; two students are never taken for one.

The roster is a class list (a CSV file), or the gradebook if it has names. Without a roster, the student's id is made
from the name on the file.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from autograder import class_list
from autograder.class_list import Student
from autograder.collecting.owners import CANVAS, MOODLE, Owner

_RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}


def find(owner: Owner, people: Iterable[Student]) -> list[Student]:
    """The students of `people` whom `owner` may be. With none, or several, the instructor has to decide."""
    people = list(people)
    number = {CANVAS: "lms_user_id", MOODLE: "participant"}.get(owner.system)
    if number and owner.number and (exact := [p for p in people if getattr(p, number) == owner.number]):
        return exact
    # A group's name may come before the student's name, followed by a hyphen in Moodle, by an underscore in Canvas.
    between = {MOODLE: "-", CANVAS: "_"}.get(owner.system)
    if found := [p for p in people if _keys(owner.label) & _all_keys(p)]:
        return found
    # After a group's name, only a full name counts: the end of `Ada Smith-Jones` may be another student's id.
    for at in (at for at, c in enumerate(owner.label) if c == between):
        if found := [p for p in people if _keys(owner.label[at + 1 :]) & _full_name_keys(p)]:
            return found
    return []


def _keys(name: str) -> set[str]:
    return {comparable(name), sorted_words(name)} - {""}


def _full_name_keys(student: Student) -> set[str]:
    """Keys of the first and last name in either order; empty if one of the two is not known."""
    first, last = student.first_name, student.last_name
    both = comparable(first) and comparable(last)
    return _keys(f"{first} {last}") | _keys(f"{last} {first}") if both else set()


def _all_keys(student: Student) -> set[str]:
    """Keys of the student's id, e-mail address and names."""
    first, last, email = student.first_name, student.last_name, student.email
    names = {student.id, email, email.partition("@")[0], f"{first} {last}", f"{last} {first}"}
    return {key for key in (*map(comparable, names), sorted_words(f"{first} {last}")) if key}


def comparable(text: str) -> str:
    """`text` with letters and digits only, without case and accents."""
    return "".join(c for c in _folded(text) if c.isalnum())


def sorted_words(text: str) -> str:
    """The words of a name in alphabetical order, because some systems put the last name first."""
    return " ".join(sorted(re.findall(r"\w+", _folded(text).replace("_", " "))))


def safe_id(label: str) -> str:
    """A student's id made from a name or an e-mail address: letters, digits and hyphens, at most 60; "" if none.

    Names that Windows reserves, such as `con`, get a suffix.
    """
    words = re.findall(r"[^\W_]+", _folded(label.partition("@")[0] if re.fullmatch(r"[^\s@]+@\S+", label) else label))
    made = "-".join(words)[:60].strip("-")
    return f"{made}-student" if made in _RESERVED else made


def _folded(text: str) -> str:
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    return unicodedata.normalize("NFC", "".join(c for c in folded if not unicodedata.combining(c)))


def from_gradebook(gradebook: Any) -> list[Student]:
    """The gradebook's students; empty if it has ids only, as grading adds them, because these cannot be matched."""
    from nbgrader.api import Student as Known
    from sqlalchemy import select

    people = [
        Student(s.id, s.first_name or "", s.last_name or "", s.email or "", s.lms_user_id or "")
        for s in gradebook.scalars(select(Known).order_by(Known.id))
    ]
    return people if any(p.first_name or p.last_name or p.email or p.lms_user_id for p in people) else []


def due(gradebook: Any, assignment: str) -> datetime | None:
    """When the assignment is due, in UTC; None if the gradebook does not say."""
    from nbgrader.api import Assignment
    from sqlalchemy import select

    found = gradebook.scalar(select(Assignment.duedate).where(Assignment.name == assignment))
    return found.replace(tzinfo=UTC) if found else None


def from_csv(path: Path) -> list[Student]:
    """The students of a CSV file. A missing user name is made from the e-mail address or the name."""
    return class_list.read(path, NAMES)


def _made_user_name(email: str, full: str) -> str:
    return email.partition("@")[0] or safe_id(full)


NAMES = class_list.UserNames(
    re.compile(r"[^\W_.]([^\\/:*?\"<>|\x00-\x1f]*[^\\/:*?\"<>|\x00-\x1f. ])?"),
    'no \\ / : * ? " < > |, a letter or digit in front and no dot at the end',
    instead=_made_user_name,
)
