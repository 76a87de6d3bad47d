"""`autograder grade --scheduler`: on a cluster, with PostgreSQL as gradebook, whatever is killed, as on one machine."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from autograder.batch import station
from autograder.batch.cluster import Graders
from autograder.batch.lines import pack
from autograder.sandbox.processes import descendants
from tests.batch import cluster, whole
from tests.batch.cluster import Cluster, PostgreSQL
from tests.rooms.course import Course, Submission
from tests.rooms.test_run import ENOUGH, LISTED, until

pytestmark = pytest.mark.course
OTHERS = ("ada", "chen", "dora", "emil")
EVERYBODY = (*OTHERS, "bela")
WAITS = "import os, time\nwhile not os.path.exists({gate!r}): time.sleep(0.05)"
Rows = dict[str, list[tuple[Any, ...]]]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """For the tests that kill nothing of it."""
    with cluster.cluster(tmp_path_factory.mktemp("shared") / "cluster", workers=1, threads=2) as made:
        yield made


@pytest.fixture(scope="module")
def server() -> Iterator[PostgreSQL]:
    with cluster.postgresql() as made:
        yield made


def held(root: Path, config: str = "") -> Course:
    """A class in which bela's first cell ends when there is `gate/open`, and dora has an answer for the list."""
    root.mkdir(parents=True, exist_ok=True)
    gate = root / "gate"
    gate.mkdir()
    course = Course(root, f"{whole.LONG}c.Engine.readable = [{str(gate)!r}]\n{config}")
    for name in EVERYBODY:
        scratch = WAITS.format(gate=str(gate / "open")) if name == "bela" else ""
        folder = course.hand_in(name, Submission(scratch, answers={"q2": LISTED} if name == "dora" else {}))
        (folder / "timestamp.txt").write_text("2025-12-31 12:00:00 UTC")
    return course


def let_go(course: Course) -> None:
    (course.root / "gate" / "open").touch()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Rows, list[str]]:
    """What the class has in the gradebook and in the list when this machine grades it."""
    course = held(tmp_path_factory.mktemp("undisturbed") / "course")
    let_go(course)
    assert whole.grade(course)[0] == 3  # dora's answer is for a person
    return whole.rows(course.root), listed(course)


def listed(course: Course) -> list[str]:
    return sorted((course.root / "by_hand.csv").read_text().splitlines())


def once_each(course: Course, undisturbed: tuple[Rows, list[str]], rows: Rows | None = None) -> None:
    """Everybody has the grades of an undisturbed run, once, in the gradebook and the list, and nothing lies about."""
    found = rows or whole.rows(course.root)
    assert found == undisturbed[0]
    assert {row[0]: 1 for row in found["submission"]} == Counter(row[0] for row in found["submission"])
    assert listed(course) == undisturbed[1]
    assert whole.in_place(course, *EVERYBODY)
    assert not list(course.root.glob(".autograded*"))


def _finish(course: Course, shared: Cluster, undisturbed: tuple[Rows, list[str]]) -> None:
    """The same command again: it grades bela alone, and then everybody has what an undisturbed run gives."""
    let_go(course)
    _, said = whole.grade(course, "--scheduler", shared.address)
    assert "1 graded in" in said
    assert "4 graded before" in said
    once_each(course, undisturbed)


def test_a_class_on_a_cluster_with_postgresql_has_what_this_machine_gives_it_with_sqlite(
    server: PostgreSQL, tmp_path: Path
) -> None:
    here = whole.every_kind(tmp_path / "here")
    there = whole.copied(here, tmp_path / "there")
    server.course(there, "every_kind")
    server.do("UPDATE assignment SET duedate = '2026-01-01 12:00:00'", "every_kind")
    expected, _ = whole.grade(here)
    with cluster.cluster(tmp_path / "cluster", workers=2) as made:
        status, said = whole.grade(there, "--scheduler", made.address, "--json", "summary.json")
        made.nothing_left()
    assert status == expected, said
    assert "2 at a time" in said
    assert "Traceback" not in said
    assert server.rows("every_kind") == whole.rows(here.root)
    assert whole.folders(there.root) == whole.folders(here.root)
    assert listed(there) == listed(here)
    graded = [one["student"] for one in whole.summary(there.root / "summary.json")["students"]]
    assert sorted(graded) == sorted(folder.name for folder in (there.root / "submitted").iterdir())


