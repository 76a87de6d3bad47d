"""Courses that grade nobody rightly: refused by name when the assignment is generated, or no student's loss.

Each test runs nbgrader's own commands on a small course of one notebook.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell
from nbgrader.api import Gradebook

from autograder.terminal.report import NEEDS_A_PERSON
from tests.conftest import ROOT
from tests.rooms.small import AUTOTESTS, UNTRIED, Small, marked

pytestmark = pytest.mark.course


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
    assert "cells that you mark, in the formgrader: ada" in again  # until they are marked
    assert course.run("generate_feedback")[0] == 0


LOST = "tests that were ended before they gave a mark"


def test_a_test_that_is_lost_gives_nobody_a_0_but_a_person_marks_it(tmp_path: Path) -> None:
    """A crash, an endless loop and too much memory of the tests themselves; what follows in a new process counts."""
    course = Small(
        tmp_path,
        ANSWER,
        marked("crash", "import os\nos.kill(os.getpid(), 9)", 1),
        marked("right", "assert True", 2),
        marked("endless", "while True: pass", 3),
        marked("large", "import time\nx = b'x' * (1500 << 20)\ntime.sleep(60)", 4),
        marked("wrong", "assert False", 5),
        config=f"{UNTRIED}\nc.Engine.cell_seconds = 5\nc.Engine.memory = 1024\n",
    )
    course.generated()
    course.hand_in("ada")
    course.hand_in("bela", "import os\nos._exit(9)")
    status, said = course.run("autograde")
    assert status == NEEDS_A_PERSON, said
    for name in ("ada", "bela"):
        assert course.marks(name) == {
            **dict.fromkeys(("crash", "endless", "large"), (0, True)),
            "right": (2, False),
            "wrong": (0, False),
        }
        (line,) = [line for line in said.splitlines() if re.search(rf"/2  {name} ", line)]
        for text in (
            "crash was ended before it gave a mark: the process in which the code ran has ended",
            "endless was ended before it gave a mark: no reply in time",
            "large was ended before it gave a mark: the code used more than 1024 MB of memory",
        ):
            assert text in line
    end = said.partition("2 need a person:")[2]
    assert re.search(rf"{LOST}.*: ada, bela$", end, re.MULTILINE)
    assert "code that was stopped (time, memory, processes): bela" in end
    assert end.count("ada") == 1
    assert course.run("autograde")[0] == NEEDS_A_PERSON
    with Gradebook(f"sqlite:///{tmp_path}/gradebook.db") as gradebook:
        for name in ("ada", "bela"):
            for test in ("crash", "endless", "large"):
                grade = gradebook.find_grade(test, "hw", "ps2", name)
                grade.manual_score, grade.needs_manual_grade = 1.0, False
        gradebook.db.commit()
    assert "ada" not in course.run("autograde")[1].partition("need")[2]


def test_points_that_differ_from_those_of_the_panel_are_refused_whatever_the_cell_is_called(tmp_path: Path) -> None:
    course = Small(
        tmp_path,
        marked("setup", "from autograder import question\nfrom course_questions import q1, q2"),
        marked(
            "final",
            '### BEGIN HIDDEN TESTS\nq1.grade(8, seed="a") + q2.grade(points=8, seed="b")\n### END HIDDEN TESTS',
            14,
        ),
    )
    (course.source / "course_questions.py").write_text("q1 = q2 = None")
    said = course.refused()
    assert "final: the Create Assignment panel gives 14 points, and what the cell ends with gives at most 16" in said
    assert "Write the same number in both places." in said


def test_a_penalty_as_the_instructors_page_writes_it_is_applied(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "instructors.md").read_text().partition("## Late work")[2].partition("\n## ")[0]
    (line,) = re.findall(r"^c\..*penalty.*$", page, re.MULTILINE)
    course = Small(tmp_path, marked("right", "assert True", 3), config=f"{UNTRIED}\n{line}\n")
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


def test_an_autotest_of_the_courses_own_function_works(tmp_path: Path) -> None:
    course = Small(
        tmp_path, marked("own", "def squares(n):\n    return n**2"), marked("t1", "### AUTOTEST squares(2)", 1)
    )
    (tmp_path / "autotests.yml").write_text(AUTOTESTS)
    course.generated()
    course.hand_in("ada")
    assert course.run("autograde")[0] == 0
    assert course.marks("ada") == {"t1": (1, False)}


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


ANSWER = marked("ans", "pass", locked=False)
READS = "print('read', len(open('data/big.csv').read()))"
DOUBLE = "def double(x):\n    return {} * x\n"
USES = [marked("load", "import mytools"), marked("t1", "assert mytools.double(3) == 6", 1)]
EDITS = 'c.Autograde.exclude_overwriting = {"ps2": ["mytools.py"]}'


def test_with_a_module_that_students_may_edit_since_the_release_nothing_is_graded(tmp_path: Path) -> None:
    """The tests would use the course's own copy, for which everybody earns full marks."""
    course = Small(tmp_path, *USES)
    (course.source / "mytools.py").write_text(DOUBLE.format(2))
    course.generated()
    (course.hand_in("ada") / "mytools.py").write_text(DOUBLE.format(3))
    course.configure(EDITS)  # after the release: nothing is graded
    status, said = course.run("autograde")
    assert status == 1
    told = (
        "mytools.py is a file that students may edit (c.Autograde.exclude_overwriting), and the locked cell load uses"
    )
    assert f"Nothing was graded: {told}" in " ".join(said.split())
    assert not (tmp_path / "autograded").exists()


