"""Feedback pages go back under the names that Moodle and Canvas know; nobody gets an old page or another's."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from autograder.__main__ import main
from tests.collecting.downloads import ADA, course, work, zipped

Run = Callable[..., str]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(course(tmp_path / "course"))
    return tmp_path / "course"


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
        time = here / "submitted" / student / "ps1" / "timestamp.txt"
        (folder / "timestamp.txt").write_text(time.read_text())


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


def test_a_second_time_writes_the_same_and_keeps_no_page_that_is_none_any_more(here: Path, run: Run) -> None:
    collected(run, "ada/problems.ipynb")
    generated(here, "ada")
    (here / "feedback-ps1").mkdir()
    (here / "feedback-ps1" / "gone.html").write_text("of last week")
    for _ in range(2):
        run("feedback", "ps1")
        assert [p.name for p in (here / "feedback-ps1").iterdir()] == ["ada.html"]


def test_with_nobody_to_serve_it_says_so(here: Path, run: Run) -> None:
    assert run("feedback", "ps1", ends=1) == "Nobody has handed in ps1.\n"
