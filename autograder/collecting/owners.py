"""Whose a file is, as its path says: by the names that Moodle and Canvas give, else by its folder or its own name.

Moodle (mod/assign): `Ada Lovelace_1234567_assignsubmission_file_/problems.ipynb`; since 4.1 without the last
underscore; with folders switched off `Ada Lovelace_1234567_assignsubmission_file_problems.ipynb`;
`Participant_1234567_…` where names are hidden; a group's name and a hyphen may stand before. Typed text is in
`…_assignsubmission_onlinetext_…`. Canvas: `lovelaceada_12345_67890_problems.ipynb`,
`…_LATE_12345_67890_problems-1.ipynb`, `anon_Ab12c_67890_…`; the numbers are the student's and the file's.
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
# A group's name and an underscore may stand before the student's.
_CANVAS = re.compile(
    r"(?P<name>[^\W_].*?)(?P<late>_LATE)?_(?P<user>\d+)_(?P<file>\d+_.+|(?:text|link)\.html)", re.DOTALL
)
_ANONYMOUS = re.compile(
    r"(?P<late>LATE_)?(?P<name>anon)_(?P<user>\w{4,8}?)_(?P<file>\d+_.+|(?:text|link)\.html)", re.DOTALL
)
_BETWEEN = " _-.+"


@dataclass(frozen=True)
class Owner:
    """A student as a file's path names them; `number` is the one that Moodle or Canvas gave."""

    system: str
    label: str
    number: str = ""


@dataclass(frozen=True)
class Owned:
    """What a path says: the owner, the rest of the path, the system's own prefix of it, and what it tells besides."""

    owner: Owner | None
    rest: tuple[str, ...]
    prefix: str = ""
    late: bool = False
    order: int = 0
    typed: bool = False


def owned(parts: tuple[str, ...], assignment: str, notebooks: Collection[str]) -> Owned:
    """The owner of the file at `parts`, of an assignment with these notebooks; only the first part says who it is."""
    name = parts[0]
    if found := _MOODLE.fullmatch(name):
        rest = (*([found["rest"]] if found["rest"] else []), *parts[1:])
        label = f"Participant {found['id']}" if found["name"].casefold() == "participant" else found["name"]
        prefix = found["prefix"] if found["rest"] else name + "/"
        return Owned(Owner(MOODLE, label, found["id"]), rest, prefix, typed=found["plugin"] != "file")
    if len(parts) > 1:
        return _plain(parts, assignment, notebooks)
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
    return _plain(parts, assignment, notebooks)


def _plain(parts: tuple[str, ...], assignment: str, notebooks: Collection[str]) -> Owned:
    """By the folder, or by what is left of the file's name without those of the assignment and its notebooks."""
    given = [name.casefold() for name in (assignment, *notebooks)]
    if len(parts) > 1 and parts[0].casefold() in given:
        return _plain(parts[1:], assignment, notebooks)
    if len(parts) > 1:
        label = _without(parts[0], given)
        rest = parts[1:] if len(parts) < 3 or parts[1].casefold() not in given else parts[2:]
        return Owned(Owner(PLAIN, label) if label else None, rest)
    label = _without(expected_name(parts[0]).rpartition(".")[0], given)
    return Owned(Owner(PLAIN, label) if label else None, parts)


def _without(text: str, given: Iterable[str]) -> str:
    """The text without given words, with whatever stands between, at either end."""
    before = None
    while before != text:
        before = text = text.strip(_BETWEEN)
        for word in given:
            lower = text.casefold()
            if lower == word:
                return ""
            if lower.startswith(word) and len(text) > len(word) and text[len(word)] in _BETWEEN:
                text = text[len(word) :]
            elif lower.endswith(word) and text[-len(word) - 1] in _BETWEEN:
                text = text[: -len(word)]
    return text


def wrapping(paths: list[tuple[str, ...]], assignment: str, notebooks: Collection[str]) -> int:
    """How many folders are around everything, as an archive has them: those without which each file has an owner."""
    depth = 0
    while paths and all(len(p) > depth + 1 for p in paths) and len({p[depth] for p in paths}) == 1:
        inner = [owned(p[depth + 1 :], assignment, notebooks).owner for p in paths]
        outer = [owned(p[depth:], assignment, notebooks).owner for p in paths]
        if not all(inner) or any(owner and owner.system != PLAIN for owner in outer):
            break
        depth += 1
    return depth
