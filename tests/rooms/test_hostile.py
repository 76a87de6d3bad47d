"""Hostile submissions: the run goes on, the submission's other questions keep their points, and the host is as before.

Each answers q1 rightly and does its worst elsewhere, so each earns exactly q1. Graded once in namespaces, as on most
machines, and once where there are none and Landlock is alone, as inside most containers. The limits are wide enough for
a busy machine: an honest cell that is slow must not be taken for an endless one.
"""

from __future__ import annotations

import compileall
import contextlib
import hashlib
import os
import re
import secrets
import socket
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from autograder.sandbox.limits import NAMES
from autograder.verdict import public
from tests.conftest import QUESTIONS
from tests.rooms import machines
from tests.rooms.course import EARNED, Course, Submission

pytestmark = pytest.mark.course

MARK = f"98765.{secrets.randbelow(10**9):09}"
"""How long a daemon left behind would sleep; nothing else sleeps that long."""
SETTINGS = """
c.Engine.cell_seconds = 10
c.Engine.submission_seconds = 120
c.Engine.memory = 1024
c.Engine.processes = 40
c.Engine.written = 32
"""
SECRET = "the-instructor's-secret"

TRY = (
    "def attempt(do):\n    try: print('GOT', do())\n    except BaseException as e: print('refused', type(e).__name__)\n"
)
FLOOD = """
import os, stat, threading, time
def flood():
    while True:
        for fd in range(3, 64):
            try:
                if stat.S_ISSOCK(os.fstat(fd).st_mode): os.write(fd, b'{}\\n')
            except OSError: pass
        time.sleep(0.03)
threading.Thread(target=flood, daemon=True).start()
"""
"""Lines on the channel that no order has asked for."""
SLEEPER = f"['sleep', '{MARK}']"


def _everything_in(folder: Path) -> str:
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return hashlib.sha256(b"".join(str(p).encode() + p.read_bytes() for p in files)).hexdigest()


def _in_answer(body: str) -> dict[str, str]:
    return {"q2": "def grad_q2(b, x, w):\n" + "\n".join("    " + line for line in body.splitlines())}


