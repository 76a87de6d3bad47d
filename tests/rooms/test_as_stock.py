"""Courses of ordinary tests earn in rooms, mark by mark, what they earn under stock nbgrader.

The course of nbgrader's documentation is its example course: the pages are written with the same files, which nbgrader
brings and `nbgrader quickstart` copies.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_notebook
from nbgrader.api import Gradebook

from tests.conftest import ROOT
from tests.rooms.small import marked
from tests.rooms.test_ordinary import EVERYTHING
from tools import example_course

pytestmark = pytest.mark.course
STOCK = "c = get_config()\nc.CourseDirectory.course_id = 'example'\nc.CourseDirectory.root = {root!r}\n"
Marks = dict[str, dict[str, tuple[float | None, bool]]]

FORWARD = """\
import torch
def f1(a, b): c = a * a; d = c + b; return c * d * d
def f2(b, x, w): u = w * x; v = u + b; return torch.relu(v)
def f3(b, x, w): u = w * x; v = u + b; return 1 / (1 + torch.exp(-v))
def f4(x): return torch.log(torch.exp(x ** 2) + torch.sin(x))
"""
TEST = """\
import torch
### BEGIN HIDDEN TESTS
torch.manual_seed({number})
for _ in range(5):
    point = [torch.rand((), dtype=torch.float64) + 0.5 for _ in range({leaves})]
    point[-1].requires_grad_()
    value = f{number}(*point)
    value.backward()
    ours, slope = h{number}(*[p.detach() for p in point])
    assert torch.isclose(torch.as_tensor(ours, dtype=torch.float64), value.detach()), "the value is another one"
    assert torch.isclose(torch.as_tensor(slope, dtype=torch.float64), point[-1].grad, rtol=1e-4), "another derivative"
### END HIDDEN TESTS
"""
LEAVES = {1: 2, 2: 3, 3: 3, 4: 1}
RIGHT = {
    1: "def h1(a, b):\n    c = a * a\n    d = c + b\n    return c * d * d, 2 * c * d",
    2: "def h2(b, x, w):\n    v = w * x + b\n    return torch.relu(v), x * (v > 0)",
    3: "def h3(b, x, w):\n    a = torch.sigmoid(w * x + b)\n    return a, a * (1 - a) * x",
    4: "def h4(x):\n    e = torch.exp(x ** 2)\n    g = e + torch.sin(x)\n"
    "    return torch.log(g), (2 * x * e + torch.cos(x)) / g",
}
SLIPS = {
    1: RIGHT[1].replace("2 * c * d", "c * d"),
    2: RIGHT[2].replace("x * (v > 0)", "x"),  # right where the relu is open, as it is at these points
    3: RIGHT[3].replace("(1 - a) * x", "(1 - a)"),
    4: RIGHT[4].replace("torch.cos(x)", "torch.sin(x)"),
}
CLASS = {
    "right": RIGHT,
    "slips": SLIPS,
    "stopped": {n: f"def h{n}(*p):\n    raise KeyError(p)" for n in RIGHT},
    "forged": {n: f"{EVERYTHING}\ndef h{n}(*p):\n    return Everything(), Everything()" for n in RIGHT},
    "patched": {
        n: "torch.isclose = lambda *given, **named: torch.tensor(True)\n" + f"def h{n}(*p):\n    return 0, 0"
        for n in RIGHT
    },
}
FORGERS = ("forged", "patched")

INSTANTIATED = {
    "right": {
        "squares": example_course.SQUARES["right"],
        "sum_of_squares": "def sum_of_squares(n): return sum(squares(n))",
    },
    "apart": {
        "squares": example_course.SQUARES["off-by-one"],
        "sum_of_squares": "def sum_of_squares(n): return n * (n + 1) * (2 * n + 1) // 6",
        "cell-d3df8cd59fd0eb74": "my_dictionary = {'one': 1}",
    },
}


def run(root: Path, *command: str) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *command],
        cwd=root,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 3), done.stdout + done.stderr
    return done.stdout


def marks(root: Path) -> Marks:
    with Gradebook(f"sqlite:///{root}/gradebook.db") as gradebook:
        return {
            submission.student_id: {
                f"{notebook.name} {grade.name}": (grade.auto_score, bool(grade.needs_manual_grade))
                for notebook in submission.notebooks
                for grade in notebook.grades
            }
            for submission in gradebook.assignment_submissions("ps1")
        }


def both(root: Path, make: Callable[[Path], None]) -> tuple[Marks, Marks]:
    """The marks under stock nbgrader, and in rooms."""
    found = []
    for name, config in (("stock", ""), ("rooms", (ROOT / "nbgrader_config.py").read_text())):
        course = root / name
        course.mkdir()
        (course / "nbgrader_config.py").write_text(config or STOCK.format(root=str(course)))
        make(course)
        run(course, "autograde", "ps1")
        found.append(marks(course))
    return found[0], found[1]


def _example(root: Path) -> None:
    example_course.copy_source(root)
    run(root, "generate_assignment", "ps1")
    example_course.hand_in(root)
    for name in ("arrays", "broken", "printed", "tuple"):  # stock nbgrader takes its time
        shutil.rmtree(root / "submitted" / f"{name}-0")
    forged = root / "submitted" / "forged" / "ps1"
    shutil.copytree(root / "submitted" / "right-0" / "ps1", forged)
    notebook = nbformat.read(forged / "problem1.ipynb", as_version=4)
    for cell in notebook.cells:
        if (name := cell.metadata.get("nbgrader", {}).get("grade_id")) in ("squares", "sum_of_squares"):
            cell.source = f"{EVERYTHING}\n{name} = Everything()"
    nbformat.write(notebook, forged / "problem1.ipynb")


def _honest(marks: Marks) -> Marks:
    return {student: found for student, found in marks.items() if student not in FORGERS}


def _instantiated(root: Path) -> None:
    """What `nbgrader quickstart --autotest` writes, with the header of nbgrader's documentation."""
    shutil.copytree(example_course.COURSE / "source" / "ps1_autotest", root / "source" / "ps1")
    shutil.copy(example_course.COURSE / "source" / "header.ipynb", root / "source")
    shutil.copy(example_course.COURSE / "autotests.yml", root)
    with (root / "nbgrader_config.py").open("a") as config:
        config.write("\nc.IncludeHeaderFooter.header = 'source/header.ipynb'\n")
    run(root, "generate_assignment", "ps1")
    for student, answers in INSTANTIATED.items():
        work = root / "submitted" / student / "ps1"
        shutil.copytree(root / "release" / "ps1", work)
        notebook = nbformat.read(work / "problem1.ipynb", as_version=4)
        for cell in notebook.cells:
            cell.source = answers.get(cell.metadata.get("nbgrader", {}).get("grade_id"), cell.source)
        nbformat.write(notebook, work / "problem1.ipynb")


