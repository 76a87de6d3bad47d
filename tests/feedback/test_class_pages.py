"""`autograder feedback` writes what nbgrader writes, and only that; a run that is ended at any moment loses no page."""

from __future__ import annotations

import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from nbgrader.api import Gradebook

from autograder.feedback import class_pages
from autograder.sandbox.processes import cores, descendants
from tests import warm
from tests.conftest import ROOT
from tests.rooms.test_run import ENOUGH, until
from tools.sample_class import hand_in, students

pytestmark = pytest.mark.course

HOOK = """
def hook(notebooks, **_):
    import os, signal, time
    student = notebooks[0].split(os.sep)[-3]
    if os.path.exists("hold"):
        with open("at-" + student, "w") as file: file.write(str(os.getpid()))
        while os.path.exists("hold"): time.sleep(0.02)
    if os.path.exists("die-" + student): os.kill(os.getpid(), signal.SIGKILL)
    if os.path.exists("hide"): os.rename("gradebook.db", "hidden.db"); os.remove("hide")
c.GenerateFeedback.pre_convert_hook = hook
c.TwoRooms.patience = 1
"""
"""nbgrader's own hook before each submission: its process waits for the test, dies, or takes the gradebook away."""
Files = dict[str, tuple[int, bytes]]


class Class:
    """A course with the sample class, graded."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def environment(self) -> dict[str, str]:
        return {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}

    def run(self, program: str, *arguments: str, ends: int = 0) -> str:
        done = subprocess.run(
            [warm.python(), "-m", program, *arguments],
            cwd=self.root,
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        said = done.stdout + done.stderr
        assert done.returncode == ends, said
        assert "Traceback" not in said
        return said

    def feedback(self, *arguments: str, ends: int = 0) -> str:
        return self.run("autograder", "feedback", "ps1", *arguments, ends=ends)

    def files(self) -> Files:
        """Everything in the feedback folder, with its mode; a folder holds no bytes."""
        return {
            str(path.relative_to(self.root)): (path.stat().st_mode, path.read_bytes() if path.is_file() else b"")
            for path in sorted((self.root / "feedback").rglob("*"))
        }

    def times(self) -> dict[str, int]:
        return {str(p.parent.parent.name + "/" + p.stem): p.stat().st_mtime_ns for p in self.pages()}

    def pages(self) -> list[Path]:
        return sorted(self.root.glob("feedback/*/ps1/*.html"))

    def graded(self, student: str, notebook: str = "problems") -> Path:
        return self.root / "autograded" / student / "ps1" / f"{notebook}.ipynb"

    def page(self, student: str, notebook: str = "problems") -> Path:
        return self.root / "feedback" / student / "ps1" / f"{notebook}.html"

    @contextmanager
    def held(self, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
        """A run of two processes, each of which is held in the middle of a submission: the run, and these two."""
        (self.root / "hold").touch()
        process = subprocess.Popen(
            [sys.executable, "-m", "autograder", "feedback", "ps1", "--jobs", "2", *arguments],
            cwd=self.root,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            until(lambda: len(self.held_students()) == 2, "two processes write")
            yield process, [int((self.root / f"at-{student}").read_text()) for student in self.held_students()]
        finally:
            (self.root / "hold").unlink()
            process.kill()
            process.communicate()

    def held_students(self) -> list[str]:
        return sorted(p.name.removeprefix("at-") for p in self.root.glob("at-*") if p.read_text())


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Class:
    made = Class(tmp_path_factory.mktemp("class") / "course")
    shutil.copytree(ROOT / "source", made.root / "source", ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    (made.root / "nbgrader_config.py").write_text((ROOT / "nbgrader_config.py").read_text() + HOOK)
    made.run("nbgrader", "generate_assignment", "ps1")
    for name, answers in students().items():
        hand_in(made.root / "release" / "ps1", answers, made.root / "submitted" / name / "ps1")
    data = made.root / "submitted" / "ada" / "ps1" / "data" / "table.csv"
    data.parent.mkdir()
    data.write_text("1,2\n")
    made.run("nbgrader", "autograde", "ps1", ends=3)
    return made


@pytest.fixture
def course(original: Class, tmp_path: Path) -> Class:
    """A copy of it, in which no page is written yet."""
    shutil.copytree(original.root, tmp_path / "course")
    return Class(tmp_path / "course")


@pytest.fixture(scope="module")
def written(original: Class, tmp_path_factory: pytest.TempPathFactory) -> Class:
    """Another copy, in which nbgrader wrote the pages."""
    made = Class(tmp_path_factory.mktemp("written") / "course")
    shutil.copytree(original.root, made.root)
    made.run("nbgrader", "generate_feedback", "ps1")
    return made


@pytest.fixture(scope="module")
def stock(written: Class) -> Files:
    """The files that `nbgrader generate_feedback` writes."""
    return written.files()


@pytest.fixture
def with_pages(written: Class, tmp_path: Path) -> Class:
    shutil.copytree(written.root, tmp_path / "with_pages")
    return Class(tmp_path / "with_pages")


def gone(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


def test_all_files_are_those_that_nbgrader_writes_and_a_second_run_writes_none(course: Class, stock: Files) -> None:
    said = course.feedback()
    assert re.search(r"^Writing 18 pages of ps1 with \d+ process(es)?\.$", said, re.MULTILINE)
    assert re.search(r"^18 pages written in \d+ s, 0 were up to date\.$", said, re.MULTILINE)
    assert course.files() == stock
    assert "feedback/ada/ps1/data/table.csv" in stock
    assert len(list((course.root / "feedback-ps1").glob("*.html"))) == 9
    before = course.times()
    assert re.search(r"^0 pages written in \d+ s, 18 were up to date\.$", course.feedback(), re.MULTILINE)
    assert course.times() == before
    course.run("nbgrader", "generate_feedback", "ps1")
    assert course.times() == before
    course.feedback("--force")
    assert course.files() == stock
    assert all(time > before[page] for page, time in course.times().items())


def test_in_a_course_of_a_group_the_modes_are_those_that_nbgrader_gives(course: Class) -> None:
    with (course.root / "nbgrader_config.py").open("a") as file:
        file.write("\nc.CourseDirectory.groupshared = True\n")
    # nbgrader makes the first student's folder before it has given the mode to the one around it, which others inherit.
    course.run("nbgrader", "generate_feedback", "ps1", "--student=ivo")
    written = []
    for program, command in (("nbgrader", "generate_feedback"), ("autograder", "feedback")):
        for folder in (course.root / "feedback").iterdir():
            shutil.rmtree(folder)
        course.run(program, command, "ps1")
        written.append(course.files())
    assert written[0] == written[1]
    assert written[1]["feedback/ada/ps1"][0] & 0o7777 == 0o2775


def test_a_page_that_is_older_than_what_it_shows_is_written_again_and_no_other(with_pages: Class) -> None:
    """Pages of nbgrader's command as well as of this one."""
    course = with_pages
    before = course.times()
    with Gradebook(f"sqlite:///{course.root}/gradebook.db") as book:
        book.find_grade("q1-check", "problems", "ps1", "bela").manual_score = 1.5
        book.find_comment("q1", "problems", "ps1", "chen").manual_comment = "Well done"
        book.find_student("dora").first_name = "Dora"
        book.db.commit()
    os.utime(course.graded("emil"))  # graded again
    dated = course.graded("fay").parent / "timestamp.txt"
    dated.chmod(0o644)
    dated.write_text("2020-01-01 00:00:00 UTC")  # work that was handed in before, and graded later
    text = course.page("gus").read_bytes()
    course.page("gus").write_bytes(text[: len(text) // 2])
    course.page("hana", "examples").unlink()
    said = course.feedback(ends=1)  # fay's graded work is not what she has handed in
    assert re.search(r"^14 pages written in \d+ s, 4 were up to date\.$", said, re.MULTILINE)
    after = course.times()
    assert sorted(page for page in after if after[page] == before.get(page)) == [
        f"{student}/{notebook}" for student in ("ada", "ivo") for notebook in ("examples", "problems")
    ]
    assert "1.50 of 2.00" in course.page("bela").read_text()
    assert "Well done" in course.page("chen").read_text()
    assert "<b>Dora</b>" in course.page("dora").read_text()
    assert course.page("gus").read_bytes() == text
    assert "0 pages written" in course.feedback(ends=1)
    assert course.times() == after


def test_a_notebook_that_has_no_page_is_named_and_the_others_are_written(course: Class, stock: Files) -> None:
    course.feedback()
    for student in ("bela", "chen"):
        course.graded(student).chmod(0o644)
    course.graded("bela").write_text("{")
    course.graded("chen").write_text(course.graded("chen").read_text().replace('"outputs"', '"output"'))
    with Gradebook(f"sqlite:///{course.root}/gradebook.db") as book:
        book.remove_submission("ps1", "dora")
    said = course.feedback("--force", ends=1)
    assert re.search(r"^NOT WRITTEN  bela, problems: NotJSONError: ", said, re.MULTILINE)
    assert re.search(r"^NOT WRITTEN  chen, problems: NotebookValidationError: .*'output'", said, re.MULTILINE)
    assert "NOT WRITTEN  dora, problems: the gradebook has no grades of problems of ps1 by dora: grade it first" in said
    assert "14 pages written" in said
    for student in ("bela", "chen", "dora"):
        assert not course.page(student).exists()
    assert not course.page("dora").parent.exists()
    left = {name: file for name, file in stock.items() if not re.search("dora/ps1|(bela|chen)/ps1/problems", name)}
    assert course.files() == left


def test_only_the_students_who_are_named_are_written_and_who_is_not_graded_is_named(course: Class) -> None:
    said = course.feedback("--student", "ada", "--student", "ivo", "--student", "zoe", ends=1)
    assert "4 pages written in" in said
    assert "NOT GRADED  zoe: nbgrader autograde ps1 --student=zoe" in said
    assert sorted(course.times()) == ["ada/examples", "ada/problems", "ivo/examples", "ivo/problems"]
    assert "NO PAGE  bela: there is no feedback page" in said


def test_a_page_with_marks_of_before_is_not_given_back(with_pages: Class) -> None:
    course = with_pages
    with Gradebook(f"sqlite:///{course.root}/gradebook.db") as book:
        book.find_grade("q1-check", "problems", "ps1", "bela").manual_score = 1.5
        book.db.commit()
    said = course.feedback("--student", "ada", ends=1)
    assert re.search(r"^0 pages written in \d+ s, 2 were up to date\.$", said, re.MULTILINE)
    assert "NO PAGE  bela: the page is older than the grade: autograder feedback ps1" in said
    assert sorted(page.stem for page in (course.root / "feedback-ps1").iterdir()) == sorted({*students()} - {"bela"})


def test_the_processes_that_write_need_no_gradebook(course: Class, stock: Files) -> None:
    (course.root / "hide").touch()
    course.feedback("--jobs", "1")
    assert (course.root / "hidden.db").exists()
    assert course.files() == stock


def test_a_process_that_is_killed_costs_no_page_and_the_run_goes_on(course: Class, stock: Files) -> None:
    with course.held() as (run, workers):
        os.kill(workers[0], signal.SIGKILL)
        until(lambda: len(course.held_students()) == 3, "another process writes")
        (course.root / "hold").rename(course.root / "held")
        said, _ = run.communicate(timeout=ENOUGH)
        assert run.returncode == 0, said
        (course.root / "hold").touch()
    assert "18 pages written" in said
    assert course.files() == stock


def test_a_submission_of_which_every_process_dies_is_named_and_the_others_are_written(
    course: Class, stock: Files
) -> None:
    (course.root / "die-emil").touch()
    said = course.feedback(ends=1)
    for notebook in ("examples", "problems"):
        assert f"NOT WRITTEN  emil, {notebook}: {class_pages.DIED}" in said
    assert "16 pages written" in said
    assert course.files() == {name: file for name, file in stock.items() if "emil" not in name}


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_whoever_ends_the_run_loses_no_page_that_is_written_and_leaves_no_process(
    with_pages: Class, stock: Files, how: int
) -> None:
    course = with_pages
    for page in course.pages():
        if page.parent.parent.name not in ("ada", "bela"):
            page.unlink()
    before = course.times()
    with course.held() as (run, workers):
        assert set(workers) <= set(descendants(run.pid))
        os.kill(run.pid, how)
        said, _ = run.communicate(timeout=ENOUGH)
        until(lambda: all(map(gone, workers)), "the processes have ended")
    assert run.returncode == (130 if how == signal.SIGINT else -how)
    assert "Traceback" not in said
    assert course.times() == before
    said = course.feedback()
    assert re.search(r"^14 pages written in \d+ s, 4 were up to date\.$", said, re.MULTILINE)
    assert course.files() == stock
    assert {page: time for page, time in course.times().items() if page in before} == before


def test_two_runs_do_not_write_at_once(course: Class) -> None:
    with course.held() as (run, _):
        said = course.feedback(ends=1)
        assert f"Another run is writing the feedback pages of ps1 (process {run.pid}) and did not end" in said
        assert "autograder feedback: nothing was done" in said
        said = course.run("nbgrader", "generate_feedback", "ps1", ends=1)
        assert f"Another run is writing the feedback pages of ps1 (process {run.pid}) and did not end" in said
    assert not course.pages()


def test_a_terminal_shows_how_far_it_is(course: Class) -> None:
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    os.set_blocking(ours, False)
    command = [sys.executable, "-m", "autograder", "feedback", "ps1"]
    done = subprocess.run(
        command, cwd=course.root, env=course.environment(), stdout=subprocess.PIPE, stderr=theirs, text=True, check=True
    )
    shown = os.read(ours, 1 << 20).decode()  # before the other end is closed, which would discard it
    os.close(theirs)
    os.close(ours)
    assert "/18 [" in shown
    assert "Writing" not in done.stdout
    assert "18 pages written" in done.stdout


def test_a_course_with_pages_of_another_kind_is_packed_as_it_is(course: Class) -> None:
    with (course.root / "nbgrader_config.py").open("a") as file:
        file.write('\nc.GenerateFeedback.exporter_class = "nbconvert.exporters.HTMLExporter"\n')
    said = course.feedback(ends=1)
    assert class_pages.NOT_OURS.format(assignment="ps1") in said
    assert "NO PAGE  ada" in said
    assert not course.pages()


@pytest.mark.parametrize("jobs", ["0", "-1", "many"])
def test_a_number_of_processes_that_is_none_is_refused(course: Class, jobs: str) -> None:
    assert f"{jobs!r} is not a number of processes" in course.feedback(f"--jobs={jobs}", ends=2)


def test_without_a_number_there_is_a_process_for_each_core() -> None:
    assert cores() == len(os.sched_getaffinity(0))
