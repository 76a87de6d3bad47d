"""Finds the course's cells among cells that have lost nbgrader's marks: a new notebook into which they were copied.

A locked cell is recognised by its text, an answer by a function that it defines, and a text that a person marks by its
place: the only text of the student's between two cells of the course.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from nbformat import NotebookNode

from autograder.rooms.course_cells import CourseCell, CourseCells

_NAMES = re.compile(r"^(?:async\s+)?(?:def|class)\s+(\w+)|^(\w+)\s*(?::[^=\n]+)?=(?!=)", re.MULTILINE)


def lost_marks(
    cells: list[NotebookNode], course: CourseCells, released: Callable[[CourseCell], str]
) -> dict[str, NotebookNode]:
    """Unmarked cells by the name of the course's cell that each is; `released` is a locked cell's text as given out."""
    places = {of.name: at for at, cell in enumerate(cells) if (of := course.of(cell))}
    missing = [cell for name, cell in course.cells.items() if name not in places]
    unmarked = [(at, cell) for at, cell in enumerate(cells) if not course.of(cell)]
    found: dict[str, NotebookNode] = {}
    if not missing or not unmarked:
        return found
    texts = {_text(cell.source): at for at, cell in unmarked}
    defines = {name: at for at, cell in unmarked if cell.cell_type == "code" for name in _defined(cell.source)}

    def take(name: str, at: int | None) -> None:
        if at is not None and at not in places.values():
            found[name], places[name] = cells[at], at

    for of in missing:
        if of.locked:
            take(of.name, texts.get(_text(released(of)), texts.get(_text(of.source))))
    for of in missing:
        if not of.locked and of.cell_type == "code":
            take(of.name, max((defines[name] for name in _expected(of.source) if name in defines), default=None))
    for of in missing:
        if not of.locked and of.name not in places:
            take(of.name, _only_between(cells, of, list(course.cells), places))
    return found


def _only_between(cells: list[NotebookNode], of: CourseCell, names: list[str], places: dict[str, int]) -> int | None:
    """The one cell of the same type, with text, that lies where the course has this cell; None if there are others."""
    at = names.index(of.name)
    before = [places[name] for name in names[:at] if name in places]
    after = [places[name] for name in names[at + 1 :] if name in places]
    first, last = (
        max(before, default=-1) + 1,
        min((p for p in after if p > max(before, default=-1)), default=len(cells)),
    )
    own = [i for i in range(first, last) if i not in places.values() and cells[i].source.strip()]
    return own[0] if len(own) == 1 and cells[own[0]].cell_type == of.cell_type else None


def _defined(source: str) -> list[str]:
    """The functions, classes and variables that code defines at its outermost level."""
    return [function or name for function, name in _NAMES.findall(source)]


def _expected(source: str) -> list[str]:
    """What an answer has to define: the functions and classes in the cell as given out, or its variables."""
    found = _NAMES.findall(source)
    return [function for function, _ in found if function] or [name for _, name in found]


def _text(source: str) -> str:
    return "\n".join(line.rstrip() for line in source.strip().splitlines())
