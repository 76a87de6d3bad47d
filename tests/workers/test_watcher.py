"""What a worker uses is looked at by the clock, also while nobody waits for it; what nobody asked for ends it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.sandbox.limits import LANDLOCK, MB, NAMESPACES, Limits
from autograder.sandbox.visible import clean_environment, readable
from autograder.workers import wire
from autograder.workers.client import Cell, WorkerClient
from autograder.workers.errors import Earlier, Gone
from autograder.workers.launcher import Launcher

LIMITS = Limits(readable=readable(), memory=1024 * MB, processes=40, written=32 * MB)
CHILD = "import os, time\nfor i in range(6):\n    if not os.fork():\n        time.sleep(1); {}; time.sleep(60)\n        os._exit(0)"
SOCKETS = """
import os, stat, threading, time
def write(line):
    for fd in range(3, 64):
        try:
            if stat.S_ISSOCK(os.fstat(fd).st_mode): os.write(fd, line)
        except OSError: pass
"""


@pytest.fixture(scope="module")
def launcher() -> Iterator[Launcher]:
    made = Launcher()
    yield made
    made.close()


@pytest.fixture(params=[NAMESPACES, LANDLOCK])
def worker(launcher: Launcher, request: pytest.FixtureRequest) -> Iterator[WorkerClient]:
    source = launcher.prepared(readable()) if request.param == NAMESPACES else launcher
    made = source.start(wire.STUDENT, LIMITS, clean_environment(), request.param)
    yield made
    made.close()
    if source is not launcher:
        source.close()


def until_ended(worker: WorkerClient) -> None:
    end = time.monotonic() + 60
    while not worker.ended():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_memory_is_counted_while_nobody_waits(worker: WorkerClient) -> None:
    assert worker.run_cell(Cell(CHILD.format("x = b'x' * (300 << 20)"), 1), 60) == []
    until_ended(worker)
    with pytest.raises(Gone, match="the code used more than 1024 MB of memory"):
        worker.run_cell(Cell("1", 2), 60)


def test_what_is_written_is_counted_while_nobody_waits(launcher: Launcher) -> None:
    worker = launcher.start(wire.STUDENT, LIMITS, clean_environment(), LANDLOCK)
    assert worker.run_cell(Cell(CHILD.format("open(f'f{i}', 'wb').write(b'x' * (16 << 20))"), 1), 60) == []
    until_ended(worker)
    with pytest.raises(Gone, match="the code wrote more than 32 MB"):
        worker.run_cell(Cell("1", 2), 60)
    worker.close()


def test_an_examiner_has_a_limit_of_memory_as_well(launcher: Launcher, tmp_path: Path) -> None:
    examiner = launcher.start(wire.EXAMINER, LIMITS, clean_environment(), files=str(tmp_path))
    assert examiner.run_cell(Cell("x = b'x' * (300 << 20)", 1), 60) == []
    with pytest.raises(Gone, match="the code used more than 1024 MB of memory"):
        examiner.run_cell(Cell("import time; y = b'x' * (1100 << 20); time.sleep(60)", 2), 60)
    examiner.close()


def test_a_line_that_nobody_asked_for_ends_the_room_and_is_blamed_on_who_wrote_it(worker: WorkerClient) -> None:
    assert worker.run_cell(Cell(SOCKETS, 1), 60) == []
    later = "threading.Thread(target=lambda: (time.sleep(0.5), write(b'{}\\n'))).start()"
    assert worker.run_cell(Cell(later, 2), 60) == []
    time.sleep(2)
    with pytest.raises(Earlier):
        worker.run_cell(Cell("1", 3), 60)


def test_lines_without_end_are_not_waited_for(worker: WorkerClient) -> None:
    began = time.monotonic()
    with pytest.raises(Gone, match="wrote to the grader's own channel"):
        worker.run_cell(Cell(f"{SOCKETS}\nwhile True:\n    write(b'{{}}\\n'); time.sleep(0.03)", 1), 60)
    assert time.monotonic() - began < 30
