"""Where workers come from: a fork server that starts without a word, or says why it does not."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from autograder.sandbox.limits import NONE, Limits
from autograder.sandbox.visible import clean_environment, readable
from autograder.workers import launcher, wire
from autograder.workers.client import Cell, WorkerClient
from autograder.workers.errors import NoRoom
from autograder.workers.launcher import Launchers
from tests.conftest import ROOT


def test_a_fork_server_that_starts_prints_nothing_on_a_terminal() -> None:
    terminal, end = os.openpty()
    code = "from autograder.workers.launcher import Launcher; Launcher().close(); print('done')"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, stdin=end, stdout=end, stderr=end, check=False)
    os.close(end)
    said = os.read(terminal, 4096)
    os.close(terminal)
    assert (done.returncode, said) == (0, b"done\r\n")


def test_an_interpreter_that_does_not_start_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = [sys.executable, "-I", "-c", "import a_package_that_is_missing"]
    monkeypatch.setattr(launcher, "_command", lambda what, number: broken)
    with pytest.raises(NoRoom, match="did not start: ModuleNotFoundError: No module named 'a_package_that_is_missing'"):
        launcher.Launcher()


LESSON = (
    "import torch\nfrom autograder import question\n"
    "@question(wrt='x', at={'x': 2.0}, domain={'x': (1, 3)})\ndef taught(x):\n    y = x * x\n    return y\n"
)
LIMITS, ENVIRONMENT = Limits(readable=tuple(readable())), {**clean_environment(), "NBGRADER_EXECUTION": "autograde"}


@pytest.fixture
def made() -> Iterator[Launchers[str]]:
    launchers: Launchers[str] = Launchers(True, lambda _: [LESSON])
    yield launchers
    launchers.close()


def _shown(worker: WorkerClient, code: str) -> str:
    outputs = worker.run_cell(Cell(code, 1), 60)
    worker.close()
    return "".join(output.get("text", output.get("evalue", "")) for output in outputs)


def _student(launchers: Launchers[str]) -> WorkerClient:
    return launchers.students(NONE, ()).start(wire.STUDENT, LIMITS, ENVIRONMENT, NONE)


def test_a_lesson_leaves_no_name_in_a_room_but_its_questions_need_not_be_read_again(made: Launchers[str]) -> None:
    made.students(NONE, ())
    known = "from autograder.calculus.graph import _known\nprint('taught' in globals(), len(_known))"
    before = int(_shown(_student(made), known).split()[1])
    made.learn([LESSON])
    assert _shown(_student(made), known).split() == ["False", str(before + 1)]
    assert _shown(_student(made), f"{LESSON}\nprint(float(taught(3.0)))") == "9.0\n"


def test_a_lesson_that_ends_the_interpreter_or_leaves_a_thread_is_forgotten(made: Launchers[str]) -> None:
    thread = "import threading, time\nthreading.Thread(target=time.sleep, args=(1000,), daemon=True).start()"
    for harm in ("import os\nos._exit(1)", thread):
        made.students(NONE, ())
        made.learn([harm])
        assert _shown(_student(made), "print(1 + 1)") == "2\n"


def test_a_forked_process_orders_workers_of_the_same_interpreter_and_ends_only_its_own(made: Launchers[str]) -> None:
    made.students(NONE, ())
    made.examiners("q")
    child = os.fork()
    if not child:
        status = 1
        try:
            lent = made.lent(lambda _: [LESSON])
            parent = _shown(_student(lent), "import os\nprint(os.getppid())")
            lent.examiners("q").start(wire.EXAMINER, LIMITS, ENVIRONMENT).close()
            lent.close()
            status = int(not parent.strip().isdigit())
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert made.students(NONE, ()).alive()
    assert made.examiners("q").alive()
    assert _shown(_student(made), "print(2)") == "2\n"


def test_a_course_longer_than_a_socket_holds_is_learnt(made: Launchers[str]) -> None:
    made.students(NONE, ())
    made.learn([LESSON, "'" + "x" * 3_000_000 + "'"])
    assert made.students(NONE, ()).alive()
    assert _shown(_student(made), "print(3)") == "3\n"
