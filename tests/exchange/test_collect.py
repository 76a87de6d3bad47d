"""What a student's folder can do to the course that collects it, and what a full disk does to work: nothing."""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest

from autograder.exchange.safe_copy import Copy
from autograder.rooms.alone import PAGES, Alone
from autograder.selection import Budget, LeftOut, Limits, select
from tests import warm
from tests.conftest import ROOT

pytestmark = pytest.mark.course
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can hand in for several accounts, or mount a disk")
SECRET = "the hidden tests"
COURSE = "derivatives"
BUTTON = {"nbgrader.server_extensions.assignment_list": False, "autograder.assignment_list": True}


class Place:
    """A course, its exchange and one student's home; `wrap` goes before every command."""

    def __init__(self, root: Path, wrap: tuple[str, ...] = (), seen: Path = Path("/")) -> None:
        self.root, self.wrap, self.seen = root, wrap, seen
        self.course, self.home = root / "course", root / "home"
        self.inbound = seen / (root / "exchange" / COURSE / "inbound").relative_to("/")
        (root / "exchange").mkdir(parents=True, exist_ok=True, mode=0o777)
        (root / "exchange").chmod(0o777)
        for folder in (self.course, self.home):
            folder.mkdir(exist_ok=True)
            shutil.copy(ROOT / "nbgrader_config.py", folder)
        notebook(self.course / "release" / "ps1" / "problems.ipynb", "released")

    def run(self, *arguments: str, at: str = "course", code: int | None = 0) -> str:
        done = subprocess.run(
            [*self.into(at), sys.executable if self.wrap else warm.python(), "-m", "nbgrader", *arguments],
            cwd=self.root / at,
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert code is None or done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def into(self, at: str) -> list[str]:
        return [*self.wrap, f"--wdns={self.root / at}"] if self.wrap else []

    def environment(self) -> dict[str, str]:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        home = {"HOME": str(self.home), "JUPYTER_DATA_DIR": str(self.home / "data")}
        return {**os.environ, **home, "PATH": path, "NBGRADER_EXCHANGE": str(self.root / "exchange")}

    def answer(self, text: str) -> None:
        notebook(self.home / "ps1" / "problems.ipynb", text)

    def hand_in(self, student: str, when: str, write: Callable[[Path], None], owner: str = "") -> None:
        """A folder in the exchange as `student` could write it there, without nbgrader."""
        folder = self.inbound / f"{student}+ps1+{when} UTC+random"
        notebook(folder / "problems.ipynb", f"by {owner or student}")
        (folder / "timestamp.txt").write_text(f"{when} UTC")
        write(folder)
        for path in (folder, *folder.rglob("*")):
            shutil.chown(path, owner or student) if not path.is_symlink() else None

    def collected(self, student: str) -> Path:
        return self.course / "submitted" / student / "ps1"

    def entries(self) -> list[str]:
        return sorted(os.listdir(self.inbound))


def notebook(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text)]), path)


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Place:
    place = Place(tmp_path_factory.mktemp("released"))
    place.run("release_assignment", "ps1")
    return place


@pytest.fixture
def place(released: Place, tmp_path: Path) -> Place:
    shutil.copytree(released.root, tmp_path / "place")
    return Place(tmp_path / "place")


def copied(folder: Path, into: Path, limits: Limits | None = None) -> list[str]:
    """Copies, and returns what was said about what was left out."""
    said: list[str] = []
    copy = Copy(
        limits or Limits(10_000, 100_000), lambda name, _: name == "ignored", lambda *told: said.append(str(told))
    )
    copy.folder(str(folder), str(into), os.geteuid())
    return said


