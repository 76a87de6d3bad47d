"""Takes cells apart that were merged with a cell of the course: its text is known, and the rest is the student's.

An editor that merges two cells keeps the metadata of the first. If that is a locked cell, an answer below it would be
lost with the text that is put back; if it is an answer, the words of the next question would stand in its code.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence

from nbformat import NotebookNode

from autograder.rooms.course_cells import CourseCell, CourseCells, as_compared

_TEXT = "\n"
"""What a text without a mark is known by begins with this, and no name of a cell does."""


def take_apart(cells: list[NotebookNode], course: CourseCells, released: Callable[[CourseCell], str]) -> list[str]:
    """Changes `cells`; returns the names of the course's cells that were part of another.

    A cell of the course is looked for in others only if it is not there as it was given out: `released` is that text.
    The course's texts that have no mark are looked for as well.
    """
    locked = [of for of in course.cells.values() if of.locked]
    wanted = {of.name: lines for of in locked if (lines := _lines(released(of)))}
    wanted.update({f"{_TEXT}{text}": text.splitlines() for text in course.texts})
    for cell in cells:
        lines = _lines(cell.source)
        of = course.of(cell)
        for name in [of.name] if of and of.name in wanted else [n for n, text in wanted.items() if text == lines]:
            if wanted[name] == lines:
                del wanted[name]
    found = []
    for at in reversed(range(len(cells))) if wanted else ():
        parts = _parts(_lines(cells[at].source), wanted)
        if any(name for name, _ in parts):
            found += [name for name, _ in parts if name and not name.startswith(_TEXT)]
            cells[at : at + 1] = _new_cells(cells[at], parts, course)
    return found


def _lines(text: str) -> list[str]:
    return as_compared(text).splitlines()


def _parts(lines: Sequence[str], wanted: dict[str, list[str]]) -> list[tuple[str, list[str]]]:
    """The lines in order, cut where a wanted text begins and ends; with its name, or without one."""
    for name, text in wanted.items():
        for at in range(len(lines) - len(text) + 1):
            if lines[at : at + len(text)] == text and not _goes_on(lines[at + len(text) :]):
                left = {other: lines for other, lines in wanted.items() if other != name}
                above, below = _parts(lines[:at], left), _parts(lines[at + len(text) :], left)
                return [*above, (name, text), *below]
    return [("", list(lines))] if any(lines) else []


def _goes_on(lines: Sequence[str]) -> bool:
    """Whether the first line is inside a block of what stands above: then that was a comment, not a heading."""
    return next((line[0].isspace() for line in lines if line), False)


def _new_cells(cell: NotebookNode, parts: Sequence[tuple[str, list[str]]], course: CourseCells) -> list[NotebookNode]:
    """An answer's mark stays with the first part that is not the course's."""
    of = course.of(cell)
    mark = cell.metadata if of and not of.locked else NotebookNode()
    made = []
    for name, lines in parts:
        new = copy.deepcopy(cell)
        new.source = "\n".join(lines).strip("\n")
        if name.startswith(_TEXT):
            new.metadata, new.cell_type = NotebookNode(), "markdown"
            for key in ("outputs", "execution_count"):
                new.pop(key, None)
        elif name:
            new.metadata = NotebookNode(nbgrader=NotebookNode(grade_id=name))
        else:
            new.metadata, mark = mark, NotebookNode()
        made.append(new)
    return made
