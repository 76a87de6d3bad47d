"""What one locked room may ask of the kernel, and what is left when it has ended; asked in real rooms of both levels."""

from __future__ import annotations

import contextlib
import fcntl
import os
import platform
import signal
import socket
import stat
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from autograder.sandbox import folders, seccomp
from autograder.sandbox.limits import LANDLOCK, MB, NAMESPACES, Limits
from autograder.sandbox.visible import clean_environment, readable
from autograder.workers import wire
from autograder.workers.client import Cell, WorkerClient
from autograder.workers.errors import Gone
from autograder.workers.launcher import Launcher
from tests.conftest import ROOT
from tests.rooms import machines
from tests.rooms.course import deepen

LEVELS = [NAMESPACES, LANDLOCK]
PATIENCE = 300.0
"""Seconds for a cell that ends by itself; a machine may be very slow."""
CALL = """
import ctypes, errno, os
libc = ctypes.CDLL(None, use_errno=True)
def call(name, *arguments):
    done = getattr(libc, name)(*arguments)
    return errno.errorcode[ctypes.get_errno()] if done < 0 else "done"
def system(number, *arguments):
    done = libc.syscall(ctypes.c_long(number), *arguments)
    return errno.errorcode[ctypes.get_errno()] if done < 0 else "done"
def high(number):  # the kernel looks at the lower half alone
    return ctypes.c_ulong((1 << 32) | number)
"""
NUMBERS = {
    "x86_64": {"socket": 41, "setpriority": 141, "prlimit": 302, "memfd": 319, "clone": 56, "fcntl": 72},
    "aarch64": {"socket": 198, "setpriority": 140, "prlimit": 261, "memfd": 279, "clone": 220, "fcntl": 25},
}[platform.machine()]


class Rooms:
    """Makes rooms of one level, and keeps where they lay."""

    def __init__(self, launcher: Launcher, level: str) -> None:
        self.launcher, self.level, self.scratch = launcher, level, Path(launcher.scratch)

    @contextlib.contextmanager
    def room(self, written: int = 32 * MB) -> Iterator[WorkerClient]:
        """A room, and nothing of it on the disk afterwards."""
        limits = Limits(readable(), memory=1024 * MB, processes=40, written=written, submission_seconds=900)
        room = self.launcher.start(wire.STUDENT, limits, clean_environment(), self.level)
        try:
            yield room
        finally:
            room.close()
        assert self.left() == []

    def left(self) -> list[str]:
        return [path.name for path in self.scratch.iterdir() if path.name.startswith("room-")]


def run(room: WorkerClient, code: str) -> str:
    """What a cell prints, errors included."""
    outputs = room.run_cell(Cell(CALL + textwrap.dedent(code), 1), PATIENCE)
    return "".join(o.get("text", "") or f"{o.get('ename', '')} {o.get('evalue', '')}" for o in outputs)


@pytest.fixture(scope="module")
def launcher() -> Iterator[Launcher]:
    made = Launcher()
    yield made
    made.close()
    assert not Path(made.scratch).exists()


@pytest.fixture(scope="module")
def prepared(launcher: Launcher) -> Iterator[Launcher]:
    made = launcher.prepared(readable())
    yield made
    made.close()


@pytest.fixture(params=LEVELS)
def rooms(request: pytest.FixtureRequest, launcher: Launcher, prepared: Launcher) -> Rooms:
    return Rooms(prepared if request.param == NAMESPACES else launcher, request.param)


@pytest.fixture
def landlock(launcher: Launcher) -> Rooms:
    return Rooms(launcher, LANDLOCK)


@pytest.fixture
def said(rooms: Rooms) -> Iterator[Callable[[str], str]]:
    with rooms.room() as room:
        yield lambda code: run(room, code)


