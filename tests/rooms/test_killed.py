"""Whoever ends the grader in the middle leaves no process and no file of any room."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from autograder.sandbox import limits
from autograder.sandbox.processes import descendants
from tests.rooms import machines
from tests.rooms.course import Course, Submission

pytestmark = pytest.mark.course

ENOUGH = 300
"""Seconds for anything that only has to happen at all."""
SETTINGS = '\nc.Engine.isolation = "{level}"\nc.Engine.cell_seconds = 3000\nc.Engine.submission_seconds = 3000\n'
BUSY = (
    "import os, subprocess, time\nopen('file', 'w').write('x' * 10_000)\nos.makedirs('a/b/c')\n"
    "subprocess.Popen(['sleep', '{mark}'], start_new_session=True)\nwhile True: time.sleep(0.05)"
)


def _command_of(process: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    return ""


def _with(mark: str, processes: list[int]) -> list[int]:
    return [p for p in processes if mark in _command_of(p) and "sleep" in _command_of(p)]


def _each(grader: int, how: int) -> None:
    """As whoever stops a service: the signal goes to each of its processes, whatever their groups."""
    for process in (grader, *descendants(grader)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, how)


@pytest.mark.parametrize(
    ("level", "how", "whom"),
    [
        (limits.NAMESPACES, signal.SIGKILL, os.kill),
        (limits.LANDLOCK, signal.SIGKILL, os.kill),
        (limits.NAMESPACES, signal.SIGINT, os.kill),
        (limits.NAMESPACES, signal.SIGHUP, os.killpg),
        (limits.LANDLOCK, signal.SIGHUP, os.killpg),
        (limits.NAMESPACES, signal.SIGTERM, os.killpg),
        (limits.LANDLOCK, signal.SIGQUIT, os.killpg),
        (limits.NAMESPACES, signal.SIGTERM, _each),
        (limits.LANDLOCK, signal.SIGTERM, _each),
    ],
)
def test_a_grader_that_is_ended_while_a_cell_runs_leaves_nothing(
    tmp_path: Path, level: str, how: int, whom: Callable[[int, int], None]
) -> None:
    mark = f"98764.{secrets.randbelow(10**9):09}"
    (tmp_path / "course").mkdir()
    course = Course(tmp_path / "course", SETTINGS.format(level=level))
    course.hand_in("busy", Submission(BUSY.format(mark=mark)))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    own_group = ["setsid"] if whom is os.killpg else []
    with (tmp_path / "log").open("w") as log:
        watcher = subprocess.Popen(
            [*machines.watched(), *own_group, sys.executable, "-m", "nbgrader", "autograde", "ps1"],
            cwd=course.root,
            env={**os.environ, "PATH": path, "TMPDIR": str(scratch)},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    end = time.monotonic() + ENOUGH
    while not _with(mark, list(descendants(watcher.pid))):
        assert watcher.poll() is None, (tmp_path / "log").read_text()
        assert time.monotonic() < end, "no room came to run the cell"
        time.sleep(0.05)
    assert list(scratch.iterdir())
    grader = next(p for p in descendants(watcher.pid) if "autograde ps1" in _command_of(p))  # its scribe is below it
    whom(grader, how)
    assert watcher.wait(ENOUGH) != 0
    assert machines.LEFT not in (tmp_path / "log").read_text()
    assert not _with(mark, [int(p) for p in os.listdir("/proc") if p.isdigit()])
    assert list(scratch.iterdir()) == []
