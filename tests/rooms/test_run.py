"""One grading run: it waits for what is held, survives what is lost, and leaves nothing behind when it ends."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy.exc import OperationalError

from autograder import by_hand_list
from autograder.rooms.names import Names
from autograder.rooms.progress import RunProgress
from autograder.sandbox.processes import descendants
from autograder.terminal.report import NEEDS_A_PERSON, Report
from tests import warm
from tests.rooms.course import EARNED, Course, Submission

ENOUGH = 300
"""Seconds for anything that only has to happen at all."""
STUDENTS = [f"student{number}" for number in range(5)]
LISTED = "import torch.optim\ndef grad_q2(b, x, w):\n    torch.optim\n    return torch.relu(w * x + b), 12345.0"
"""An answer that is wrong, and on the by-hand list."""

PRESSES = """
import gc, json, os, threading
from nbgrader.apps import NbGraderAPI
from traitlets.config import Config
settings = Config()
get_config = lambda: settings
os.chdir({root!r})
exec(open("nbgrader_config.py").read(), {{"get_config": get_config, "__file__": {root!r} + "/nbgrader_config.py"}})
api = NbGraderAPI(config=settings)
def left():
    below = []
    for task in os.listdir("/proc/self/task"):
        below += open(f"/proc/self/task/{{task}}/children").read().split()
    return {{"processes": len(below), "threads": threading.active_count(), "files": len(os.listdir("/proc/self/fd")),
             "scratch": os.listdir(os.environ["TMPDIR"])}}
said = []
for press in range(3):
    result = api.autograde("ps1", "stopped")
    assert result["success"], result
    assert "1 needs a person" in result["log"], result
    gc.collect()
    said.append(left())
