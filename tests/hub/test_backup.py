"""A hub is saved while people work, and restored onto an empty machine: grades, files and logins are the same."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import pytest

from coursehub.archive import ArchiveError, Writer, manifest, unpack, written
from tests.hub.machine import Machine, needs_a_machine
from tests.hub.person import COURSE, Person
from tests.hub.real_hub import COURSES, EXCHANGE, HUB, STATE, RealHub, needs_a_proxy
from tools.sample_class import fill_in, students

GRADER, FOLDER = f"grader-{COURSE}", COURSES / COURSE
BACKUP = HUB / "backup"
MARKS = f"""
from nbgrader.api import Gradebook
with Gradebook("sqlite:///{FOLDER}/gradebook.db") as book:
    print("marks", {{s.student.id: round(s.score, 3) for s in book.assignment_submissions("ps1")}})
"""
HOLD = """
import signal, sqlite3, sys
book = sqlite3.connect(sys.argv[1])
book.execute("UPDATE grade SET auto_score = 0")
print("holds it", flush=True)
signal.pause()
"""


@dataclass
class Restored:
    """What was seen before the end of the one machine, and the other machine."""

    machine: Machine
    hub: RealHub
    alice: Person
    before: dict[str, str] = field(default_factory=dict)
    after: dict[str, str] = field(default_factory=dict)


def facts(machine: Machine) -> dict[str, str]:
    """What must be the same afterwards."""
    homes = [f"/home/{name}" for name in ("alice", "prof")]
    listing = ["find", "/etc/coursehub", EXCHANGE, FOLDER, *homes, "-name", ".cache", "-prune", "-o"]
    said = machine.run(
        *listing, "-not", "-name", "gradebook.db*", "-printf", "%p %y %m %u %s %l\\n"
    ).stdout.splitlines()
    closed = machine.run("stat", "-c", "%a %U", STATE, STATE / "jupyterhub.sqlite", STATE / "cookie_secret").stdout
    marks = machine.run(sys.executable, "-c", MARKS, user=GRADER, cwd=FOLDER).stdout
    return {
        # A folder's size is the file system's own affair.
        "files": "\n".join(sorted(" ".join((*x[:-2], x[-1]) if x[1] == "d" else x) for x in map(_words, said))),
        "closed": closed,
        "marks": next(line for line in marks.splitlines() if line.startswith("marks")),
        "accounts": machine.run("getent", "passwd", "alice", "prof", GRADER).stdout,
    }


def _words(line: str) -> tuple[str, ...]:
    return tuple(line.rsplit(" ", 5))


@pytest.fixture(scope="module")
def restored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Restored]:
    needs_a_machine()
    needs_a_proxy()
    folder = tmp_path_factory.mktemp("backup")
    file = folder / "hub.tar.gz"
    with Machine(show=[folder]) as first:
        hub = RealHub(first, {COURSE: {"instructors": ["prof"], "students": ["alice"]}}, folder / "hub.log")
        hub.start()
        for command in ("generate_assignment", "release_assignment"):
            first.run("nbgrader", command, "ps1", user=GRADER, cwd=FOLDER)
        alice = Person(hub.address, "alice")
        assert alice.log_in()
        alice.start_server()
        alice.assignment("fetch")
        notebook = nbformat.from_dict(alice.read(f"{COURSE}/ps1/problems.ipynb"))  # type: ignore[no-untyped-call]
        alice.write(f"{COURSE}/ps1/problems.ipynb", fill_in(notebook, students()["chen"]))
        assert alice.assignment("submit")["success"]
        for command in ("collect", "autograde", "generate_feedback", "release_feedback"):
            first.run("nbgrader", command, "ps1", user=GRADER, cwd=FOLDER)
        first.run("ln", "-s", "/etc", "/home/alice/etc", user="alice")
        first.run("mkfifo", "/home/alice/pipe", user="alice")
        made = Restored(first, hub, alice, before=facts(first))
        database = str(FOLDER / "gradebook.db")
        writer = first.popen(sys.executable, "-c", HOLD, database, user=GRADER, output=subprocess.PIPE)
        assert writer.stdout
        assert writer.stdout.readline() == "holds it\n"
        said = first.run(BACKUP, "save", file, "--homes").stdout
        assert "left out: homes/alice/pipe: a pipe, socket or device" in said
        first.end(writer)
        writer.stdout.close()
    hub.process.wait(180)
    with Machine(show=[folder]) as second:
        assert second.run("id", "alice", check=False).returncode
        made.machine = hub.machine = second
        said = second.run(BACKUP, "restore", file).stdout
        made.after = facts(second)
        hub.start()
        yield made
        alice.session.close()
        second.stop()
        hub.process.wait(180)


@pytest.mark.hub
def test_the_grades_are_those_before_what_a_writer_had_not_finished(restored: Restored) -> None:
    assert restored.before["marks"] == "marks {'alice': 46.629}"
    assert restored.after["marks"] == restored.before["marks"]


@pytest.mark.hub
@pytest.mark.parametrize("what", ["files", "closed", "accounts"])
def test_everything_else_is_as_it_was(restored: Restored, what: str) -> None:
    before = restored.before[what].replace("/home/alice/pipe p 644 alice 0 \n", "")
    assert restored.after[what] == before


@pytest.mark.hub
def test_the_hub_accepts_the_same_passwords_and_the_sessions_from_before(restored: Restored) -> None:
    home = restored.alice.session.get(f"{restored.hub.address}/hub/home", timeout=180, allow_redirects=False)
    assert home.status_code == 200, "the cookie of before"
    for name, word, accepted in (("prof", None, True), ("alice", "another", False)):
        person = Person(restored.hub.address, name)
        assert person.log_in(word) is accepted
        person.session.close()


@pytest.mark.hub
def test_a_second_restore_changes_nothing_and_says_why(restored: Restored, tmp_path: Path) -> None:
    before = facts(restored.machine)
    file = restored.hub.log.parent / "hub.tar.gz"
    said = restored.machine.run(BACKUP, "restore", file, check=False)
    assert said.returncode == 1
    assert "/etc/coursehub/course.yaml is there already. Restore onto an empty machine" in said.stdout
    assert facts(restored.machine)["marks"] == before["marks"]


def test_an_archive_that_was_cut_short_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "hub.tar"
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "a").write_text("x" * 30_000)
    with written(file) as archive:
        archive.tree(tmp_path / "work", "work")
        archive.manifest({})
    assert manifest(file)["entries"] == 2
    assert file.stat().st_mode & 0o777 == 0o600
    data = file.read_bytes()
    for length in (len(data) // 2, 512, 0):
        file.write_bytes(data[:length])
        with pytest.raises(ArchiveError, match=r"no MANIFEST.json at its end|cannot be read to its end"):
            manifest(file)


def test_a_backup_that_fails_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), written(tmp_path / "hub.tar"):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_an_archive_that_leads_out_of_its_folder_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "bad.tar"
    with tarfile.open(file, "w") as tar:
        tar.add(__file__, "state/../../escaped")
    with pytest.raises(ArchiveError, match="leads out of its folder"):
        unpack(file, {"state": tmp_path / "state"})
    assert not (tmp_path / "escaped").exists()


def test_a_gradebook_that_stays_held_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("coursehub.archive.BUSY", 0.2)
    database = tmp_path / "gradebook.db"
    holder = sqlite3.connect(database, isolation_level=None)
    holder.execute("CREATE TABLE grade (score)")
    holder.execute("BEGIN EXCLUSIVE")
    with tarfile.open(tmp_path / "x.tar", "w") as tar, pytest.raises(ArchiveError, match=f"lsof {database}"):
        Writer(tar).database(database, "gradebook.db")
    holder.close()


def test_a_folder_that_is_nested_without_end_does_not_end_the_backup(tmp_path: Path) -> None:
    deep = tmp_path / "work"
    try:
        for _ in range(15):
            deep = deep / "/".join(["d"] * 100)
            deep.mkdir(parents=True)
        with tarfile.open(tmp_path / "x.tar", "w") as tar:
            writer = Writer(tar)
            writer.tree(tmp_path / "work", "work")
    finally:
        subprocess.run(["rm", "-rf", tmp_path / "work"], check=True)  # pytest could not remove it
    assert "lies too deep" in writer.left_out[0]
