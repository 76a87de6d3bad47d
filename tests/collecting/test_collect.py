"""Every hand-in of a download takes its place or is named; no name, link or size of a student's does more than that."""

from __future__ import annotations

import errno
import json
import os
import stat
import tracemalloc
import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from nbgrader import api
from sqlalchemy import create_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from autograder.__main__ import main
from autograder.collecting import place
from autograder.collecting.course import Course
from tests.collecting.downloads import ADA, OTHER, RELEASE, unpacked, work, zipped

Collect = Callable[..., str]


@pytest.fixture
def collect(here: Path, capsys: pytest.CaptureFixture[str]) -> Collect:
    """Runs the command on these files; returns what it said."""

    def run(files: dict[str, bytes] | Path, *options: str, ends: int = 0) -> str:
        source = files
        if isinstance(files, dict):
            source = here.parent / "download.zip"
            source.write_bytes(zipped(files))
        assert main(["collect", str(source), *options]) == ends
        return capsys.readouterr().out

    return run


def submitted(here: Path) -> dict[str, list[str]]:
    folders = sorted((here / "submitted").glob("[!.]*/ps1"))
    return {f.parent.name: sorted(p.relative_to(f).as_posix() for p in f.rglob("*") if p.is_file()) for f in folders}


WHOLE = ["problems.ipynb", "timestamp.txt"]


@pytest.mark.parametrize(
    ("name", "student"),
    [
        (f"{ADA}/problems.ipynb", "ada-lovelace"),
        ("Ada Lovelace_1234567_assignsubmission_file/problems (1).ipynb", "ada-lovelace"),
        (f"ps1-download/{ADA}/problems.ipynb", "ada-lovelace"),
        (f"{ADA}problems.ipynb", "ada-lovelace"),
        (f"{ADA}/homework/final.IPYNB", "ada-lovelace"),
        ("Participant_17_assignsubmission_file_/problems.ipynb", "participant-17"),
        ("lovelaceada_12345_67890_problems.ipynb", "lovelaceada"),
        ("lovelaceada_LATE_12345_67890_problems-2.ipynb", "lovelaceada"),
        ("my team_lovelaceada_12345_67890_problems.ipynb", "my-team-lovelaceada"),
        ("anon_Ab12c_67890_problems.ipynb", "anon-ab12c"),
        ("LATE_anon_Ab12c_67890_problems.ipynb", "anon-ab12c"),
        ("ada/problems.ipynb", "ada"),
        ("ada/ps1/problems.ipynb", "ada"),
        ("ps1/ada/problems.ipynb", "ada"),
        ("ada.ipynb", "ada"),
        ("Ada_Lovelace-problems (3).ipynb", "ada-lovelace"),
        ("ps1\\ada\\problems.ipynb", "ada"),
        ("Zoë Müller/problems.ipynb", "zoe-muller"),
        ("李雷/problems.ipynb", "李雷"),
        ("CON/problems.ipynb", "con-student"),
        ("J\u202eda/problems.ipynb", "j-da"),
    ],
)
def test_a_hand_in_takes_its_place_whatever_it_is_called(name: str, student: str, here: Path, collect: Collect) -> None:
    said = collect({name: RELEASE})
    assert submitted(here) == {student: WHOLE}
    assert (here / "submitted" / student / "ps1" / "problems.ipynb").read_bytes() == RELEASE
    assert "ps1: 1 placed, 0 replaced, 0 as before; 0 need you." in said
    assert ("Canvas marks it LATE" in said) == ("LATE" in name)
    assert "\u202e" not in said


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({f"{ADA}/answers.pdf": b"%PDF"}, "there is no notebook of ps1 (answers.pdf). Ask for problems.ipynb"),
        ({f"{ADA}/problems.ipynb": b"{"}, "(problems.ipynb: it cannot be read as a notebook)"),
        ({f"{ADA}/problems.ipynb": OTHER}, "(problems.ipynb: none of its cells is from ps1: it is another notebook)"),
        ({f"{ADA.replace('file', 'onlinetext')}/onlinetext.html": b"x"}, "(text was typed in, no file handed in)"),
        ({"lovelaceada_12345_text.html": b"x"}, "(text was typed in, no file handed in)"),
        ({f"{ADA}/problems.ipynb": RELEASE, f"{ADA}/problems (1).ipynb": work()}, "there are two notebooks problems"),
        ({"problems.ipynb": RELEASE}, "no student is named in its path"),
        ({"!!!/problems.ipynb": RELEASE}, "no id can be made of this name"),
        ({f"../{ADA}/problems.ipynb": RELEASE}, "its name leads out of the folder"),
        ({f"{ADA}/../../x/problems.ipynb": RELEASE}, "its name leads out of the folder"),
        ({f"/tmp/{ADA}/problems.ipynb": RELEASE}, "its name leads out of the folder"),
        ({f"C:/{ADA}/problems.ipynb": RELEASE}, "its name leads out of the folder"),
        ({f"{ADA}/problems.ipynb": b" " * (40 << 20)}, "it unpacks to"),
        ({f"{ADA}/problems{' ' * 60_000}.ipynb": RELEASE}, ": its name is too long)"),
        ({f"{ADA}/{'ps1/' * 5_000}problems.ipynb": RELEASE}, ": its name is too long)"),
        ({f"{ADA}/a.zip": zipped({f"{'a/' * 5_000}problems.ipynb": RELEASE})}, ": its name is too long)"),
        ({f"{ADA}/a.zip": zipped({"problems.ipynb": RELEASE}, how=zipfile.ZIP_BZIP2)}, "an ordinary zip)"),
        ({f"{ADA}/a.zip": zipped({"problems.ipynb": RELEASE}, how=zipfile.ZIP_LZMA)}, "an ordinary zip)"),
        ({f"{ADA}/mine.zip": b"PK"}, "mine.zip: it cannot be unpacked"),
        ({f"{ADA}/a.zip": zipped({"b.zip": zipped({"problems.ipynb": RELEASE})})}, "a zip within a zip is not opened"),
        ({f"Ada_{n}_assignsubmission_file_/problems.ipynb": RELEASE for n in (1, 2)},
         "Ada (1) and Ada (2) would get the same id, ada"),
        ({"Zoe/problems.ipynb": RELEASE, "Zoë/problems.ipynb": RELEASE}, "Zoe and Zoë would get the same id, zoe"),
    ],
)  # fmt: skip
def test_what_cannot_be_placed_is_named_with_the_reason_and_leaves_nothing(
    files: dict[str, bytes], reason: str, here: Path, collect: Collect
) -> None:
    said = collect(files, ends=1)
    assert reason in said
    assert all(line.startswith("NEEDS YOU") for line in said.splitlines()[:-2])
    assert submitted(here) == {}
    assert not list(here.parent.glob("x*"))


