"""What is refused when an assignment is generated: by cell, with the remedy, and all of it at once."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from autograder.authoring import current
from autograder.authoring.generate import RefuseUnfinished, Unfinished
from autograder.authoring.source import grade_id, placeholder
from autograder.authoring.unfinished import problems
from tests.authoring.notebooks import find, marked, replaced, six, without

Change = Callable[[Any], None]
GRADE = 'q2.grade(points=8, seed="c07b93e4")'


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """The questions are asked in this process, which has torch already."""
    monkeypatch.setattr(current, "problems", current._in_this_process)


def moved(name: str, below: str) -> Change:
    def change(notebook: Any) -> None:
        cell = find(notebook, name)
        notebook.cells.remove(cell)
        notebook.cells.insert(notebook.cells.index(find(notebook, below)) + 1, cell)

    return change


def copied(notebook: Any) -> None:
    """Q1's five cells pasted once more behind Q6, as JupyterLab does."""
    cells = [copy.deepcopy(c) for c in notebook.cells if grade_id(c).partition("-")[0] == "q1"]
    at = notebook.cells.index(find(notebook, "q6-hidden")) + 1
    for number, cell in enumerate(cells):
        cell.id = f"pasted{number}"
    notebook.cells[at:at] = cells


def graded_cell(name: str, points: float, source: str) -> Any:
    """A graded cell that is none of a question's five."""
    marks = {"grade": True, "grade_id": name, "locked": True, "points": points, "solution": False, "task": False}
    return new_code_cell(source, metadata={"nbgrader": {"schema_version": 3, "cell_type": "code", **marks}})


