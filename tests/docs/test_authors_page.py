"""docs/authors.md as an author types it in a fresh clone: a seventh question, a change, and a second assignment."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest

from tests.authoring.notebooks import PRODUCT, SOLUTION_OF_PRODUCT, finish
from tests.conftest import CELLS, QUESTIONS_OF_PS1, ROOT
from tests.docs.walk import Step, Walk, commands, lend_environment, reader, take_changes

pytestmark = pytest.mark.course
PAGE = "docs/authors.md"
# The two blocks after these are the answer and the test of tests/rooms/test_ordinary.py.
FORWARD, SOLUTION, *_ = re.findall(
    r"^ *```python\n(.*?)^ *```", (ROOT / PAGE).read_text(), flags=re.MULTILINE | re.DOTALL
)
SOLUTION = re.sub(r"^  ", "", SOLUTION, flags=re.MULTILINE)  # it stands in a list
# The page's q7, or the next name that is free: an author who adds a question as the page tells has a q7 already.
NEW = next(
    name for name in map("q{}".format, itertools.count(7)) if not any(c.partition("-")[0] == name for c in CELLS)
)


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    folder = tmp_path_factory.mktemp("author")
    with reader(folder) as walk:
        walk.type("git clone <this repository> course && cd course")
        take_changes(walk.here)
        lend_environment(walk.here)
        walk.type("source .venv/bin/activate")
        yield walk


def texts(notebook: Path) -> dict[str, str]:
    """The text of each cell that has a name."""
    nb = nbformat.read(notebook, as_version=4)
    return {c.metadata.nbgrader.grade_id: c.source for c in nb.cells if "nbgrader" in c.metadata}


def edit(notebook: Path, **changes: tuple[str, str]) -> None:
    """Writes in a notebook as an author does: in the cells named, each pair's first text gives way to the second."""
    nb = nbformat.read(notebook, as_version=4)
    cells = {c.metadata.nbgrader.grade_id: c for c in nb.cells if "nbgrader" in c.metadata}
    for name, (before, after) in changes.items():
        cell = cells[name]
        assert before in cell.source, f"{name} does not hold {before!r}:\n{cell.source[:2000]}"
        cell.source = cell.source.replace(before, after)
    nbformat.write(nb, notebook)


def solve(notebook: Path, name: str, solution: str) -> None:
    nb = nbformat.read(notebook, as_version=4)
    finish(nb, name, solution)
    nbformat.write(nb, notebook)


def test_a_seventh_question_a_change_and_a_second_assignment_as_written(walk: Walk) -> None:
    ps1, ps2 = walk.here / "source/ps1/problems.ipynb", walk.here / "source/ps2/problems.ipynb"

    def forward_is_written(_: Walk) -> None:
        (walk.here / f"{NEW}.py").write_text(FORWARD.replace("q7", NEW))

    def is_solved(_: Walk) -> None:
        solve(ps1, NEW, SOLUTION)

    def no_solution_is_released(_: Walk, said: str) -> None:
        assert "release/ps1" in said
        released = (walk.here / "release/ps1/problems.ipynb").read_text()
        assert f"def grad_{NEW}" in released
        assert "dhdp = dhdr" not in released
        assert "Words of the author's." in released

    def forward_changes(_: Walk) -> None:
        edit(ps1, **{f"{NEW}-forward": ("h = r + q", "h = r + 2 * q")})

    def five_cells_follow(_: Walk, said: str) -> None:
        text = texts(ps1)
        assert "h = r + 2 * q" in text[NEW], "the given lines of the answer"
        assert "dhdp = dhdr * (1 - r * r)" in text[NEW], "the author's solution stays"
        assert "Words of the author's." in text[f"{NEW}-statement"]
        assert f"{NEW}-statement: the forward pass has changed" in said

    def product_is_written(_: Walk) -> None:
        (walk.here / "q1.py").write_text(PRODUCT)

    def second_is_solved(_: Walk) -> None:
        solve(ps2, "q1", SOLUTION_OF_PRODUCT)

    def both_are_in_the_gradebook(_: Walk, said: str) -> None:
        assert "ps2 is in the gradebook: 1 notebook, 2 cells with points, 10 points in all." in said

    count = len(QUESTIONS_OF_PS1) + 1
    validate = "nbgrader validate {}/problems.ipynb"
    steps = [
        Step('autograder new q7 q7.py --title "Q7. Two paths from t"', before=forward_is_written),
        Step("autograder inspect q7", says=("Good",), before=is_solved),
        Step(validate.format("source/ps1"), says=("Success!",)),
        Step("nbgrader generate_assignment ps1", then=no_solution_is_released),
        Step(
            validate.format("release/ps1"),
            says=(f"VALIDATION FAILED ON {count} CELL(S)", f"grad_{NEW} is not answered"),
        ),
        Step("autograder refresh q7", before=forward_changes, then=five_cells_follow),
        Step('autograder new-assignment ps2 --title "Problem set 2"'),
        Step(
            'autograder new q1 q1.py --title "Q1. A product" --notebook source/ps2/problems.ipynb',
            before=product_is_written,
        ),
        Step("autograder inspect --notebook source/ps2/problems.ipynb", before=second_is_solved),
        Step(validate.format("source/ps2"), says=("Success!",)),
        Step("nbgrader generate_assignment ps2", then=both_are_in_the_gradebook),
        Step("nbgrader release_assignment ps2"),
    ]
    assert commands(PAGE) == [step.command for step in steps]
    walk.take([replace(step, command=step.command.replace("q7", NEW)) for step in steps])
