"""Each task is done once, whatever becomes of the processes; one of which they all die is given back as lost."""

from __future__ import annotations

import ast
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.rooms.test_run import until

SCRIPT = """
import contextlib, os, signal, sys, time
from autograder.feedback import page_workers
def work(task):
    with open("tried", "a") as file: file.write(f"{task} {os.getpid()}\\n")
    while task in waits: time.sleep(0.02)
    if task in deadly: os.kill(os.getpid(), signal.SIGKILL)
    return task * task
tasks, jobs, deadly, waits = eval(sys.argv[1])
with contextlib.closing(page_workers.run(work, tasks, jobs)) as done:
    print(sorted(done, key=str), flush=True)
"""
"""In a process of its own, because that of the tests has several threads."""


def tried(folder: Path) -> list[list[int]]:
    file = folder / "tried"
    return [[int(part) for part in line.split()] for line in file.read_text().splitlines()] if file.exists() else []


def running(folder: Path, tasks: list[int], jobs: int, deadly: set[int], waits: set[int]) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", SCRIPT, repr((tasks, jobs, deadly, waits))]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("jobs", [1, 2, 20])
def test_each_task_is_done_once_and_one_that_kills_is_tried_twice(tmp_path: Path, jobs: int) -> None:
    with running(tmp_path, list(range(10)), jobs, {0, 4}, set()) as run:
        assert run.stdout
        found = ast.literal_eval(run.stdout.read())
    assert sorted(found) == [(task, None if task in (0, 4) else task * task) for task in range(10)]
    assert sorted(task for task, _ in tried(tmp_path)) == sorted([*range(10), 0, 4])
    assert len({process for _, process in tried(tmp_path)}) <= jobs + 4


def test_if_the_main_process_is_killed_those_that_work_end(tmp_path: Path) -> None:
    with running(tmp_path, [1, 2], 2, set(), {1, 2}) as run:
        until(lambda: len(tried(tmp_path)) == 2, "both work")
        assert all(alive(process) for _, process in tried(tmp_path))
        run.send_signal(signal.SIGKILL)
    assert run.returncode == -signal.SIGKILL
    until(lambda: not any(alive(process) for _, process in tried(tmp_path)), "both have ended")


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False
