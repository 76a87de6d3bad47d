"""Puts the course's code into its place where it runs too late or too early for what belongs to it.

A test that stands above the answer it tests would be asked before there is one, and the course's own code that stands
below an answer would run too late for it. Whoever moved such a cell had it all in the kernel's memory and saw nothing.
Only locked cells are moved, and only where they would not work as they stand; a question that was moved as a whole
stays where it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile

from nbformat import NotebookNode

from autograder.rooms.course_cells import CourseCell, CourseCells


def first_copies(cells: Sequence[NotebookNode], course: CourseCells) -> dict[str, NotebookNode]:
    """The first cell with each mark, of cells that are not yet restored: of two copies only the last keeps it."""
    first: dict[str, NotebookNode] = {}
    for cell in cells:
        if of := course.of(cell):
            first.setdefault(of.name, cell)
    return first


def put_in_order(cells: list[NotebookNode], course: CourseCells, first: Mapping[str, NotebookNode]) -> list[str]:
    """Moves cells that were restored; returns the names of those that had to be moved.

    A test that stands below the `first` copy of an answer works there, and an answer below the first copy of the
    course's code.
    """
    code = [cell for cell in course.cells.values() if cell.cell_type == "code"]
    moved, places = set(), _places(cells)
    for at in reversed(range(len(code))):
        own = code[at].locked and not code[at].grade
        if own and _move_up(cells, places, code[at].name, _followers(code, at), first):
            moved.add(code[at].name)
            places = _places(cells)
    for at in reversed(range(len(code))):
        test, needs = code[at].locked and code[at].grade, [cell.name for cell in _needs(code, at)]
        if test and _move_down(cells, places, code[at].name, needs, first):
            moved.add(code[at].name)
            places = _places(cells)
    return [cell.name for cell in code if cell.name in moved]


def below_own_code(cells: Sequence[NotebookNode], place: int) -> int:
    """Where a test is put that belongs at `place`: also below the student's own code that follows."""
    own = takewhile(lambda at: "nbgrader" not in cells[at].metadata, range(place, len(cells)))
    return max((at + 1 for at in own if cells[at].cell_type == "code"), default=place)


def _followers(code: Sequence[CourseCell], at: int) -> list[CourseCell]:
    """What comes after a locked cell and before the next; all that comes after one that the next follows at once."""
    group = list(takewhile(lambda cell: not cell.locked or cell.grade, code[at + 1 :]))
    return group or list(code[at + 1 :])


def _needs(code: Sequence[CourseCell], at: int) -> Iterator[CourseCell]:
    """The answers and the course's code between a test and the tests of what comes before."""
    found = False
    for cell in reversed(code[:at]):
        test = cell.locked and cell.grade
        if test and found:
            return
        if not test:
            found = True
            yield cell


def _places(cells: Sequence[NotebookNode]) -> dict[str, int]:
    return {c.metadata.nbgrader.grade_id: at for at, c in enumerate(cells) if "nbgrader" in c.metadata}


def _move_up(
    cells: list[NotebookNode],
    places: Mapping[str, int],
    name: str,
    followers: Sequence[CourseCell],
    first: Mapping[str, NotebookNode],
) -> bool:
    """Whether it had to be moved."""
    if name not in places:
        return False
    copy = next((at for at, cell in enumerate(cells) if cell is first.get(name)), places[name])
    below = [places[f.name] for f in followers if f.name in places and (f.locked or places[f.name] < copy)]
    place = min(below, default=len(cells))
    if places[name] < place:
        return False
    while place and "nbgrader" not in cells[place - 1].metadata:
        place -= 1
    cells.insert(place, cells.pop(places[name]))
    return True


def _move_down(
    cells: list[NotebookNode],
    places: Mapping[str, int],
    name: str,
    needs: Sequence[str],
    first: Mapping[str, NotebookNode],
) -> bool:
    """Whether it had to be moved."""
    if name not in places:
        return False
    above = {id(cell) for cell in cells[: places[name]]}
    last = max((places[other] for other in needs if other in places and id(first.get(other)) not in above), default=-1)
    if last < places[name]:
        return False
    cells.insert(below_own_code(cells, last + 1) - 1, cells.pop(places[name]))
    return True