def test_what_a_worker_was_grading_when_it_was_lost_is_graded_by_another(
    undisturbed: tuple[Rows, list[str]], tmp_path: Path
) -> None:
    """First a worker is killed, then the nanny of the one that has taken its place."""
    course = held(tmp_path / "course")
    with cluster.cluster(tmp_path / "cluster", workers=2) as made:
        with whole.grading(course, "--scheduler", made.address) as run:
            until(lambda: whole.in_place(course, *OTHERS), "everybody but bela is graded")
            for whom in ("the worker", "its nanny"):
                worker = made.whose("bela")
                lost = {worker, *descendants(worker)}
                os.kill(worker if whom == "the worker" else made.nanny_of(worker).pid, signal.SIGKILL)
                cluster.gone(lost)
            made.whose("bela")
            let_go(course)
            said, _ = run.communicate(timeout=ENOUGH)
        assert run.returncode == 3, said
        assert "5 graded in" in said
        assert "Traceback" not in said
        once_each(course, undisturbed)
        made.nothing_left()


def test_without_its_scheduler_the_command_says_so_and_the_next_one_does_the_rest(
    shared: Cluster, undisturbed: tuple[Rows, list[str]], tmp_path: Path
) -> None:
    course = held(tmp_path / "course")
    with cluster.cluster(tmp_path / "cluster", workers=1, threads=2) as made:
        with whole.grading(course, "--scheduler", made.address) as run:
            until(lambda: whole.in_place(course, *OTHERS), "everybody but bela is graded")
            made.whose("bela")
            graders = set(made.graders())
            made.scheduler.kill()
            said, _ = run.communicate(timeout=ENOUGH)
        assert run.returncode == 1, said
        assert f"The scheduler {made.address} cannot be reached (the connection was lost)" in said
        assert "What was graded is saved: start it, and its workers, and run the same command again" in said
        assert "Traceback" not in said
        cluster.gone(graders)
    done = {row for row in whole.rows(course.root)["grade"] if row[0] != "bela"}
    assert done == {row for row in undisturbed[0]["grade"] if row[0] != "bela"}
    _finish(course, shared, undisturbed)


def test_without_a_worker_left_the_command_says_so_and_the_next_one_does_the_rest(
    shared: Cluster, undisturbed: tuple[Rows, list[str]], tmp_path: Path
) -> None:
    course = held(tmp_path / "course")
    with cluster.cluster(tmp_path / "cluster", workers=1, threads=2) as made:
        with whole.grading(course, "--scheduler", made.address) as run:
            until(lambda: whole.in_place(course, *OTHERS), "everybody but bela is graded")
            worker = made.whose("bela")
            lost = {worker, *descendants(worker)}
            made.nanny_of(worker).kill()
            cluster.gone(lost)
            said, _ = run.communicate(timeout=ENOUGH)
        assert run.returncode == 1, said
        assert f"The scheduler {made.address} has no worker. Start one on each machine" in said
        assert "Traceback" not in said
    _finish(course, shared, undisturbed)


def test_a_workers_grader_that_has_ended_while_it_was_idle_gets_no_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would count as a try of that submission's otherwise."""
    ends: list[socket.socket] = []

    def connect() -> socket.socket:
        ours, theirs = socket.socketpair()
        ends.append(theirs)
        # The first connection tells the course; each other one is a grader's, which is given one order.
        theirs.sendall(pack("ready" if len(ends) == 1 else {"said": len(ends)}))
        return ours

    there = SimpleNamespace(connect=connect, end=lambda _: None)
    monkeypatch.setattr(station, "started", lambda *_: there)
    graders = Graders("graders", {}, "", "ps1", False)
    graders.setup(SimpleNamespace(address="tcp://127.0.0.1:1"))
    try:
        assert graders.grade({"student": "ada"}) == {"said": 2}
        ends[-1].close()
        assert graders.grade({"student": "bela"}) == {"said": 3}
    finally:
        graders.teardown(None)
        for end in ends:
            end.close()


def test_a_command_that_is_killed_leaves_nothing_on_a_cluster_that_grades_another_course_meanwhile(
    shared: Cluster, undisturbed: tuple[Rows, list[str]], tmp_path: Path
) -> None:
    course, quick = held(tmp_path / "course"), held(tmp_path / "quick")
    let_go(quick)
    with whole.grading(course, "--scheduler", shared.address) as run:
        until(lambda: whole.in_place(course, *OTHERS), "everybody but bela is graded")
        shared.whose("bela")
        assert whole.grade(quick, "--scheduler", shared.address)[0] == 3
        until(lambda: len(shared.plugins()) == 2, "only the first command is left")
        assert shared.whose("bela")
        run.kill()
        run.communicate(timeout=ENOUGH)
        shared.nothing_left()
    once_each(quick, undisturbed)
    _finish(course, shared, undisturbed)