print(json.dumps(said))
"""


@pytest.fixture
def course(tmp_path: Path) -> Course:
    made = Course(tmp_path)
    for name in STUDENTS:
        made.hand_in(name, Submission())
    return made


def command_of(process: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    return ""


@contextmanager
def running(
    course: Course, *arguments: str, log: str = "run.log", python: str = sys.executable
) -> Iterator[subprocess.Popen[str]]:
    """nbgrader's own command, at work; what it says goes into the file `log`."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with (course.root / log).open("w") as out:
        process = subprocess.Popen(
            [python, "-m", "nbgrader", *arguments],
            cwd=course.root,
            env={**os.environ, "PATH": path},
            stdout=out,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def grading(course: Course, python: str = sys.executable) -> AbstractContextManager[subprocess.Popen[str]]:
    return running(course, "autograde", "ps1", python=python)


def until(happened: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + ENOUGH
    while not happened():
        assert time.monotonic() < end, f"waited {ENOUGH} s until {what}"
        time.sleep(0.02)


def graded(course: Course, name: str) -> bool:
    return (course.root / "autograded" / name / "ps1" / "problems.ipynb").exists()


@contextmanager
def held(course: Course) -> Iterator[None]:
    """Another process's writing transaction on the gradebook."""
    book = sqlite3.connect(course.root / "gradebook.db", timeout=ENOUGH, isolation_level=None)
    try:
        book.execute("BEGIN IMMEDIATE")
        yield
        book.execute("ROLLBACK")
    finally:
        book.close()


@pytest.mark.course
def test_a_process_that_lives_on_keeps_no_room_file_or_thread_of_a_run(course: Course, tmp_path: Path) -> None:
    """A formgrader: every press of Autograde is a run in the same process, and no failure because somebody should look."""
    course.hand_in("stopped", Submission("import os\nos._exit(9)"))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [sys.executable, "-c", PRESSES.format(root=str(course.root))],
        env={**os.environ, "PATH": path, "TMPDIR": str(scratch)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    first, *_, last = json.loads(done.stdout.splitlines()[-1])
    assert (last["processes"], last["threads"], last["scratch"]) == (0, 1, [])
    assert last["files"] <= first["files"]


@pytest.mark.course
def test_a_gradebook_that_is_held_is_waited_for_and_named(course: Course) -> None:
    with held(course), grading(course, warm.python()) as run:
        log = course.root / "run.log"
        until(lambda: "is held by another process; waiting up to 60 seconds" in log.read_text(), "the wait is named")
        assert not (course.root / "autograded").exists()
    shutil.rmtree(course.root / "submitted" / STUDENTS[1])
    course.hand_in(STUDENTS[1], Submission("import subprocess\nsubprocess.run(['sleep', '3.25'])"))
    with grading(course) as run:
        until(
            lambda: "sleep 3.25" in " ".join(map(command_of, descendants(run.pid))), "the second one's cell is at work"
        )
        with held(course):
            until(lambda: "is held by another process" in log.read_text(), "the wait is named")
        assert run.wait(ENOUGH) == 0, log.read_text()
    assert [course.marks(name) for name in STUDENTS] == [EARNED] * len(STUDENTS)


@pytest.mark.course
def test_a_gradebook_that_stays_held_ends_the_run_in_words_and_loses_nothing(course: Course) -> None:
    with (course.root / "nbgrader_config.py").open("a") as settings:
        settings.write("\nc.TwoRooms.patience = 1\n")
    with held(course):
        said = course.run("autograde", "ps1", ok=False)
    assert "The gradebook is held by another process and was not free within 1 seconds. Nothing is lost" in said
    assert not (course.root / "autograded").exists()
    course.run("autograde", "ps1")
    assert course.marks(STUDENTS[-1]) == EARNED


@pytest.mark.course
def test_an_interpreter_that_is_killed_in_the_middle_costs_nobody_anything(course: Course) -> None:
    with grading(course) as run:
        until(lambda: graded(course, STUDENTS[1]), "the second submission is graded")
        below = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()
        (interpreter,) = [int(p) for p in below if b"forkserver" in Path(f"/proc/{p}/cmdline").read_bytes()]
        os.kill(interpreter, signal.SIGKILL)
        assert run.wait(ENOUGH) == 0, (course.root / "run.log").read_text()
    assert [course.marks(name) for name in STUDENTS] == [EARNED] * len(STUDENTS)


@pytest.mark.course
def test_a_list_that_excel_has_saved_costs_nobody_the_graded_work(tmp_path: Path) -> None:
    course = Course(tmp_path)
    course.hand_in("ada", Submission())
    course.run("autograde", "ps1")
    graded = course.shown("ada")
    columns = "student;assignment;notebook;question;outcome;rule;line;source"
    saved = f"\ufeff{columns}\r\nada;ps1;problems;q1;listed;outside;3;x, y\r\n"
    (tmp_path / "by_hand.csv").write_text(saved, encoding="utf-8")
    said = course.run("autograde", "ps1")
    assert "answers that may not be by hand, see by_hand.csv: ada" in said
    assert course.shown("ada") == graded


@pytest.mark.course
def test_a_list_that_cannot_be_read_is_set_aside_and_costs_nobody_a_grade(tmp_path: Path) -> None:
    course = Course(tmp_path)
    (tmp_path / "by_hand.csv").write_text("name;mark\r\nada;1\r\n", encoding="utf-8")
    course.hand_in("ada", Submission(answers={"q2": LISTED}))
    course.hand_in("bela", Submission())
    said = course.run("autograde", "ps1")
    assert "by_hand.csv could not be read (its first line does not name the columns" in said
    assert "It is by_hand-unread-1.csv now, and a new list is begun" in said
    assert "Traceback" not in said
    assert (tmp_path / "by_hand-unread-1.csv").read_text() == "name;mark\nada;1\n"
    assert [(row["student"], row["question"]) for row in by_hand_list.read(tmp_path / "by_hand.csv")] == [("ada", "q2")]
    assert [course.marks(name) for name in ("ada", "bela")] == [EARNED, EARNED]
    (tmp_path / "by_hand.csv").unlink()
    (tmp_path / "by_hand.csv").mkdir()
    (tmp_path / "by_hand.lock").unlink()
    (tmp_path / "by_hand.lock").mkdir()  # whatever goes wrong with the list
    said = course.run("autograde", "ps1", "--force")
    assert "what may not be by hand could not be listed" in said
    assert "answers that may not be by hand, see by_hand.csv: ada" in said
    assert [course.marks(name) for name in ("ada", "bela")] == [EARNED, EARNED]


@pytest.mark.course
def test_no_line_name_or_link_of_a_students_is_obeyed_and_none_costs_a_grade_where_the_locale_is_ascii(
    tmp_path: Path,
) -> None:
    def files(folder: Path) -> None:
        (folder / "link\x1b[2J\u202e").symlink_to("/nowhere\x1b]0;title\x07\n=1+1")
        (folder / "δ.txt").write_text("δ", encoding="utf-8")

    course = Course(tmp_path)
    line = "    torch.optim  # δ \x1b[31m \u202e red"
    read = "open('δ.txt', encoding='utf-8').read()\nopen('δ.txt').read()\nprint('δ')"
    course.hand_in("ada", Submission(read, answers={"q2": LISTED.replace("    torch.optim", line)}, files=files))
    course.hand_in("bela", Submission())
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}
    said = course.run("autograde", "ps1", "--debug", **ascii_only)  # the report, and all that nbgrader logs
    assert re.search(r"link\?\[2J\?+ was removed", said)
    assert all(c.isprintable() or c == "\n" for c in said)
    assert [course.marks(name) for name in ("ada", "bela")] == [EARNED, EARNED]
    (row,) = (row for row in by_hand_list.read(tmp_path / "by_hand.csv") if row["student"] == "ada")
    assert row["source"] == "torch.optim  # δ  [31m   red"
    course.run("generate_feedback", "ps1", **ascii_only)
    assert "δ" in course.page("ada")


@pytest.mark.parametrize("held", [False, True])
def test_what_cannot_be_looked_up_of_the_graded_is_told_and_nbgrader_hears_of_no_failure(held: bool) -> None:
    """It would delete the graded work."""
    said: list[str] = []

    def gradebook() -> None:
        raise OperationalError("SELECT", {}, Exception("database is locked")) if held else KeyError("q1")

    converter = SimpleNamespace(
        init_destination=lambda *_: False,
        init_assignment=None,
        set_permissions=None,
        convert_single_notebook=None,
        notebooks=["problems.ipynb"],
        coursedir=SimpleNamespace(student_id_exclude="", notebook_id="*"),
        _format_dest=lambda *_: "autograded",
    )
    report = Report(said.append, logging.getLogger("a test"))
    run = SimpleNamespace(gradebook=gradebook, points=lambda _: gradebook())
    names = Names(run, report)
    progress = RunProgress(converter, run, report, names)  # type: ignore[arg-type]
    for student in ("ada", "bela\x1b[31m"):
        assert not converter.init_destination("ps1", student)
    assert said == []
    progress.graded_before()
    assert len(said) == (1 if held else 2)
    assert all(line.isprintable() for line in said)
    assert said[0].startswith(f"What an earlier run found of ada{', bela?[31m' if held else ''} cannot be looked up: ")
    assert report.end() == NEEDS_A_PERSON
    assert said[-1] == "  graded before, but not known whether they need a person: ada, bela?[31m"
