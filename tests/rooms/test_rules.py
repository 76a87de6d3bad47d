"""Each cell is run by its owner; a submission that is hurt hurts nobody else; outputs look like a kernel's."""

from __future__ import annotations

import json
import os
import re
import sqlite3
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from autograder import by_hand_list
from autograder.rooms import save_grades
from tests.conftest import QUESTIONS_OF_PS1
from tests.rooms.course import EARNED, Course, Submission, find
from tests.test_course import MARKS, SEEDS
from tools.sample_class import hand_in, students

pytestmark = pytest.mark.course

LIKE_A_KERNEL = r"""
import sys, warnings
print("to stdout"); print("to stderr", file=sys.stderr)
from IPython.display import display, HTML, clear_output, update_display
print("cleared"); clear_output(); print("after clear")
display(HTML("<b>first</b>"), display_id="d"); update_display(HTML("<b>second</b>"), display_id="d")
import os; os.system("echo from-a-program")
import helper; print(helper.NAME, open("data.txt").read())
get_ipython().run_line_magic("time", "1")
get_ipython().system("ls")
import asyncio
await asyncio.sleep(0.01)
41 + 1
"""


def _twice(notebook: NotebookNode) -> None:
    """Two answer cells for q2: the first is wrong and defines a name that the last, which is right, uses."""
    cell = find(notebook, "q2")
    first = nbformat.from_dict({**cell, "id": "first"})
    first.source = "ran_first = True\ndef grad_q2(b, x, w): return 0, 0"
    cell.source = "assert ran_first\ndef grad_q2(b, x, w):\n    v = w * x + b\n    return torch.relu(v), x * (v > 0)"
    notebook.cells.insert(notebook.cells.index(cell), first)


def _shuffled_away(notebook: NotebookNode) -> None:
    for name in ("setup", "q1-forward", "q1-check", "q1-hidden", "q3-statement"):
        notebook.cells.remove(find(notebook, name))


def _kernel_cells(notebook: NotebookNode) -> None:
    at = notebook.cells.index(find(notebook, "q1")) + 1
    for source in ("1/0", "def f(:", LIKE_A_KERNEL, "locked_too = 'q1' in dir()\nlocked_too"):
        notebook.cells.insert(at, nbformat.v4.new_code_cell(source))


def _files(folder: Path) -> None:
    (folder / "helper.py").write_text("NAME = 'a helper'")
    (folder / "data.txt").write_text("some data")


def _bytes(text: bytes) -> object:
    return lambda folder: (folder / "problems.ipynb").write_bytes(text)


def _link_out(folder: Path) -> None:
    (folder / "link.txt").symlink_to(folder.parent.parent.parent / "secret.txt")
    (folder / "endless").symlink_to("/dev/zero")
    os.mkfifo(folder / "pipe")


def _link_notebook(folder: Path) -> None:
    (folder / "problems.ipynb").unlink()
    (folder / "problems.ipynb").symlink_to(folder.parent.parent / "aa-honest" / "ps1" / "problems.ipynb")


def _time(text: str) -> object:
    return lambda folder: (folder / "timestamp.txt").write_text(text)


NOTHING = [0] * 6
HURT = {
    "aa-honest": Submission(),
    "twice": Submission(edit=_twice, earns=[10, 10, 0, 0, 0, 0]),
    "away": Submission(edit=_shuffled_away),
    "kernel": Submission(edit=_kernel_cells, files=_files),
    "broken-json": Submission(files=_bytes(b'{"cells": [{'), earns=NOTHING),
    "not-utf8": Submission(files=_bytes(b"\xff\xfe\x00"), earns=NOTHING),
    "deep-json": Submission(files=_bytes(b"[" * 100_000), earns=NOTHING),
    "other-shape": Submission(
        files=_bytes(b'{"nbformat": 4, "nbformat_minor": 5, "cells": [{"cell_type": 3}]}'), earns=NOTHING
    ),
    "next-format": Submission(
        files=_bytes(b'{"nbformat": 9, "nbformat_minor": 5, "metadata": {}, "cells": []}'), earns=NOTHING
    ),
    "links": Submission(files=_link_out),
    "linked-notebook": Submission(files=_link_notebook, earns=NOTHING),
    "time-garbage": Submission(files=_time("yesterday evening, I think")),
    "time-huge": Submission(files=_time("9" * 400)),
    "time-binary": Submission(files=lambda folder: (folder / "timestamp.txt").write_bytes(b"\xff\xfe")),
    "no-notebook": Submission(files=lambda folder: (folder / "problems.ipynb").unlink(), earns=NOTHING),
}


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    made = Course(tmp_path_factory.mktemp("rules"))
    (made.root / "secret.txt").write_text("the-secret")
    for name, submission in HURT.items():
        made.hand_in(name, submission)
    for name, answers in students().items():
        hand_in(made.root / "release" / "ps1", answers, made.root / "submitted" / name / "ps1")
    made.graded_with = (made.run("autograde", "ps1"), made.status)
    made.run("generate_feedback", "ps1")
    made.run("export", "--to", str(made.root / "grades.csv"))
    return made


