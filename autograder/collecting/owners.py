"""Finds whose file it is from its path: by the naming of Moodle or Canvas, else by its folder or its own name.

Moodle (mod/assign) names files `Ada Lovelace_1234567_assignsubmission_file_/problems.ipynb`; since 4.1 without the last
underscore; without folders `Ada Lovelace_1234567_assignsubmission_file_problems.ipynb`; `Participant_1234567_…` if
names are hidden. A group's name and a hyphen may come first. Text typed in the browser is in
`…_assignsubmission_onlinetext_…`. Canvas names files `lovelaceada_12345_67890_problems.ipynb`,
`…_LATE_12345_67890_problems-1.ipynb` or `anon_Ab12c_67890_…`; the numbers are the student's and the file's.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from autograder.at_home.notebook import expected_name

MOODLE, CANVAS, PLAIN = "moodle", "canvas", "plain"
_MOODLE = re.compile(
    r"(?P<prefix>(?P<name>.+?)_(?P<id>\d+)_assignsubmission_(?P<plugin>[a-z]+)_?)(?P<rest>.*)", re.DOTALL
)
# A group's name and an underscore may come before the student's name.
_CANVAS = re.compile(
    r"(?P<name>[^\W_].*?)(?P<late>_LATE)?_(?P<user>\d+)_(?P<file>\d+_.+|(?:text|link)\.html)", re.DOTALL
)
_ANONYMOUS = re.compile(
    r"(?P<late>LATE_)?(?P<name>anon)_(?P<user>\w{4,8}?)_(?P<file>\d+_.+|(?:text|link)\.html)", re.DOTALL
)
_SEPARATORS = " _-.+"


@dataclass(frozen=True)
class Owner:
    """A student as named in a file's path; `number` is Moodle's participant number or Canvas's user number."""

    system: str
    label: str
    number: str = ""


@dataclass(frozen=True)
class Owned:
    """What a path says of one file.

    `rest` is the path without the owner and `prefix` the part that the system put before it. `order` is Canvas's number
    of the file, which grows with time. `typed` means text typed in the browser, not a file.
    """

    owner: Owner | None
    rest: tuple[str, ...]
    prefix: str = ""
    late: bool = False
    order: int = 0
    typed: bool = False


def owned(parts: tuple[str, ...], assignment: str, notebooks: Collection[str]) -> Owned:
    """What the path `parts` says of its file, for an `assignment` with these `notebooks` (names without .ipynb)."""
    name = parts[0]
    if found := _MOODLE.fullmatch(name):
        rest = (*([found["rest"]] if found["rest"] else []), *parts[1:])
        label = f"Participant {found['id']}" if found["name"].casefold() == "participant" else found["name"]
        prefix = found["prefix"] if found["rest"] else name + "/"
        return Owned(Owner(MOODLE, label, found["id"]), rest, prefix, typed=found["plugin"] != "file")
    if len(parts) > 1:
        return _by_names(parts, assignment, notebooks)
    if found := _ANONYMOUS.fullmatch(name) or _CANVAS.fullmatch(name):
        number, _, file = found["file"].partition("_") if found["file"][0].isdigit() else ("", "", found["file"])
        label = found["name"] if found["name"] != "anon" else f"anon {found['user']}"
        prefix = name[: len(name) - len(file)]
        return Owned(
            Owner(CANVAS, label, found["user"]),
            (file,),
            prefix,
            late=bool(found["late"]),
            order=int(number) if number else 0,
            typed=not number,
        )
    return _by_names(parts, assignment, notebooks)


def _by_names(parts: tuple[str, ...], assignment: str, notebooks: Collection[str]) -> Owned:
    """By the folder's name, or by the file's own name without the names of the assignment and its notebooks."""
    given = [name.casefold() for name in (assignment, *notebooks)]
    if len(parts) > 1 and parts[0].casefold() in given:
        return _by_names(parts[1:], assignment, notebooks)
    if len(parts) > 1:
        label = _stripped(parts[0], given)
        rest = parts[1:] if len(parts) < 3 or parts[1].casefold() not in given else parts[2:]
        return Owned(Owner(PLAIN, label) if label else None, rest)
    label = _stripped(expected_name(parts[0]).rpartition(".")[0], given)
    return Owned(Owner(PLAIN, label) if label else None, parts)


def _stripped(text: str, given: Iterable[str]) -> str:
    """`text` without the `given` words, and without separators, at its beginning and end."""
    before = None
    while before != text:
        before = text = text.strip(_SEPARATORS)
        for word in given:
            lower = text.casefold()
            if lower == word:
                return ""
            if lower.startswith(word) and len(text) > len(word) and text[len(word)] in _SEPARATORS:
                text = text[len(word) :]
            elif lower.endswith(word) and text[-len(word) - 1] in _SEPARATORS:
                text = text[: -len(word)]
    return text


def shared_folders(paths: list[tuple[str, ...]], assignment: str, notebooks: Collection[str]) -> int:
    """How many outer folders all `paths` share that name no student, as the top folder of an archive does.

    A folder counts only if every file still has an owner without it, and Moodle's and Canvas's own names do not count.
    """
    depth = 0
    while paths and all(len(p) > depth + 1 for p in paths) and len({p[depth] for p in paths}) == 1:
        inner = [owned(p[depth + 1 :], assignment, notebooks).owner for p in paths]
        outer = [owned(p[depth:], assignment, notebooks).owner for p in paths]
        if not all(inner) or any(owner and owner.system != PLAIN for owner in outer):
            break
        depth += 1
    return depth