def _hostile(course: Course, port: int) -> dict[str, Submission]:
    root, python = course.root, sys.prefix
    return {
        # ends of the room
        "kill-self": Submission("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"),
        "exit": Submission("import os\nos._exit(0)"),
        "segfault": Submission("import ctypes\nctypes.string_at(0)"),
        "exit-in-answer": Submission(answers=_in_answer("import os\nos._exit(0)")),
        "segfault-in-answer": Submission(answers=_in_answer("import ctypes\nctypes.string_at(0)")),
        "sys-exit": Submission("import sys\nsys.exit()"),
        "kill-everybody": Submission("import os, signal\nos.kill(-1, signal.SIGKILL)"),
        "kill-group": Submission("import os, signal\nos.killpg(0, signal.SIGKILL)"),
        "kill-parent": Submission(TRY + "import os\nattempt(lambda: [os.kill(p, 9) for p in (os.getppid(), 1)])"),
        # time
        "endless-cell": Submission("while True: pass"),
        "endless-deaf": Submission(
            answers=_in_answer(
                "import signal\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\nsignal.setitimer(signal.ITIMER_REAL, 0)\n"
                "while True: pass"
            )
        ),
        "stops-itself": Submission("import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)"),
        # memory, processes, disk, output
        "memory": Submission("x = bytearray(100 << 30)"),
        "memory-slowly": Submission("x = []\nwhile True: x.append(bytearray(8 << 20))"),
        "memory-shared-out": Submission(
            "import os, time\nfor i in range(12):\n    if not os.fork():\n        x = b'x' * (200 << 20)\n        time.sleep(30)\n"
            "time.sleep(3)"
        ),
        "fork-bomb": Submission("import os\ntry:\n    while True: os.fork()\nexcept OSError: pass"),
        "threads": Submission(
            "import threading, time\ntry:\n    while True: threading.Thread(target=time.sleep, args=(30,), daemon=True).start()\n"
            "except RuntimeError: pass"
        ),
        "disk": Submission("f = open('big', 'wb')\nwhile True: f.write(b'x' * (1 << 20))"),
        "disk-many": Submission("i = 0\nwhile True:\n    open(f'f{i}', 'wb').write(b'x' * (1 << 20)); i += 1"),
        "print-flood": Submission("for i in range(3000): print('x' * 100_000)"),
        "print-flood-raw": Submission("import os\nfor i in range(3000): os.write(1, b'x' * 100_000)"),
        "display-flood": Submission("from IPython.display import display, HTML\nfor i in range(3000): display(HTML('x' * 10_000))"),
        "long-line-on-the-wire": Submission(
            "import os, stat\nfor fd in range(3, 64):\n    try:\n        if stat.S_ISSOCK(os.fstat(fd).st_mode):\n"
            "            for i in range(300): os.write(fd, b'[' * 100_000)\n    except OSError: pass",
        ),
        "flood-before-memory": Submission(
            FLOOD + "for i in range(12):\n    if not os.fork():\n        x = b'x' * (200 << 20)\n        time.sleep(30)\n"
            "        os._exit(0)\ntime.sleep(5)"
        ),
        "flood-before-disk": Submission(
            FLOOD + "held = []\nfor i in range(40):\n    held.append(open(f'f{i}', 'wb')); held[-1].write(b'x' * (8 << 20)); held[-1].flush()\n"
            "    os.unlink(f'f{i}'); time.sleep(0.1)"
        ),
        "memory-later": Submission(
            "import os, time\nfor i in range(12):\n    if not os.fork():\n        time.sleep(2); x = b'x' * (200 << 20)\n        time.sleep(30)\n"
            "        os._exit(0)"
        ),
        "stray-line": Submission("import os, stat\nfor fd in range(3, 64):\n    try:\n        if stat.S_ISSOCK(os.fstat(fd).st_mode): os.write(fd, b'{}\\n')\n    except OSError: pass"),
        "threads-small": Submission(
            "import threading\nthreading.stack_size(65536)\nstop = threading.Event()\ntry:\n"
            "    while True: threading.Thread(target=stop.wait, daemon=True).start()\nexcept RuntimeError: pass"
        ),
        "memory-files": Submission(
            "import os\nwhile True:\n    f = os.memfd_create('x')\n    for i in range(31): os.write(f, b'x' * (1 << 20))"
        ),
        "disk-nameless": Submission(
            "import os, time\nheld = []\nwhile True:\n    held.append(open('f', 'wb')); os.unlink('f'); held[-1].write(b'x' * (8 << 20))\n"
            "    held[-1].flush(); time.sleep(0.02)"
        ),
        "folders-deep": Submission("import os\nfor i in range(3000):\n    os.mkdir('a'); os.chdir('a')"),
        "folder-removed": Submission("import os, shutil\nshutil.rmtree(os.getcwd()); shutil.rmtree('/tmp', ignore_errors=True)"),
        "streams-closed": Submission("import os, atexit\natexit.register(os._exit, 3)\nos.closerange(0, 3)"),
        "channel-closed": Submission("import os\nos.closerange(0, 100)"),
        "busy-threads": Submission(
            "import threading\ndef spin():\n    while True: pass\nfor i in range(2): threading.Thread(target=spin, daemon=True).start()"
        ),
        "torch-turned": Submission(
            "import torch\ntorch.set_default_dtype(torch.float16); torch.set_grad_enabled(False); torch.set_num_threads(8)\n"
            "torch.use_deterministic_algorithms(True); torch.set_default_device('meta')"
        ),
        "folders-closed": Submission("import os\nos.makedirs('a/b'); open('a/b/c', 'w').close(); os.umask(0o777); os.mkdir('d'); os.chmod('a/b', 0)"),
        "limits-of-others": Submission(
            "import os, ctypes\nl = ctypes.CDLL(None)\nfor p in (os.getppid(), 1):\n    l.prlimit(p, 0, (ctypes.c_ulong * 2)(1, 1), None)\n"
            "    l.setpriority(0, p, 19)\nl.setpriority(2, 0, 19)"
        ),
        "sockets-with-names": Submission(
            TRY + "import socket\nmake = lambda: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)[0]\n"
            f"attempt(lambda: make().connect('\\0autograder-{port}'))\nattempt(lambda: make().sendto(b'x', {str(root / 'socket')!r}))"
        ),
        "other-architecture": Submission("import ctypes\nctypes.CDLL(None).syscall(ctypes.c_long(0x40000000 | 39))"),
        "drawing-deep": Submission(
            "from IPython.display import display\nn = 20_000\n"
            "display({'image/svg+xml': '<svg xmlns=\"http://www.w3.org/2000/svg\">' + '<g>' * n + '</g>' * n + '</svg>'}, raw=True)\n"
            "display({'text/html': '<div>' * n}, raw=True)\ndisplay({'text/markdown': '*a ' * n}, raw=True)\nprint('\\x1b[31m' * 100_000)"
        ),
        # An element that is left open is opened again in each paragraph: 41 kB become 80 MB when they are cleaned.
        "html-grows": Submission(
            "from IPython.display import display\ntext = '<p><b title=\"' + 'x' * 9000 + '\">' + '<p>x' * 8000\n"
            "display({'text/html': text, 'text/plain': 'shown as text'}, raw=True)\n"
            "for n in range(5000): display({'text/markdown': '\\\\[' * 500, 'text/plain': 'x'}, raw=True)"
        ),
        # leaving something behind
        "daemon": Submission(
            "import os, subprocess, ctypes\nif not os.fork():\n    os.setsid()\n    if not os.fork():\n"
            f"        ctypes.CDLL(None).prctl(1, 0, 0, 0, 0)\n        os.execvp('sleep', {SLEEPER})\n    os._exit(0)"
        ),
        "background": Submission(f"import subprocess\np = subprocess.Popen({SLEEPER}, start_new_session=True)"),
        "holds-the-socket": Submission("import os, time\nif not os.fork():\n    os.setsid(); time.sleep(98765)\nos._exit(0)"),
        # looking and writing outside
        "reads": Submission(
            TRY + f"for path in {[str(root / n) for n in ('secret.txt', 'gradebook.db', 'nbgrader_config.py')]!r} + "
            f"['{root}/source/ps1/problems.ipynb', '{root}/submitted/honest/ps1/problems.ipynb', "
            f"'{root}/autograded/reads/ps1/problems.ipynb', '/etc/shadow', '/root/.ssh/id', '/proc/1/environ', "
            "f'/proc/{__import__(\"os\").getppid()}/environ']:\n    attempt(lambda: open(path, 'rb').read(50))"
        ),
        "environment": Submission("import os\nprint(dict(os.environ), open('/proc/self/environ').read())"),
        "writes": Submission(
            TRY + f"for path in ['{python}/lib/pwned', '{root}/pwned', '/usr/pwned', '/etc/pwned', "
            f"'{Path(__file__).parent.parent.parent}/autograder/pwned.py']:\n    attempt(lambda: open(path, 'w'))"
        ),
        "network": Submission(
            TRY + f"import socket\nattempt(lambda: socket.create_connection(('127.0.0.1', {port}), 1))\n"
            "attempt(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', 9)))\n"
            f"attempt(lambda: socket.socket(socket.AF_UNIX).connect('\\0autograder-{port}'))"
        ),
        "ptrace": Submission(
            TRY + "import ctypes, os\nl = ctypes.CDLL(None, use_errno=True)\n"
            "def ok(r):\n    if r < 0: raise OSError(ctypes.get_errno())\n    return r\n"
            "attempt(lambda: ok(l.ptrace(16, os.getppid(), 0, 0)))\nattempt(lambda: open(f'/proc/{os.getppid()}/mem', 'rb').read(1))"
        ),
        "new-namespaces": Submission(
            TRY + "import ctypes\nl = ctypes.CDLL(None)\ndef ok(r):\n    if r: raise OSError\n    return r\n"
            "attempt(lambda: ok(l.unshare(0x10000000)))\nattempt(lambda: ok(l.mount(b'none', b'/tmp', b'tmpfs', 0, None)))"
        ),
        "becomes-root": Submission(
            TRY + "import os\nif os.getuid():\n    attempt(lambda: os.setuid(0))\nimport subprocess\n"
            "attempt(lambda: subprocess.run(['su', '-c', 'id'], check=True, stdin=subprocess.DEVNULL))"
        ),
        # what the examiner reads
        "surrogates": Submission("print('\\ud800 \\x00 \\x1b[31m')\nraise ValueError('\\udfff')"),
        "stdin": Submission("input('name?')"),
        "odd-replies": Submission(
            "from autograder.workers import wire\nwire.encode = lambda *a: {'answers': [10 ** 5000], 'missing': [[[[]]]]}"
        ),
        "hidden-points-told": Submission(
            "told = []\ndef tell(*a):\n    told.append(str([float(x) for x in a]))\n",
            answers={
                "q2": "def grad_q2(*a):\n    tell(*a)\n    raise type('AT ' + told[-1], (ValueError,), {})('AT ' + told[-1])",
                "q3": "def grad_q3(*a):\n    tell(*a)\n    return type('AT ' + told[-1], (), {})()",
                "q6": "print('AT-LATER', told)\ndef grad_q6(x, y, z): return x, x",
            },
        ),
    }  # fmt: skip


