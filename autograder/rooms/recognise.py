"""Finds the course's cells among cells that have lost nbgrader's marks: a new notebook into which they were copied.

A locked cell is recognised by its text, an answer by a function that it defines, and a text that a person marks by its
place: the only text of the student's between two cells of the course. A mark is not believed where it is another
cell's: one that holds what a missing cell of the course must hold, and not what its own mark says.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Callable

from nbformat import NotebookNode

from autograder.rooms.course_cells import CourseCell, CourseCells, as_compared

_NAMES = re.compile(r"^(?:async\s+)?(?:def|class)\s+(\w+)|^(\w+)\s*(?::[^=\n]+)?=(?!=)", re.MULTILINE)

_LONGEST = 20_000
"""Characters of a text that is looked at as code: the parser is safe with what is nested in so few."""


def lost_marks(
    cells: list[NotebookNode], course: CourseCells, released: Callable[[CourseCell], str]
) -> dict[str, NotebookNode]:
    """Unmarked cells by the name of the course's cell that each is; `released` is a locked cell's text as given out.

    A mark that is not believed is removed.
    """
    marks = _believed(cells, course, released)
    for cell, of in zip(cells, marks, strict=True):
        if not of:
            cell.metadata = NotebookNode()
    places = {of.name: at for at, of in enumerate(marks) if of}
    missing = [cell for name, cell in course.cells.items() if name not in places]
    unmarked = [(at, cell) for at, cell in enumerate(cells) if not marks[at]]
    found: dict[str, NotebookNode] = {}
    if not missing or not unmarked:
        return found
    texts = {as_compared(cell.source): at for at, cell in unmarked}
    defines = {name: at for at, cell in unmarked if _is_code(cell) for name in _defined(cell.source)}

    def take(name: str, at: int | None) -> None:
        if at is not None and at not in places.values():
            found[name], places[name] = cells[at], at

    for of in missing:
        if of.locked:
            take(of.name, texts.get(as_compared(released(of)), texts.get(as_compared(of.source))))
    for of in missing:
        if not of.locked and of.cell_type == "code":
            take(of.name, max((defines[name] for name in _expected(of, course) if name in defines), default=None))
    for of in missing:
        if not of.locked and of.name not in places:
            take(of.name, _only_between(cells, of, course, places))
    return found


def _believed(
    cells: list[NotebookNode], course: CourseCells, released: Callable[[CourseCell], str]
) -> list[CourseCell | None]:
    """The course's cell that each cell is by its mark; None where it holds what another must, which no cell is."""
    marks = [course.of(cell) for cell in cells]
    given = {
        name: {as_compared(released(of)), as_compared(of.source)} for name, of in course.cells.items() if of.locked
    }
    everything = {as_compared(cell.source) for cell in cells} - {""}
    defined = [set(_defined(cell.source)) if _is_code(cell) else set() for cell in cells]

    def is_right(at: int, of: CourseCell) -> bool:
        if of.locked:
            return as_compared(cells[at].source) in given[of.name]
        expected = _expected(of, course)
        return not expected or bool(defined[at] & set(expected))

    right = {of.name for at, of in enumerate(marks) if of and is_right(at, of)}
    missing = [of for name, of in course.cells.items() if name not in right]
    texts = {text for of in missing if of.locked for text in given[of.name]} - {""}
    names = {name for of in missing if not of.locked for name in _expected(of, course)}

    def is_another(at: int, of: CourseCell) -> bool:
        text = as_compared(cells[at].source)
        if of.locked and text in given[of.name]:
            return False
        if text in texts or (of.locked and given[of.name] & everything):
            return True
        return bool(defined[at] & names) and not (not of.locked and defined[at] & set(_expected(of, course)))

    return [None if of and is_another(at, of) else of for at, of in enumerate(marks)]


def _only_between(cells: list[NotebookNode], of: CourseCell, course: CourseCells, places: dict[str, int]) -> int | None:
    """The one cell of the same type, with text, that lies where the course has this cell; None if there are others."""
    names = list(course.cells)
    at = names.index(of.name)
    before = [places[name] for name in names[:at] if name in places]
    after = [places[name] for name in names[at + 1 :] if name in places]
    first, last = (
        max(before, default=-1) + 1,
        min((p for p in after if p > max(before, default=-1)), default=len(cells)),
    )
    own = [i for i in range(first, last) if i not in places.values() and cells[i].cell_type == of.cell_type]
    own = [i for i in own if cells[i].source.strip() and as_compared(cells[i].source) not in course.texts]
    return own[0] if len(own) == 1 else None


def _is_code(cell: NotebookNode) -> bool:
    """Also a cell whose type was changed: no prose that defines something can be read as Python."""
    if cell.cell_type == "code":
        return True
    if len(cell.source) > _LONGEST or not _NAMES.search(cell.source):
        return False
    try:
        with warnings.catch_warnings(action="ignore"):  # an odd escape in a text is no matter of the grader's
            ast.parse(cell.source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _defined(source: str) -> list[str]:
    """The functions, classes and variables that code defines at its outermost level."""
    return [function or name for function, name in _NAMES.findall(source)]


def _expected(of: CourseCell, course: CourseCells) -> list[str]:
    """What an answer has to define: the functions and classes in the cell as given out, or its variables; if there are
    none, the functions and classes of the instructor's own.
    """
    if of.cell_type != "code":
        return []
    found = _NAMES.findall(of.source)
    own = (source for name, source, _ in course.code if name == of.name)
    return (
        [function for function, _ in found if function]
        or [name for _, name in found]
        or [function for source in own for function, _ in _NAMES.findall(source) if function]
    )