@pytest.mark.parametrize(
    ("kind", "make", "reason"),
    [
        ("link to a file", lambda f, s: (f / "x").symlink_to(s / "secret"), "it is a link"),
        ("link to a folder", lambda f, s: (f / "x").symlink_to(s), "it is a link"),
        ("broken link", lambda f, s: (f / "x").symlink_to(s / "nothing"), "it is a link"),
        ("endless device", lambda f, s: (f / "x").symlink_to("/dev/zero"), "it is a link"),
        ("pipe", lambda f, s: os.mkfifo(f / "x"), "it is a pipe or a device"),
        ("socket", lambda f, s: _socket(f / "x"), "No such device or address"),
        (
            "large",
            lambda f, s: (f / "x").write_bytes(b"." * 10_001),
            "it is larger than the 0.01 MB that one file may have",
        ),
        ("name", lambda f, s: (f / "x\nINFO all is well").write_text("x"), "its name is not text, or too long"),
        (
            "bytes",
            lambda f, s: (Path(os.fsdecode(bytes(f) + b"/x\xff"))).write_text("x"),
            "its name is not text, or too long",
        ),
    ],
)
def test_only_regular_files_are_copied(
    kind: str, make: Callable[[Path, Path], None], reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # a socket's path may have 108 bytes
    (tmp_path / "secret").write_text(SECRET)
    inbound = tmp_path / "in"
    (inbound / "data").mkdir(parents=True)
    (inbound / "data" / "points.csv").write_text("1,2")
    (inbound / "ignored").write_text("x")
    make(inbound, tmp_path)
    said = copied(inbound, tmp_path / "out")
    assert len(said) == 1, kind
    assert reason in said[0]
    assert [p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*")] == [
        "data",
        "data/points.csv",
    ]


@as_root
def test_a_hard_link_to_somebody_elses_file_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "theirs").write_text(SECRET)
    shutil.chown(tmp_path / "theirs", "nobody")
    os.link(tmp_path / "theirs", tmp_path / "in" / "mine")
    said = copied(tmp_path / "in", tmp_path / "out")
    assert ["it belongs to somebody else" in line for line in said] == [True]
    assert os.listdir(tmp_path / "out") == []


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(path))


