"""Machines that isolate in other ways, or not at all, or where an ordinary user grades: real ones, made by `machines`."""

from __future__ import annotations

import copy
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from autograder.sandbox.limits import LANDLOCK, NAMES, NAMESPACES, NOBODY
from tests.rooms import machines
from tests.rooms.course import EARNED, Course, Submission

pytestmark = pytest.mark.course

SUBMISSIONS = {
    "bomb": Submission("import os\ntry:\n    while True: os.fork()\nexcept OSError: pass"),
    "comparisons": Submission("import torch\ntorch.allclose = torch.equal = lambda *a, **k: True"),
    "honest": Submission(
        "import os, resource, tempfile\nprint('user', os.getuid(), 'processes', resource.getrlimit(resource.RLIMIT_NPROC)[0])\n"
        "open(os.path.expanduser('~/x'), 'w').close(); tempfile.mkdtemp(); import fractions; print('all well')"
    ),
    "reads": Submission("for p in ('{root}/secret.txt', '{root}/gradebook.db', '/etc/shadow'):\n"
                        "    try: print('GOT', open(p, 'rb').read(9))\n    except OSError: print('refused')"),
}  # fmt: skip


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Course:
    return Course(tmp_path_factory.mktemp("released"))


@pytest.fixture
def course(released: Course, tmp_path: Path) -> Course:
    made = copy.copy(released)
    made.root = tmp_path / "course"
    shutil.copytree(released.root, made.root)
    (made.root / "secret.txt").write_text("secret")
    for name, submission in SUBMISSIONS.items():
        scratch = submission.scratch.replace("{root}", str(made.root))
        made.hand_in(name, Submission(scratch))
    return made


def graded_on(course: Course, machine: Sequence[str], isolation: str = "strongest") -> str:
    """The log of a run there; whatever the machine, the submissions earn what they earn."""
    if not machines.works(list(machine)):
        pytest.skip(f"this machine cannot be made into that one: {' '.join(machine[:2])}")
    with (course.root / "nbgrader_config.py").open("a") as file:
        file.write(f"\nc.Engine.isolation = {isolation!r}\n")
    log = course.run("autograde", "ps1", on=[*machines.watched(), *machine], HOME=str(course.root))
    assert machines.LEFT not in log
    for name in SUBMISSIONS:
        assert course.marks(name) == EARNED, name
    assert "all well" in course.shown("honest")
    assert '"GOT' not in course.shown("reads")
    return log


def _said(course: Course) -> list[str]:
    """user, its number, processes, how many are allowed."""
    (cell,) = [c for c in course.graded("honest").cells if "RLIMIT_NPROC" in c.source]
    return str(cell.outputs[0].text).split()


def test_without_user_namespaces_landlock_is_named_and_holds(course: Course) -> None:
    log = graded_on(course, machines.without_user_namespaces())
    assert f"locked in by {NAMES[LANDLOCK]}." in log


def _everything(root: Path) -> dict[str, bytes]:
    return {str(p): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


def test_without_namespaces_and_landlock_grading_refuses_and_touches_nothing(course: Course, tmp_path: Path) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    before = _everything(course.root)
    machine = [*machines.watched(), *machines.without_isolation()]
    said = course.run("autograde", "ps1", ok=False, on=machine, TMPDIR=str(temporary))
    for part in ("Nothing was graded", "namespaces: PermissionError", "Landlock: OSError", "apt install libseccomp2"):
        assert part in said
    assert machines.LEFT not in said
    assert _everything(course.root) == before
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("level", [NAMESPACES, LANDLOCK])
def test_an_ordinary_user_grades(course: Course, level: str) -> None:
    machine = machines.as_ordinary_user(course.root)
    if machine:
        for path in (course.root, *course.root.rglob("*")):
            os.chown(path, machines.USER, machines.USER)
    log = graded_on(course, machine, level)
    assert f"locked in by {NAMES[level]}." in log
    user, processes = int(_said(course)[1]), int(_said(course)[3])
    assert user == (machines.USER if machine else os.getuid())
    # At the Landlock level the user's other processes count as well.
    assert processes == 64 if level == NAMESPACES else 64 < processes < 10_000


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become nobody")
@pytest.mark.parametrize("level", [NAMESPACES, LANDLOCK])
def test_where_root_grades_the_room_is_nobodys(course: Course, level: str) -> None:
    graded_on(course, machines.open_to_all(course.root), level)
    assert int(_said(course)[1]) == NOBODY


def test_the_watcher_of_these_tests_sees_what_a_command_leaves() -> None:
    code = machines._WATCH.replace("+ 120", "+ 1")
    command = [sys.executable, "-c", code, "sh", "-c", "setsid sleep 98765 & exit 3"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert f"{machines.LEFT}" in done.stdout
    assert "98765" in done.stdout
