"""`autograder grade`: what nbgrader's own command gives, for a whole class at once, and whatever ends a process."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.batch import whole
from tests.rooms.course import EARNED, Course, Submission
from tests.rooms.test_run import ENOUGH, until
from tests.rooms.test_unfinished import WAITS

pytestmark = pytest.mark.course
LONG = "\nc.Engine.cell_seconds = 3000\nc.Engine.submission_seconds = 3000\n"
OTHERS = ("ada", "chen", "dora", "emil")


@pytest.fixture(scope="module")
def every_kind(tmp_path_factory: pytest.TempPathFactory) -> Course:
    return whole.every_kind(tmp_path_factory.mktemp("every-kind"))


@pytest.fixture(scope="module")
def stock(every_kind: Course, tmp_path_factory: pytest.TempPathFactory) -> Course:
    """The class as `nbgrader autograde` grades it."""
    course = whole.copied(every_kind, tmp_path_factory.mktemp("plain") / "course")
    course.said = course.run("autograde", "ps1", ok=None)  # type: ignore[attr-defined]
    return course


@pytest.fixture(scope="module")
def graded(every_kind: Course, tmp_path_factory: pytest.TempPathFactory) -> Course:
    course = whole.copied(every_kind, tmp_path_factory.mktemp("class") / "course")
    course.graded_with = whole.grade(course, "--json", "summary.json")[::-1]
    return course


def test_gradebook_notebooks_files_and_list_are_those_of_nbgrader_autograde(stock: Course, graded: Course) -> None:
    assert whole.rows(graded.root) == whole.rows(stock.root)
    assert whole.folders(graded.root) == whole.folders(stock.root)
    lists = [sorted((course.root / "by_hand.csv").read_text().splitlines()) for course in (graded, stock)]
    assert lists[0] == lists[1]
    assert len(lists[0]) > 1
    names = [sorted(path.name for path in course.root.iterdir()) for course in (graded, stock)]
    assert names[0] == sorted([*names[1], "summary.json"])


def test_who_needs_a_person_has_a_line_and_the_summary_is_nbgrader_autogrades(stock: Course, graded: Course) -> None:
    said, status = graded.graded_with
    assert status == stock.status == 1  # st*r cannot be graded
    ours, theirs = (text[text.index("need a person:") :].split("\nBy hand:")[0] for text in (said, stock.said))  # type: ignore[attr-defined]
    for line in theirs.splitlines():
        reason, _, who = line.rpartition(": ")
        (same,) = [one for one in ours.splitlines() if one.rpartition(": ")[0] == reason]
        assert sorted(same.rpartition(": ")[2].split(", ")) == sorted(who.split(", "))
    lines = [line.split()[1] for line in said.splitlines() if line.split()[:1] and "/" in line.split()[0]]
    needing = {"st*r", "machine", "stops", "cut", "empty"}
    assert set(lines) == needing
    assert "Traceback" not in said


def test_the_summary_for_scripts_names_everybody_once_with_points_and_reasons(graded: Course) -> None:
    found = whole.summary(graded.root / "summary.json")
    students = {one["student"]: one for one in found["students"]}
    assert len(students) == len(found["students"]) == len(list((graded.root / "submitted").iterdir()))
    assert (found["assignment"], found["exit_status"], found["graded_before"]) == ("ps1", 1, 0)
    assert (students["right"]["points"], students["right"]["of"], students["right"]["needs_a_person"]) == (60, 60, [])
    assert students["cut"]["needs_a_person"] == ["unreadable"]
    assert students["machine"]["needs_a_person"] == ["by_hand"]
    assert students["st*r"]["graded"] is False
    assert any("late by 1 day" in note for note in students["late"]["notes"])


def test_what_was_graded_is_left_alone_until_it_is_handed_in_anew(graded: Course) -> None:
    before = whole.rows(graded.root), whole.folders(graded.root)
    _, said = whole.grade(graded)
    assert "1 graded in" in said  # the one without a notebook, of which nothing is kept
    assert f"{len(whole.rows(graded.root)['submission']) - 1} graded before" in said
    assert (whole.rows(graded.root), whole.folders(graded.root)) == before
    (graded.root / "submitted" / "ada" / "ps1" / "timestamp.txt").write_text("2026-01-01 11:00:00 UTC")
    _, said = whole.grade(graded, "--student", "ada")
    assert "1 graded in" in said


def test_a_regrade_shows_who_changes_and_keeps_what_a_person_gave(graded: Course, tmp_path: Path) -> None:
    course = whole.copied(graded, tmp_path / "course")
    with closing(sqlite3.connect(course.root / "gradebook.db")) as book:
        cell = "cell_id IN (SELECT id FROM base_cell WHERE name = '{1}')"
        joined = "submitted_notebook n JOIN submitted_assignment s ON s.id = n.assignment_id WHERE student_id = '{2}'"
        change = f"UPDATE grade SET {{0}} WHERE {cell} AND notebook_id IN (SELECT n.id FROM {joined})"
        book.execute(change.format("auto_score = 3", "q1-hidden", "chen"))
        book.execute(change.format("auto_score = 1, manual_score = 7, extra_credit = 1", "q2-hidden", "bela"))
        answer = "cell_id IN (SELECT id FROM base_cell WHERE name = 'q2')"
        book.execute(f"UPDATE comment SET manual_comment = 'seen' WHERE {answer}")
        book.commit()
    before = whole.rows(course.root), whole.folders(course.root)
    _, said = whole.grade(course, "--regrade", "--dry-run", "--jobs", "1")
    assert "This is a dry run: nothing is saved." in said
    assert (whole.rows(course.root), whole.folders(course.root)) == before
    table = said[said.index("The marks of 2 students change:") :].splitlines()
    assert table[1:3] == ["  bela  18 -> 18 (+0)", table[2]]
    assert table[2].startswith("    q2-hidden: 1 -> 0 (a person's mark of 7 stays): q2: 0 of 8 points.")
    assert table[3] == "  chen  5 -> 10 (+5)"
    assert table[4].startswith("    q1-hidden: 3 -> 8: q1: 8 of 8 points.")
    _, said = whole.grade(course, "--regrade", "--json", "summary.json")
    assert "The marks of 2 students change:" in said
    after = whole.rows(course.root)
    kept = {row[2]: row for row in after["grade"] if row[0] == "bela"}["q2-hidden"]
    assert kept[3:] == (0.0, 7.0, 1.0, 1)
    assert {row[4] for row in after["comment"] if row[2] == "q2"} == {"seen"}
    assert course.marks("chen") == EARNED
    changed = whole.summary(course.root / "summary.json")["changes"]
    assert [(row["student"], row["before"], row["after"]) for row in changed] == [("bela", 18, 18), ("chen", 5, 10)]


@pytest.fixture(scope="module")
def waiting(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """A class in which bela's first cell ends only where there is a file go.txt."""
    course = Course(tmp_path_factory.mktemp("waiting"), LONG)
    for name in (*OTHERS, "bela"):
        course.hand_in(name, Submission(WAITS if name == "bela" else ""))
    return course