@pytest.mark.parametrize(
    "code",
    [
        f"call('socket', 2, 1, 0), system({NUMBERS['socket']}, high(2), 1, 0)",
        f"call('socket', 16, 3, 0), system({NUMBERS['socket']}, high(1), 1, 0)",
        f"call('unshare', 0x10000000), system({NUMBERS['clone']}, high(0x10000000 | 17), 0, 0, 0, 0)",
        f"call('memfd_create', b'x', 0), system({NUMBERS['memfd']}, b'x', high(0))",
        "call('ptrace', 16, os.getppid(), 0, 0), call('shmget', 0, 4096, 0o1600)",
        "call('mount', b'none', b'/tmp', b'tmpfs', 0, None), call('chroot', b'.')",
        "call('process_vm_readv', os.getppid(), None, 0, None, 0, 0), call('klogctl', 3, None, 0)",
    ],
)
def test_a_call_that_leads_outside_is_refused_whatever_its_upper_half(said: Callable[[str], str], code: str) -> None:
    assert said(f"print({code})").split() == ["EPERM", "EPERM"]


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the machine code of another processor")
@pytest.mark.parametrize(
    "code",
    [
        "libc.syscall(ctypes.c_long(0x40000000 | 39))",  # x32
        # mov eax, 20 (getpid of 32 bits); int 0x80; ret
        "import mmap\nm = mmap.mmap(-1, 4096, prot=7)\nm.write(bytes.fromhex('b814000000cd80c3'))\n"
        "ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(m)))()",
    ],
    ids=["x32", "i386"],
)
def test_the_calls_of_another_architecture_end_the_room(rooms: Rooms, code: str) -> None:
    with rooms.room() as room, pytest.raises(Gone):
        run(room, code + "\nprint('answered')")


