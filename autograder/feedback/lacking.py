"""Recognises a file that could not be read, and restores headings that the student deleted.

Grading restores the cells that have points, but not the texts between them. Without headings the page would show all
questions as one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from nbformat import NotebookNode

from autograder.rooms import reasons
from autograder.rooms.handed_in import UNREADABLE

HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]*[^\s#]|<h[1-6][\s>]|^[^\n]+\n(?:=+|-+)[ \t]*$", re.MULTILINE | re.IGNORECASE)
_UNREADABLE = re.compile(re.escape(UNREADABLE).replace(r"\{why\}", r"([^\n]{1,300})"))


def unreadable(notebook: NotebookNode) -> str:
    """Why the file could not be read; "" if it could. Removes that note from `notebook`."""
    own = [cell for cell in notebook.cells if not named(cell)]
    found = _UNREADABLE.fullmatch(own[0].source) if len(own) == 1 and own[0].cell_type == "markdown" else None
    if found is None or not reasons.is_ungradable(notebook) or any(_is_plain_answer(cell) for cell in notebook.cells):
        return ""
    notebook.cells.remove(own[0])
    return found[1]


def add_headings(notebook: NotebookNode, course: Sequence[NotebookNode], knows: Callable[[NotebookNode], bool]) -> None:
    """Inserts the headings of the source notebook, if the submission has none of them left.

    Each is put before the first cell below it that is still there. `course` are the source notebook's cells; `knows`
    says whether a cell without an id is the course's.
    """
    names = {named(cell) for cell in course if named(cell)}
    if any(_is_heading(cell) and (knows(cell) or named(cell) in names) for cell in notebook.cells):
        return
    places = {named(cell): cell for cell in notebook.cells if named(cell)}
    heading = None
    for cell in course:
        if _is_heading(cell):
            heading = cell
        elif heading and named(cell) in places:
            notebook.cells.insert(notebook.cells.index(places[named(cell)]), heading)
            heading = None


def named(cell: NotebookNode) -> str:
    """nbgrader's id of a cell (grade_id); "" if it has none."""
    about = cell.metadata.get("nbgrader")
    name = about.get("grade_id") if isinstance(about, dict) else None
    return name if isinstance(name, str) else ""


def _is_plain_answer(cell: NotebookNode) -> bool:
    """Whether this is an answer cell without points. Grading does not restore those, so the student handed it in."""
    about = cell.metadata.get("nbgrader") or {}
    return bool(about.get("solution")) and not about.get("grade")


def _is_heading(cell: NotebookNode) -> bool:
    about = cell.metadata.get("nbgrader") or {}
    earns = any(about.get(kind) for kind in ("grade", "solution", "task"))
    return cell.cell_type == "markdown" and not earns and bool(HEADING.search(cell.source))


def question_of(name: str) -> str:
    """The question of a cell by its id: `q1` for `q1-check`."""
    return name.partition("-")[0]
