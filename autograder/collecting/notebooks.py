"""Recognises which of the assignment's notebooks a file is: by its name, else by the names of its cells."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from autograder.at_home.notebook import UnreadableNotebook, expected_name, parse, read
from autograder.collecting.archive import RefusedWork

OTHER = "none of its cells is from {assignment}: it is another notebook"
UNREADABLE = "it cannot be read as a notebook"


@dataclass(frozen=True)
class Known:
    """A notebook of the assignment: its name, the ids (grade_id) of its cells, and whether a cell has points."""

    name: str
    cells: frozenset[str]
    graded: bool


def of_course(folders: list[Path]) -> list[Known]:
    """The notebooks of an assignment, read from the first of `folders` that has any."""
    for folder in folders:
        found = []
        for path in sorted(folder.glob("*.ipynb")) if folder.is_dir() else []:
            try:
                notebook = read(path)
            except UnreadableNotebook:
                continue
            names = frozenset(cell.name for cell in notebook.cells if cell.name)
            found.append(Known(path.stem, names, notebook.graded))
        if found:
            return found
    return []


def recognise(data: bytes, name: str, known: list[Known], assignment: str) -> Known:
    """The entry of `known` that the file with content `data` and this `name` is; RefusedWork if it is none of them.

    `assignment` is used in the message only.
    """
    try:
        notebook = parse(data, Path(name))
    except UnreadableNotebook:
        raise RefusedWork(UNREADABLE) from None
    stem = expected_name(name).rpartition(".")[0].casefold()
    stems = {stem, re.sub(r"-\d+$", "", stem)}  # Canvas counts what is handed in again
    cells = {cell.name for cell in notebook.cells if cell.name}
    by_name = next((k for k in known if k.name.casefold() in stems), None)
    if by_name and (cells & by_name.cells or not by_name.graded):
        return by_name
    best = max(known, key=lambda k: len(cells & k.cells), default=None)
    if best is None or not cells & best.cells:
        raise RefusedWork(OTHER.format(assignment=assignment))
    return best