def test_a_cluster_that_cannot_grade_the_course_says_why_and_nobody_is_marked_as_failed(
    shared: Cluster, tmp_path: Path
) -> None:
    course = held(tmp_path / "course", "import sys\nif sys.argv[0] == '-c':\n    sys.exit('not on this machine')\n")
    status, said = whole.grade(course, "--scheduler", shared.address)
    assert status == 1
    assert f"The cluster of {shared.address} cannot grade this course: on the worker tcp://" in said
    assert f"the course must be in the folder {course.root} there, too" in said
    assert "could not be graded" not in said
    assert "Traceback" not in said


def _said(run: subprocess.Popen[str], line: str) -> str:
    """What the run says until it says this."""
    assert run.stdout
    said = ""
    while line not in said:
        more = run.stdout.readline()
        assert more, said
        said += more
    return said


def test_a_database_that_is_restarted_half_way_costs_nobody_anything(
    shared: Cluster, server: PostgreSQL, undisturbed: tuple[Rows, list[str]], tmp_path: Path
) -> None:
    course = server.course(held(tmp_path / "course"), "restarted")
    with whole.grading(course, "--scheduler", shared.address) as run:
        until(lambda: whole.in_place(course, *OTHERS), "everybody but bela is graded")
        with _away(server):
            let_go(course)
            said = _said(run, "The gradebook's database cannot be used just now")
        more, _ = run.communicate(timeout=ENOUGH)
    assert run.returncode == 3, said + more
    assert "5 graded in" in more
    assert (said + more).count("cannot be used just now") == 1
    assert "Traceback" not in said + more
    once_each(course, undisturbed, server.rows("restarted"))


@contextlib.contextmanager
def _away(server: PostgreSQL) -> Iterator[None]:
    """While the `with` block lasts there is no database."""
    server.stop()
    try:
        yield
    finally:
        server.start()


def test_a_database_that_stays_away_ends_the_run_in_words_and_the_next_one_does_the_rest(
    server: PostgreSQL, undisturbed: tuple[Rows, list[str]], tmp_path: Path
) -> None:
    course = server.course(held(tmp_path / "course", "c.TwoRooms.patience = 1\n"), "away")
    with whole.grading(course) as run:
        until(lambda: whole.in_place(course, *OTHERS), "everybody but bela is graded")
        with _away(server):
            let_go(course)
            said, _ = run.communicate(timeout=ENOUGH)
            status, at_once = whole.grade(course)
    for found in (said, at_once):
        assert "The gradebook's database cannot be used (" in found
        assert "Nothing is lost: what was graded before is saved" in found
        assert "Traceback" not in found
    assert (run.returncode, status) == (1, 1)
    _, said = whole.grade(course)
    assert "1 graded in" in said
    assert "4 graded before" in said
    once_each(course, undisturbed, server.rows("away"))


def test_what_postgresql_does_not_take_is_named_and_costs_nobody_else_anything(
    server: PostgreSQL, tmp_path: Path
) -> None:
    """It holds to 128 characters in a name, and takes no NUL; SQLite takes both."""
    here = Course(tmp_path / "here")
    long, empty = "n" * 129, "e" * 129
    here.hand_in("ada", Submission())
    here.hand_in(long, Submission())
    here.hand_in(
        "nul", Submission("print('a\\0b')", answers={"q3": "def grad_q3(a, b):\n    raise ValueError('a\\0b')"})
    )
    (here.root / "submitted" / empty / "ps1").mkdir(parents=True)
    (here.root / "submitted" / empty / "ps1" / "answers.txt").write_text("by hand")
    there = server.course(whole.copied(here, tmp_path / "there"), "traps")
    whole.grade(here)
    status, said = whole.grade(there, "--json", "summary.json")
    assert status == 1
    assert "Traceback" not in said
    students = {one["student"]: one for one in whole.summary(there.root / "summary.json")["students"]}
    for name in (long, empty):
        assert not students[name]["graded"]
        assert "the gradebook does not take it: value too long for type character varying(128)" in said
    taken = {kind: [row for row in rows if row[0] in ("ada", "nul")] for kind, rows in whole.rows(here.root).items()}
    assert server.rows("traps") == taken
    assert {row[0] for row in whole.rows(here.root)["submission"]} == {"ada", "nul", long, empty}
    assert whole.in_place(there, "ada", "nul")
    assert not whole.in_place(there, long)