@dataclass
class Host:
    """What must be as it was, and what must not have happened."""

    connections: list[str] = field(default_factory=list)
    before: str = ""


def _listen(family: int, address: object, host: Host) -> socket.socket:
    server = socket.socket(family)
    server.bind(address)
    server.listen()

    def serve() -> None:
        while True:
            try:
                server.accept()[0].close()
            except OSError:
                return
            host.connections.append(str(address))

    threading.Thread(target=serve, daemon=True).start()
    return server


@pytest.fixture(scope="module", params=["namespaces", "landlock"])
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Course, Host, str]]:
    host = Host()
    tcp = _listen(socket.AF_INET, ("127.0.0.1", 0), host)
    port = tcp.getsockname()[1]
    abstract = _listen(socket.AF_UNIX, f"\0autograder-{port}", host)
    machine, settings = machines.watched(), SETTINGS
    if request.param == "landlock" and machines.works(machines.without_user_namespaces()):
        machine += machines.without_user_namespaces()
    else:
        settings += f'c.Engine.isolation = "{request.param}"\n'
    course = Course(tmp_path_factory.mktemp(request.param), settings)
    (course.root / "tmp").mkdir()
    (course.root / "secret.txt").write_text(SECRET)
    submissions = _hostile(course, port)
    for name, submission in submissions.items():
        course.hand_in(name, submission)
    course.hand_in("zz-after-them-all", Submission())
    package = Path(__file__).parent.parent.parent / "autograder"
    compileall.compile_dir(
        package, quiet=2
    )  # in a fresh clone the grader itself would write these files during the run
    host.before = _everything_in(package)
    log = course.run("autograde", "ps1", on=machine, AUTOGRADER_TEST_SECRET=SECRET, TMPDIR=str(course.root / "tmp"))
    assert host.before == _everything_in(package)
    assert not (package / "pwned.py").exists()
    yield course, host, log
    for server in (tcp, abstract):
        server.shutdown(socket.SHUT_RDWR)
        server.close()