CASES: dict[str, tuple[Change, list[str]]] = {
    "points less than grade gives": (
        marked("q1-hidden", "points", 4),
        [
            "q1-hidden: the Create Assignment panel gives 4 points and q1.grade(points=8) gives 8; run "
            "`autograder refresh q1` to take the 4 of the panel, or change the panel.",
            "q1-statement: the sentence on points is not up to date; run `autograder refresh q1`.",
        ],
    ),
    "points more than grade gives": (
        marked("q1-hidden", "points", 18),
        ["q1-hidden: the Create Assignment panel gives 18 points and q1.grade(points=8) gives 8", "q1-statement: "],
    ),
    "points as a sum that is another number": (
        replaced("q1-hidden", "points=8", "points=4 + 6"),
        ["q1-hidden: the Create Assignment panel gives 8 points and q1.grade(points=10) gives 10"],
    ),
    "points under a name": (
        replaced("q1-hidden", "points=8", "points=POINTS"),
        [
            "q1-hidden: q1.grade(…) must give its points as a number, because they have to be the 8 of the Create "
            "Assignment panel; write points=8."
        ],
    ),
    "no points": (replaced("q1-hidden", "points=8, ", ""), ["q1-hidden: q1.grade(…) must give its points as a number"]),
    "other points in a cell of another name": (
        lambda nb: nb.cells.append(graded_cell("final", 14, 'q1.grade(8, seed="a") + q2.grade(8, seed="b")')),
        [
            "final: the Create Assignment panel gives 14 points, and what the cell ends with gives at most 16: "
            "q1.grade(8, seed='a') + q2.grade(8, seed='b'). Write the same number in both places."
        ],
    ),
    "TODO in a statement": (
        replaced("q3-statement", "The neuron of Q2", "TODO The neuron of Q2"),
        ["q3-statement: it still says TODO; write the words that belong there."],
    ),
    "TODO in a hint": (
        replaced("q3-statement", "The derivative of the sigmoid can", "TODO"),
        ["q3-statement: it still says TODO; write the words that belong there."],
    ),
    "dots for words": (
        replaced("q3-statement", "The neuron of Q2", "...\n\nThe neuron of Q2"),
        ["q3-statement: a line of it is still `...`; write the words that belong there."],
    ),
    "dots for a line": (
        replaced("q1", "dzdx = 2\n", "dzdx = ...\n"),
        ["q1: the solution still holds `...` or TODO; write its lines."],
    ),
    "TODO in a solution": (
        replaced("q1", "dzdx = 2\n", "dzdx = 2  # TODO: is that so?\n"),
        ["q1: the solution still holds `...` or TODO; write its lines."],
    ),
    "TODO in an answer, outside of its solution": (
        replaced("q1", "    return z, dzda", "    # TODO: check\n    return z, dzda"),
        ["q1: it still says TODO; write what belongs there, or take the word out."],
    ),
    "TODO in a check": (
        replaced("q1-check", "q1.check()", "q1.check()  # TODO: another point?"),
        ["q1-check: it still says TODO; write what belongs there, or take the word out."],
    ),
    "no set-up cell": (
        without("setup"),
        [
            "q1-forward: no locked cell above it holds `from autograder import question`; put the set-up cell back "
            "(read-only, above the first question)."
        ],
    ),
    "a set-up cell too late": (
        moved("setup", "q1-forward"),
        ["q1-forward: no locked cell above it holds `from autograder import question`"],
    ),
    "on a kink": (
        replaced("q2-forward", '"x": 3.0', '"x": -0.5'),
        [
            "q2-forward: line 9: `a = torch.relu(v)`: is on a kink at `at`, where it has no derivative; choose another",
        ],
    ),
    "a domain without points": (
        replaced("q2-forward", '"b": (-2, 2)', '"b": (2, -2)'),
        ["q2-forward: the domain of b is (2, -2), from 2 to -2; write (-2, 2)."],
    ),
    "five cells pasted": (
        copied,
        [
            "q1-statement, q1-forward, q1, q1-check, q1-hidden: more than one cell has this name; give the others "
            "another name, or remove them."
        ],
    ),
    "two questions of one name": (
        replaced("q2-forward", "def q2(", "def q1("),
        [
            "q1: 2 cells define a question of this name; give each its own.",
            "q2-forward: it defines q1; it must hold `def q2(…):` under @question(…). Rename one of the two.",
        ],
    ),
    "no forward pass": (
        without("q4-forward", "q4"),
        [
            "q4-statement, q4-check, q4-hidden: the forward pass q4-forward is missing; put that cell back, or remove "
            "these cells too."
        ],
    ),
    "no check": (
        without("q4-check"),
        ["q4-check: the cell is missing; run `autograder refresh q4`, which adds it."],
    ),
    "no answer": (without("q4"), ["q4: the cell is missing; run `autograder refresh q4`, which adds it."]),
    "another question's grade": (
        replaced("q2-hidden", "q2.grade", "q1.grade"),
        ["q2-hidden: it asks q1.grade(…), which is another question; write q2.grade(…)."],
    ),
    "another question's check": (
        replaced("q2-check", "\nq2.check()", "\nq1.check()"),
        ["q2-check: it asks q1.check(…), which is another question; write q2.check(…)."],
    ),
    "no grade": (
        replaced("q2-hidden", 'q2.grade(points=8, seed="c07b93e4")', "None"),
        ["q2-hidden: it never asks q2.grade(…); write that line."],
    ),
    "a seed that students see": (
        replaced("q2-hidden", "### BEGIN HIDDEN TESTS\n", ""),
        ["q2-hidden: students would see the line q2.grade(…) with its seed; put it between the lines "],
    ),
    "a seed that students see below a magic": (
        lambda notebook: find(notebook, "q2-hidden").update(
            source=f"\n\n%matplotlib inline\n### BEGIN HIDDEN TESTS\n1\n### END HIDDEN TESTS\n{GRADE}"
        ),
        ["q2-hidden: students would see the line q2.grade(…) with its seed; put it between the lines "],
    ),
    "a forward pass that ends Python": (
        replaced("q2-forward", "@question", "import sys\nsys.exit(3)\n@question"),
        ["q2-forward: The cell q2-forward stopped with SystemExit: 3. Correct it."],
    ),
    "a number that nbgrader does not see": (
        replaced("q2-hidden", '")\n', '");\n'),
        ["q2-hidden: q2.grade(…) must be the last line, by itself and without `;`"],
    ),
    "a number that is only kept": (
        replaced("q2-hidden", "q2.grade", "marks = q2.grade"),
        ["q2-hidden: q2.grade(…) must be the last line, by itself and without `;`"],
    ),
    "tests that are not graded": (
        marked("q2-hidden", "grade", False),
        ["q2-hidden: it must be of the kind `Autograder tests`; choose that in the Create Assignment panel."],
    ),
    "a forward pass that students can change": (
        marked("q2-forward", "locked", False),
        ["q2-forward: students could change it; choose `Read-only` in the Create Assignment panel."],
    ),
    "an order that cannot run": (moved("q4-check", "q4-forward"), ["q4-check: it stands above q4; move it below."]),
    "a picture of an earlier forward pass": (
        replaced("q6-forward", "torch.log(d + 1)", "torch.log(d + 2)"),
        [
            "q6-statement: the picture is not up to date; run `autograder refresh q6`.",
            "q6: the given lines are not up to date; run `autograder refresh q6`.",
        ],
    ),
    "a sentence of an earlier domain": (
        replaced("q6-forward", "(0.5, 2.5)", "(0.5, 2)"),
        ["q6-statement: the sentence on where it is tested is not up to date; run `autograder refresh q6`."],
    ),
}


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("case", CASES)
def test_an_unfinished_question_is_refused_by_cell_and_remedy(case: str) -> None:
    change, expected = CASES[case]
    notebook = six()
    change(notebook)
    found = problems(notebook)
    assert len(found) == len(expected), found
    for said, start in zip(found, expected, strict=True):
        assert said.startswith(start), said


