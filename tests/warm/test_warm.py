"""What runs in a Python that starts warm sees, says and ends as in one that does not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests import warm

SEEN = "import json, os, sys, tempfile; print(json.dumps([sys.argv, sys.path, os.getcwd(), dict(os.environ), " + (
    "sys.stdin.read(), os.umask(0), tempfile.gettempdir(), __name__, sorted(os.listdir('/proc/self/fd'))]))"
)
ENDS = {
    "well": "print('δ'); import sys; print('said', file=sys.stderr)",
    "status": "import sys; print('first'); sys.exit(3)",
    "words": "raise SystemExit('why it ended')",
    "at exit": "import atexit; atexit.register(print, 'last')",
    "killed": "import os; os.kill(os.getpid(), 9)",
    "terminated": "import os; os.kill(os.getpid(), 15)",
}
MARK = "forkserver"
"""By an argument of this name the client knows what begins with torch."""


@pytest.fixture(scope="module")
def python() -> str:
    if warm.python() == sys.executable:
        pytest.skip("COLD is set, or this is not Linux")
    return warm.python()


def ran(program: str, code: str, folder: Path) -> tuple[int, str, str]:
    environment = {**os.environ, "TMPDIR": str(folder), "MINE": "δ"}
    command = [program, "-I", "-c", code, MARK, "a b"]
    done = subprocess.run(
        command, cwd=folder, env=environment, input="typed", capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("code", [SEEN, *ENDS.values()], ids=["seen", *ENDS])
def test_it_is_all_as_without(python: str, code: str, tmp_path: Path) -> None:
    assert ran(python, code, tmp_path) == ran(sys.executable, code, tmp_path)


def test_torch_is_there_before_anything_is_imported(python: str, tmp_path: Path) -> None:
    assert ran(python, "import sys; print('torch' in sys.modules)", tmp_path)[1] == "True\n"


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_who_ends_the_command_ends_what_it_runs(python: str, how: signal.Signals) -> None:
    code = "import os, time; print(os.getpid(), flush=True); time.sleep(1000)"
    with subprocess.Popen(
        [python, "-I", "-c", code, MARK], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as command:
        assert command.stdout
        process = Path("/proc") / command.stdout.readline().strip()
        assert process.is_dir()
        command.send_signal(how)
    assert command.returncode == -how
    end = time.monotonic() + 60
    while process.is_dir():
        assert time.monotonic() < end, "it is still running"
        time.sleep(0.05)