def test_one_strange_hand_in_costs_the_others_nothing(here: Path, collect: Collect) -> None:
    said = collect({f"{ADA}/problems.ipynb": RELEASE, "Bo_2_assignsubmission_file_/x.pdf": b"x"}, ends=1)
    assert submitted(here) == {"ada-lovelace": WHOLE}
    assert "NEEDS YOU   Bo: there is no notebook" in said
    assert "1 placed, 0 replaced, 0 as before; 1 needs you." in said


@pytest.mark.parametrize(
    ("odd", "kept", "left_out"),
    [
        (["data", "data/a.csv"], ["data"], "data/a.csv: it lies in a folder that has a file's name"),
        (["Data", "data/deep/a.csv"], ["Data"], "data/deep/a.csv: it lies in a folder that has a file's name"),
        (["timestamp.txt/a"], [], "timestamp.txt/a: it lies in a folder that has a file's name"),
        (["Submission_Secret.txt/a"], [], "Submission_Secret.txt/a: it lies in a folder that has"),
        (["problems.ipynb/a.csv"], [], "problems.ipynb/a.csv: it lies in a folder that has a file's name"),
        (["李" * 94 + ".csv"], [], ".csv: its name cannot be kept"),
        (["bad:name.txt"], [], "bad:name.txt: its name cannot be kept"),
        (["x" * 96 + ".csv"], ["x" * 96 + ".csv"], ""),
    ],
)  # fmt: skip
def test_names_that_a_disk_does_not_take_cost_neither_the_notebook_nor_the_others(
    odd: list[str], kept: list[str], left_out: str, here: Path, collect: Collect
) -> None:
    inner = zipped({"problems.ipynb": RELEASE, **dict.fromkeys(odd, b"x")})
    for _ in range(2):
        said = collect({f"{ADA}/mine.zip": inner, "zz/problems.ipynb": RELEASE})
        assert submitted(here) == {"ada-lovelace": sorted([*WHOLE, *kept]), "zz": WHOLE}
        assert left_out in said or "2 as before" in said


