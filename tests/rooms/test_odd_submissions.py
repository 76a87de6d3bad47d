"""Folders and files as nobody expects them, and a course whose own cells are unusual: everybody earns what is right."""

from __future__ import annotations

import logging
import os
import re
import shutil
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import MagicMock

import nbformat
import pytest
from nbformat import NotebookNode
from nbgrader.coursedir import CourseDirectory

from autograder.rooms import handed_in
from autograder.sandbox import folders
from autograder.selection import HandedIn
from autograder.terminal.report import Report
from autograder.workers import files
from tests.rooms.course import EARNED, Course, Submission, deepen, find

pytestmark = pytest.mark.course

# What a parser, or whoever walks a tree, may fall over.
HARD_TO_READ = {
    "minus": "x = " + "-" * 20_000 + "1",
    "plus": "x = " + "+".join(["1"] * 10_000),
    "attributes": "def h(a):\n    return a" + ".b" * 10_000,
    "lambdas": "x = " + "lambda: " * 5_000 + "1",
    "elif": "def h(x):\n    if x: pass\n" + "    elif x: pass\n" * 4_000,
    "definitions": "\n".join(f"def f{n}(): return f{n + 1}()" for n in range(2_000)),
    "comment": "#" * 300_000,
}
LISTS = "import os; print('here', sorted(os.listdir('.')))"


def _deep(folder: Path) -> None:
    deepen(folder, 1500)


def _many(folder: Path) -> None:
    for number in range(HandedIn().files + 500):
        (folder / f"x{number:05}").touch()


def _names(folder: Path) -> None:
    for name in (b"bad\xff\xfe", b"new\nline", b"n" * 255, b"-rf", b"*", b"%s", b"{0}", b" ", b"'", b"[a-z]"):
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_text("x")


def _large(folder: Path) -> None:
    with (folder / "large.bin").open("wb") as file:
        file.truncate(70 << 20)
    (folder / "small.txt").write_text("small")


def _closed(folder: Path) -> None:
    (folder / "closed").mkdir()
    (folder / "closed" / "file").write_text("x")
    (folder / "closed" / "file").chmod(0)
    (folder / "closed").chmod(0)


def _more_notebooks(folder: Path) -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("print('ran')")])
    for name in ("scratch", "<img src=x onerror=console.log(`fired`)>"):
        nbformat.write(notebook, folder / f"{name}.ipynb")


def _odd_cells(notebook: NotebookNode) -> None:
    at = notebook.cells.index(find(notebook, "q1"))
    for source in (
        "",
        " \n",
        "#",
        "%",
        "!",
        "?",
        "\\",
        "%%nosuchmagic\nx",
        "'''",
        "\x00",
        "é = 'ü'; é",
        "pass;" * 2_000,
    ):
        notebook.cells.insert(at, nbformat.v4.new_code_cell(source))


def _timed(notebook: NotebookNode) -> None:
    answer = find(notebook, "q1")
    answer.source = "%%time\n" + answer.source


ODD = {
    "cells": Submission(edit=_odd_cells),
    "closed": Submission(files=_closed),
    "deep": Submission(files=_deep),
    "large": Submission(LISTS, files=_large),
    "many": Submission(files=_many),
    "more-notebooks": Submission(LISTS, files=_more_notebooks),
    "names": Submission(LISTS, files=_names),
    **{name: Submission(source) for name, source in HARD_TO_READ.items()},
    "minus-in-an-answer": Submission(answers={"q2": "def grad_q2(b, x, w):\n    return 0, " + "-" * 20_000 + "1"}),
    **{
        f"later-{name}": Submission(also={"q1": line}, earns=EARNED)
        for name, line in {"assert": "assert 1 == 2", "import": "import no_such_module", "input": "input()"}.items()
    },
    "stopped-before": Submission(
        answers={"q1": "1/0\ndef grad_q1(a, b):\n    return 0, 0", "q2": "def grad_q2(b, x, w): return x^2, x"},
        scratch="def grad_q1(a, b):\n    return 4*a + 6*b + 15*a**2 + 9*b**3, 4 + 30*a",
        earns=[0] * 6,
    ),
    "stair": Submission(earns=EARNED),
    "stair's %s {0} \\ (P<x>": Submission(earns=EARNED),
    "timed": Submission(edit=_timed, earns=EARNED),
    "reached": Submission(HARD_TO_READ["definitions"], answers={"q2": "def grad_q2(b, x, w):\n    return f0(), 0"}),
}
UNUSABLE_NAMES = {
    "two\nlines": "a line break or another control character",
    "st*r": "one of * ? [",
    "[ae]stair": "one of * ? [",
    "b\udcffd": "bytes that are no text",
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Course, str]:
    made = Course(tmp_path_factory.mktemp("odd"))
    try:
        for name, submission in ODD.items():
            made.hand_in(name, submission)
        for name in UNUSABLE_NAMES:
            made.hand_in(name, Submission())
        log = made.run("autograde", "ps1", ok=None)  # not 0, because of the names
        made.run("generate_feedback", "ps1")
        yield made, log
    finally:
        folders.remove(str(made.root))  # pytest itself could not remove what is so deep


