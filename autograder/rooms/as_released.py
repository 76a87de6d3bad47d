"""A notebook without tests that comes back as it was released is run once in a run: all of its code is the course's.

Most of a class change nothing in a notebook of examples, which needs a room and runs as many cells as answers do. What
its cells have put out the first time stands in everybody's graded copy, random numbers and the time of day as well.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence

from nbformat import NotebookNode

from autograder.rooms.course_cells import CourseCells, Owner
from autograder.rooms.ways import Way
from autograder.selection import OF_NBGRADER


def is_released(
    cells: Sequence[tuple[str, Owner, Way]],
    course: CourseCells,
    files: Sequence[str],
    as_students_get_it: Callable[[str], str],
) -> bool:
    """Whether these code cells with text are those that students were given, with no test and no file of a student's.

    A cell with an answer to write is none of them: students were given it without the instructor's own.
    """
    if any(owner is Owner.EXAMINER for _, owner, _ in cells) or set(files).difference(OF_NBGRADER):
        return False
    given = [as_students_get_it(source) for _, source, _ in course.code if source.strip()]
    return [source for source, _, _ in cells] == given


class Outputs:
    """What the cells of such notebooks have put out, by assignment and notebook."""

    def __init__(self) -> None:
        self._of: dict[tuple[str, str], list[list[NotebookNode]]] = {}

    def known(self, where: Mapping[str, str]) -> list[list[NotebookNode]]:
        """Of each cell, to be changed by whoever gets it; nothing if the notebook has not run yet."""
        return copy.deepcopy(self._of.get((where["assignment"], where["notebook"]), []))

    def keep(self, where: Mapping[str, str], outputs: list[list[NotebookNode]]) -> None:
        self._of[where["assignment"], where["notebook"]] = copy.deepcopy(outputs)