def test_thousands_of_files_that_are_left_out_are_counted(here: Path, collect: Collect) -> None:
    deep = {f"env/lib/python3/site-packages/torch/{n}.py": b"x" for n in range(3000)}
    said = collect({f"{ADA}/mine.zip": zipped({"problems.ipynb": RELEASE, **deep})})
    assert "left out: 9.py: its name cannot be kept; left out: and 2990 more" in said
    assert "10.py" not in said


def test_timestamps_in_capital_letters_are_not_taken_either(here: Path, collect: Collect) -> None:
    collect({f"{ADA}/mine.zip": zipped({"problems.ipynb": RELEASE, "Timestamp.TXT": b"1999-01-01 00:00:00 UTC"})})
    assert submitted(here) == {"ada-lovelace": WHOLE}


def test_one_hand_in_that_the_disk_refuses_for_its_names_is_named_and_the_next_is_placed(
    here: Path, collect: Collect, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Path.write_bytes

    def refuse(path: Path, data: bytes) -> int:
        if path.name == "mine.py":
            raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
        return write(path, data)

    inner = zipped({"problems.ipynb": RELEASE, "mine.py": b"x"})
    (here.parent / "download.zip").write_bytes(zipped({f"{ADA}/mine.zip": inner, "zz/problems.ipynb": RELEASE}))
    monkeypatch.setattr(Path, "write_bytes", refuse)
    said = collect(here.parent / "download.zip", ends=1)
    assert "NEEDS YOU   Ada Lovelace: its files cannot be put into " in said
    assert "(File name too long): look at their names, and at what is there" in said
    assert submitted(here) == {"zz": WHOLE}
    assert [p.name for p in (here / "submitted/.collected").iterdir()] == ["ps1.json"]


def test_a_file_in_the_place_of_one_students_folder_costs_the_others_nothing(here: Path, collect: Collect) -> None:
    unpacked({"ada": b"notes"}, here / "submitted")
    assert "NEEDS YOU   ada: its files cannot be put into " in collect(
        {"ada/problems.ipynb": RELEASE, "zz/problems.ipynb": RELEASE}, ends=1
    )
    assert submitted(here) == {"zz": WHOLE}
    assert (here / "submitted/ada").read_bytes() == b"notes"


def test_a_name_in_no_encoding_is_as_good_as_another(here: Path, collect: Collect, tmp_path: Path) -> None:
    unpacked({os.fsdecode(b"Zo\xeb Lee") + "/problems.ipynb": RELEASE, "zz/problems.ipynb": RELEASE}, tmp_path / "dl")
    for outcome in ("2 placed", "2 as before"):
        assert outcome in collect(tmp_path / "dl")
    assert submitted(here) == {"zo-lee": WHOLE, "zz": WHOLE}


def test_a_folder_that_was_unpacked_is_as_good_as_the_zip_and_its_links_are_not_followed(
    here: Path, collect: Collect, tmp_path: Path
) -> None:
    (tmp_path / "secret.ipynb").write_bytes(RELEASE)
    folder = unpacked({f"{ADA}/problems.ipynb": RELEASE, "eve/x.txt": b"x", "__MACOSX/a": b"x"}, tmp_path / "dl")
    (folder / "eve" / "problems.ipynb").symlink_to(tmp_path / "secret.ipynb")
    said = collect(folder, ends=1)
    assert submitted(here) == {"ada-lovelace": WHOLE}
    assert "(problems.ipynb: it is a link)" in said


def test_a_link_or_a_locked_file_in_a_zip_is_named(here: Path, collect: Collect, tmp_path: Path) -> None:
    link = zipfile.ZipInfo(f"{ADA}/problems.ipynb")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "l.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    assert "(problems.ipynb: it is a link)" in collect(tmp_path / "l.zip", ends=1)
    data = bytearray(zipped({f"{ADA}/problems.ipynb": RELEASE}))
    data[data.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "locked.zip").write_bytes(data)
    assert "(problems.ipynb: it is locked with a password)" in collect(tmp_path / "locked.zip", ends=1)


def test_a_zip_that_claims_to_be_small_does_not_fill_the_memory(here: Path, collect: Collect) -> None:
    data = bytearray(zipped({"problems.ipynb": b"\0" * (100 << 20)}))
    at = data.index(b"PK\x01\x02") + 24
    data[at : at + 4] = (1000).to_bytes(4, "little")
    files = {f"{ADA}/mine.zip": bytes(data), "bo/problems.ipynb": RELEASE}
    tracemalloc.start()
    said = collect(files, ends=1)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "(problems.ipynb: it cannot be unpacked (Bad CRC-32" in said
    assert submitted(here) == {"bo": WHOLE}
    assert most < 50 << 20


def test_a_zip_of_the_students_own_is_opened_and_its_other_files_come_along(here: Path, collect: Collect) -> None:
    inner = {
        "ps1/problems.ipynb": RELEASE,
        "ps1/mine.py": b"x = 1",
        "ps1/data/a.csv": b"1",
        "ps1/timestamp.txt": b"1999-01-01 00:00:00 UTC",
        "ps1/submission_secret.txt": b"0" * 128,
        "ps1/.hidden": b"x",
        "ps1/.ipynb_checkpoints/problems-checkpoint.ipynb": OTHER,
        "__MACOSX/ps1/._problems.ipynb": b"x",
        "ps1/bad:name.txt": b"x",
        "ps1/Bo_2_assignsubmission_file_/x.txt": b"x",
    }
    collect({f"{ADA}/ps1-ada.zip": zipped(inner)})
    there = ["Bo_2_assignsubmission_file_/x.txt", "data/a.csv", "mine.py", *WHOLE]
    assert submitted(here) == {"ada-lovelace": there}
    assert (here / "submitted/ada-lovelace/ps1/timestamp.txt").read_text() == "2026-11-20 12:00:00 UTC\n"


def test_the_kit_handed_in_whole_holds_one_notebook(here: Path, collect: Collect) -> None:
    kit = {"problems.ipynb": work("1"), "original/problems.ipynb": RELEASE, "venv/lib/x.py": b"x"}
    collect({"ps1-ada-lovelace.zip": zipped({f"ps1-student-kit/{name}": data for name, data in kit.items()})})
    assert submitted(here) == {"ada-lovelace": WHOLE}
    assert (here / "submitted/ada-lovelace/ps1/problems.ipynb").read_bytes() == work("1")


def test_an_environment_is_left_out_and_the_files_beyond_the_limit_are_named(here: Path, collect: Collect) -> None:
    environment = {"env/pyvenv.cfg": b"home", **{f"env/lib/{n}.py": b"" for n in range(2000)}, "node_modules/a.js": b""}
    files = {f"data/{n:04}.csv": b"1" for n in range(1003)}
    said = collect({f"{ADA}/mine.zip": zipped({"problems.ipynb": work("1"), **files, **environment, "helper.py": b""})})
    assert "data/0998.csv: more than 1000 files and folders" in said
    assert said.count("more than 1000 files") == 5
    assert submitted(here)["ada-lovelace"][:2] == ["data/0000.csv", "data/0001.csv"]
    assert len(submitted(here)["ada-lovelace"]) == 1000 + len(WHOLE) - 1
    assert not any("env" in name or "node" in name for name in submitted(here)["ada-lovelace"])
    assert "helper.py" in submitted(here)["ada-lovelace"]


def test_of_what_canvas_numbered_the_last_counts(here: Path, collect: Collect) -> None:
    files = {f"a_1_{n}_problems{end}.ipynb": work(str(n)) for n, end in ((21, "-1"), (100, "-2"), (7, ""))}
    collect(files)
    assert (here / "submitted/a/ps1/problems.ipynb").read_bytes() == work("100")


def test_collecting_twice_changes_nothing(here: Path, collect: Collect) -> None:
    collect({f"{ADA}/problems.ipynb": RELEASE})
    before = {p: p.stat().st_mtime_ns for p in (here / "submitted").rglob("*")}
    assert "0 placed, 0 replaced, 1 as before; 0 need you." in collect({f"{ADA}/problems.ipynb": RELEASE})
    assert {p: p.stat().st_mtime_ns for p in (here / "submitted").rglob("*")} == before


def test_later_work_takes_the_place_of_earlier_work_which_is_kept(here: Path, collect: Collect, tmp_path: Path) -> None:
    collect(unpacked({"ada/problems.ipynb": work("1")}, tmp_path / "1", age=300))
    said = collect(unpacked({"ada/problems.ipynb": work("2")}, tmp_path / "2", age=100))
    assert (
        "replaced    ada: problems.ipynb; the work before it is kept in submitted/.collected/earlier/ps1/ada-" in said
    )
    assert (here / "submitted/ada/ps1/problems.ipynb").read_bytes() == work("2")
    (kept,) = (here / "submitted" / ".collected" / "earlier" / "ps1").glob("ada-*/problems.ipynb")
    assert kept.read_bytes() == work("1")
    said = collect(unpacked({"ada/problems.ipynb": work("3")}, tmp_path / "3", age=200), ends=1)
    assert "NEEDS YOU   ada: other work is there already" in said
    assert (here / "submitted/ada/ps1/problems.ipynb").read_bytes() == work("2")
    assert "1 replaced" in collect(tmp_path / "3", "--replace")
    assert (here / "submitted/ada/ps1/problems.ipynb").read_bytes() == work("3")


def test_work_that_an_instructor_put_there_is_not_replaced_unasked(here: Path, collect: Collect) -> None:
    unpacked({"problems.ipynb": work("by hand")}, here / "submitted/ada/ps1")
    assert "its time is not known: --replace" in collect({"ada/problems.ipynb": RELEASE}, ends=1)
    assert submitted(here) == {"ada": ["problems.ipynb"]}


def test_another_student_of_the_same_name_is_not_taken_for_the_first(here: Path, collect: Collect) -> None:
    collect({f"{ADA}/problems.ipynb": RELEASE})
    other = ADA.replace("1234567", "7654321")
    said = collect({f"{other}/problems.ipynb": work()}, ends=1)
    assert "ada-lovelace was collected before from somebody else (Ada Lovelace): give a roster" in said
    assert (here / "submitted/ada-lovelace/ps1/problems.ipynb").read_bytes() == RELEASE


def test_a_dry_run_says_the_same_and_writes_nothing(here: Path, collect: Collect) -> None:
    files = {f"{ADA}/problems.ipynb": RELEASE, "Bo_2_assignsubmission_file_/x.pdf": b"x"}
    dry = collect(files, "--dry-run", ends=1)
    assert not (here / "submitted").exists()
    assert "Nothing was written (--dry-run). It would be: ps1: 1 placed" in dry
    assert collect(files, ends=1).splitlines()[:2] == dry.splitlines()[:2]


@pytest.mark.parametrize(
    ("table", "names"),
    [
        ("id,first_name,last_name,email\nal7,Ada,Lovelace,\nzm1,Zoë,Müller,\n", (ADA, "mullerzoe_5_6_problems.ipynb")),
        ("\ufeffIdentifier;Full name;ID number\nParticipant 17;Ada Lovelace;al7\nParticipant 9;Zoe Muller;zm1\n",
         ("Participant_17_assignsubmission_file_", "Group B-Zoë Müller_3_assignsubmission_file_")),
        ('Student,ID,SIS User ID,SIS Login ID\nPoints,,,\n"Lovelace, Ada",12,s,al7\n"Müller, Zoë",5,t,zm1\n',
         ("whoever_12_3_problems.ipynb", "x_LATE_5_6_problems.ipynb")),
        ("username,email\nal7,ada@uni.example\nzm1,zoe@uni.example\n", ("ada@uni.example", "zm1")),
    ],
)  # fmt: skip
def test_a_roster_says_who_is_who(
    table: str, names: tuple[str, ...], here: Path, collect: Collect, tmp_path: Path
) -> None:
    (tmp_path / "roster.csv").write_text(table, encoding="utf-8")
    files = {name if name.endswith(".ipynb") else f"{name}/problems.ipynb": RELEASE for name in names}
    for name, data in files.items():
        collect({name: data}, "--students", str(tmp_path / "roster.csv"))
    assert list(submitted(here)) == ["al7", "zm1"]
    stranger = {"Bo_1_assignsubmission_file_/problems.ipynb": RELEASE}
    said = collect(stranger, "--students", str(tmp_path / "roster.csv"), ends=1)
    assert "NEEDS YOU   Bo: nobody in the roster is called that." in said


def test_a_name_that_two_in_the_roster_have_is_for_a_person(collect: Collect, tmp_path: Path, here: Path) -> None:
    (tmp_path / "roster.csv").write_text("id,first_name,last_name\na1,Ada,Lovelace\na2,Lovelace,Ada\n")
    said = collect({f"{ADA}/problems.ipynb": RELEASE}, "--students", str(tmp_path / "roster.csv"), ends=1)
    assert "the roster has several who are called that (a1, a2)" in said
    assert submitted(here) == {}
    collect({"a2/problems.ipynb": RELEASE}, "--students", str(tmp_path / "roster.csv"))
    assert list(submitted(here)) == ["a2"]


@pytest.mark.parametrize(
    "name",
    [
        "Ada Smith-Jones_77_assignsubmission_file_/problems.ipynb",
        "Ada Smith-Bo_77_assignsubmission_file_/problems.ipynb",
        "Ada Smith-Suharto_77_assignsubmission_file_/problems.ipynb",
        "smith_jones_77_88_problems.ipynb",
    ],
)
def test_the_end_of_a_strangers_name_is_not_taken_for_a_student(
    name: str, here: Path, collect: Collect, tmp_path: Path
) -> None:
    people = "jones,Bob,Jones,b@uni.edu\nbb,Bob,Brown,bo@uni.edu\ns1,,Suharto,\n"
    (tmp_path / "roster.csv").write_text(f"id,first_name,last_name,email\n{people}")
    options = ("--students", str(tmp_path / "roster.csv"))
    assert "nobody in the roster is called that" in collect({name: RELEASE}, *options, ends=1)
    assert submitted(here) == {}
    groups = ["Group B-Bob Jones_5_assignsubmission_file_/problems.ipynb", "team_brownbob_6_7_problems.ipynb"]
    collect(dict.fromkeys(groups, RELEASE), *options)
    assert submitted(here) == {"jones": WHOLE, "bb": WHOLE}


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ("a,b\n1,2\n", "roster.csv, line 1: no column with the user names; the headings are a, b."),
        ("id\n../x\n", "roster.csv, line 2: '../x' cannot be a user name"),
        ("id\na\na\n", "roster.csv, line 3: a stands in line 2 too"),
    ],
)
def test_a_roster_that_cannot_be_used_is_one_sentence(
    table: str, reason: str, here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "roster.csv").write_text(table)
    (tmp_path / "d.zip").write_bytes(zipped({"a/problems.ipynb": RELEASE}))
    assert main(["collect", str(tmp_path / "d.zip"), "--students", str(tmp_path / "roster.csv")]) == 1
    assert reason in capsys.readouterr().err


