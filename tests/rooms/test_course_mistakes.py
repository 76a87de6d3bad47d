"""Courses that grade nobody rightly: refused by name when the assignment is generated, or no student's loss.

Each test runs nbgrader's own commands on a small course of one notebook.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook
from nbgrader.api import Gradebook

from tests.conftest import ROOT

pytestmark = pytest.mark.course
SQUARES = "def squares(n):\n    ### BEGIN SOLUTION\n    return [i**2 for i in range(1, n + 1)]\n    ### END SOLUTION"
AUTOTESTS = """\
python3:
    setup: "from hashlib import sha1"
    dispatch: "type({{snippet}})"
    normalize: "str({{snippet}})"
    check: 'assert {{snippet}} == "{{value}}", "{{message}}"'
    success: "print('Success!')"
    templates:
        default:
            - test: "{{snippet}}"
              fail: "value is not correct"
"""


def marked(name: str, source: str, points: float | None = None, *, locked: bool = True) -> NotebookNode:
    marks = {"grade_id": name, "grade": points is not None, "locked": locked, "solution": not locked, "task": False}
    worth = {"points": points} if points is not None else {}
    return new_code_cell(source, metadata={"nbgrader": {"schema_version": 3, "cell_type": "code", **marks, **worth}})


class Small:
    """A course whose assignment ps2 has one notebook, hw."""

    def __init__(self, root: Path, *cells: NotebookNode, config: str = "") -> None:
        self.root, self.source = root, root / "source" / "ps2"
        self.source.mkdir(parents=True)
        kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
        nbformat.write(new_notebook(cells=list(cells), metadata={"kernelspec": kernel}), self.source / "hw.ipynb")
        (root / "nbgrader_config.py").write_text((ROOT / "nbgrader_config.py").read_text() + config)

    def run(self, command: str) -> tuple[int, str]:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            [sys.executable, "-m", "nbgrader", command, "ps2"],
            cwd=self.root,
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def refused(self) -> str:
        """Why the assignment is not generated, on one line."""
        status, said = self.run("generate_assignment")
        assert status == 1, said
        assert not (self.root / "release").exists()
        return " ".join(said.split())

    def generated(self) -> None:
        status, said = self.run("generate_assignment")
        assert status == 0, said

    def hand_in(self, student: str) -> Path:
        folder = self.root / "submitted" / student / "ps2"
        shutil.copytree(self.root / "release" / "ps2", folder)
        return folder

    def marks(self, student: str) -> dict[str, tuple[float, bool]]:
        with Gradebook(f"sqlite:///{self.root}/gradebook.db") as gradebook:
            found = gradebook.find_submission_notebook("hw", "ps2", student).grades
            return {grade.name: (grade.score, bool(grade.needs_manual_grade)) for grade in found}


def test_a_result_that_is_no_mark_of_its_cell_is_named_and_costs_no_other_cell(tmp_path: Path) -> None:
    results = {"more": "4.5 * 2", "less": "-3.0", "nothing": "float('nan')", "endless": "float('inf')"}
    cells = [marked(name, source, 8) for name, source in results.items()]
    course = Small(tmp_path, *cells, marked("half", "2.5", 5), marked("right", "assert True", 3))
    course.generated()
    course.hand_in("ada")
    status, said = course.run("autograde")
    assert status == 3, said
    assert course.marks("ada") == {
        **dict.fromkeys(results, (0, True)),
        "half": (2.5, False),
        "right": (3, False),
    }
    assert "more gives 9, which is no mark of 0 to 8: correct its points, or give a mark by hand" in said
    assert "nothing gives nan, which is no mark of 0 to 8" in said
    summary = "tests whose number is no mark of their cell, see the student's line; mark them in the formgrader: ada"
    assert summary in said
    assert "Traceback" not in said
    status, again = course.run("autograde")
    assert status == 3
    assert summary in again  # who was graded before still needs a person
    assert course.run("generate_feedback")[0] == 0


def test_points_that_differ_from_those_of_the_panel_are_refused_whatever_the_cell_is_called(tmp_path: Path) -> None:
    course = Small(
        tmp_path,
        marked("setup", "from autograder import question\nfrom course_questions import q1, q2"),
        marked(
            "final",
            '### BEGIN HIDDEN TESTS\nq1.grade(8, seed="a") + q2.grade(points=8, seed="b")\n### END HIDDEN TESTS',
            12,
        ),
    )
    (course.source / "course_questions.py").write_text("q1 = q2 = None")
    said = course.refused()
    assert "final: the Create Assignment panel gives 12 points, and what the cell ends with gives at most 16" in said
    assert "Write the same number in both places." in said


def test_a_penalty_as_the_instructors_page_writes_it_is_applied(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "instructors.md").read_text().partition("## Late work")[2].partition("\n## ")[0]
    (line,) = re.findall(r"^c\..*penalty.*$", page, re.MULTILINE)
    course = Small(tmp_path, marked("right", "assert True", 3), config=f"\n{line}\n")
    course.generated()
    due = ["db", "assignment", "add", "ps2", "--duedate=2026-01-01 12:00:00 UTC"]
    subprocess.run([sys.executable, "-m", "nbgrader", *due], cwd=tmp_path, check=True, capture_output=True)
    for student, time in (("ada", "2026-01-01 11:00:00 UTC"), ("bela", "2026-01-01 13:00:00 UTC")):
        (course.hand_in(student) / "timestamp.txt").write_text(time)
    status, said = course.run("autograde")
    assert status == 0, said
    assert "not recognized" not in said
    assert re.search(r" ada +3 of 3 ", said)
    assert re.search(r" bela +0 of 3 .*late by 1 hour, penalty 3", said)


def test_an_autotest_of_a_students_function_is_refused_with_the_reason(tmp_path: Path) -> None:
    course = Small(tmp_path, marked("ans", SQUARES, locked=False), marked("t1", "### HASHED AUTOTEST squares(2)", 1))
    (tmp_path / "autotests.yml").write_text(AUTOTESTS)
    assert "The locked cell t1 uses squares, which only the unlocked cell ans defines." in course.refused()


def test_an_autotest_of_the_courses_own_function_works(tmp_path: Path) -> None:
    course = Small(
        tmp_path, marked("own", "def squares(n):\n    return n**2"), marked("t1", "### AUTOTEST squares(2)", 1)
    )
    (tmp_path / "autotests.yml").write_text(AUTOTESTS)
    course.generated()
    course.hand_in("ada")
    assert course.run("autograde")[0] == 0
    assert course.marks("ada") == {"t1": (1, False)}


def test_tests_that_a_footer_adds_are_looked_at_as_well(tmp_path: Path) -> None:
    course = Small(
        tmp_path,
        marked("ans", SQUARES, locked=False),
        config="\nc.IncludeHeaderFooter.footer = 'source/footer.ipynb'\n",
    )
    nbformat.write(new_notebook(cells=[marked("t1", "assert squares(1) == [1]", 1)]), tmp_path / "source/footer.ipynb")
    assert "The locked cell t1 uses squares, which only the unlocked cell ans defines." in course.refused()


def test_notebooks_of_old_formats_are_graded_without_an_error(tmp_path: Path) -> None:
    course = Small(tmp_path, marked("right", "assert True", 3), marked("ans", "x = 1", locked=False))
    course.generated()
    for minor in range(5):
        file = course.hand_in(f"of-4.{minor}") / "hw.ipynb"
        notebook = nbformat.read(file, as_version=4)
        notebook.cells.append(new_code_cell("y = 2"))
        for cell in notebook.cells:
            del cell["id"]
        notebook.nbformat_minor = minor
        nbformat.write(notebook, file)
    status, said = course.run("autograde")
    assert status == 0, said
    assert "ERROR" not in said
    assert "invalid" not in said
    for minor in range(5):
        assert course.marks(f"of-4.{minor}") == {"right": (3, False)}
        nbformat.validate(nbformat.read(tmp_path / f"autograded/of-4.{minor}/ps2/hw.ipynb", as_version=4))
    assert course.run("generate_feedback")[0] == 0
