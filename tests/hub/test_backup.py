"""A hub is saved while people work, and restored onto an empty machine: grades, files and logins are the same."""

from __future__ import annotations

import io
import os
import re
import sqlite3
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import pytest

from coursehub.archive import ArchiveError, Writer, manifest, written
from coursehub.unpacking import unpack
from tests.hub.machine import Machine, needs_a_machine
from tests.hub.person import COURSE, Person
from tests.hub.real_hub import COURSES, EXCHANGE, HUB, STATE, RealHub, needs_a_proxy, until
from tools.sample_class import fill_in, students

GRADER, FOLDER = f"grader-{COURSE}", COURSES / COURSE
BACKUP = HUB / "backup"
MARKS = f"""
from nbgrader.api import Gradebook
with Gradebook("sqlite:///{FOLDER}/gradebook.db") as book:
    print("marks", {{s.student.id: round(s.score, 3) for s in book.assignment_submissions("ps1")}})
"""
PIPE = "pipe\x1b[7m"  # root's terminal would obey it
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
        assert alice.assignment("fetch_feedback")["success"]
        listed = alice.ask("GET", "assignments", params={"course_id": COURSE}).json()
        assert {one["status"] for one in listed["value"]} == {"fetched", "submitted"}
        first.run("ln", "-s", "/etc", "/home/alice/etc", user="alice")
        first.run("mkfifo", f"/home/alice/{PIPE}", user="alice")
        made = Restored(first, hub, alice, before=facts(first))
        database = str(FOLDER / "gradebook.db")
        writer = first.popen(sys.executable, "-c", HOLD, database, user=GRADER, output=subprocess.PIPE)
        assert writer.stdout
        assert writer.stdout.readline() == "holds it\n"
        said = first.run(BACKUP, "save", file, "--homes").stdout
        assert "left out: homes/alice/pipe?[7m: a pipe, socket or device" in said
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
    before = restored.before[what].replace(f"/home/alice/{PIPE} p 644 alice 0 \n", "")
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


def test_a_gradebook_that_stays_held_is_named_and_the_rest_is_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coursehub.archive.BUSY", 0.2)
    database = tmp_path / "gradebook.db"
    holder = sqlite3.connect(database, isolation_level=None)
    holder.execute("CREATE TABLE grade (score)")
    holder.execute("BEGIN EXCLUSIVE")
    with tarfile.open(tmp_path / "x.tar", "w") as tar:
        writer = Writer(tar)
        writer.tree(tmp_path, "work", "gradebook.db")
    assert writer.databases_left_out == ["work/gradebook.db"]
    assert f"another program has held it for 0.2 seconds. Look for that program (lsof {database})" in writer.left_out[0]
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


FLIP = """
import ctypes, os, sys
libc, here, exchange = ctypes.CDLL(None), -100, 2
folder, link = map(os.fsencode, sys.argv[1:])
print("flipping", flush=True)
while True:
    libc.renameat2(here, folder, here, link, exchange)
"""


@contextmanager
def flipped(folder: Path, aside: Path) -> Iterator[Path]:
    """While a student's process makes a link of `folder` and a folder again, as fast as it can; the victim."""
    victim = Path(f"{aside}.victim")
    victim.mkdir(mode=0o700)
    aside.symlink_to(victim)
    command = [sys.executable, "-c", FLIP, folder, aside]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as student:
        try:
            assert student.stdout
            assert student.stdout.readline() == "flipping\n"
            yield victim
        finally:
            student.kill()


def seen(folder: Path) -> tuple[int, int, int, list[str]]:
    known = folder.stat()
    return known.st_mode, known.st_uid, known.st_gid, sorted(path.name for path in folder.iterdir())


