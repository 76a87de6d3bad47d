"""What the closed room learns at a hidden test reaches the open one by nothing that both share, at both levels.

The submission's answer hands on what it was called with, if that is no public point; a later cell looks for it and
prints it. In each room the files of Python are the same.
"""

from __future__ import annotations

import pytest

from autograder.sandbox import limits
from tests.rooms.course import EARNED, Course, Submission, find

pytestmark = pytest.mark.course

BEGINS = """
import ctypes, fcntl, glob, os, struct, torch
FILES = sorted(glob.glob(os.path.dirname(os.__file__) + "/*.py"))[:40]
KEPT = [os.open(file, os.O_RDONLY) for file in FILES]
def lock(kind, start, length): return struct.pack("hhqqi4x", kind, 0, start, length, 0)
def hand_on(x):
    if x * 64 != int(x * 64): send(int((x + 100) * 2**20))
"""
LOCKED = """
def send(number): fcntl.fcntl(KEPT[0], {set}, lock(fcntl.F_RDLCK, number, 1))
def receive():
    found = struct.unpack("hhqqi4x", fcntl.fcntl(os.open(FILES[0], os.O_RDONLY), {get}, lock(fcntl.F_WRLCK, 0, 0)))
    return found[2] if found[0] == fcntl.F_RDLCK else 0
"""
WAYS = {
    "locks-of-a-process": LOCKED.format(set=6, get=5),
    "locks-of-an-open-file": LOCKED.format(set=37, get=36),
    "flock": """
def send(number):
    for bit in range(40):
        if number >> bit & 1: fcntl.flock(KEPT[bit], fcntl.LOCK_EX)
def receive():
    number = 0
    for bit, file in enumerate(FILES):
        try: fcntl.flock(os.open(file, os.O_RDONLY), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError: number |= 1 << bit
    return number
""",
    "notices": """
libc = ctypes.CDLL(None)
queue = libc.inotify_init1(os.O_NONBLOCK)
for file in FILES: libc.inotify_add_watch(queue, file.encode(), 0x20)
def send(number):
    for bit in range(40):
        if number >> bit & 1: os.close(os.open(FILES[bit], os.O_RDONLY))
def receive():
    try: told = os.read(queue, 1 << 16)
    except OSError: return 0
    return sum(1 << number - 1 for number in {struct.unpack_from("i", told, at)[0] for at in range(0, len(told), 16)})
""",
}
ANSWER = "def grad_q2(b, x, w):\n    hand_on(float(w))\n    return torch.relu(w * x + b), 0.5 * x - 1"


@pytest.fixture(scope="module", params=[limits.NAMESPACES, limits.LANDLOCK])
def course(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Course:
    made = Course(tmp_path_factory.mktemp("closed"), f'\nc.Engine.isolation = "{request.param}"\n')
    for way, code in WAYS.items():
        also = {"q3": "print('received', receive())"}
        made.hand_in(way, Submission(BEGINS + code, answers={"q2": ANSWER}, also=also))
    made.run("autograde", "ps1")
    return made


@pytest.mark.parametrize("way", WAYS)
def test_no_hidden_point_comes_into_the_room_whose_outputs_are_shown(course: Course, way: str) -> None:
    assert course.marks(way) == EARNED
    assert "".join(o.get("text", "") for o in find(course.graded(way), "q3").outputs) == "received 0\n"
