"""Feedback pages go back under the names that Moodle and Canvas know; nobody gets an old page or another's."""

from __future__ import annotations

import json
import os
import shutil
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from autograder.__main__ import main
from autograder.collecting import give_back
from autograder.collecting.place import Memory
from tests.collecting.downloads import ADA, unpacked, work, zipped

Run = Callable[..., str]


@pytest.fixture
def run(here: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def command(*arguments: str, ends: int = 0) -> str:
        assert main(arguments) == ends
        return capsys.readouterr().out

    return command


def collected(run: Run, *names: str) -> None:
    """Each name's own download, so that Moodle's, Canvas's and others' can be in one course."""
    for number, name in enumerate(names):
        Path("download.zip").write_bytes(zipped({name: work(str(number))}))
        run("collect", "download.zip")


def generated(here: Path, *students: str) -> None:
    """What `nbgrader generate_feedback` leaves: the pages, and the time of the work that they are of."""
    for student in students:
        folder = here / "feedback" / student / "ps1"
        folder.mkdir(parents=True, exist_ok=True)
        for notebook in ("problems", "examples"):
            (folder / f"{notebook}.html").write_text(f"{notebook} of {student}")
        dated = here / "submitted" / student / "ps1" / "timestamp.txt"
        (folder / "timestamp.txt").write_text(dated.read_text())


def pages(path: Path) -> dict[str, str]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def test_each_system_gets_its_own_names_and_everybody_else_a_file(here: Path, run: Run) -> None:
    flat = "Bo Bee_2_assignsubmission_file_"
    late = "deedora_LATE_12345_67890_problems-1"
    collected(run, f"{ADA}/problems (1).ipynb", f"{flat}problems.ipynb", f"{late}.ipynb", "fay/problems.ipynb")
    generated(here, "ada-lovelace", "bo-bee", "deedora", "fay")
    said = run("feedback", "ps1")
    assert pages(here / "feedback-ps1-moodle.zip") == {
        f"{ADA}/problems.html": "problems of ada-lovelace",
        f"{flat}problems.html": "problems of bo-bee",
    }
    assert pages(here / "feedback-ps1-canvas.zip") == {f"{late}.html": "problems of deedora"}
    assert {p.name: p.read_text() for p in (here / "feedback-ps1").iterdir()} == {"fay.html": "problems of fay"}
    assert "feedback-ps1-moodle.zip: 2 pages. In Moodle: " in said


def test_whoever_has_no_page_of_the_latest_work_is_named_and_the_others_get_theirs(here: Path, run: Run) -> None:
    collected(run, "ada/problems.ipynb", "bo/problems.ipynb", "cy/problems.ipynb")
    generated(here, "ada", "bo")
    (here / "submitted" / "bo" / "ps1" / "timestamp.txt").write_text("2026-11-21 00:00:00 UTC")
    (here / "submitted" / "dee" / "ps1").mkdir(parents=True)
    said = run("feedback", "ps1", "--to", "out", ends=1)
    assert "NO PAGE  dee: nothing to give feedback on: submitted/dee/ps1 holds no problems.ipynb" in said
    assert [p.name for p in (here / "out" / "feedback-ps1").iterdir()] == ["ada.html"]
    assert "NO PAGE  bo: the page is of earlier work" in said
    assert "NO PAGE  cy: there is no feedback page: nbgrader autograde ps1, then" in said


def graded(here: Path, *students: str) -> None:
    """What `nbgrader autograde` leaves."""
    for student in students:
        folder = here / "autograded" / student / "ps1"
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(here / "submitted" / student / "ps1" / "problems.ipynb", folder / "problems.ipynb")
        (folder / "problems.ipynb").touch()


FORCED = " ps1 --student=ada --force"


def test_a_page_is_of_earlier_work_also_if_the_later_work_has_an_earlier_date(here: Path, run: Run) -> None:
    source = unpacked({"ada/problems.ipynb": work("1")}, here.parent / "1", age=100)
    run("collect", str(source))
    generated(here, "ada")
    source = unpacked({"ada/problems.ipynb": work("2")}, here.parent / "2", age=200)
    said = run("collect", str(source), "--replace")
    assert f"nbgrader autograde{FORCED}\n      nbgrader generate_feedback{FORCED}" in said
    said = run("feedback", "ps1", ends=1)
    assert (
        f"NO PAGE  ada: the page is of earlier work: nbgrader autograde{FORCED}, then autograder feedback ps1" in said
    )
    assert not (here / "feedback-ps1").exists()
    generated(here, "ada")
    run("feedback", "ps1")


def test_a_page_is_of_earlier_work_also_if_both_are_dated_alike(
    here: Path, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    """As those are that were both downloaded after the due date."""
    collected(run, f"{ADA}/problems.ipynb")
    graded(here, "ada-lovelace")
    generated(here, "ada-lovelace")
    time.sleep(0.02)  # more than a tick of the disk's clock
    Path("download.zip").write_bytes(zipped({f"{ADA}/problems.ipynb": work("2")}))
    said = run("collect", "download.zip", "--replace")
    assert "nbgrader generate_feedback ps1 --student=ada-lovelace --force" in said
    capsys.readouterr()
    for made_anew, why in (
        (None, "of earlier work: nbgrader autograde ps1 --student=ada-lovelace --force, then"),
        (generated, "of earlier work: nbgrader autograde ps1 --student=ada-lovelace --force, then"),
        (graded, "older than the grade: autograder feedback ps1"),
        (generated, ""),
    ):
        time.sleep(0.02)
        if made_anew:
            made_anew(here, "ada-lovelace")
        assert give_back.main("ps1", Path()) == (1 if why else 0)
        said = capsys.readouterr().out
        assert ("NO PAGE" in said) == bool(why)
        assert why in said


def test_work_that_was_first_collected_from_a_folder_goes_back_to_moodle_once_it_came_from_there(
    here: Path, run: Run
) -> None:
    said = run("collect", str(unpacked({"ada-lovelace/problems.ipynb": work()}, here.parent / "1")))
    generated(here, "ada-lovelace")
    assert "1 placed" in said
    Path("download.zip").write_bytes(zipped({f"{ADA}/problems.ipynb": work()}))
    remembered = (here / "submitted/.collected/ps1.json").read_bytes()
    assert "1 as before" in run("collect", "download.zip", "--dry-run")
    assert (here / "submitted/.collected/ps1.json").read_bytes() == remembered
    for source in ("download.zip", str(here.parent / "1")):
        assert "1 as before" in run("collect", source)
        run("feedback", "ps1")
        assert pages(here / "feedback-ps1-moodle.zip") == {f"{ADA}/problems.html": "problems of ada-lovelace"}


@pytest.mark.parametrize("first", [True, False])
def test_where_work_came_from_is_known_also_after_a_run_that_was_killed_before_it_remembered(
    first: bool, here: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not first:
        collected(run, f"{ADA}/other.ipynb")
        generated(here, "ada-lovelace")
        time.sleep(0.02)
    Path("download.zip").write_bytes(zipped({f"{ADA}/problems (2).ipynb": work("2")}))

    def killed(_: Memory) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Memory, "save", killed)
        run("collect", "download.zip", "--replace", ends=130)
    assert "1 as before" in run("collect", "download.zip")
    remembered = json.loads((here / "submitted/.collected/ps1.json").read_text())["students"]["ada-lovelace"]
    assert (remembered["system"], remembered["files"]) == ("moodle", {"problems": "problems (2).ipynb"})
    if not first:
        assert "the page is of earlier work" in run("feedback", "ps1", ends=1)
    generated(here, "ada-lovelace")
    run("feedback", "ps1")
    assert list(pages(here / "feedback-ps1-moodle.zip")) == [f"{ADA}/problems.html"]


def test_work_that_somebody_put_there_by_hand_goes_back_to_moodle_if_it_is_what_came_from_there(
    here: Path, run: Run
) -> None:
    unpacked({"problems.ipynb": work("0")}, here / "submitted/ada-lovelace/ps1", age=100)
    (here / "submitted/ada-lovelace/ps1/timestamp.txt").write_text("2026-11-20 12:00:00 UTC")
    collected(run, f"{ADA}/problems.ipynb")
    generated(here, "ada-lovelace")
    run("feedback", "ps1")
    assert list(pages(here / "feedback-ps1-moodle.zip")) == [f"{ADA}/problems.html"]


def test_what_an_earlier_version_remembered_is_read(here: Path, run: Run) -> None:
    collected(run, f"{ADA}/problems.ipynb")
    file = here / "submitted/.collected/ps1.json"
    held = json.loads(file.read_text())
    del held["students"]["ada-lovelace"]["placed"]
    file.write_text(json.dumps(held, ensure_ascii=False))
    generated(here, "ada-lovelace")
    run("feedback", "ps1")
    assert list(pages(here / "feedback-ps1-moodle.zip")) == [f"{ADA}/problems.html"]


def test_a_name_in_no_encoding_keeps_nobodys_page_back(here: Path, run: Run) -> None:
    odd = os.fsdecode(ADA.replace("Ada", "Zo\xeb").encode("latin-1"))
    source = unpacked({f"{odd}/problems.ipynb": work(), f"{ADA}/problems.ipynb": work()}, here.parent / "dl")
    run("collect", str(source))
    generated(here, "ada-lovelace", "zo-lovelace")
    run("feedback", "ps1")
    zo = ADA.replace("Ada", "Zo?")
    assert list(pages(here / "feedback-ps1-moodle.zip")) == [f"{ADA}/problems.html", f"{zo}/problems.html"]


@pytest.mark.parametrize("where", ["file", "file/in", "out"])
def test_where_nothing_can_be_written_it_is_one_sentence(
    where: str, here: Path, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    collected(run, "ada/problems.ipynb")
    generated(here, "ada")
    unpacked({"file": b"x", "out/feedback-ps1": b"x"}, here)
    assert main(["feedback", "ps1", "--to", where]) == 1
    said = capsys.readouterr().err
    assert "cannot be written (" in said
    assert len(said.splitlines()) == 1
    assert (here / "file").read_bytes() == b"x"


def test_a_second_time_writes_the_same_and_keeps_no_page_that_is_none_any_more(here: Path, run: Run) -> None:
    collected(run, "ada/problems.ipynb")
    generated(here, "ada")
    (here / "feedback-ps1").mkdir()
    (here / "feedback-ps1" / "gone.html").write_text("of last week")
    for _ in range(2):
        run("feedback", "ps1")
        assert [p.name for p in (here / "feedback-ps1").iterdir()] == ["ada.html"]


def test_with_nobody_to_serve_it_says_so(here: Path, run: Run) -> None:
    assert run("feedback", "ps1", ends=1) == (
        "Nobody has handed in ps1: `autograder collect DOWNLOAD` takes what you were sent, `nbgrader collect ps1` "
        "what is in the exchange.\n"
    )
