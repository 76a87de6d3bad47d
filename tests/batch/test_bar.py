"""The progress of a run: a bar on a terminal, lines where there is none."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import termios

import pytest

from autograder.batch import bar

THREE = (
    "import sys; from autograder.batch.bar import Bar\n"
    "with Bar(3, print) as b:\n"
    "    b.step(); b.say('ada needs a person'); b.step(); b.step()\n"
)


def test_on_a_terminal_there_is_a_bar_with_what_is_left_and_lines_stand_above_it() -> None:
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    process = subprocess.Popen([sys.executable, "-c", THREE], stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    said = b""
    while True:
        try:
            data = os.read(ours, 4096)
        except OSError:  # the other end is closed
            break
        if not data:
            break
        said += data
    os.close(ours)
    assert process.wait() == 0
    text = said.decode()
    assert "Grading: 100%" in text
    assert "3/3" in text
    assert "\nada needs a person" in text.replace("\r", "\n")


def test_elsewhere_a_line_says_now_and_then_how_many_are_left(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 1000, 6))
    monkeypatch.setattr(bar.time, "monotonic", lambda: float(next(clock)))
    said: list[str] = []
    with bar.Bar(10, said.append) as progress:
        for _ in range(10):
            progress.step()
        progress.say("a line")
    assert said[0] == "2 of 10 graded, about 00:48 left"
    assert said[-1] == "a line"
    assert len(said) == 5