def _derivatives(root: Path) -> None:
    """A course as it is written before anybody hears of questions: hidden asserts that compare with autograd."""
    folder = root / "source" / "ps1"
    folder.mkdir(parents=True)
    made = [marked("setup", FORWARD)]
    for n, answer in RIGHT.items():
        made.append(marked(f"a{n}", f"### BEGIN SOLUTION\n{answer}\n### END SOLUTION", locked=False))
        made.append(marked(f"t{n}", TEST.format(number=n, leaves=LEAVES[n]), 2))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    nbformat.write(new_notebook(cells=made, metadata={"kernelspec": kernel}), folder / "hw.ipynb")
    run(root, "generate_assignment", "ps1")
    for student, answers in CLASS.items():
        notebook = nbformat.read(root / "release/ps1/hw.ipynb", as_version=4)
        for cell in notebook.cells:
            name = cell.metadata.nbgrader.grade_id
            if name[0] == "a" and int(name[1]) in answers:
                cell.source = answers[int(name[1])]
        work = root / "submitted" / student / "ps1"
        work.mkdir(parents=True)
        nbformat.write(notebook, work / "hw.ipynb")


def test_nbgraders_example_course_earns_the_same_marks(tmp_path: Path) -> None:
    stock, rooms = both(tmp_path, _example)
    assert _honest(rooms) == _honest(stock)
    tests = [f"problem1 correct_{name}" for name in ("squares", "sum_of_squares")]
    assert [[marks["forged"][test][0] for test in tests] for marks in (stock, rooms)] == [[1, 0.5], [0, 0]]
    assert rooms["right-0"]["problem1 correct_squares"] == (1, False)
    assert rooms["off-by-one-0"]["problem1 correct_squares"] == (0, False)


def test_nbgraders_example_course_of_instantiated_tests_earns_the_same_marks(tmp_path: Path) -> None:
    """One of its tests deletes a name, so it runs inside; what a test by the examiner has defined it finds there."""
    stock, rooms = both(tmp_path, _instantiated)
    assert rooms == stock
    names = ("correct_squares", "squares_invalid_input", "correct_sum_of_squares", "sum_of_squares_uses_squares")
    assert [rooms["right"][f"problem1 {name}"][0] for name in names] == [1, 1, 0.5, 0.5]
    assert [rooms["apart"][f"problem1 {name}"][0] for name in names] == [0, 1, 0.5, 0]


def test_hidden_asserts_with_autograd_inside_earn_the_same_marks(tmp_path: Path) -> None:
    stock, rooms = both(tmp_path, _derivatives)
    assert _honest(rooms) == _honest(stock)
    assert [mark for mark, _ in stock["patched"].values()] == [2, 2, 2, 2]
    assert [mark for forger in FORGERS for mark, _ in rooms[forger].values()] == [0] * 8
    assert [mark for mark, _ in rooms["right"].values()] == [2, 2, 2, 2]
    assert [mark for mark, _ in rooms["slips"].values()] == [0, 2, 0, 0]
    assert [mark for mark, _ in rooms["stopped"].values()] == [0, 0, 0, 0]
