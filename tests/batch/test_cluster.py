"""`autograder grade --scheduler`: on a cluster, with a gradebook in PostgreSQL, whatever is killed meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from nbgrader.api import Gradebook

from autograder.sandbox.processes import descendants
from tests.batch import cluster, whole
from tests.batch.cluster import Postgres
from tests.rooms.course import Course, Submission
from tests.rooms.test_run import ENOUGH, until
from tests.rooms.test_unfinished import WAITS

pytestmark = [
    pytest.mark.course,
    pytest.mark.skipif(not cluster.programs(), reason="needs PostgreSQL; on Debian: sudo apt install postgresql"),
]
OTHERS = ("ada", "chen", "dora")
LONG = "\nc.Engine.cell_seconds = 3000\nc.Engine.submission_seconds = 3000\n"


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    server = Postgres(tmp_path_factory.mktemp("postgres") / "server")
    yield server
    server.stop()


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory, postgres: Postgres) -> Course:
    """A class in which bela's first cell ends only where there is a file go.txt; its gradebook is in PostgreSQL."""
    made = Course(tmp_path_factory.mktemp("cluster"), LONG + f"\nc.CourseDirectory.db_url = {postgres.url!r}\n")
    (made.root / "gradebook.db").unlink()
    made.run("generate_assignment", "ps1", "--force")
    for name in (*OTHERS, "bela"):
        made.hand_in(name, Submission(WAITS if name == "bela" else ""))
    return made


@pytest.fixture
def clean(course: Course, postgres: Postgres) -> Course:
    """The class as if nobody had been graded."""
    with Gradebook(postgres.url) as book:
        for student in list(book.students):
            book.remove_student(student.id)
    whole.forget(course)
    return course


def _marks(postgres: Postgres) -> dict[str, Any]:
    with Gradebook(postgres.url) as book:
        return {
            s.student.id: sorted((g.name, g.auto_score, g.needs_manual_grade) for n in s.notebooks for g in n.grades)
            for s in book.assignment_submissions("ps1")
        }


def _right(marks: dict[str, Any]) -> None:
    """Everybody is there, once, with the marks of the same answers."""
    assert sorted(marks) == sorted((*OTHERS, "bela"))
    assert all(mine == marks["ada"] for mine in marks.values())
    assert sum(score or 0 for _, score, _ in marks["ada"]) == 10


def _nothing_left(processes: set[int]) -> None:
    until(lambda: not any(Path(f"/proc/{p}").exists() for p in processes), "every process of the run has ended")


@pytest.mark.parametrize("whom", ["a worker", "its nanny", "the database"])
def test_what_is_killed_half_way_costs_nobody_anything(
    clean: Course, postgres: Postgres, tmp_path: Path, whom: str
) -> None:
    everything: set[int] = set()
    with cluster.started(tmp_path) as workers:

        def disturb(run: subprocess.Popen[str]) -> None:
            until(lambda: whole.in_place(clean, *OTHERS), "everybody but bela is graded")
            busy = [w for w in workers.workers() if any("forkserver" in whole.command_of(p) for p in descendants(w))]
            everything.update(p for w in busy for p in descendants(w))
            if whom == "the database":
                postgres.stop()
            elif whom == "a worker":
                for worker in busy:
                    os.kill(worker, signal.SIGKILL)
            else:
                os.kill(workers.nannies[0].pid, signal.SIGKILL)
                for worker in busy:
                    os.kill(worker, signal.SIGKILL)
            whole.go(clean, "bela")
            if whom == "the database":
                postgres.start()
            for worker in busy if whom == "the database" else ():
                for grader in [p for p in descendants(worker) if "station" in whole.command_of(p)]:
                    os.kill(grader, signal.SIGKILL)

        status, said = whole.grade(clean, "--scheduler", workers.address, on=disturb)
        assert status == 0, said
        _right(_marks(postgres))
    _nothing_left(everything)


@pytest.mark.parametrize("whom", ["the scheduler", "the command"])
def test_after_the_end_of_the_run_what_was_graded_is_kept_and_the_next_run_does_the_rest(
    clean: Course, postgres: Postgres, tmp_path: Path, whom: str
) -> None:
    everything: set[int] = set()
    with cluster.started(tmp_path) as workers, whole.grading(clean, "--scheduler", workers.address) as run:
        until(lambda: whole.in_place(clean, *OTHERS), "everybody but bela is graded")
        everything.update(p for w in workers.workers() for p in descendants(w))
        os.kill(workers.scheduler.pid if whom == "the scheduler" else run.pid, signal.SIGKILL)
        said, _ = run.communicate(timeout=ENOUGH)
        assert run.returncode == (1 if whom == "the scheduler" else -signal.SIGKILL)
        assert ("What was graded is saved" in said) == (whom == "the scheduler"), said
    _nothing_left(everything)
    assert sorted(_marks(postgres)) == sorted(OTHERS)
    whole.go(clean, "bela")
    (tmp_path / "again").mkdir()
    with cluster.started(tmp_path / "again") as workers:
        status, said = whole.grade(clean, "--scheduler", workers.address)
        assert status == 0, said
        assert "1 graded in" in said
    _right(_marks(postgres))


def test_a_cluster_that_cannot_be_reached_or_has_no_worker_is_said_in_a_sentence(clean: Course, tmp_path: Path) -> None:
    nowhere = f"tcp://127.0.0.1:{cluster.free_port()}"
    status, said = whole.grade(clean, "--scheduler", nowhere)
    assert (status, "Traceback" in said) == (1, False)
    assert f"The scheduler {nowhere} cannot be reached" in said
    with cluster.started(tmp_path, workers=0) as workers:
        status, said = whole.grade(clean, "--scheduler", workers.address)
        assert (status, "Traceback" in said) == (1, False)
        assert f"`dask worker {workers.address}`" in said