def test_what_flips_between_a_link_and_a_folder_is_saved_as_one_of_them(tmp_path: Path) -> None:
    work = tmp_path / "work"
    for number in range(300):
        (work / f"folder-{number}").mkdir(parents=True)
    (work / "z").mkdir()
    (work / "z" / "file").touch()
    kinds = set()
    with flipped(work / "z", tmp_path / "aside"):
        for _ in range(40):
            with tarfile.open(tmp_path / "x.tar", "w") as tar:
                Writer(tar).tree(work, "work")
            with tarfile.open(tmp_path / "x.tar") as tar:
                entries = [entry for entry in tar if f"{entry.name}/".startswith("work/z/")]
            names = [entry.name for entry in entries]
            assert names in ([], ["work/z"], ["work/z", "work/z/file"])
            kinds |= {entry.issym() for entry in entries[:1]}
            assert not (len(names) == 2 and entries[0].issym())
    assert kinds == {True, False}, "it was saved while it was the one and while it was the other"


def test_what_flips_while_it_is_restored_is_not_followed(tmp_path: Path) -> None:
    work, back = tmp_path / "work", tmp_path / "back"
    (work / "z").mkdir(parents=True)
    for number in range(200):
        (work / "z" / f"file-{number}").touch()
    with tarfile.open(tmp_path / "x.tar", "w") as tar:
        Writer(tar).tree(work, "work")
    (back / "z").mkdir(parents=True)
    with flipped(back / "z", tmp_path / "aside") as victim:
        before = seen(victim)
        said = [words for _ in range(20) for words in unpack(tmp_path / "x.tar", {"work": back})]
        assert seen(victim) == before
    assert said, "a link was in the way of some"
    assert all(words.startswith("work/z") for words in said)


def test_an_archive_with_entries_below_a_link_writes_nothing_through_it(tmp_path: Path) -> None:
    """Older backups made such archives; they must not be lost for it either."""
    victim, work = tmp_path / "victim", tmp_path / "work"
    victim.mkdir(mode=0o700)
    before = seen(victim)
    with tarfile.open(tmp_path / "x.tar", "w") as tar:
        for name, kind in (
            ("z", tarfile.SYMTYPE),
            ("z", tarfile.DIRTYPE),
            ("z/in", tarfile.DIRTYPE),
            ("y", tarfile.REGTYPE),
        ):
            entry = tarfile.TarInfo(f"work/{name}")
            entry.type, entry.mode, entry.uid, entry.gid, entry.linkname = kind, 0o777, 12345, 12345, str(victim)
            tar.addfile(entry, io.BytesIO())
        tar.add(__file__, "work/z/passwd")
        tar.add(__file__, "work/last")
    said = unpack(tmp_path / "x.tar", {"work": work})
    assert [words.partition(":")[0] for words in said] == ["work/z", "work/z/in", "work/z/passwd"]
    assert seen(victim) == before
    assert (work / "y").is_file()
    assert (work / "last").read_text() == Path(__file__).read_text()
    with tarfile.open(tmp_path / "x.tar", "w") as tar:
        entry = tarfile.TarInfo("work/null")
        entry.type, entry.devmajor, entry.devminor = tarfile.CHRTYPE, 1, 3
        tar.addfile(entry)
    with pytest.raises(ArchiveError, match="work/null, which is no file, folder or link"):
        unpack(tmp_path / "x.tar", {"work": work})


