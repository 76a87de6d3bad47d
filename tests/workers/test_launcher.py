"""Where workers come from: a fork server that starts without a word, or says why it does not."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from autograder.workers import launcher
from autograder.workers.errors import NoRoom
from tests.conftest import ROOT


def test_a_fork_server_that_starts_prints_nothing_on_a_terminal() -> None:
    terminal, end = os.openpty()
    code = "from autograder.workers.launcher import Launcher; made = Launcher(); made.learn(['1']); made.close(); print('done')"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, stdin=end, stdout=end, stderr=end, check=False)
    os.close(end)
    said = os.read(terminal, 4096)
    os.close(terminal)
    assert (done.returncode, said) == (0, b"done\r\n")


def test_an_interpreter_that_does_not_start_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = [sys.executable, "-I", "-c", "import a_package_that_is_missing"]
    monkeypatch.setattr(launcher, "_command", lambda what, number: broken)
    with pytest.raises(NoRoom, match="did not start: ModuleNotFoundError: No module named 'a_package_that_is_missing'"):
        launcher.Launcher().learn(["1"])
