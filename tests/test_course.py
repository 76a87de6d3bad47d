"""`make demo` in a fresh clone, and what nbgrader's own commands do in the course that it leaves."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest

from autograder import by_hand_list
from autograder.gradebook import spreadsheet
from autograder.seeds import is_public
from tests import warm
from tests.conftest import FURTHER, NAMES, QUESTIONS_OF_PS1, ROOT
from tests.docs.walk import lend_environment, take_changes
from tools.sample_class import fill_in, hand_in, students

pytestmark = pytest.mark.course

# Each folder of source/ is an assignment, also one that an author adds.
ASSIGNMENTS = sorted(folder.name for folder in (ROOT / "source").iterdir() if any(folder.glob("*.ipynb")))
SEEDS = re.findall(r'seed=\\"(\w+)\\"', (ROOT / "source" / "ps1" / "problems.ipynb").read_text())

# What each student of the sample class earns, question by question; for what an author has added, nothing.
MARKS = {
    "ada": [10, 10, 10, 10, 10, 10],
    "bela": [10, 10, 10, 10, 10, 10],
    "chen": [10, 10, 10, 24 / 7, 10, 3.2],
    "dora": [2, 10, 2, 10, 3, 10],
    "emil": [0, 2, 10, 0, 10, 2.4],
    "fay": [10, 10, 10, 0, 0, 0],
    "gus": [0, 0, 0, 0, 0, 10],
    "hana": [10, 10, 10, 10, 10, 10],
    "ivo": [0, 0, 0, 0, 0, 0],
}


@dataclass
class Course:
    """A scratch course and everybody's way to run nbgrader in it."""

    root: Path
    exchange: Path

    def run(self, *arguments: str, cwd: Path | None = None, ok: bool = True, **environment: str) -> str:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            [warm.python(), "-m", "nbgrader", *arguments],
            cwd=cwd or self.root,
            env={**os.environ, "PATH": path, "NBGRADER_EXCHANGE": str(self.exchange), **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        said = done.stdout + done.stderr
        # 3: everybody is graded, and somebody needs a person.
        assert (done.returncode in ((0, 3) if arguments[0] == "autograde" else (0,))) == ok, said
        return said

    def marks(self, student: str) -> dict[str, float]:
        from nbgrader.api import Gradebook

        with Gradebook(f"sqlite:///{self.root}/gradebook.db") as gradebook:
            notebooks = gradebook.find_submission("ps1", student).notebooks
            return {grade.name: grade.score for notebook in notebooks for grade in notebook.grades}

    def outputs(self, student: str) -> str:
        return (self.root / "autograded" / student / "ps1" / "problems.ipynb").read_text()

    def feedback(self, student: str) -> str:
        return (self.root / "feedback" / student / "ps1" / "problems.html").read_text()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A clone in which `make demo` was typed, and what it said."""
    clone = tmp_path_factory.mktemp("demo") / "course"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
    take_changes(clone)
    lend_environment(clone)
    done = subprocess.run(["make", "demo"], cwd=clone, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return clone, done.stdout


@pytest.fixture(scope="module")
def course(demo: tuple[Path, str]) -> Course:
    """The demo's course: released, with the sample class graded and feedback written."""
    exchange = demo[0] / "demo" / "exchange"
    exchange.mkdir(exist_ok=True)
    exchange.chmod(0o777)
    return Course(demo[0] / "demo", exchange)


def test_make_demo_shows_each_step_a_table_and_where_to_look(demo: tuple[Path, str]) -> None:
    clone, said = demo
    for step in ("[1/7]", "[5/7] grading: nbgrader autograde ps1: 9 of 9", "[7/7]"):
        assert step in said
    columns = [*QUESTIONS_OF_PS1, "total"]
    for student, marks in MARKS.items():
        header, row = (
            next(x for x in said.splitlines() if x.startswith(f"{first} ")) for first in ("student", student)
        )
        assert header.split()[1 : 1 + len(columns)] == columns
        shown = [float(number) for number in row.split()[1 : 1 + len(columns)]]
        assert shown == pytest.approx([*marks, *[0] * len(FURTHER), sum(marks)], abs=0.005)
    for kind, path in re.findall(r"^(Open in a browser|Grades|What students get): +(.+)$", said, flags=re.MULTILINE):
        assert Path(path).exists(), kind
        assert clone in Path(path).parents


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_the_committed_release_is_what_nbgrader_makes_of_the_source(course: Course, assignment: str) -> None:
    def notebooks(root: Path) -> dict[str, str]:
        return {file.name: file.read_text() for file in (root / "release" / assignment).glob("*.ipynb")}

    if not notebooks(course.root):
        course.run("generate_assignment", assignment, "--no-db")
    assert notebooks(course.root) == notebooks(ROOT), "run: make release"


@pytest.mark.parametrize("student", MARKS)
def test_each_student_of_the_sample_class_gets_the_marks_that_the_answers_earn(course: Course, student: str) -> None:
    marks = course.marks(student)
    assert [marks[f"{q}-check"] + marks[f"{q}-hidden"] for q in NAMES] == pytest.approx(MARKS[student])
    assert [marks[f"{q}-check"] + marks[f"{q}-hidden"] for q in FURTHER] == [0] * len(FURTHER)


def test_the_sample_class_is_complete() -> None:
    assert sorted(MARKS) == sorted(students())


def test_feedback_shows_every_verdict_and_nothing_hidden(course: Course) -> None:
    for student in MARKS:
        page = course.feedback(student)
        assert page.count('<section class="question ') == len(QUESTIONS_OF_PS1)
        for secret in (*SEEDS, "BEGIN HIDDEN", "grade(points", "Out[", "site-packages", "autograder/_"):
            assert secret not in page, f"{student}'s page shows {secret}"
            assert secret not in re.sub(r"<[^>]*>", "", page), f"{student}'s page shows {secret}"
    page = " ".join(course.feedback("chen").split())
    assert "The first wrong link is dfdb. It has the right size but the wrong sign" in page
    assert "They earn 3.2 of 8 points." in page
    asked = len(re.findall(r"Computation graph of q\w+: ", page))
    assert page.count("data:image/svg+xml") == asked + len(MARKS["chen"])  # the statements', and the answered checks'
    assert "in the wrong order" in course.feedback("emil")


def test_each_notebook_of_a_submission_is_run(course: Course) -> None:
    examples = nbformat.read(course.root / "autograded" / "ada" / "ps1" / "examples.ipynb", as_version=4)
    printed = "".join(o.get("text", "") for c in examples.cells for o in c.get("outputs", []))
    assert "Gradient at x = 3.5:  tensor(14.)" in printed
    assert "dsdt is right at t = 2." in printed


def test_export_writes_every_student(course: Course) -> None:
    course.run("export", "--to", str(course.root / "grades.csv"))
    rows = [row for row in spreadsheet.read(course.root / "grades.csv") if row["assignment"] == "ps1"]
    given = {row["student_id"]: [float(row[column]) for column in (*NAMES, "score")] for row in rows}
    wanted = {student: [*marks, sum(marks)] for student, marks in MARKS.items()}
    for student, marks in wanted.items():
        assert given[student] == pytest.approx(marks, abs=0.005)


def test_the_source_validates_and_each_check_of_the_release_is_unanswered(course: Course, tmp_path: Path) -> None:
    """Three answers are added to the release whose cells stop after their function, or are timed: they lose nothing."""
    said = course.run("validate", "source/ps1/problems.ipynb")
    assert "Success! Your notebook passes all the tests." in said
    assert "without encryption" not in said
    source = nbformat.read(ROOT / "source" / "ps1" / "problems.ipynb", as_version=4)
    right = {c.metadata.nbgrader.grade_id: c.source for c in source.cells if "nbgrader" in c.metadata}
    answers = {
        "q1": right["q1"] + "\nassert grad_q1(0, 0)[0] > 0",
        "q2": right["q2"] + "\ninput('Press Enter')",
        "q3": "%%time\n" + right["q3"] + "\nimport no_such_module",
    }
    notebook = nbformat.read(ROOT / "release" / "ps1" / "problems.ipynb", as_version=4)
    for cell in notebook.cells:
        cell.source = answers.get(cell.metadata.get("nbgrader", {}).get("grade_id", ""), cell.source)
    nbformat.write(notebook, tmp_path / "problems.ipynb")
    said = course.run("validate", str(tmp_path / "problems.ipynb"))
    unanswered = sum("check()" in c.source for c in notebook.cells if c.cell_type == "code") - len(answers)
    assert f"VALIDATION FAILED ON {unanswered} CELL(S)" in said
    for name in (*NAMES[3:], *FURTHER):
        assert f"grad_{name} is not answered yet: replace `raise NotImplementedError()`" in said
    errors = [part.partition("=====")[0] for part in said.split("The error was:")[1:]]
    assert len(errors) == unanswered
    assert not any("..." in error for error in errors), "a message is cut where nbgrader cuts lines"


def test_late_work_is_marked_and_a_later_submission_is_regraded(course: Course, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    shutil.copy(ROOT / "nbgrader_config.py", home)
    course.run("db", "assignment", "add", "ps1", "--duedate=2020-12-01 18:00:00 UTC")
    course.run("release_assignment", "ps1", "--force")
    course.run("fetch_assignment", "ps1", cwd=home)
    notebook = home / "ps1" / "problems.ipynb"
    released = notebook.read_text()
    name = ""
    for student in ("fay", "ada"):
        nbformat.write(fill_in(nbformat.reads(released, as_version=4), students()[student]), notebook)
        course.run("submit", "ps1", cwd=home)
        collected = course.run("collect", "ps1", "--update")
        name = re.search(r"(?:Collecting|Updating) submission: (\S+)", collected)[1]  # type: ignore[index]
        graded = course.run("autograde", "ps1")
        assert re.search(r"late by \d+ days, penalty 0", graded), graded
        assert sum(course.marks(name).values()) == pytest.approx(sum(MARKS[student]))


def test_what_may_not_be_by_hand_is_on_the_instructors_list(course: Course) -> None:
    folder = course.root / "submitted" / "yan" / "ps1"
    hand_in(course.root / "release" / "ps1", students()["ada"], folder)
    notebook = nbformat.read(folder / "problems.ipynb", as_version=4)
    cell = {c.metadata.get("nbgrader", {}).get("grade_id"): c for c in notebook.cells}
    cell[
        "q4"
    ].source += "\nexact = grad_q4\ndef grad_q4(x):\n    f, dfdx = exact(x)\n    return f, round(dfdx.item(), 9)\n"
    cell["q5"].source = (
        "def grad_q5(x):\n    x = x.clone().requires_grad_()\n    f = 3+6*x+7*x**2+3*x**3+8*x**4\n"
        "    f.backward()\n    return f.detach(), x.grad\n"
    )
    nbformat.write(notebook, folder / "problems.ipynb")
    said = course.run("autograde", "ps1", "--student", "yan")
    assert sum(course.marks("yan").values()) == 50
    assert "By hand: 2 to look at" in said
    assert ("still have this project's public seeds" in said) == any(map(is_public, SEEDS))
    found = by_hand_list.read(course.root / "by_hand.csv")
    rows = [(r["student"], r["question"], r["outcome"], r["rule"], r["line"]) for r in found]
    assert rows == [("yan", "q4", "listed", "inexact", ""), ("yan", "q5", "forbidden", "autograd", "4")]
    assert found[0]["source"].startswith("near, not exact: as a finite difference is; off by up to ")
    assert "vnd.autograder.findings" not in course.outputs("yan")


def test_a_question_object_that_a_student_deleted_is_still_there_for_the_examiner(course: Course) -> None:
    """Under stock nbgrader the hidden cell itself then raises, and its traceback quotes the cell."""
    release = course.root / "release" / "ps1"
    folder = course.root / "submitted" / "zed" / "ps1"
    hand_in(release, students()["ada"], folder)
    notebook = nbformat.read(folder / "problems.ipynb", as_version=4)
    at = next(i for i, c in enumerate(notebook.cells) if c.metadata.get("nbgrader", {}).get("grade_id") == "q3-check")
    notebook.cells.insert(at, nbformat.v4.new_code_cell("del q3"))
    nbformat.write(notebook, folder / "problems.ipynb")
    course.run("autograde", "ps1", "--student", "zed")
    assert "q3.grade" in course.outputs("zed")
    course.run("generate_feedback", "ps1", "--student", "zed")
    page = course.feedback("zed")
    assert "hidden test could not run" not in page
    assert "q3.grade" not in page
    assert sum(course.marks("zed").values()) == 60
