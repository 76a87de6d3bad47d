"""`autograder report` on a class that was really graded, and where there is nothing to report."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import nbformat
import numpy as np
import pytest

from autograder.__main__ import main
from tests.class_report import mixed
from tests.class_report.test_page import words
from tests.conftest import NAMES, POINTS, QUESTIONS_OF_PS1
from tests.rooms.course import Course
from tests.test_course import MARKS
from tools.sample_class import hand_in, students

# By hand, from tests/sample_class: who broke what, by what; with "" where no derivative could be compared. Jo has
# deleted all answer cells, and so defines no function.
JO = ("", "function not defined")
BROKEN = {
    "q1": {("dzda", "path or term left out"): 1, ("", "value not right"): 1, ("", "function not defined"): 3},
    "q2": {("dadv", "gate of relu"): 1, ("", "stopped with an error"): 2, JO: 1},
    "q3": {
        ("dadw", "another variable's derivative"): 1,
        ("", "no answer in time"): 1,
        ("", "not two numbers"): 1,
        JO: 1,
    },
    "q4": {
        ("dfdc", "sign"): 1,
        JO: 1,
        ("", "results swapped"): 1,
        ("", "not answered"): 1,
        ("", "stopped with an error"): 1,
        ("", "not two numbers"): 1,
    },
    "q5": {
        JO: 1,
        ("dfdx", "rule of powers"): 1,
        ("", "not answered"): 1,
        ("", "stopped with an error"): 1,
        ("", "not two numbers"): 1,
    },
    "q6": {
        JO: 1,
        ("dfdb", "sign"): 1,
        ("dfdy", "another variable's derivative"): 1,
        ("", "not answered"): 1,
        ("", "not two numbers"): 1,
    },
}
Capture = pytest.CaptureFixture[str]


@pytest.mark.course
def test_the_report_on_the_sample_class_has_the_figures_that_one_counts_by_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    course = Course(tmp_path / "course")
    for student, answers in students().items():
        hand_in(course.root / "release" / "ps1", answers, course.root / "submitted" / student / "ps1")
    jo = course.root / "submitted" / "jo" / "ps1"
    hand_in(course.root / "release" / "ps1", students()["ada"], jo)
    notebook = nbformat.read(jo / "problems.ipynb", as_version=4)
    notebook.cells = [c for c in notebook.cells if not c.metadata.get("nbgrader", {}).get("solution")]
    nbformat.write(notebook, jo / "problems.ipynb")
    course.run("autograde", "ps1")
    monkeypatch.chdir(course.root)
    assert main(["report", "ps1"]) == 0
    said = capsys.readouterr().out
    assert said == "report-ps1/report.html: 10 students. The figures are in report.csv and report.json beside it.\n"
    made = json.loads(Path("report-ps1/report.json").read_text(encoding="utf-8"))
    points = np.array([*(MARKS[student] for student in students()), [0 for _ in NAMES]], dtype=float)
    assert made["class"]["mean"] == pytest.approx(points.sum(axis=1).mean(), abs=1e-3)
    counted, _ = np.histogram(points.sum(axis=1), bins=10, range=(0, POINTS))
    assert [bin["students"] for bin in made["marks"]] == counted.tolist()
    of = {question["question"]: question for question in made["questions"]}
    assert tuple(of) == QUESTIONS_OF_PS1
    for n, question in enumerate(of[name] for name in NAMES):
        assert question["mean"] == pytest.approx(points[:, n].mean(), abs=1e-3)
        rest = points.sum(axis=1) - points[:, n]
        assert question["discrimination"] == pytest.approx(np.corrcoef(points[:, n], rest)[0, 1], abs=1e-3)
        assert (question["full"], question["counted"]) == ((points[:, n] == 10).sum(), 10)
        found = {(m["derivative"], m["mistake"]): m["students"] for m in question["mistakes"]}
        assert found == BROKEN[question["question"]]
    assert made["needs_a_person"] == {"STOPPED": 1}
    html = Path("report-ps1/report.html").read_text(encoding="utf-8")
    assert "1: code that was stopped (time, memory, processes) Who gus" in words(html)
    assert re.search(r"1 of 10 broke dfdb : 1 by the sign\.", words(html))


@pytest.fixture
def here(mixed_course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "course"
    shutil.copytree(mixed_course, folder)
    monkeypatch.chdir(folder)
    return folder


def test_a_class_that_is_half_graded_has_its_report_and_the_rest_is_said(here: Path, capsys: Capture) -> None:
    (here / "autograded/ada/ps1/words.ipynb").unlink()
    for folder in ("deep/er", "deep/er"):  # it can be run again
        assert main(["report", "ps1", "--to", folder]) == 0
    assert capsys.readouterr().out.splitlines()[:3] == [
        "deep/er/report.html: 5 students. The figures are in report.csv and report.json beside it.",
        "Not graded yet, and in no figure: 1 submission. Run `nbgrader autograde ps1`, then this again.",
        "Graded notebooks that are missing or cannot be read: those of 1 student. Their marks count.",
    ]
    assert sorted(file.name for file in Path("deep/er").iterdir()) == ["report.csv", "report.html", "report.json"]


def test_nobody_graded_is_one_sentence_and_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    made = mixed.Made(tmp_path, {"code": mixed.problems()})
    monkeypatch.chdir(tmp_path)
    sentence = "autograder report: nobody's work on ps1 is graded{but}. Grade it first: nbgrader autograde ps1\n"
    assert main(["report", "ps1"]) == 1
    assert capsys.readouterr().err == sentence.format(but="")
    made.enrol("fay")
    made.hand_in("eve")
    assert main(["report", "ps1"]) == 1
    assert capsys.readouterr().err == sentence.format(but=" yet (1 submission handed in)")
    assert not list(tmp_path.glob("report*"))


def test_an_unknown_assignment_and_a_folder_that_cannot_be_are_named(here: Path, capsys: Capture) -> None:
    assert main(["report", "ps9"]) == 1
    assert "the gradebook has no assignment ps9; it has ps1" in capsys.readouterr().err
    (here / "taken").write_text("")
    assert main(["report", "ps1", "--to", "taken"]) == 1
    assert capsys.readouterr().err == (
        "autograder report: taken cannot be written: File exists. Name another folder with --to.\n"
    )