def book(here: Path, *students: api.Student) -> None:
    """The course's gradebook anew: ps1 is due, and these are in the course."""
    engine = create_engine(f"sqlite:///{here}/gradebook.db", poolclass=NullPool)
    api.Base.metadata.drop_all(engine)
    api.Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(api.Course(id="default_course"))
        session.add(api.Assignment(name="ps1", duedate=datetime(2026, 11, 10, 8), course_id="default_course"))
        session.add_all(students)
        session.commit()


def test_the_gradebook_is_the_roster_if_it_knows_anybody_by_name(here: Path, collect: Collect) -> None:
    book(here, api.Student(id="bo"), api.Student(id="cy"))
    collect({"Ada/problems.ipynb": RELEASE})
    book(here, api.Student(id="bo"), api.Student(id="al7", first_name="Ada", last_name="Lovelace"))
    collect({f"{ADA}/problems.ipynb": RELEASE})
    assert list(submitted(here)) == ["ada", "al7"]
    said = collect({"Eve/problems.ipynb": RELEASE}, ends=1)
    assert "nobody in the roster is called that. Add the student to the class list (nbgrader db student add ID " in said
    assert "or unpack the zip, rename the file or folder, and collect the unpacked folder" in said


def test_nobody_is_late_because_of_when_the_download_was_made(here: Path, collect: Collect) -> None:
    book(here)
    files = {"a_1_2_problems.ipynb": work("a"), "b_LATE_3_4_problems.ipynb": work("b")}
    said = collect(files)
    assert (here / "submitted/a/ps1/timestamp.txt").read_text() == "2026-11-10 08:00:00 UTC\n"
    assert (here / "submitted/b/ps1/timestamp.txt").read_text() == "2026-11-20 12:00:00 UTC\n"
    assert "Dated after the due date: 1. Downloads carry the time of the download" in said
    collect({"c/problems.ipynb": work("c")}, "--trust-times")
    assert (here / "submitted/c/ps1/timestamp.txt").read_text() == "2026-11-20 12:00:00 UTC\n"


