"""Which fork server a worker comes from: the one that has learnt, a prepared one in namespaces, another after its end."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.sandbox.limits import NAMESPACES, NONE, Limits
from autograder.sandbox.visible import clean_environment, readable
from autograder.workers import launchers as module
from autograder.workers import wire
from autograder.workers.client import Cell, WorkerClient
from autograder.workers.errors import NoRoom
from autograder.workers.launchers import Launchers
from tests.rooms.test_run import until

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


def test_the_first_one_begins_once_and_before_it_is_wanted(made: Launchers[str]) -> None:
    made.begin()
    begun = made._first
    assert begun
    assert not begun._ready
    made.begin()
    assert made.students(NONE, ()) is begun
    assert _shown(_student(made), "print(1 + 1)") == "2\n"


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


def _parent_of(process: int) -> int:
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])


def test_rooms_in_namespaces_come_from_one_prepared_sandbox_and_from_another_when_it_has_ended(
    made: Launchers[str],
) -> None:
    first = made.students(NAMESPACES, readable())
    assert made.students(NAMESPACES, readable()) is first
    room = first.start(wire.STUDENT, LIMITS, ENVIRONMENT, NAMESPACES)
    sandbox = _parent_of(room._process.number)
    os.kill(_parent_of(sandbox), signal.SIGKILL)
    until(room.ended, "the room ends with the sandbox")
    room.close()
    second = made.students(NAMESPACES, readable())
    assert second is not first
    assert _shown(second.start(wire.STUDENT, LIMITS, ENVIRONMENT, NAMESPACES), "print('well')") == "well\n"


def test_the_prepared_sandbox_has_learnt_too(made: Launchers[str]) -> None:
    made.students(NAMESPACES, readable())
    made.learn([LESSON])
    room = made.students(NAMESPACES, readable()).start(wire.STUDENT, LIMITS, ENVIRONMENT, NAMESPACES)
    assert _shown(room, "from autograder.calculus.graph import _known\nprint(len(_known))") == "2\n"


def test_a_fork_server_that_is_started_ahead_is_used_or_ended() -> None:
    with module.started_ahead():
        (ahead,) = module._ahead
        made: Launchers[str] = Launchers(True, lambda _: [])
        assert made.students(NONE, ()) is ahead
    assert ahead.alive()
    made.close()
    with module.started_ahead():
        (ahead,) = module._ahead
    assert not ahead.alive()
    with pytest.raises(NoRoom):
        ahead.learn(["1"])
    assert not os.path.exists(ahead.scratch)