@pytest.fixture(scope="module")
def undisturbed(waiting: Course, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[tuple[object, ...]]]:
    course = whole.copied(waiting, tmp_path_factory.mktemp("undisturbed") / "course")
    whole.go(course, "bela")
    assert whole.grade(course)[0] == 0
    return whole.rows(course.root)


def _nothing_left(course: Course, processes: list[int]) -> None:
    until(lambda: not any(Path(f"/proc/{p}").exists() for p in processes), "every process of the run has ended")
    assert [p.name for p in course.root.iterdir() if p.name.startswith(".autograded")] == []


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_is_stopped_keeps_what_is_done_and_the_next_one_does_the_rest(
    waiting: Course, undisturbed: dict[str, list[tuple[object, ...]]], tmp_path: Path, how: int
) -> None:
    course = whole.copied(waiting, tmp_path / "course")
    with whole.grading(course) as run:
        until(lambda: whole.in_place(course, *OTHERS), "everybody but bela is graded")
        everything = whole.below(run, "")
        (os.kill if how == signal.SIGKILL else os.killpg)(run.pid, how)
        said, _ = run.communicate(timeout=ENOUGH)
        assert run.returncode == (130 if how == signal.SIGINT else -how)
        assert "Traceback" not in said
    done = {row for row in whole.rows(course.root)["grade"] if row[0] != "bela"}
    assert done == {row for row in undisturbed["grade"] if row[0] != "bela"}
    assert not whole.in_place(course, "bela")
    whole.go(course, "bela")
    status, said = whole.grade(course)
    assert status == 0
    assert "1 graded in" in said
    assert "4 graded before" in said
    assert whole.rows(course.root) == undisturbed
    _nothing_left(course, everything)


@pytest.mark.parametrize("whom", ["a grader", "the station"])
def test_a_process_that_is_killed_costs_nobody_anything(
    waiting: Course, undisturbed: dict[str, list[tuple[object, ...]]], tmp_path: Path, whom: str
) -> None:
    course = whole.copied(waiting, tmp_path / "course")
    everything = []

    def kill(run: subprocess.Popen[str]) -> None:
        until(lambda: whole.in_place(course, *OTHERS), "everybody but bela is graded")
        everything.extend(whole.below(run, ""))
        found = whole.graders(run) if whom == "a grader" else whole.stations(run)
        assert found
        for grader in whole.graders(run):
            assert not any("gradebook.db" in file for file in whole.files_of(grader))
        assert any("gradebook.db" in file for file in whole.files_of(run.pid))
        whole.go(course, "bela")
        for process in found:
            os.kill(process, signal.SIGKILL)

    status, said = whole.grade(course, on=kill)
    assert status == 0, said
    assert whole.rows(course.root) == undisturbed
    _nothing_left(course, everything)


