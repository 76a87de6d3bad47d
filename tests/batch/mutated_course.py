"""The course that `mutated_class` grades: ps1's own questions, and a notebook with ordinary tests and marks by hand."""

from __future__ import annotations

from collections.abc import Mapping

from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_notebook

from tests.conftest import NAMES
from tests.rooms.small import marked
from tests.rooms.test_mixed import text
from tools.sample_class import cells, students

ASSIGNMENT, OURS, ORDINARY = "ps1", "problems", "hw"
SQUARES = "def squares(n):\n    # the first n\n    return [i**2 for i in range(1, n + 1)]"
MEAN = "def mean(xs):\n    if not xs:\n        return 0\n    return sum(xs) / len(xs)"
WHY = "Small changes **multiply** along a path,\nand add up over paths."
TABLE = 'rows = [(n, n**2) for n in range(4)]\nfor row in rows:\n    print("square", *row)'
RIGHT = {"squares": SQUARES, "mean": MEAN, "why": WHY, "table": TABLE}
SLIP = {**RIGHT, "squares": SQUARES.replace("n + 1", "n"), "mean": MEAN.replace("return 0", "return 1")}
BY_HAND = ("why", "table")
BASES: Mapping[str, Mapping[str, str]] = {
    "ada": RIGHT,
    "bela": RIGHT,
    "chen": SLIP,
    "dora": RIGHT,
    "emil": SLIP,
    "fay": RIGHT,
    "hana": RIGHT,
}
"""Who of the sample class hands in, and that student's answers to the ordinary questions."""
CELLS_OF = {
    **{q: (OURS, (f"{q}-check", f"{q}-hidden")) for q in NAMES},
    **{q: (ORDINARY, (f"{q}-test",)) for q in ("squares", "mean")},
    **{q: (ORDINARY, (q,)) for q in BY_HAND},
}
"""By question: its notebook, and the cells with its points."""
FULL = {**dict.fromkeys(NAMES, 10.0), "squares": 3.0, "mean": 4.0}
"""The points of a right answer."""


def ordinary() -> NotebookNode:
    """The notebook that is not ours, with its solutions."""

    def answer(name: str, points: float | None = None) -> NotebookNode:
        return marked(name, f"### BEGIN SOLUTION\n{RIGHT[name]}\n### END SOLUTION", points, locked=False)

    return new_notebook(
        metadata={"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}},
        cells=[
            marked("tools", "import math\nTWO = 2"),
            new_markdown_cell("## Squares\n\nWrite `squares`."),
            answer("squares"),
            marked(
                "squares-test",
                "assert squares(3) == [1, 4, 9]\n### BEGIN HIDDEN TESTS\n"
                "assert squares(TWO + 1)[math.floor(0.5)] == 1\nassert squares(0) == []\n### END HIDDEN TESTS",
                3,
            ),
            new_markdown_cell("## Mean"),
            answer("mean"),
            marked("mean-test", "1.0 * (mean([1, 3]) == 2) + 3.0 * (mean([]) == 0)", 4),
            text("why", "Say why.", 3),
            answer("table", 4),
            text("task", "## A task\n\nAdd a cell with what you would try next.", 4, task=True),
        ],
    )


def answers_of(base: str, question: str) -> list[str]:
    """The texts that an answer consists of, the student's own helpers among them; none where nothing was answered."""
    if question not in NAMES:
        return [BASES[base][question]]
    own = list(cells(students()[base]))
    answer = [source for name, source in own if name == question]
    return [*(source for name, source in own if name == "scratch"), *answer] if answer else []
