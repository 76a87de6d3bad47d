"""Answers as people really write them, graded in rooms: honest ones earn full marks, machines lose them or are listed."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from tests.conftest import NAMES
from tests.rooms.course import Course, Submission
from tests.rooms.public_answers import CASES

pytestmark = pytest.mark.course
Tally = Callable[[str, object], None]
BY_NAME = {case["name"]: case for case in CASES}


def with_cells(case: dict) -> Callable[[NotebookNode], None]:
    def edit(notebook: NotebookNode) -> None:
        before = [nbformat.v4.new_code_cell(source) for source in case.get("before", ())]
        after = [nbformat.v4.new_code_cell(source) for source in case.get("after", ())]
        notebook.cells[:0] = before
        notebook.cells += after

    return edit


def with_files(case: dict) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        for name, text in case.get("files", {}).items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)

    return write


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    made = Course(tmp_path_factory.mktemp("public"))
    for name, case in BY_NAME.items():
        made.hand_in(name, Submission(answers=case["cells"], edit=with_cells(case), files=with_files(case)))
    made.run("autograde", "ps1", ok=None)
    return made


def found(course: Course, student: str) -> dict[str, str]:
    """The worst outcome of each question of the student on the by-hand list."""
    with (course.root / "by_hand.csv").open(newline="", encoding="utf-8-sig") as file:
        rows = [row for row in csv.DictReader(file) if row["student"] == student]
    return {row["question"]: row["outcome"] for row in sorted(rows, key=lambda r: r["outcome"], reverse=True)}


@pytest.mark.parametrize("name", [n for n, case in BY_NAME.items() if case["right"]])
def test_an_honest_answer_earns_full_marks(name: str, course: Course, record_property: Tally) -> None:
    marks = dict(zip(NAMES, course.marks(name), strict=True))
    asked = BY_NAME[name]["cells"]
    full = all(marks[q] == 10 for q in asked)
    record_property("tally", ("public answers", "honest accepted", int(full), 1))
    record_property("tally", ("public answers", "honest accused", int("forbidden" in found(course, name).values()), 1))
    assert full, (marks, found(course, name))


@pytest.mark.parametrize("name", [n for n, case in BY_NAME.items() if not case["right"]])
def test_a_machine_loses_the_question_or_is_listed(name: str, course: Course, record_property: Tally) -> None:
    marks = dict(zip(NAMES, course.marks(name), strict=True))
    on_the_list = found(course, name)
    seen = all(marks[q] < 10 or q in on_the_list for q in BY_NAME[name]["lost"])
    record_property("tally", ("public answers", "machines found", int(seen), 1))
    assert seen, (marks, on_the_list)
