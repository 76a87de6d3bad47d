"""Of nbgrader's log a terminal shows what an instructor can act on, and a traceback as its last line."""

from __future__ import annotations

import logging

import pytest

from autograder.terminal import chatter


def _shown(text: str, level: int = logging.INFO, command: str = "AutogradeApp", **more: object) -> bool:
    record = logging.LogRecord(command, level, "file", 1, text, (), None)
    record.__dict__.update(more)
    return chatter.Chatter().filter(record)


def test_info_is_chatter_where_notebooks_are_made_and_the_answer_elsewhere() -> None:
    assert not _shown("Copying /a -> /b")
    assert not _shown("Writing 12 bytes", command="GenerateAssignmentApp")
    assert _shown("derivatives ps1", command="ListApp")
    assert _shown("Collecting submission: ada ps1", command="CollectApp")


@pytest.mark.parametrize("text", ["The gradebook is held by another process", "whatever nbgrader warns of next year"])
def test_a_warning_that_nobody_else_tells_is_shown(text: str) -> None:
    assert _shown(text, logging.WARNING)
    assert not _shown(text, logging.WARNING, **chatter.TOLD)


def test_an_error_is_told_once() -> None:
    assert _shown("ps1 is released already", logging.ERROR, "ReleaseAssignmentApp")
    assert not _shown("nbgrader release_assignment failed", logging.ERROR, "ReleaseAssignmentApp")
    assert not _shown("There was an error processing assignment: /s/ada/ps1", logging.ERROR)
    assert _shown("There was an error processing assignment: /s/ada/ps1", logging.ERROR, "GenerateFeedbackApp")


def test_a_traceback_is_its_last_line(capsys: pytest.CaptureFixture[str]) -> None:
    traceback = "Traceback (most recent call last):\n  File ...\nKeyError: 'q1'\n"
    assert not _shown(traceback, logging.ERROR, "GenerateFeedbackApp")
    assert capsys.readouterr().err == "KeyError: 'q1'  (--debug shows where)\n"


def test_with_debug_all_of_it_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chatter, "_debugging", lambda: True)
    assert _shown("Copying /a -> /b")
    assert _shown("Traceback (most recent call last):\n  x", logging.ERROR)