@pytest.mark.parametrize("name", ODD)
def test_an_odd_submission_earns_what_is_right_and_has_a_page(run: tuple[Course, str], name: str) -> None:
    course, _ = run
    assert course.marks(name) == ODD[name].earns
    assert ("hidden 8.00 of 8.00" in course.page(name)) == (ODD[name].earns == EARNED)


@pytest.mark.parametrize("name", UNUSABLE_NAMES)
def test_a_folders_name_that_nbgrader_cannot_use_costs_only_that_submission_and_is_named(
    run: tuple[Course, str], name: str
) -> None:
    course, log = run
    shown = re.sub(r"[\n\udcff]", "?", name)
    (line,) = (line for line in log.splitlines() if f" {shown} " in line and "not graded" in line)
    assert f"its folder submitted/{shown}/ps1 has a name with {UNUSABLE_NAMES[name]}, which nbgrader cannot" in line
    assert course.status == 0, "generate_feedback, which came last, had no trouble with it"
    assert not (course.root / "autograded" / name).exists()


def test_a_cell_that_stopped_after_its_function_loses_nothing_and_is_told(run: tuple[Course, str]) -> None:
    for name, error in (("assert", "AssertionError"), ("import", "ModuleNotFoundError"), ("input", "Error")):
        shown = run[0].shown(f"later-{name}")
        told = "8 of 8 points. dzda is right at all 24 hidden test points. After grad_q1 was defined, its cell stopped in line"
        assert told in shown
        assert f"{error}. That costs no points: the function counts." in shown
    assert "its cell stopped" not in run[0].shown("timed")
    assert "cannot read a cell" not in run[0].shown("timed")


def test_a_function_from_before_is_not_taken_for_the_one_that_stopped(run: tuple[Course, str]) -> None:
    shown = run[0].shown("stopped-before")
    assert "grad_q1 was not defined again, because its cell stopped in line 1 with ZeroDivisionError." in shown
    assert "grad_q2 stopped in line 1: in Python `^` is not a power. Write `**`, as in `x**2`." in shown


def test_what_is_too_deep_or_too_much_is_set_aside_and_named(run: tuple[Course, str]) -> None:
    course, log = run
    for name in ("deep", "many"):
        assert (course.root / "submitted" / name / "ps1.left-out").is_dir()
        (line,) = (line for line in log.splitlines() if f" {name} " in line)
        assert "left out, and now in ps1.left-out: '" in line
    assert len(list((course.root / "autograded" / "many" / "ps1").iterdir())) <= HandedIn().files
    (who,) = (line.partition(": ")[2] for line in log.splitlines() if "files that were left out, so that" in line)
    assert sorted(who.split(", ")) == ["deep", "large", "many"]


def test_a_file_larger_than_the_rooms_disk_is_missing_there_and_the_small_one_is_not(run: tuple[Course, str]) -> None:
    course, log = run
    shown = course.shown("large")
    assert "for large.bin there was no room where student code runs (32 MB, half of c.Engine.written)" in log
    assert "small.txt" in shown
    assert "here ['large.bin" not in shown


def test_names_that_are_no_text_reach_the_room(run: tuple[Course, str]) -> None:
    shown = run[0].shown("names")
    for name in (r"bad\\udcff\\udcfe", r"new\\nline", "'-rf'", "'%s'", "'*'"):
        assert name in shown


