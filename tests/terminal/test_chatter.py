"""Of nbgrader's log a terminal shows what an instructor can act on, and a traceback as its last line."""

from __future__ import annotations

import io
import logging
import os
import sys
from contextlib import ExitStack

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


@pytest.fixture
def feedback_log(monkeypatch: pytest.MonkeyPatch) -> chatter.FeedbackLog:
    made = chatter.FeedbackLog()
    monkeypatch.setattr(chatter, "feedback_log", made)
    return made


def _written(student: str) -> bool:
    return _shown(f"Converting notebook /course/autograded/{student}/ps1/problems.ipynb", command="GenerateFeedbackApp")


def test_a_reader_who_has_seen_enough_costs_no_page(
    feedback_log: chatter.FeedbackLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`nbgrader generate_feedback ps1 | true`: what a filter raises is nbgrader's failure to write that page."""
    with ExitStack() as open_files:
        for stream in ("stdout", "stderr"):
            read, write = os.pipe()
            os.close(read)
            monkeypatch.setattr(sys, stream, open_files.enter_context(os.fdopen(write, "w")))
        for student in ("ada", "bela"):
            assert not _written(student)
            assert not _shown("Traceback (most recent call last):\nKeyError: 1", logging.ERROR, "GenerateFeedbackApp")
    assert feedback_log.written == ["ada", "bela"]


def test_a_terminal_that_cannot_show_a_letter_costs_no_page(
    feedback_log: chatter.FeedbackLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii", write_through=True)
    monkeypatch.setattr(sys, "stdout", out)
    assert not _written("béla\udcff")
    assert out.buffer.getvalue() == b"  b?la?\n"  # type: ignore[attr-defined]
    assert len(feedback_log.written) == 1


def test_a_folders_name_cannot_write_to_the_terminal(
    feedback_log: chatter.FeedbackLog, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not _written("x\x1b[31mred\tb")
    assert not _shown(
        "Traceback (most recent call last):\nOSError: /x\x1b[31mred", logging.ERROR, "GenerateFeedbackApp"
    )
    said = capsys.readouterr()
    assert said.out == "  x?[31mred?b\n"
    assert said.err == "OSError: /x?[31mred  (--debug shows where)\n"
    assert len(feedback_log.written) == 1