@pytest.mark.parametrize("name", HURT)
def test_a_hurt_submission_earns_what_is_left_of_it(course: Course, name: str) -> None:
    assert course.marks(name) == HURT[name].earns


def test_a_run_is_a_line_a_student_and_says_who_needs_a_person(course: Course) -> None:
    said, status = course.graded_with
    header, *lines = said.splitlines()
    everybody = {*HURT, *MARKS}
    assert header.startswith(f"Grading ps1: {len(everybody)} submissions. Student code is locked in by ")
    listed = [line.split()[1] for line in lines if re.match(r" *\d+/\d+ ", line)]
    assert sorted(listed) == sorted(everybody)
    people = dict(line.strip().rsplit(": ", 1) for line in lines[lines.index("8 need a person:") + 1 :])
    assert {why: set(who.split(", ")) for why, who in people.items()} == {
        "not readable as a notebook, so not graded: ask for the file again": {
            "broken-json",
            "deep-json",
            "linked-notebook",
            "next-format",
            "not-utf8",
        },
        "no notebook, or none of the course's cells in it": {"no-notebook", "other-shape"},
        "code that was stopped (time, memory, processes)": {"gus"},
    }
    assert len(lines) == 1 + len(everybody) + 1 + 4  # the public seeds, a line each, the count, who needs a person
    assert status == 3


def test_a_note_says_what_a_submission_lacks_or_what_was_put_back(course: Course) -> None:
    notes = {line.split()[1]: line for line in course.graded_with[0].splitlines() if re.match(r" *\d+/\d+ ", line)}
    assert "cells were missing and were added back: setup, q1-forward, q1-check, q1-hidden" in notes["away"]
    assert "cells that are there more than once, of which the last counts: q2" in notes["twice"]
    assert "link.txt was removed: it is a link to " in notes["links"]
    assert "timestamp.txt holds no time" in notes["time-garbage"]
    assert "no notebook: nothing could be graded" in notes["no-notebook"]
    assert notes["ada"].endswith(" s")


@pytest.mark.parametrize("name", MARKS)
def test_two_rooms_and_a_plain_kernel_give_the_same_grades(course: Course, name: str) -> None:
    assert course.marks(name) == pytest.approx(MARKS[name])


def test_feedback_and_export_work_on_the_result(course: Course) -> None:
    for name in [*MARKS, "twice", "kernel"]:
        page = course.page(name)
        assert page.count('<section class="question ') == len(QUESTIONS_OF_PS1)
        seen = re.sub(r"<[^>]*>", "", page)  # the colours of code stand within it
        for secret in (*SEEDS, "grade(points", "BEGIN HIDDEN"):
            assert secret not in seen
    assert len((course.root / "grades.csv").read_text().splitlines()) == 1 + len(HURT) + len(MARKS)


def test_a_link_is_neither_followed_nor_copied(course: Course) -> None:
    graded = course.root / "autograded" / "links" / "ps1"
    assert sorted(p.name for p in graded.iterdir()) == ["problems.ipynb", "timestamp.txt"]