@pytest.mark.parametrize(
    ("make", "reason", "left"),
    [
        (lambda f: [(f / str(n)).write_bytes(b"." * 9_999) for n in range(11)], "more than 0.1 MB of files", 2),
        (lambda f: [(f / str(n)).touch() for n in range(1001)], "more than 1000 files and folders", 2),
        (lambda f: (f / "/".join("d" * 12)).mkdir(parents=True), "more than 10 folders in each other", 1),
        (lambda f: environment(f / "my environment"), "it holds programs or a cache, and no work", 1),
        (lambda f: [(f / "Venv" / str(n)).mkdir(parents=True) for n in range(2000)], "it holds programs or a cache", 1),
    ],
)
def test_what_is_beyond_a_limit_is_left_out_by_all_in_the_same_way_and_the_notebook_never_is(
    make: Callable[[Path], None], reason: str, left: int, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    make(tmp_path / "in")
    notebook(tmp_path / "in" / "zzz.ipynb", "work")
    limits = Limits(10_000, 100_000, 1000, ("venv",))
    copy = LeftOut()
    Copy(limits, lambda *_: False, copy.add).folder(str(tmp_path / "in"), str(tmp_path / "out"), os.geteuid())
    taken, chosen = select(str(tmp_path / "in"), Budget(limits), lambda *_: False)
    assert copy == chosen
    assert [(why.startswith(reason), number) for _, why, number in copy.told()] == [(True, left)]
    assert sorted(taken) == sorted(p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*"))
    assert "zzz.ipynb" in taken


def environment(folder: Path, files: int = 3000) -> None:
    """What `python -m venv` makes, by its marks and the number of its files."""
    (folder / "lib").mkdir(parents=True)
    (folder / "pyvenv.cfg").write_text("home = /usr/bin")
    for number in range(files):
        (folder / "lib" / f"m{number}.py").touch()


def test_an_environment_beside_the_notebook_costs_nothing_and_is_not_handed_in(place: Place) -> None:
    """As `python -m venv` makes it, of 1,000 files and more than a submission may have bytes."""
    place.answer("my work")
    environment(place.home / "ps1" / "env")
    for name in ("venv", ".venv", "node_modules", "__pycache__"):
        (place.home / "ps1" / name / "deep" / "er").mkdir(parents=True)
    with (place.home / "ps1" / "env" / "lib" / "torch.so").open("wb") as file:
        file.truncate(200_000_000)
    (place.home / "ps1" / "data.csv").write_text("1,2")
    said = place.run("submit", "ps1", at="home")
    assert (
        "Not handed in, because it holds programs or a cache and no work of yours: .venv, env, node_modules, venv"
        in said
    )
    assert "Submitted as" in said
    place.run("collect", "ps1")
    (student,) = os.listdir(place.course / "submitted")
    there = ["data.csv", "problems.ipynb", "submission_secret.txt", "timestamp.txt"]
    assert sorted(os.listdir(place.collected(student))) == there
    (cached,) = (place.home / "data" / "nbgrader_cache" / COURSE).iterdir()
    assert sorted(os.listdir(cached)) == there


def test_a_submission_of_too_many_files_says_at_once_what_collect_will_not_take(place: Place) -> None:
    place.answer("my work")
    (place.home / "ps1" / "data").mkdir()
    for number in range(1200):
        (place.home / "ps1" / "data" / f"{number:04}.csv").touch()
    (place.home / "ps1" / "large.bin").write_bytes(b"." * 2_000_000)
    for at in ("home", "course"):
        with (place.root / at / "nbgrader_config.py").open("a") as config:
            config.write("\nc.HandedIn.files = 500\nc.CourseDirectory.max_file_size = 1000\n")
    said = one_line(place.run("submit", "ps1", at="home", code=1))
    assert "ps1 IS handed in, with your notebooks, but not with all files beside them." in said
    # The notebook, the folder and the two files that nbgrader adds are among the 500.
    assert "'data/0496.csv', 'data/0497.csv', 'data/0498.csv' and 701 more: more than 500 files and folders" in said
    assert "'large.bin': it is larger than the 1 MB that one file may have" in said
    assert "delete what you no longer need, and submit again." in said
    assert "Traceback" not in said
    assert "left out" not in place.run("collect", "ps1")
    (student,) = os.listdir(place.course / "submitted")
    assert sum(p.name != "" for p in place.collected(student).rglob("*")) == 500


def test_a_submission_that_does_not_fit_a_room_is_handed_in_and_says_at_once_what_will_be_missing(place: Place) -> None:
    """The file of the course takes its part of the room first, then what is small; as when the work is graded."""
    place.answer("my work")
    for folder in (place.home / "ps1", place.inbound.parent / "outbound" / "ps1"):
        (folder / "given.bin").write_bytes(b"." * 900_000)
    (place.home / "ps1" / "data").mkdir()
    for name, size in (("small.csv", 10_000), ("data/middle.csv", 200_000), ("data/large.csv", 700_000)):
        (place.home / "ps1" / name).write_bytes(b"." * size)
    assert "Submitted as" in place.run("submit", "ps1", at="home")
    with (place.home / "nbgrader_config.py").open("a") as config:
        config.write("\nc.Engine.written = 2\n")
    said = one_line(place.run("submit", "ps1", at="home", code=1))
    assert "ps1 IS handed in, but your code will not find all files beside the notebook when it is graded" in said
    assert "there is room for 1 MB of them. These will be missing then: 'data/large.csv', 'data/middle.csv' If" in said
    assert "delete what you no longer need, and submit again." in said
    assert "Traceback" not in said
    place.run("collect", "ps1")
    (student,) = os.listdir(place.course / "submitted")
    assert (place.collected(student) / "data" / "large.csv").stat().st_size == 700_000


def test_a_notebook_that_is_too_large_is_not_handed_in_without_itself(place: Place) -> None:
    place.answer("first")
    place.run("submit", "ps1", at="home")
    before = place.entries()
    place.answer("x" * 2_000_000)
    with (place.home / "nbgrader_config.py").open("a") as config:
        config.write("\nc.CourseDirectory.max_file_size = 1000\n")
    said = one_line(place.run("submit", "ps1", at="home", code=1))
    assert "ps1 was NOT handed in: problems.ipynb cannot be handed in: it is larger than the 1 MB" in said
    assert "Clear Outputs of All Cells" in said
    assert place.entries() == before


def test_a_file_that_turns_into_a_link_while_it_is_copied_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET)
    inbound = tmp_path / "in"
    inbound.mkdir()
    (inbound / "link").symlink_to(tmp_path / "secret")
    (inbound / "file").write_text("mine")
    ended = threading.Event()

    def swap() -> None:
        while not ended.is_set():
            for name in ("link", "file"):
                os.rename(inbound / name, inbound / "x")
                os.rename(inbound / "x", inbound / name)
            os.link(inbound / "file", inbound / "y")
            os.replace(inbound / "y", inbound / "x")
            os.symlink(tmp_path / "secret", inbound / "y")
            os.replace(inbound / "y", inbound / "x")
            os.unlink(inbound / "x")

    swapper = threading.Thread(target=swap)
    swapper.start()
    try:
        for n in range(200):
            copied(inbound, tmp_path / f"out{n}")
    finally:
        ended.set()
        swapper.join()
    texts = {p.read_text() for n in range(200) for p in (tmp_path / f"out{n}").iterdir()}
    assert texts == {"mine"}


@as_root
def test_collect_takes_nothing_but_the_students_own_files(place: Place) -> None:
    source = place.course / "source" / "ps1" / "problems.ipynb"
    notebook(source, SECRET)

    def steal(folder: Path) -> None:
        (folder / "problems.ipynb").unlink()
        (folder / "problems.ipynb").symlink_to(source)
        (folder / "submission_secret.txt").symlink_to(place.course / "nbgrader_config.py")
        (folder / "all").symlink_to(place.course)

    def others(folder: Path) -> None:
        (folder / "notes.txt").write_text("honest")

    def huge(folder: Path) -> None:
        for n in range(1001):
            (folder / str(n)).touch()

    when = "2026-11-25 10:00:00.000000"
    place.hand_in("games", when, steal)
    place.hand_in("daemon", when, others)
    place.hand_in("bin", when, huge)
    place.hand_in("daemon", "2026-11-25 11:00:00.000000", others, owner="games")  # games hands in as daemon
    place.hand_in("..", when, others, owner="games")
    place.hand_in("nobody", "no time", others)
    (place.inbound / f"nobody+ps1+{when} UTC+link").symlink_to(place.course)
    said = place.run("collect", "ps1")
    links = "'problems.ipynb', 'all', 'submission_secret.txt' of games's submission were left out: it is a link."
    assert links in said
    assert "it is handed in as daemon but belongs to games" in said
    assert "'998', '999', 'timestamp.txt' of bin's submission were left out: more than 1000 files and folders." in said
    assert "'..' is no name for a student" in said
    assert sorted(os.listdir(place.course / "submitted")) == ["bin", "daemon", "games"]
    assert sorted(os.listdir(place.collected("games"))) == ["submission_secret.txt", "timestamp.txt"]
    assert re.fullmatch("[0-9a-f]{128}", (place.collected("games") / "submission_secret.txt").read_text())
    assert "by daemon" in (place.collected("daemon") / "problems.ipynb").read_text()
    assert "by bin" in (place.collected("bin") / "problems.ipynb").read_text()
    assert not (place.course / "ps1").exists()
    assert all(SECRET not in p.read_text() for p in (place.course / "submitted").rglob("*") if p.is_file())


def test_a_later_submission_replaces_the_collected_one_as_with_nbgrader(place: Place) -> None:
    for text, options, kept in (("first", (), "first"), ("second", (), "first"), ("third", ("--update",), "third")):
        place.answer(text)
        place.run("submit", "ps1", at="home")
        said = place.run("collect", "ps1", *options)
        (student,) = os.listdir(place.course / "submitted")
        assert kept in (place.collected(student) / "problems.ipynb").read_text(), said
        assert len((place.collected(student) / "submission_secret.txt").read_text()) == 128
    assert "No newer submission to collect" in place.run("collect", "ps1", "--update")
    assert os.listdir(place.course / "submitted" / student) == ["ps1"]


def test_whoever_gets_no_feedback_is_named_and_everybody_else_gets_theirs(place: Place) -> None:
    """Work that was put into submitted/ by hand has no secret, and perhaps no time; a secret can be copied."""
    others = {"ada": "a" * 128, "bo": None, "chen": "c" * 128, "fay": "", "gus": "g" * 64}
    shared = {"dora": "d" * 128, "emil": "d" * 128, "ida": "i" * 128, "jo": "i" * 128}
    secrets = {**others, **shared}
    for student, secret in secrets.items():
        page = place.course / "feedback" / student / "ps1" / "problems.html"
        page.parent.mkdir(parents=True)
        page.write_text(f"page of {student}")
        if secret is not None:
            (page.parent / "submission_secret.txt").write_text(secret)
    for student in ("hana", "hugo"):
        notebook(place.course / "submitted" / student / "ps1" / "problems.ipynb", "not graded yet")
    said = place.run("release_feedback", "ps1", code=1)
    released = place.root / "exchange" / COURSE / "feedback"
    assert sorted(p.read_text() for p in released.iterdir()) == ["page of ada", "page of chen", "page of gus"]
    assert "bo: no page was released, because this work did not come through the exchange" in said
    assert "Send the page: `autograder feedback ps1` makes a file for each such student." in said
    same = "No page was released for 2 students, because they handed in with the same secret, and one would read the "
    assert all(f"They are: {two}." in said for two in ("dora, emil", "ida, jo"))
    assert said.count(same) == 2
    assert "fay: no page was released, because the secret in" in said
    assert "hana, hugo: there is no feedback page yet." in said
    assert "Feedback on ps1: released to 3 of 9 students." in said
    assert "Traceback" not in said
    for student in shared:  # as a class with the kit at home: nothing came through the exchange
        (place.course / "feedback" / student / "ps1" / "submission_secret.txt").unlink()
    (place.course / "feedback" / "gus" / "ps1" / "submission_secret.txt").write_text("short")
    said = place.run("release_feedback", "ps1", code=1)
    many = (
        "No page was released for 5 students, because their work did not come through the exchange (it has no "
        "submission_secret.txt). Send the page: `autograder feedback ps1` makes a file for each such student. "
        "They are: bo, dora, emil, ida, jo."
    )
    assert said.count("did not come through the exchange") == said.count(many) == 1
    assert "because the secret in submission_secret.txt beside the page cannot be used." in said
    assert "They are: fay, gus." in said


def test_feedback_is_not_released_while_its_pages_are_written(place: Place) -> None:
    page = place.course / "feedback" / "ada" / "ps1" / "problems.html"
    page.parent.mkdir(parents=True)
    page.write_text("half a pa")
    (page.parent / "submission_secret.txt").write_text("a" * 128)
    with (place.course / "nbgrader_config.py").open("a") as config:
        config.write("\nc.TwoRooms.patience = 0.1\n")
    writing = SimpleNamespace(
        log=logging.getLogger("a test"), coursedir=SimpleNamespace(root=str(place.course), groupshared=False)
    )
    lock = Alone(writing, "ps1", PAGES)
    lock.begin(0)
    try:
        said = one_line(place.run("release_feedback", "ps1", code=1))
    finally:
        lock.end()
    assert f"Another run is writing the feedback pages of ps1 (process {os.getpid()})" in said
    assert "Traceback" not in said
    assert not list((place.root / "exchange").rglob("*.html"))
    place.run("release_feedback", "ps1")
    assert list((place.root / "exchange").rglob("*.html"))


def test_a_submission_that_is_killed_halfway_is_not_there_and_leaves_nothing_behind(place: Place) -> None:
    """The configuration kills the real command when the first of two copies is done."""
    place.answer("my work")
    killed = (ROOT / "nbgrader_config.py").read_text() + (
        "\nimport signal\nfrom autograder.exchange import Submit\n"
        "class Killed(Submit):\n    def set_perms(self, *a, **k):\n        os.kill(os.getpid(), signal.HOW)\n"
        "c.ExchangeFactory.submit = Killed\n"
    )
    config = place.home / "nbgrader_config.py"
    config.write_text(killed.replace("HOW", "SIGKILL"))
    place.run("submit", "ps1", at="home", code=-signal.SIGKILL)
    assert not [n for n in place.entries() if "+" in n]
    assert "Nobody has handed in ps1 yet" in place.run("collect", "ps1", code=1)
    assert not (place.course / "submitted").exists()
    config.write_text(killed.replace("HOW", "SIGINT"))
    place.run("submit", "ps1", at="home", code=None)
    config.write_text((ROOT / "nbgrader_config.py").read_text())
    (where,) = re.findall("Destination: (.*)", place.run("submit", "ps1", "--debug", at="home"))
    assert where.startswith(f"{place.inbound}/")
    assert ".unfinished" not in where
    assert ["+ps1+" in n for n in place.entries()] == [True]
    cached = os.listdir(place.home / "data" / "nbgrader_cache" / COURSE)
    assert ["+ps1+" in n for n in cached] == [True]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Place]:
    """The exchange on a disk of its own of 600 kB, in a mount namespace that ends with the test."""
    root = Place(tmp_path / "place").root
    mount = 'mount -t tmpfs -o size=600k,mode=777 small "$0" && echo up && exec cat'
    keeper = subprocess.Popen(
        ["unshare", "--mount", "sh", "-c", mount, root / "exchange"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert keeper.stdin
    assert keeper.stdout
    try:
        if keeper.stdout.readline() != b"up\n":
            pytest.skip("this machine lets nobody mount a disk")
        place = Place(root, ("nsenter", f"--mount=/proc/{keeper.pid}/ns/mnt"), Path(f"/proc/{keeper.pid}/root"))
        place.run("release_assignment", "ps1")
        yield place
    finally:
        keeper.stdin.close()
        keeper.wait()
        keeper.stdout.close()


def fill(place: Place) -> Path:
    ballast = place.inbound.parent.parent / "ballast"
    with ballast.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):
        while True:
            file.write(b"." * 1024)
    return ballast


def full(place: Place) -> str:
    """The message of a submission to a full exchange, in one line."""
    return (
        f"ps1 was NOT handed in: the disk of the exchange ({place.root}/exchange) is full. "
        f"Nothing is lost: your work is in {place.home}/ps1, and what you handed in before still counts. "
        "Tell your instructor or administrator, and submit again when there is space."
    )


def one_line(text: object) -> str:
    return " ".join(str(text).split())


@as_root
def test_with_a_full_exchange_nothing_is_handed_in_and_nothing_is_lost(small_disk: Place) -> None:
    place = small_disk
    place.answer("first")
    place.run("submit", "ps1", at="home")
    before = place.entries()
    ballast = fill(place)
    place.answer("second " + "x" * 20_000)
    said = place.run("submit", "ps1", at="home", code=1)
    assert full(place) in one_line(said)
    assert "Traceback" not in said
    assert place.entries() == before
    assert "second" in (place.home / "ps1" / "problems.ipynb").read_text()
    assert len(os.listdir(place.home / "data" / "nbgrader_cache" / COURSE)) == 1
    place.run("collect", "ps1")
    (student,) = os.listdir(place.course / "submitted")
    assert "first" in (place.collected(student) / "problems.ipynb").read_text()
    said = place.run("release_assignment", "ps1", "--force", code=1)
    assert f"ps1 was NOT released: the disk of the exchange ({place.root}/exchange) is full." in one_line(said)
    assert (place.inbound.parent / "outbound" / "ps1" / "problems.ipynb").stat().st_size > 0
    ballast.unlink()
    place.run("submit", "ps1", at="home")
    place.run("collect", "ps1", "--update")
    assert "second" in (place.collected(student) / "problems.ipynb").read_text()


@as_root
def test_with_a_full_disk_of_ones_own_nothing_is_handed_in_and_the_message_says_whose_disk_it_is(
    small_disk: Place,
) -> None:
    place = small_disk
    place.answer("work " + "x" * 20_000)
    cache = place.home / "data" / "nbgrader_cache" / COURSE
    cache.mkdir(parents=True)
    subprocess.run([*place.wrap, "mount", "-t", "tmpfs", "-o", "size=8k", "tiny", cache], check=True)
    said = one_line(place.run("submit", "ps1", at="home", code=1))
    assert f"ps1 was NOT handed in: the disk of your own files ({cache}) is full." in said
    assert "Delete files that you no longer need, then submit again." in said
    assert place.entries() == []
    subprocess.run([*place.wrap, "umount", cache], check=True)
    place.run("submit", "ps1", at="home")
    assert len(place.entries()) == 1


@as_root
def test_the_button_of_the_assignment_list_says_the_same(small_disk: Place) -> None:
    place = small_disk
    place.answer("work " + "x" * 20_000)
    ballast = fill(place)
    server = subprocess.Popen(
        [
            *(*place.into("home"), sys.executable, "-m", "jupyter_server", "--allow-root", "--no-browser"),
            *("--port=0", "--IdentityProvider.token=t", f"--ServerApp.root_dir={place.home}"),
            f"--ServerApp.jpserver_extensions={BUTTON}",
        ],
        env={**place.environment(), "JUPYTER_RUNTIME_DIR": str(place.home / "runtime")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        where = served(place.home / "runtime")
        answer = post(f"{where}assignments/submit", {"course_id": COURSE, "assignment_id": "ps1"})
        assert answer["success"] is False
        assert one_line(answer["value"]) == full(place)
        assert place.entries() == []
        ballast.unlink()
        answer = post(f"{where}assignments/submit", {"course_id": COURSE, "assignment_id": "ps1"})
        assert answer["success"] is True
        assert [a["status"] for a in answer["value"]] == ["fetched", "submitted"]
    finally:
        server.terminate()
        server.wait()


def served(runtime: Path) -> str:
    """The address of a server that has started: it writes the address down before it listens."""
    ends = time.monotonic() + 120
    while time.monotonic() < ends:
        for file in runtime.glob("jpserver-*.json"):
            try:
                about = json.loads(file.read_text())
                with socket.create_connection((about["hostname"], about["port"]), timeout=60):
                    return str(about["url"])
            except (ValueError, ConnectionRefusedError):  # half written, or not listening yet
                continue
        time.sleep(0.1)
    raise AssertionError("the server did not start within two minutes")


def post(url: str, values: dict[str, str]) -> dict[str, object]:
    headers = {"Authorization": "token t", "Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(values).encode(), headers)
    with urllib.request.urlopen(request, timeout=120) as answer:
        return json.loads(answer.read())  # type: ignore[no-any-return]