# As a list, because the parameters of tests must be known before the course is.
KINDS = [
    "kill-self",
    "exit",
    "segfault",
    "exit-in-answer",
    "segfault-in-answer",
    "sys-exit",
    "kill-everybody",
    "kill-group",
    "kill-parent",
    "endless-cell",
    "endless-deaf",
    "stops-itself",
    "memory",
    "memory-slowly",
    "memory-shared-out",
    "fork-bomb",
    "threads",
    "disk",
    "disk-many",
    "print-flood",
    "print-flood-raw",
    "display-flood",
    "long-line-on-the-wire",
    "flood-before-memory",
    "flood-before-disk",
    "memory-later",
    "stray-line",
    "threads-small",
    "memory-files",
    "disk-nameless",
    "folders-deep",
    "folder-removed",
    "streams-closed",
    "channel-closed",
    "busy-threads",
    "torch-turned",
    "folders-closed",
    "limits-of-others",
    "sockets-with-names",
    "other-architecture",
    "drawing-deep",
    "html-grows",
    "daemon",
    "background",
    "holds-the-socket",
    "reads",
    "environment",
    "writes",
    "network",
    "ptrace",
    "new-namespaces",
    "becomes-root",
    "surrogates",
    "stdin",
    "odd-replies",
    "hidden-points-told",
]