def test_a_notebook_that_is_not_the_courses_is_neither_run_nor_shown(run: tuple[Course, str]) -> None:
    course, _ = run
    for folder in ("autograded", "feedback"):
        for path in (course.root / folder / "more-notebooks" / "ps1").iterdir():
            assert path.name in ("problems.ipynb", "problems.html", "timestamp.txt")


def test_a_rooms_files_stay_below_the_room(tmp_path: Path) -> None:
    """The names come from a folder, so none leads out of it; a link in their way is not followed out of the room."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a").write_text("x")
    (tmp_path / "in" / "link").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "in" / "pipe")
    assert list(files.read_parts(files.choose(str(tmp_path / "in"), 1 << 20)[0])) == [("a", 0, b"x")]


def test_where_there_is_no_room_for_all_the_courses_files_come_first_and_then_the_small_ones(tmp_path: Path) -> None:
    for name, size in (("a-large", 60), ("b-small", 10), ("course", 50), ("c-middle", 30)):
        (tmp_path / name).write_bytes(b"." * size)
    kept, left = files.choose(str(tmp_path), 100, {"course"})
    assert [name for _, name in kept] == ["course", "b-small", "c-middle"]
    assert left == ["a-large"]


def test_a_folder_that_may_not_be_looked_into_is_named_and_the_others_are_graded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It looks as if there were no notebook in it, and may hold one."""
    for name in ("ada", "bela"):
        (tmp_path / "submitted" / name / "ps1").mkdir(parents=True)
    courses = CourseDirectory(root=str(tmp_path), assignment_id="ps1")
    converter = SimpleNamespace(
        coursedir=courses,
        assignments={},
        _input_directory="submitted",
        _format_source=lambda assignment, student: courses.format_path("submitted", student, assignment),
    )
    listed = os.listdir

    def closed(folder: str) -> list[str]:  # whoever tests this may be root, to whom nothing is closed
        if "ada" in folder:
            raise PermissionError(13, "Permission denied", folder)
        return listed(folder)

    monkeypatch.setattr(os, "listdir", closed)
    said: list[str] = []
    gradebook = MagicMock()
    gradebook.update_or_create_submission.return_value = SimpleNamespace(notebooks=[], score=0.0, max_score=60.0)
    report = Report(said.append, logging.getLogger("a test"))
    handed_in.enter_empty(converter, gradebook, report, handed_in.without_notebook(converter))
    ada, bela = said
    assert " ada " in ada
    assert "not graded" in ada
    assert "Permission denied" in ada
    assert " bela " in bela
    assert "0 of 60" in bela
    assert report.end() == 1


def _locked(name: str, source: str) -> NotebookNode:
    marks = {"grade": False, "grade_id": name, "locked": True, "schema_version": 3, "solution": False, "task": False}
    return nbformat.v4.new_code_cell(source, metadata={"nbgrader": {**marks, "cell_type": "code"}})


def test_a_locked_ungraded_cell_may_check_an_answer_and_print_without_end(tmp_path: Path) -> None:
    """Such a cell runs in both rooms, and the tests after it rely on what it defines."""
    course = Course(tmp_path)
    source = tmp_path / "source" / "ps1" / "problems.ipynb"
    notebook = nbformat.read(source, as_version=4)
    at = notebook.cells.index(find(notebook, "q1-check"))
    notebook.cells.insert(at, _locked("before", "q1.check()\nBEFORE = 1\nprint('x' * 3_000_000)"))
    notebook.cells.insert(at + 2, _locked("between", "print('between', q1.grade(points=8, seed='open'))\nBETWEEN = 2"))
    hidden = find(notebook, "q1-hidden")
    hidden.source = f"### BEGIN HIDDEN TESTS\nassert (BEFORE, BETWEEN) == (1, 2)\n### END HIDDEN TESTS\n{hidden.source}"
    nbformat.write(notebook, source)
    course.run("generate_assignment", "ps1", "--force")
    shutil.rmtree(tmp_path / "submitted", ignore_errors=True)
    course.hand_in("right", Submission())
    course.hand_in("wrong", Submission(answers={"q1": "def grad_q1(a, b): return a, b", "q2": course._right["q2"]}))
    course.run("autograde", "ps1")
    assert course.marks("right") == EARNED
    assert course.marks("wrong") == [0, 10, 0, 0, 0, 0]
    assert "between 8.0" in course.shown("right")