def test_nobody_is_late_because_the_due_date_was_set_after_collecting(here: Path, collect: Collect) -> None:
    files = {"a_1_2_problems.ipynb": work("a"), "b_LATE_3_4_problems.ipynb": work("b")}
    collect(files)
    stamps = [here / f"submitted/{name}/ps1/timestamp.txt" for name in "ab"]
    late = [stamp.read_text() for stamp in stamps]
    assert late == ["2026-11-20 12:00:00 UTC\n"] * 2
    book(here)
    assert "a: now dated on the due date" in collect(files, "--dry-run")
    assert [stamp.read_text() for stamp in stamps] == late
    said = collect(files)
    assert "0 placed, 0 replaced, 2 as before" in said
    assert "nbgrader autograde ps1 --student=a --force" in said
    assert "--student=b" not in said
    assert [stamp.read_text() for stamp in stamps] == ["2026-11-10 08:00:00 UTC\n", late[1]]
    assert "now dated" not in collect(files)


def test_a_run_that_is_stopped_leaves_whole_submissions_and_nothing_else(
    here: Path, collect: Collect, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"a/problems.ipynb": RELEASE, "b/problems.ipynb": RELEASE, "c/problems.ipynb": RELEASE}
    rename, count = os.rename, []

    def stop(old: str, new: str) -> None:
        count.append(new)
        if len(count) == 2:
            raise KeyboardInterrupt
        rename(old, new)

    monkeypatch.setattr(place.os, "rename", stop)
    said = collect(files, ends=130)
    assert "Stopped. What is named above is in place, whole." in said
    assert submitted(here) == {"a": WHOLE}
    assert sorted(p.name for p in (here / "submitted").rglob("*") if p.parent.name == ".collected") == ["ps1.json"]
    monkeypatch.undo()
    monkeypatch.chdir(here)
    assert "2 placed, 0 replaced, 1 as before" in collect(files)