def test_what_is_known_of_a_file_of_the_same_user_stays_as_it_is(landlock: Rooms, tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_text("kept")
    before = target.stat()
    with landlock.room() as room:
        said = run(room, f"""
        p = {str(target)!r}
        for do in (lambda: os.chmod(p, 0), lambda: os.utime(p, (1, 1)), lambda: os.chown(p, -1, os.getgid()),
                   lambda: os.setxattr(p, "user.x", b"x"), lambda: os.truncate(p, 0), lambda: os.link(p, "mine"),
                   lambda: os.rename(p, "mine"), lambda: os.unlink(p), lambda: open(p), lambda: open(p, "a"),
                   lambda: system(452, -100, p.encode(), 0, 0)):
            try: print(do())
            except OSError as error: print(error.errno)
        open("own", "w").close(); os.chmod("own", 0o755); import shutil; shutil.copy2("own", "copy"); print("went on")
        """)  # fmt: skip
    assert "went on" in said
    after = target.stat()
    assert target.read_text() == "kept"
    assert (after.st_mode, after.st_mtime, after.st_uid, after.st_nlink) == (
        before.st_mode, before.st_mtime, before.st_uid, before.st_nlink,
    )  # fmt: skip
    assert os.listxattr(target) == []


def test_processes_of_the_same_user_keep_their_limits_and_their_pace(landlock: Rooms) -> None:
    with landlock.room() as room:
        said = run(room, f"""
        other = os.getppid()
        print(call("prlimit", other, 7, None, ctypes.create_string_buffer(16)), call("prlimit", 0, 7, None, None))
        print(call("setpriority", 0, other, 5), call("setpriority", 2, 0, 5), call("setpriority", 0, 0, 5))
        print(system({NUMBERS["setpriority"]}, high(2), 0, 5), system({NUMBERS["prlimit"]}, high(other), 7, None, None))
        print(call("sched_setaffinity", other, 8, (ctypes.c_ulong * 1)(1)), call("kill", other, 0))
        """)  # fmt: skip
    assert said.split() == ["EPERM", "done", "EPERM", "EPERM", "done", "EPERM", "EPERM", "EPERM", "EPERM"], said


def test_no_file_can_be_held_back_from_others_and_ordinary_locks_work(said: Callable[[str], str]) -> None:
    """A lease on a file that the user who grades owns makes everybody's `open` wait; a room's own file shows it."""
    assert said(
        f"""
        import fcntl
        with open("own", "w") as file: file.write("x")
        number = os.open("own", os.O_RDONLY)
        for order, value in (({fcntl.F_SETLEASE}, fcntl.F_RDLCK), (1040, 0), ({fcntl.F_NOTIFY}, fcntl.DN_MODIFY)):
            print(call("fcntl", number, order, value), system({NUMBERS["fcntl"]}, number, high(order), value))
        other = open("other", "w"); fcntl.flock(number, fcntl.LOCK_EX); fcntl.lockf(other, fcntl.LOCK_EX)
        print(fcntl.fcntl(number, fcntl.F_GETLEASE) == fcntl.F_UNLCK, os.dup(number) > number)
        """
    ).split() == ["EPERM"] * 6 + ["True", "True"]


def test_no_datagram_goes_to_a_socket_that_has_a_name(landlock: Rooms, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(str(tmp_path / "named"))
        server.setblocking(False)
        with landlock.room() as room:
            said = run(room, f"""
            import socket
            for kind in (socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET, socket.SOCK_STREAM):
                try:
                    one, two = socket.socketpair(socket.AF_UNIX, kind)
                    one.sendto(b"x", {str(tmp_path / "named")!r})
                except OSError as error:
                    print("refused")
            one, two = socket.socketpair(); one.send(b"hello"); print(two.recv(5))
            """)  # fmt: skip
        with pytest.raises(BlockingIOError):
            server.recv(1)
    assert said.split() == ["refused"] * 4 + ["b'hello'"]


@pytest.mark.parametrize("abi", [1, 2, 5])
def test_older_landlocks_refuse_by_seccomp_what_they_do_not_know(abi: int) -> None:
    """In a process of its own, which then cannot truncate, or send a signal in any way."""
    code = f"from tests.sandbox import test_locks; test_locks.older({abi})"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False)
    assert done.returncode == 0


def older(abi: int) -> None:
    """Ends with the number of the first thing that was possible and should not be."""
    seccomp.syscalls.landlock_abi = lambda: abi  # the only way to have an older kernel here
    seccomp.syscalls.no_new_privileges()
    seccomp.seccomp()
    parent = os.getppid()
    tries: list[Callable[[], object]] = [
        lambda: os.kill(parent, 0),
        lambda: os.kill(0, 0),
        lambda: signal.pidfd_send_signal(os.pidfd_open(parent), 0),
        lambda: fcntl.fcntl(0, fcntl.F_SETOWN, parent),
        lambda: fcntl.fcntl(0, 10, 9),
    ]
    if abi < 3:
        tries += [lambda: os.truncate(__file__, 1 << 40), lambda: os.open(os.devnull, os.O_RDONLY | os.O_TRUNC)]
    for number, attempt in enumerate(tries, 1):
        try:
            attempt()
        except PermissionError:
            continue
        os._exit(number)
    os.kill(os.getpid(), 0)


def test_a_rooms_folder_is_closed_to_other_users(rooms: Rooms) -> None:
    with rooms.room():
        (name,) = rooms.left()
        assert stat.S_IMODE((rooms.scratch / name).stat().st_mode) == 0o700


def test_a_room_may_write_at_home_and_where_temporary_files_go(said: Callable[[str], str]) -> None:
    assert "ok" in said(
        "import tempfile, getpass\nopen(os.path.expanduser('~/x'), 'w').close()\n"
        "with tempfile.TemporaryDirectory() as d: assert d.startswith(os.environ['TMPDIR'])\n"
        "assert getpass.getuser() == 'student'\nprint('ok')"
    )


DEEP = "for i in range(1500):\n    os.mkdir('a'); os.chdir('a')\nprint('deep')"
CLOSED = (
    "os.makedirs('x/y')\nopen('x/y/file', 'w').close()\nos.umask(0o777)\nos.mkdir('closed')\nos.mkdir('x/closed')\n"
    "os.chmod('x/y', 0)\nos.chmod('x', 0)\nprint('closed')"
)
STRANGE = (
    "for name in (b'\\xff\\xfe', b'new\\nline', b'n' * 255, b'-rf', b'*'): open(name, 'w').close()\nprint('strange')"
)


@pytest.mark.parametrize(("kind", "code"), [("deep", DEEP), ("closed", CLOSED), ("strange", STRANGE)])
def test_nothing_of_a_room_stays_on_the_disk(rooms: Rooms, kind: str, code: str) -> None:
    said = "ended"  # where what is written is counted, and in time
    with rooms.room() as room:
        assert len(rooms.left()) == 1
        with contextlib.suppress(Gone):
            said = run(room, code).strip()
    assert said in (kind, "ended")
    assert rooms.left() == []


def test_a_folder_deeper_than_pythons_stack_is_removed(tmp_path: Path) -> None:
    top = tmp_path / "top"
    top.mkdir()
    deepen(top, 2500)
    assert folders.disk_usage(str(top)) == float("inf")
    folders.remove(str(top))
    assert not top.exists()


WAIT = "\nimport time\nwhile True: time.sleep(0.05)"
GREEDY = {
    "files without a name": (
        "held = []\nfor i in range(8):\n    f = open('f', 'wb'); f.write(b'x' * (8 << 20)); f.flush(); held.append(f)\n"
        "    os.unlink('f')" + WAIT
    ),
    "many empty files": "for i in range(20000): open(f'f{i}', 'w').close()" + WAIT,
    "deep folders": DEEP + WAIT,
}


@pytest.mark.parametrize("kind", GREEDY)
def test_at_the_landlock_level_what_is_written_is_counted(landlock: Rooms, kind: str) -> None:
    with landlock.room() as room, pytest.raises(Gone, match="wrote more than 32 MB"):
        run(room, GREEDY[kind])


def test_small_threads_count_as_much_as_processes(rooms: Rooms) -> None:
    code = (
        "import threading\nthreading.stack_size(65536)\nstop = threading.Event()\nn = 0\ntry:\n    while True:\n"
        "        threading.Thread(target=stop.wait, daemon=True).start(); n += 1\nexcept RuntimeError: print(n)"
    )
    with rooms.room() as room:
        if rooms.level == NAMESPACES:
            assert int(run(room, code)) < 40
        else:
            with pytest.raises(Gone, match="more than 40 processes and threads"):
                run(room, code + WAIT)


def test_a_room_can_be_made_right_after_a_bomb(rooms: Rooms) -> None:
    bomb = "try:\n    while True: os.fork()\nexcept OSError: pass"
    with rooms.room() as room:
        if rooms.level == NAMESPACES:
            run(room, bomb)
        else:
            with pytest.raises(Gone, match="more than 40 processes and threads"):
                run(room, bomb + WAIT)
    with rooms.room() as room:
        assert run(room, "print('made')").strip() == "made"


def test_what_a_cell_leaves_running_is_counted_to_that_cell(rooms: Rooms) -> None:
    """It has replied, and grows on behind its own reply."""
    hoard = (
        "import time\nready, go = os.pipe()\nfor i in range(8):\n    if not os.fork():\n        x = b'x' * (200 << 20)\n"
        "        os.write(go, b'1'); time.sleep(900)\nfor i in range(8): os.read(ready, 1)"
    )
    with rooms.room() as room, pytest.raises(Gone, match="more than 1024 MB of memory"):
        run(room, hoard)


@pytest.mark.skipif(os.getuid() != 0, reason="only root maps a second user, from a process of its own")
def test_a_process_that_is_ended_while_it_makes_its_namespaces_leaves_none_behind() -> None:
    code = (
        "import os\nfrom autograder.sandbox import namespaces, syscalls\n"
        "syscalls.unshare = lambda flags: os.kill(os.getpid(), 9)\nnamespaces._unshare_as_mapped_root()"
    )
    watch = machines._WATCH.replace("+ 120", "+ 10")
    command = [sys.executable, "-c", watch, sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert machines.LEFT not in done.stdout, done.stdout
    assert done.returncode == -signal.SIGKILL % 256, done.stderr