def test_a_module_that_students_may_edit_and_only_their_cells_use_is_theirs(tmp_path: Path) -> None:
    course = Small(tmp_path, marked("t1", "assert True", 1), ANSWER, config=f"{UNTRIED}\n{EDITS}\n")
    (course.source / "mytools.py").write_text(DOUBLE.format(2))
    course.generated()
    folder = course.hand_in("ada", "import mytools\nprint('by', mytools.double(1))")
    (folder / "mytools.py").write_text(DOUBLE.format(3))
    status, said = course.run("autograde")
    assert status == 0, said
    assert "by 3" in course.graded("ada")


def test_a_module_that_only_students_have_is_refused_by_name(tmp_path: Path) -> None:
    course = Small(
        tmp_path,
        marked(
            "fine", "import os, json, torch, autograder\ntry:\n    import seldom_there\nexcept ImportError:\n    pass"
        ),
        marked("beside", "import helper\nfrom tools.more import x"),
        marked("t1", "from mine import double\nassert double(3) == 6", 1),
    )
    (course.source / "tools").mkdir()
    for name in ("helper.py", "tools/more.py"):
        (course.source / name).write_text("x = 1")
    (tmp_path / "mine.py").write_text(DOUBLE.format(2))  # where the command is run: not beside the notebook
    said = course.refused()
    assert "The locked cell t1 imports mine, which is neither beside the course's notebook nor installed here." in said
    assert said.count("which is neither") == 1
    (tmp_path / "mine.py").rename(course.source / "mine.py")
    course.generated()
    course.hand_in("ada")
    assert course.run("autograde")[0] == 0
    assert course.marks("ada") == {"t1": (1, False)}


def test_a_notebook_in_another_language_is_refused_by_its_name(tmp_path: Path) -> None:
    course = Small(tmp_path, marked("t1", "stopifnot(TRUE)", 1), language="R")
    assert "The notebook hw is written in R, and rooms run Python alone." in course.refused()


def test_course_files_larger_than_the_room_are_refused_and_the_setting_that_is_named_mends_it(tmp_path: Path) -> None:
    course = Small(
        tmp_path,
        marked("t1", "assert True", 1),
        ANSWER,
    )
    (course.source / "data").mkdir()
    (course.source / "data" / "big.csv").write_bytes(b"1,2\n" * 10_000_000)
    said = course.refused()
    assert "The files beside the notebooks have 38.1 MB (data/big.csv (38.1 MB)), and a room where student code" in said
    (line,) = re.findall(r"c\.Engine\.written = \d+", said)
    course.configure(line)
    course.generated()
    course.hand_in("ada", READS)
    status, said = course.run("autograde")
    assert status == 0, said
    assert "read 40000000" in course.graded("ada")
    # The option is taken back, so that the file does not fit any more: the run says so, and so does the next one.
    course.configure("c.Engine.written = 64")
    course.hand_in("bela", READS)
    status, said = course.run("autograde")
    assert status == 3, said
    told = "for data/big.csv there was no room where student code runs (32 MB, half of c.Engine.written)"
    assert re.search(f" bela .*{re.escape(told)}", said)
    assert "files that were left out, so that code may not have found them: bela" in course.run("autograde")[1]


def test_more_course_files_than_students_can_hand_in_are_refused(tmp_path: Path) -> None:
    course = Small(tmp_path, marked("t1", "assert True", 1))
    (course.source / "data").mkdir()
    for number in range(1100):
        (course.source / "data" / f"{number:04}.csv").touch()
    said = course.refused()
    assert (
        "Students could not hand in 'data/0998.csv', 'data/0999.csv', 'data/1000.csv' and 99 more again: more than 1000"
        in said
    )
    course.configure("c.HandedIn.files = 1200")
    course.generated()
    course.hand_in("ada")
    assert course.run("autograde")[0] == 0


def test_what_is_no_work_is_set_aside_before_grading_and_the_limit_is_that_of_collect(tmp_path: Path) -> None:
    course = Small(tmp_path, marked("t1", "assert True", 1), ANSWER)
    course.generated()
    folder = course.hand_in("ada", "import os; print(sorted(os.listdir()))")
    for name in ("venv/lib", "my env/lib", ".git/objects"):
        (folder / name).mkdir(parents=True)
        for number in range(1100):
            (folder / name / f"{number}").touch()
    (folder / "my env" / "pyvenv.cfg").touch()
    (folder / "helper.py").touch()
    status, said = course.run("autograde")
    assert status == 0, said
    assert "(it holds programs or a cache, and no work)" in said
    assert r"['helper.py']" in course.graded("ada")
    assert not (tmp_path / "autograded/ada/ps2/venv").exists()
    course.configure("c.HandedIn.files = 20")
    folder = course.hand_in("bela")
    for number in range(30):
        (folder / f"{number:02}").touch()
    status, said = course.run("autograde")
    assert status == 3, said
    assert re.search(
        r" bela .*left out, and now in ps2.left-out: '19', '20', '21' and 8 more \(more than 20 files", said
    )