def test_what_takes_no_room_on_the_disk_does_not_fill_the_backup(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = tmp_path / "work"
    work.mkdir()
    (work / "a").write_text("saved")
    (work / "hollow").touch()
    os.truncate(work / "hollow", 1 << 40)
    (work / "somewhat").touch()
    os.truncate(work / "somewhat", 1 << 20)
    (work / "twice").write_bytes(b"x" * (2 << 20))
    for number in range(5):
        os.link(work / "twice", work / f"twice-{number}")
    (work / "z").write_text("saved")
    monkeypatch.setattr("coursehub.archive.UNPAID", 6 << 20)
    with written(tmp_path / "x.tar") as archive:
        archive.tree(work, "work")
        archive.manifest({})
    assert archive.left_out == [
        f"work/{name}: it is {size} bytes long and takes less room on the disk"
        for name, size in (("hollow", 1 << 40), *((f"twice-{number}", 2 << 20) for number in (2, 3, 4)))
    ]
    assert manifest(tmp_path / "x.tar")["left_out"] == archive.left_out
    unpack(tmp_path / "x.tar", {"work": tmp_path / "back"})
    for name in ("a", "somewhat", "twice", "twice-0", "twice-1", "z"):
        assert (tmp_path / "back" / name).read_bytes() == (work / name).read_bytes()


def test_a_file_that_becomes_shorter_while_it_is_read_keeps_its_length_and_is_named(tmp_path: Path) -> None:
    """tar has written the length before the content."""
    work = tmp_path / "work"
    work.mkdir()
    (work / "a").write_bytes(b"x" * (64 << 20))
    (work / "b").write_text("whole")
    code = "import os, sys\nwhile True:\n    os.truncate(sys.argv[1], 0); os.truncate(sys.argv[1], 64 << 20)"
    left_out: list[str] = []
    with subprocess.Popen([sys.executable, "-c", code, work / "a"]) as student:
        try:
            until(lambda: not (work / "a").read_bytes().strip(b"\0"), "the student's process")
            while not left_out:
                with written(tmp_path / "x.tar") as archive:
                    archive.tree(work, "work")
                    archive.manifest({})
                left_out += archive.left_out
                assert manifest(tmp_path / "x.tar")["entries"] == 3
                with tarfile.open(tmp_path / "x.tar") as tar:
                    assert tar.extractfile("work/b").read() == b"whole"
        finally:
            student.kill()
    assert re.fullmatch(r"work/a: its last \d+ bytes, which went while it was read", left_out[0])


@pytest.mark.parametrize("what", ["pipe", "folder", "text", "hollow", "gone"])
def test_what_is_no_gradebook_is_named_and_the_rest_is_saved(tmp_path: Path, what: str) -> None:
    work = tmp_path / "work"
    work.mkdir()
    place = work / "gradebook.db"
    if what == "pipe":
        os.mkfifo(place)
    elif what == "folder":
        place.mkdir()
    elif what == "gone":
        place.symlink_to("nowhere")
    else:
        place.write_text("no database")
        if what == "hollow":
            os.truncate(place, 1 << 40)
    (work / "z").touch()
    with written(tmp_path / "x.tar") as archive:
        archive.tree(work, "work", "gradebook.db")
        archive.manifest({})
    assert archive.databases_left_out == ["work/gradebook.db"]
    (said,) = archive.left_out
    assert said.startswith("work/gradebook.db: ")
    with tarfile.open(tmp_path / "x.tar") as tar:
        assert tar.getnames() == ["work", "work/z", "MANIFEST.json"]


SAVE = """
import sys
from pathlib import Path
from coursehub.archive import written
with written(Path("/root/x.tar")) as archive:
    for name in ("bea", "ada"):
        archive.tree(Path("/srv", name), name, "gradebook.db")
print(archive.left_out)
"""


@pytest.mark.hub
def test_a_gradebook_that_is_a_link_to_anothers_is_not_read_with_roots_rights() -> None:
    with Machine() as machine:
        for name in ("ada", "bea"):
            machine.add_user(name, "word")
            machine.run("install", "-d", "-m", "700", "-o", name, f"/srv/{name}")
        make = "import sqlite3; sqlite3.connect('/srv/ada/gradebook.db').executescript('create table secret (x)')"
        machine.run(sys.executable, "-c", make, user="ada")
        machine.run("ln", "-s", "/srv/ada/gradebook.db", "/srv/bea/gradebook.db", user="bea")
        said = machine.run(sys.executable, "-c", SAVE, env={"PYTHONPATH": str(HUB)}).stdout
        assert "bea/gradebook.db: [Errno 13] Permission denied" in said
        with tarfile.open(machine.path("/root/x.tar")) as tar:
            assert tar.getnames() == ["bea", "ada", "ada/gradebook.db"]
            assert b"secret" in tar.extractfile("ada/gradebook.db").read()
