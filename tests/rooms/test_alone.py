"""A lock of an assignment: one run at a time, for every instructor of the group, gone with the process that held it."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from nbgrader.converters.base import NbGraderException

from autograder.rooms.alone import GRADING, PAGES, Alone

HOLDS = """
import logging, sys
from types import SimpleNamespace
from autograder.rooms.alone import Alone
coursedir = SimpleNamespace(root=sys.argv[1], groupshared=False)
held = Alone(SimpleNamespace(log=logging.getLogger("x"), coursedir=coursedir), "ps1")
held.begin(0)
print("held", flush=True)
sys.stdin.read()
"""


def _of(root: Path, assignment: str = "ps1", shared: bool = False, work: str = GRADING) -> Alone:
    coursedir = SimpleNamespace(root=str(root), groupshared=shared)
    return Alone(SimpleNamespace(log=logging.getLogger("a test"), coursedir=coursedir), assignment, work)


def test_a_second_run_names_the_first_and_another_assignment_is_free(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as first:
        assert first.stdout
        assert first.stdout.readline() == "held\n"
        with pytest.raises(NbGraderException, match="Another run is grading ps1"):
            _of(tmp_path, work=PAGES).begin(0.1)
        assert f"Another run is grading ps1 (process {first.pid}); waiting up to 0.1 seconds" in caplog.text
        other = _of(tmp_path, "ps2")
        other.begin(0)
        other.end()
        first.kill()
    again = _of(tmp_path)
    again.begin(60)  # the lock ended with the process
    again.end()


@pytest.mark.parametrize(("shared", "mode"), [(True, 0o664), (False, 0o644)])
def test_in_a_course_of_a_group_the_others_can_take_the_lock(tmp_path: Path, shared: bool, mode: int) -> None:
    lock = _of(tmp_path, shared=shared)
    lock.begin(0)
    lock.end()
    (file,) = tmp_path.iterdir()
    assert file.stat().st_mode & 0o777 == mode


def test_where_no_lock_can_be_had_the_run_goes_on_and_it_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    os.mkdir(tmp_path / ".grading-ps1.lock")  # a folder is in its way
    lock = _of(tmp_path)
    lock.begin(0)
    lock.end()
    assert "cannot be locked" in caplog.text