def test_a_missing_cell_is_restored_before_it_is_needed(course: Course) -> None:
    names = [c.metadata.nbgrader.grade_id for c in course.graded("away").cells if "nbgrader" in c.metadata]
    assert names.index("setup") < names.index("q1-forward") < names.index("q1-check") < names.index("q1-hidden")


def test_outputs_are_those_of_a_kernel(course: Course) -> None:
    cells = {c.source: c for c in course.graded("kernel").cells if c.cell_type == "code"}
    outputs = cells[LIKE_A_KERNEL].outputs
    text = json.dumps(outputs)
    streams = {o.name: o.text for o in outputs if o.output_type == "stream"}
    assert set(streams) == {"stdout"}, "clear_output clears both"
    for shown in ("after clear", "from-a-program", "a helper some data", "Wall time", "data.txt", "<b>second</b>"):
        assert shown in text
    assert "<b>first</b>" not in text
    assert [o.data["text/plain"] for o in outputs if o.output_type == "execute_result"] == ["42"]
    (error,) = cells["1/0"].outputs
    assert (error.output_type, error.ename, error.evalue) == ("error", "ZeroDivisionError", "division by zero")
    trace = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(error.traceback))
    assert f"Cell In[{cells['1/0'].execution_count}]" in trace
    (error,) = cells["def f(:"].outputs
    assert error.ename == "SyntaxError"


def test_execution_counts_run_on_over_all_cells(course: Course) -> None:
    counts = [c.execution_count for c in course.graded("ada").cells if c.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))


def test_a_later_run_still_knows_who_needs_a_person(course: Course) -> None:
    """The last of this course's tests: it writes into the gradebook and into by_hand.csv."""
    with sqlite3.connect(course.root / "gradebook.db") as book:
        student = "SELECT id FROM submitted_assignment WHERE student_id = 'ada'"
        work = f"SELECT id FROM submitted_notebook WHERE assignment_id = ({student})"
        book.execute(f"UPDATE grade SET needs_manual_grade = 1 WHERE notebook_id = ({work})")
    book.close()
    who = {"student": "twice", "assignment": "ps1", "notebook": "problems"}
    by_hand_list.replace(course.root / by_hand_list.FILE, [(who, [{**who, "question": "q1", "outcome": "listed"}])])
    said = course.run("autograde", "ps1")
    assert course.status == 3
    assert f"{len(HURT) + len(MARKS) - 2} graded before and not again" in said  # two have no notebook by now
    people = dict(line.strip().rsplit(": ", 1) for line in said.splitlines() if line.startswith("  ") and ": " in line)
    assert {why: set(who.split(", ")) for why, who in people.items() if " s " not in why} == {
        "not readable as a notebook, so not graded: ask for the file again": {
            "broken-json",
            "deep-json",
            "next-format",
            "not-utf8",
        },
        "no notebook, or none of the course's cells in it": {"no-notebook", "linked-notebook", "other-shape"},
        "code that was stopped (time, memory, processes)": {"gus"},
        "answers that may not be by hand, see by_hand.csv": {"twice"},
        "cells that you mark, in the formgrader": {"ada"},
    }


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(1, "1 minute"), (80 * 60, "1 hour"), (100 * 60, "2 hours"), (86400, "1 day"), (40 * 3600, "2 days")],
)
def test_how_late_somebody_is_is_said_to_the_nearest_and_never_as_0(seconds: float, said: str) -> None:
    assert save_grades._duration(seconds) == said


def test_where_nothing_isolates_grading_refuses_before_it_touches_anything(tmp_path: Path) -> None:
    course = Course(tmp_path, '\nc.Engine.isolation = "none"\n')
    course.hand_in("ada", Submission())
    before = (tmp_path / "gradebook.db").read_bytes()
    said = course.run("autograde", "ps1", ok=False)
    assert "Nothing was graded" in said
    assert "libseccomp2" in said
    assert not (tmp_path / "autograded").exists()
    assert (tmp_path / "gradebook.db").read_bytes() == before
    with (tmp_path / "nbgrader_config.py").open("a") as file:
        file.write("\nc.Engine.unsafe = True\nc.Engine.fork = False\n")
    said = course.run("autograde", "ps1")
    assert "GRADING WITHOUT ISOLATION" in said
    assert course.marks("ada") == EARNED