def test_the_process_that_rooms_are_forked_from_costs_nobody_anything_when_it_is_killed(
    undisturbed: dict[str, list[tuple[object, ...]]], tmp_path: Path
) -> None:
    """Its rooms end with it; another one takes its place."""
    gate = tmp_path / "gate"
    gate.mkdir()
    course = Course(tmp_path / "course", f"{LONG}c.Engine.readable = [{str(gate)!r}]\n")
    for name in (*OTHERS, "bela"):
        course.hand_in(name, Submission(WAITS.replace("go.txt", str(gate / "go.txt")) if name == "bela" else ""))
    everything = []

    def kill(run: subprocess.Popen[str]) -> None:
        until(lambda: whole.in_place(course, *OTHERS), "everybody but bela is graded")
        everything.extend(whole.below(run, ""))
        (server,) = whole.children(run.pid, "forkserver")
        os.kill(server, signal.SIGKILL)
        until(lambda: not Path(f"/proc/{server}/exe").exists(), "it has ended")
        (gate / "go.txt").touch()

    status, said = whole.grade(course, on=kill)
    assert status == 0, said
    found = whole.rows(course.root)
    assert len(found["submission"]) == len(undisturbed["submission"])  # it was handed in at another time
    assert found | {"submission": []} == undisturbed | {"submission": []}
    _nothing_left(course, everything)


def test_a_submission_that_ends_its_grader_each_time_is_named_and_the_others_are_graded(
    waiting: Course, tmp_path: Path
) -> None:
    course = whole.copied(waiting, tmp_path / "course")

    def kill(run: subprocess.Popen[str]) -> None:
        until(lambda: whole.in_place(course, *OTHERS), "everybody but bela is graded")
        _kill_each(whole.graders, run)

    status, said = whole.grade(course, on=kill)
    assert status == 1
    assert "could not be graded: bela" in said
    assert "the process that graded it has ended 3 times" in said
    assert len(whole.rows(course.root)["submission"]) == len(OTHERS)


HOOK = """
import os, signal

def ends(assignment, student, notebooks):
    with open("hooked.txt", "a") as file:
        print(student, file=file)
    if student == "bela":
        os.kill(os.getpid(), signal.SIGKILL)

c.Autograde.pre_convert_hook = ends
"""


def test_a_submission_that_ends_the_process_takes_none_of_those_with_it_that_are_graded_there(
    waiting: Course, undisturbed: dict[str, list[tuple[object, ...]]], tmp_path: Path
) -> None:
    """Four are graded in one process; those that were lost are graded again, alone. The hook sees nobody else."""
    course = whole.copied(waiting, tmp_path / "course")
    with (course.root / "nbgrader_config.py").open("a") as config:
        config.write(HOOK)
    status, said = whole.grade(course, "--jobs", "4")
    assert status == 1
    assert "could not be graded: bela\n" in said
    assert "the process that graded it has ended 3 times" in said
    others = {row for row in undisturbed["grade"] if row[0] != "bela"}
    assert set(whole.rows(course.root)["grade"]) == others
    assert set((course.root / "hooked.txt").read_text().split()) == {*OTHERS, "bela"}


def test_a_station_that_keeps_ending_ends_the_run_in_words(waiting: Course, tmp_path: Path) -> None:
    course = whole.copied(waiting, tmp_path / "course")

    def kill(run: subprocess.Popen[str]) -> None:
        until(lambda: bool(whole.graders(run)), "there are graders")
        _kill_each(whole.stations, run)

    status, said = whole.grade(course, "--json", "summary.json", on=kill)
    assert status == whole.summary(course.root / "summary.json")["exit_status"] == 1
    assert "has ended 4 times" in said
    assert "Not everybody was graded" in said
    assert "Nobody needs a person" not in said
    assert "Error:" not in said
    assert not whole.rows(course.root)["grade"]


def test_a_mark_that_a_person_gives_meanwhile_is_kept(waiting: Course, tmp_path: Path) -> None:
    """The student is graded again, with that mark."""
    course = whole.copied(waiting, tmp_path / "course")
    whole.go(course, "bela")
    whole.grade(course)
    (course.root / "submitted" / "bela" / "ps1" / "go.txt").unlink()

    def mark(run: subprocess.Popen[str]) -> None:
        until(lambda: _rooms_at_work(run), "bela is being graded")
        with closing(sqlite3.connect(course.root / "gradebook.db", timeout=ENOUGH)) as book:
            book.execute("UPDATE grade SET manual_score = 5")
            book.commit()
        whole.go(course, "bela")
        for grader in whole.graders(run):
            os.kill(grader, signal.SIGKILL)

    status, said = whole.grade(course, "--force", "--student", "bela", on=mark)
    assert status == 3, said  # cells that a person had marked are shown to a person again
    assert {row[4] for row in whole.rows(course.root)["grade"]} == {5.0}
    assert all(row[6] for row in whole.rows(course.root)["grade"] if row[0] == "bela")


def _kill_each(kind: Callable[[subprocess.Popen[str]], list[int]], run: subprocess.Popen[str]) -> None:
    """Kills the processes of a kind until the run ends."""
    while run.poll() is None:
        for process in kind(run):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)


def _rooms_at_work(run: subprocess.Popen[str]) -> bool:
    return bool(whole.graders(run)) and len(whole.below(run, "forkserver")) > 3
