"""Rooms of one prepared sandbox: what they share is to be read alone, and none sees another."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.sandbox.limits import MB, NAMESPACES, NOBODY, Limits
from autograder.sandbox.processes import descendants
from autograder.sandbox.visible import clean_environment, readable
from autograder.workers import wire
from autograder.workers.client import ENDED, Cell, WorkerClient
from autograder.workers.errors import Gone
from autograder.workers.launcher import Launcher
from tests.conftest import ROOT
from tests.sandbox.test_locks import run

LIMITS = Limits(readable(), memory=1024 * MB, processes=20, written=32 * MB)


@pytest.fixture(scope="module")
def base() -> Iterator[Launcher]:
    made = Launcher()
    yield made
    made.close()


@pytest.fixture(scope="module")
def prepared(base: Launcher) -> Iterator[Launcher]:
    made = base.prepared(readable())
    yield made
    made.close()


@pytest.fixture
def two(prepared: Launcher) -> Iterator[tuple[WorkerClient, WorkerClient]]:
    made = [prepared.start(wire.STUDENT, LIMITS, clean_environment(), NAMESPACES) for _ in range(2)]
    yield made[0], made[1]
    for room in made:
        room.close()


def test_no_room_sees_a_process_of_another_or_of_the_sandbox(two: tuple[WorkerClient, WorkerClient]) -> None:
    for room in two:
        assert run(room, "print(sorted(n for n in os.listdir('/proc') if n.isdigit()), os.getpid())") == "['1'] 1\n"


def test_what_a_room_writes_is_not_in_another(two: tuple[WorkerClient, WorkerClient]) -> None:
    one, other = two
    folders = "('/tmp', '/dev/shm', os.path.expanduser('~'), '.')"
    assert run(one, f"for at in {folders}: open(at + '/left', 'w').close()\nprint('ok')") == "ok\n"
    assert run(other, f"print([os.path.exists(at + '/left') for at in {folders}])") == "[False, False, False, False]\n"
    assert run(one, "open('/tmp/more', 'wb').write(b'x' * (20 << 20))\nprint('ok')") == "ok\n"
    assert run(other, "open('/tmp/more', 'wb').write(b'x' * (20 << 20))\nprint('ok')") == "ok\n"


def test_no_socket_without_a_file_reaches_another_room(two: tuple[WorkerClient, WorkerClient]) -> None:
    one, other = two
    named = r"'\0between-rooms'"
    assert (
        run(one, f"import socket\ns = socket.socket(socket.AF_UNIX)\ns.bind({named})\ns.listen()\nprint('ok')")
        == "ok\n"
    )
    assert "ConnectionRefusedError" in run(other, f"import socket\nsocket.socket(socket.AF_UNIX).connect({named})")


def test_what_rooms_share_can_be_changed_by_none(two: tuple[WorkerClient, WorkerClient]) -> None:
    room, _ = two
    places = (
        "('/left', '/usr/left', '/etc/passwd', '/disk/left', '/proc/sys/kernel/hostname', '/home/left', '/dev/left')"
    )
    code = f"for at in {places}:\n    try: open(at, 'w')\n    except OSError as error: print(error.errno)"
    assert set(run(room, code).split()) <= {"13", "30"}
    assert len(run(room, code).split()) == 7
    assert run(room, "print(call('umount2', b'/proc', 2), call('sethostname', b'x', 1))") == "EPERM EPERM\n"


def test_processes_are_counted_for_each_room_alone(two: tuple[WorkerClient, WorkerClient]) -> None:
    one, other = two
    many = (
        "import time\nmade = 0\ntry:\n    for i in range(40):\n        if not os.fork(): time.sleep(900)\n        made += 1\n"
        "except BlockingIOError: pass\nprint(made)"
    )
    assert int(run(one, many)) == LIMITS.processes - 1
    assert int(run(other, many)) == LIMITS.processes - 1


def test_the_one_process_of_a_room_has_given_up_its_rights(prepared: Launcher) -> None:
    room = prepared.start(wire.STUDENT, LIMITS, clean_environment(), NAMESPACES)
    try:
        assert room.run_cell(Cell("1", 1), 60)
        assert not descendants(room._process.number)
        status = Path(f"/proc/{room._process.number}/status").read_text()
        about = {name: value.strip() for name, value in (line.split(":", 1) for line in status.splitlines())}
        assert {about[f"Cap{kind}"] for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb")} == {"0" * 16}
        assert (about["NoNewPrivs"], about["Seccomp"]) == ("1", "2")
        assert int(about["Uid"].split()[0]) == (NOBODY if os.getuid() == 0 else os.getuid())
    finally:
        room.close()


@pytest.mark.parametrize("code", ["import ctypes\nctypes.string_at(0)", "os.abort()", "os._exit(3)"])
def test_a_crash_ends_a_room_and_all_that_it_has_started(prepared: Launcher, code: str) -> None:
    room = prepared.start(wire.STUDENT, LIMITS, clean_environment(), NAMESPACES)
    try:
        assert (
            run(room, "import subprocess\nsubprocess.Popen(['sleep', '900'])\nos.system('sleep 901 &')\nprint(1)")
            == "1\n"
        )
        below = descendants(room._process.number)
        assert len(below) == 2
        with pytest.raises(Gone, match=ENDED):
            room.run_cell(Cell(code, 2), 60)
        assert room._process.ended(5)
        assert not [process for process in below if os.path.exists(f"/proc/{process}")]
    finally:
        room.close()


def test_a_room_that_signals_itself_or_what_it_cannot_see_goes_on(two: tuple[WorkerClient, WorkerClient]) -> None:
    room, _ = two
    for target in "os.getpid()", "-1", "os.getppid()":
        for number in "SIGKILL", "SIGTERM", "SIGSTOP":
            run(room, f"import signal\ntry: os.kill({target}, signal.{number})\nexcept OSError: pass")
    assert [run(one, "print(2)") for one in two] == ["2\n", "2\n"]


def test_a_room_ends_with_the_sandbox_that_has_forked_it(base: Launcher) -> None:
    prepared = base.prepared(readable())
    room = prepared.start(wire.STUDENT, LIMITS, clean_environment(), NAMESPACES)
    try:
        run(room, "import ctypes\nctypes.CDLL(None).prctl(1, 0)")  # it need not die with its parent, it says
        prepared.close()
        assert room._process.ended(5)
    finally:
        room.close()


def test_a_room_outside_a_prepared_sandbox_is_refused_before_anything_is_mounted() -> None:
    code = (
        "from autograder.sandbox import namespaces, limits\nbefore = open('/proc/self/mountinfo').read()\n"
        "try: namespaces.enter(limits.Limits())\nexcept OSError as error: print(error)\n"
        "assert open('/proc/self/mountinfo').read() == before"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "not in a prepared sandbox\n"


def test_python_in_the_machines_tmp_is_there_and_nothing_else_of_it(base: Launcher, tmp_path: Path) -> None:
    for name in ("python", "secret"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("text")
    tmp_path.chmod(0o755)
    shown = (*readable(), str(tmp_path / "python"))
    prepared = base.prepared(shown)
    limits = Limits(shown, memory=1024 * MB, written=32 * MB)
    room = prepared.start(wire.STUDENT, limits, clean_environment(), NAMESPACES)
    try:
        assert (
            run(room, f"print(open('{tmp_path}/python/file').read(), os.listdir('{tmp_path}'))") == "text ['python']\n"
        )
        assert "Error" in run(room, f"open('{tmp_path}/python/file', 'w')")
        assert run(room, "open('/tmp/mine', 'w').close()\nprint('ok')") == "ok\n"
    finally:
        room.close()
        prepared.close()


WITHOUT_PROC = """
from tests.sandbox.test_namespaces import *
base = Launcher()
room = base.prepared(readable()).start(wire.STUDENT, LIMITS, clean_environment(), NAMESPACES)
print(run(room, "print(os.listdir('/proc'), os.getpid())\\nimport torch\\nprint(torch.ones(2).sum().item())"), end="")
room.close()
base.close()
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root hides a part of the machine's /proc")
def test_where_a_container_allows_no_proc_a_room_has_none_and_works() -> None:
    """As a container's engine does it, which lays something over a folder of /proc: the kernel allows no other then."""
    hide = 'mount --make-rprivate / && mount -t tmpfs none /proc/tty && exec "$@"'
    command = ["unshare", "-m", "sh", "-c", hide, "sh", sys.executable, "-c", WITHOUT_PROC]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("[] 1\n2.0\n", 0), done.stderr