@pytest.mark.parametrize("kind", KINDS)
def test_a_hostile_submission_keeps_the_points_of_its_right_answers(run: tuple[Course, Host, str], kind: str) -> None:
    course, _, _ = run
    assert course.marks(kind) == EARNED, course.shown(kind)[:3000]


def test_a_line_that_nobody_asked_for_ends_the_room_and_the_watcher_looks_whatever_arrives(
    run: tuple[Course, Host, str],
) -> None:
    course, _, _ = run
    for kind in ("flood-before-memory", "flood-before-disk", "stray-line"):
        assert "The cell was stopped: the code wrote to the grader's own channel" in course.shown(kind), kind


def test_what_grows_when_it_is_cleaned_is_shown_as_text_and_makes_no_large_notebook(
    run: tuple[Course, Host, str],
) -> None:
    shown = run[0].shown("html-grows")
    assert "shown as text" in shown
    assert len(shown) < 4_000_000


def test_the_next_submission_is_untouched(run: tuple[Course, Host, str]) -> None:
    assert run[0].marks("zz-after-them-all") == EARNED


@pytest.mark.parametrize(
    "kind",
    ["reads", "writes", "network", "ptrace", "new-namespaces", "becomes-root", "kill-parent", "sockets-with-names"],
)
def test_nothing_outside_can_be_reached(run: tuple[Course, Host, str], kind: str) -> None:
    course, host, _ = run
    shown = course.shown(kind)
    assert "refused" in shown
    assert not [line for line in shown.splitlines() if '"GOT' in line and "GOT [None, None]" not in line], shown
    assert host.connections == []


def test_no_secret_is_in_the_room(run: tuple[Course, Host, str]) -> None:
    course, _, _ = run
    for kind in ("environment", "reads"):
        assert SECRET not in course.shown(kind)


def test_nothing_is_left_running(run: tuple[Course, Host, str]) -> None:
    assert machines.LEFT not in run[2]
    commands = []
    for process in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            commands.append(Path(f"/proc/{process}/cmdline").read_bytes())
    assert not [c for c in commands if MARK.encode() in c]


def test_nothing_is_left_on_the_disk(run: tuple[Course, Host, str]) -> None:
    assert list((run[0].root / "tmp").iterdir()) == []


def public_points(name: str) -> list[dict[str, float]]:
    """The points that a student of the question may know: where the check looks."""
    question = QUESTIONS[name]
    return [dict(question.at), *(dict(r.point) for r in public.points(question._testbed, question.at))]


def test_no_hidden_point_reaches_the_page_by_what_is_raised_returned_or_printed_later(
    run: tuple[Course, Host, str],
) -> None:
    course, _, _ = run
    shown = course.shown("hidden-points-told")
    assert shown.count("AT-LATER") == 2  # the cell's source, and what it printed
    later = next(line for line in shown.splitlines() if "AT-LATER [" in line)
    known = {str([*point.values()]) for name in ("q2", "q3") for point in public_points(name)}
    assert set(re.findall(r"\[[-\d., e]+\]", later)) <= known, later
    hidden = [c for c in course.graded("hidden-points-told").cells if "-hidden" in str(c.metadata)]
    for cell in hidden:
        assert "AT [" not in str(cell.outputs)


def test_the_log_names_the_isolation_first(run: tuple[Course, Host, str], request: pytest.FixtureRequest) -> None:
    _, _, log = run
    level = request.node.callspec.params["run"]
    assert f"Student code is locked in by {NAMES[level]}." in log.splitlines()[0]