def test_a_cell_that_ends_python_without_a_word_is_told_and_no_error_of_ours() -> None:
    notebook = six()
    replaced("q1-forward", "@question", "import os\nos._exit(0)\n@question")(notebook)
    assert current.problems(notebook) == [
        "The questions could not be made: no reason given. Run `autograder inspect` to see why."
    ]


@pytest.mark.usefixtures("here")
def test_everything_is_listed_at_once_and_the_notebooks_of_ps1_are_finished() -> None:
    notebook = six()
    assert problems(notebook) == []
    for case in ("points less than grade gives", "dots for a line", "no check", "on a kink"):
        CASES[case][0](notebook)
    assert len(problems(notebook)) == 5


def test_the_questions_are_asked_in_a_process_of_its_own_and_refused_in_one_exception() -> None:
    notebook = six()
    replaced("q6-forward", "torch.log(d + 1)", "torch.log(d + 2)")(notebook)
    marked("q1-hidden", "points", 4)(notebook)
    with pytest.raises(Unfinished) as refused:
        RefuseUnfinished().preprocess(notebook, {"nbgrader": {"notebook": "problems"}})
    lines = str(refused.value).splitlines()
    assert lines[0] == "problems.ipynb has 4 things to correct first:"
    assert [line.split(":")[0] for line in lines[1:]] == ["  q1-hidden", "  q1-statement", "  q6-statement", "  q6"]


def ordinary() -> Any:
    """An nbgrader assignment that knows nothing of ours, and shares words, names and marks with it."""

    def mark(cell: Any, name: str, **marks: object) -> Any:
        kind = {"grade": False, "locked": True, "solution": False, "task": False, **marks}
        cell.metadata["nbgrader"] = {"grade_id": name, "schema_version": 3, **kind}
        return cell

    return new_notebook(
        cells=[
            mark(new_markdown_cell("TODO of students: ...\n\n...\n"), "q1-statement"),
            mark(new_code_cell("class q1:\n    def check(): ...\n    def grade(x): ..."), "helpers"),
            mark(new_code_cell("def q1(x):\n    ...  # TODO\n"), "q1", locked=False, solution=True),
            mark(new_code_cell("assert callable(q1)"), "q1-check", grade=True, points=3),
            mark(
                new_code_cell("### BEGIN HIDDEN TESTS\nassert q1\n### END HIDDEN TESTS"),
                "q1-hidden",
                grade=True,
                points=1,
            ),
            mark(new_code_cell("grader.check('q2')"), "q2-check", grade=True, points=1),
            mark(new_code_cell("forward = 1"), "q2-forward"),
            mark(new_code_cell("x = ..."), "quiz", locked=False, solution=True),
        ]
    )


def test_an_ordinary_assignment_is_never_refused_nor_costs_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(current, "problems", lambda notebook: pytest.fail("asked"))
    notebook = ordinary()
    nbformat.validate(notebook)
    assert problems(notebook) == []


@pytest.mark.usefixtures("here")
def test_ordinary_and_written_cells_beside_questions_are_left_alone() -> None:
    notebook = six()
    notebook.cells += ordinary().cells[7:]
    essay = new_markdown_cell("TODO: your answer ...")
    marks = {"grade": True, "grade_id": "essay", "locked": False, "points": 5, "solution": True, "task": False}
    essay.metadata["nbgrader"] = {"schema_version": 3, **marks}
    notebook.cells.append(essay)
    assert problems(notebook) == []


@pytest.mark.parametrize(
    "line",
    [
        'q1.grade(points=8, seed="a")',
        'q1.grade(4, "a") + 2 * q2.grade(points=2, seed="b")',
        'min(8, q1.grade(points=12, seed="a"))',
        'x = q1.grade(points=12, seed="a")\nx / 2',
        "grader.grade(12)",
        "12",
    ],
)
def test_points_that_agree_or_that_only_a_run_could_tell_are_not_refused(line: str) -> None:
    assert problems(new_notebook(cells=[graded_cell("final", 8, line)])) == []


@pytest.mark.parametrize(
    ("line", "is_placeholder"),
    [
        ("dzdx = ...", True),
        ("dzdx = -...", True),
        ("dzdx = dzdy * ...", True),
        ("...", True),
        ("dzdx = 2  # TODO", True),
        ("dzdx = x[...]", False),
        ("dzdx = x[..., 0].sum()", False),
        ("dzdx = f(...)", False),
        ("# and so on ...", False),
        ("print('...')", False),
    ],
)
def test_a_placeholder_is_told_from_an_ellipsis_that_python_means(line: str, is_placeholder: bool) -> None:
    cell = f"def grad_q1(x):\n    ### BEGIN SOLUTION\n    {line}\n    ### END SOLUTION\n    return x, dzdx"
    assert placeholder(cell) is is_placeholder
