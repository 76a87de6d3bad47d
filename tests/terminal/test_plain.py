"""Whatever ends a command of nbgrader's, it is one sentence and a status; --debug shows the rest."""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from dateutil.parser import ParserError
from jupyter_core.application import NoStart

from autograder.__main__ import main
from autograder.gradebook.programs import find_programs
from autograder.terminal import plain


def _ended(error: BaseException, caplog: pytest.LogCaptureFixture, level: int = logging.INFO) -> tuple[Any, list[str]]:
    def start() -> None:
        raise error

    coursedir = SimpleNamespace(db_url="sqlite:////course/gradebook.db")
    app = SimpleNamespace(
        name="nbgrader-generate-assignment", log=logging.getLogger("a test"), log_level=level, coursedir=coursedir
    )
    app._started_plainly = start
    with pytest.raises(SystemExit) as end:
        plain._start(app)
    return end.value.code, caplog.messages


def test_an_error_that_nobody_foresaw_is_a_sentence(caplog: pytest.LogCaptureFixture) -> None:
    status, said = _ended(KeyError("q1\nand more"), caplog)
    assert (status, said) == (
        1,
        ["nbgrader generate_assignment stopped: KeyError: 'q1\\nand more'  (--debug shows where)"],
    )


def test_a_gradebook_that_cannot_be_used_says_what_to_do(caplog: pytest.LogCaptureFixture) -> None:
    status, said = _ended(sqlite3.DatabaseError("file is not a database"), caplog)
    assert status == 1
    assert said[0].startswith("nbgrader generate_assignment stopped: the gradebook /course/gradebook.db cannot be used")


def test_a_date_that_is_not_understood_is_shown_with_one_that_is(caplog: pytest.LogCaptureFixture) -> None:
    status, said = _ended(ParserError("Unknown string format: %s", "tomorrow"), caplog)
    assert status == 1
    assert said[0].endswith('not a date that it understands (tomorrow). Write it as in "2026-12-01 18:00 UTC".')


def test_ctrl_c_says_that_nothing_is_lost(caplog: pytest.LogCaptureFixture) -> None:
    assert _ended(KeyboardInterrupt(), caplog) == (130, [plain.INTERRUPTED])


def test_a_status_of_the_command_is_kept(caplog: pytest.LogCaptureFixture) -> None:
    assert _ended(SystemExit(3), caplog) == (3, [])


@pytest.mark.parametrize(("error", "level"), [(KeyError("q1"), logging.DEBUG), (NoStart(), logging.INFO)])
def test_with_debug_an_error_is_shown_whole_and_no_error_stays_none(
    error: Exception, level: int, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(type(error)):
        _ended(error, caplog, level)
    assert caplog.messages == []


def test_programs_of_the_environment_are_found_without_activating_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.defpath)
    find_programs()
    assert shutil.which("alembic")
    before = os.environ["PATH"]
    find_programs()
    assert os.environ["PATH"] == before


def test_grade_in_a_folder_that_is_no_course_grades_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Stock nbgrader would run what lies in submitted/ there with your rights."""
    monkeypatch.chdir(tmp_path)
    assert main(["grade", "ps1"]) == 1
    assert f"autograder grade: {tmp_path} is not the folder of a course: " in capsys.readouterr().err