def test_looking_at_a_gradebook_does_not_change_it_and_a_damaged_one_is_a_sentence(
    here: Path, collect: Collect, capsys: pytest.CaptureFixture[str]
) -> None:
    book(here)
    before = (here / "gradebook.db").read_bytes()
    collect({"Ada/problems.ipynb": RELEASE}, "--dry-run")
    assert (here / "gradebook.db").read_bytes() == before
    (here / "gradebook.db").write_bytes(b"damaged" * 1000)
    assert main(["collect", "release", "--dry-run"]) == 1
    assert "cannot be read: file is not a database." in capsys.readouterr().err


def test_who_is_in_the_course_is_looked_up_once_and_not_for_each_hand_in(
    here: Path, collect: Collect, monkeypatch: pytest.MonkeyPatch
) -> None:
    look, count = Course.students_in, []

    def students_in(course: Course, step: str) -> set[str]:
        count.append(step)
        return look(course, step)

    monkeypatch.setattr(Course, "students_in", students_in)
    collect({f"{name}/problems.ipynb": RELEASE for name in ("ada", "bo", "cy")})
    assert count == ["submitted"]


def test_what_is_remembered_cannot_be_handed_in(here: Path, collect: Collect) -> None:
    forged = {f"{ADA}/problems.ipynb": RELEASE, f"{ADA}/.collected/ps1.json": b"{}", f"{ADA}/ps1.json": b"{}"}
    collect(forged)
    remembered = json.loads((here / "submitted/.collected/ps1.json").read_text())["students"]
    assert remembered["ada-lovelace"]["prefix"] == f"{ADA}/"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nothing.zip"], "there is no file nothing.zip."),
        (["empty"], "empty holds nothing to collect."),
        (["nbgrader_config.py"], "nbgrader_config.py is not a zip file that can be read"),
        (["release", "--assignment", "ps9"], "The course has no assignment ps9. It has: ps1."),
    ],
)
def test_what_was_typed_wrong_is_one_sentence(
    arguments: list[str], sentence: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "empty").mkdir()
    assert main(["collect", *arguments]) == 1
    assert sentence in capsys.readouterr().err


def test_outside_of_a_course_nothing_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["collect", "."]) == 1
    assert os.listdir(tmp_path) == []
