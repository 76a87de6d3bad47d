"""Who is in the course: a name on a file is one student's, or nobody's; two students are never taken for one.

The roster is a CSV file (nbgrader's own columns, Moodle's grading worksheet or Canvas's grade export) or the gradebook,
where that knows names. Without one, a student's id is made from the name on the file.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder._errors import AutograderError
from autograder.collecting.owners import CANVAS, MOODLE, Owner

CANNOT_READ = "{path} cannot be read as a roster: {why}"
NO_COLUMN = (
    "it has no column with ids. Known columns: id, first_name, last_name, email (as `nbgrader db student import`)."
)
BAD_ID = "line {line} gives the id {id!r}, which cannot name a folder."
TWICE = "the id {id} stands in it twice."
_COLUMNS = {
    "id": ("id", "studentid", "username", "sisloginid", "loginid", "idnumber", "sisuserid"),
    "first": ("firstname", "givenname"),
    "last": ("lastname", "surname", "familyname"),
    "full": ("fullname", "student", "name"),
    "email": ("email", "emailaddress", "mail"),
    "canvas": ("lmsuserid",),
    "moodle": ("identifier",),
}
_RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}


@dataclass(frozen=True)
class Person:
    """A student of the roster; `canvas` and `moodle` are the numbers that these systems use."""

    id: str
    first: str = ""
    last: str = ""
    email: str = ""
    canvas: str = ""
    moodle: str = ""

    def keys(self) -> set[str]:
        """Everything that this student may be called, made comparable."""
        full = f"{self.first} {self.last}"
        names = {self.id, self.email, self.email.partition("@")[0], full, f"{self.last} {self.first}"}
        return {key for key in (*map(comparable, names), sorted_words(full)) if key}

    @property
    def named(self) -> bool:
        return bool(self.first or self.last or self.email or self.canvas)


def find(owner: Owner, people: Iterable[Person]) -> list[Person]:
    """Everybody whom the owner of a file may be; one is right, none and several are for a person to decide."""
    people = list(people)
    number = {CANVAS: "canvas", MOODLE: "moodle"}.get(owner.system)
    if number and owner.number and (exact := [p for p in people if getattr(p, number) == owner.number]):
        return exact
    # A group's name stands before the student's, with a hyphen in Moodle and an underscore in Canvas.
    between = {MOODLE: "-", CANVAS: "_"}.get(owner.system)
    labels = [owner.label, *(owner.label[at + 1 :] for at, c in enumerate(owner.label) if c == between)]
    for label in labels:
        wanted = {comparable(label), sorted_words(label)} - {""}
        if found := [p for p in people if wanted & p.keys()]:
            return found
    return []


def comparable(text: str) -> str:
    """Letters and digits alone, without case and accents."""
    return "".join(c for c in _plain(text) if c.isalnum())


def sorted_words(text: str) -> str:
    """The words of a name in a fixed order: some systems put the last name first."""
    return " ".join(sorted(re.findall(r"\w+", _plain(text).replace("_", " "))))


def safe_id(label: str) -> str:
    """A student's id out of a name: letters, digits and hyphens; no name that Windows keeps for itself."""
    words = re.findall(r"[^\W_]+", _plain(label.partition("@")[0] if re.fullmatch(r"[^\s@]+@\S+", label) else label))
    made = "-".join(words)[:60].strip("-")
    return f"{made}-student" if made in _RESERVED else made


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    return unicodedata.normalize("NFC", "".join(c for c in folded if not unicodedata.combining(c)))


def from_gradebook(gradebook: Any) -> list[Person]:
    """The gradebook's students, if it knows any by name; ids alone, as grading adds them, are no roster."""
    people = [
        Person(s.id, s.first_name or "", s.last_name or "", s.email or "", s.lms_user_id or "")
        for s in gradebook.students
    ]
    return people if any(person.named for person in people) else []


def from_csv(path: Path) -> list[Person]:
    """The students of a CSV file; AutograderError says what cannot be used."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        delimiter = max(",;\t", key=text.partition("\n")[0].count)
        rows = list(csv.reader(text.splitlines(), delimiter=delimiter))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise AutograderError(CANNOT_READ.format(path=path, why=error)) from None
    columns = _columns(rows[0] if rows else [])
    if not {"id", "email", "full"} & set(columns):
        raise AutograderError(CANNOT_READ.format(path=path, why=NO_COLUMN))
    people: dict[str, Person] = {}
    for line, row in enumerate(rows[1:], 2):
        person = _person({name: row[at].strip() for name, at in columns.items() if at < len(row)})
        if person is None:
            continue
        if not re.fullmatch(r"[^\W_.][^\\/:*?\"<>|\x00-\x1f]*", person.id) or person.id.endswith((".", " ")):
            raise AutograderError(CANNOT_READ.format(path=path, why=BAD_ID.format(line=line, id=person.id)))
        if person.id in people:
            raise AutograderError(CANNOT_READ.format(path=path, why=TWICE.format(id=person.id)))
        people[person.id] = person
    return list(people.values())


def _columns(header: Sequence[str]) -> dict[str, int]:
    names = [comparable(name) for name in header]
    found: dict[str, int] = {}
    wanted = dict(_COLUMNS)
    if "sisloginid" in names or "sisuserid" in names:  # Canvas's own export: its "ID" is its own number
        wanted |= {"id": ("sisloginid", "sisuserid"), "canvas": ("id",)}
    for column, spellings in wanted.items():
        at = next((names.index(spelling) for spelling in spellings if spelling in names), None)
        if at is not None:
            found[column] = at
    return found


def _person(row: dict[str, str]) -> Person | None:
    full = row.get("full", "")
    last, comma, first = full.partition(",")
    if not comma:
        first, _, last = full.rpartition(" ")
    number = re.search(r"\d+$", row.get("moodle", ""))
    identity = row.get("id") or row.get("email", "").partition("@")[0] or safe_id(full)
    if not identity:
        return None
    return Person(
        id=identity,
        first=row.get("first") or first.strip(),
        last=row.get("last") or last.strip(),
        email=row.get("email", ""),
        canvas=row.get("canvas", ""),
        moodle=number[0] if number else "",
    )
