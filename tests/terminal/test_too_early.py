"""A step done too early, with a wrong name or in the wrong order is one sentence with the next step."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from autograder.terminal.too_early import problem

Do = Callable[[Path], object]


def _command(root: Path, name: str, *arguments: str, student: str = "*", **config: Any) -> str:
    """What the command says before it starts; `name` as it is typed."""
    kind = type("".join(part.title() for part in name.split("_")) + "App", (SimpleNamespace,), {})
    settings = Config({"Exchange": {"root": str(root / "exchange")}, "ExchangeFactory": {}, **config})
    coursedir = CourseDirectory(root=str(root), course_id="derivatives", student_id=student)
    app = kind(name=f"nbgrader-{name.replace('_', '-')}", coursedir=coursedir, extra_args=list(arguments))
    app.config = settings
    return problem(app)


def source(root: Path) -> None:
    (root / "source" / "ps1").mkdir(parents=True)
    (root / "source" / "ps1" / "problems.ipynb").touch()


def release(root: Path) -> None:
    (root / "release" / "ps1").mkdir(parents=True)


def gradebook(root: Path) -> None:
    book = sqlite3.connect(root / "gradebook.db")
    book.execute("CREATE TABLE assignment (name TEXT)")
    book.execute("INSERT INTO assignment VALUES ('ps1')")
    book.commit()
    book.close()


def released(root: Path) -> None:
    (root / "exchange" / "derivatives" / "outbound" / "ps1").mkdir(parents=True)
    (root / "exchange" / "derivatives" / "inbound").mkdir()


def handed_in(root: Path) -> None:
    (root / "submitted" / "ada" / "ps1").mkdir(parents=True)
    (root / "submitted" / "ada" / "ps1" / "problems.ipynb").touch()


def empty_handed(root: Path) -> None:
    (root / "submitted" / "ada" / "ps1").mkdir(parents=True)


def graded(root: Path) -> None:
    (root / "autograded" / "ada" / "ps1").mkdir(parents=True)


def pages(root: Path) -> None:
    (root / "feedback" / "ada" / "ps1").mkdir(parents=True)


TOO_EARLY: list[tuple[str, tuple[Do, ...], str]] = [
    ("generate_assignment ps1", (), "There is no folder {root}/source/ps1 with assignments in it: run the command"),
    ("generate_assignment", (source,), "Say which assignment: nbgrader generate_assignment ps1 (source/ holds ps1)."),
    ("generate_assignment ps9", (source,), "There is no assignment ps9: source/ holds ps1."),
    ("release_assignment ps9", (source,), "There is no assignment ps9: source/ holds ps1."),
    (
        "release_assignment ps1",
        (source,),
        "release/ps1 is not there yet: run `nbgrader generate_assignment ps1` first.",
    ),
    (
        "release_assignment ps1",
        (source, release, released),
        "ps1 is released already: `nbgrader release_assignment ps1",
    ),
    ("collect ps1", (source,), "ps1 has not been released, so nobody can have handed it in: run `nbgrader release_"),
    ("collect ps9", (source, released), "There is no assignment ps9: source/ holds ps1."),
    ("collect ps1", (source, released), "Nobody has handed in ps1 yet: {root}/exchange/derivatives/inbound holds no"),
    ("autograde ps1", (source,), "Nobody has handed in ps1, because there is no folder submitted/<student>/ps1: run"),
    ("autograde ps9", (source,), "There is no assignment ps9: source/ holds ps1."),
    ("autograde ps1", (source, handed_in), "ps1 is not in the gradebook yet: run `nbgrader generate_assignment ps1`"),
    ("autograde ps1", (source, gradebook, empty_handed), "No submission of ps1 holds a notebook, so there is nothing"),
    ("generate_feedback ps1", (source,), "Nothing of ps1 is graded yet: run `nbgrader autograde ps1` first."),
    ("generate_feedback ps9", (source, graded), "There is no assignment ps9: source/ holds ps1."),
    ("release_feedback ps1", (source, graded), "There are no feedback pages of ps1 yet: run `nbgrader generate_"),
    ("release_feedback ps1", (source, pages), "There is no exchange folder {root}/exchange: `nbgrader release_assign"),
    ("list", (source,), "There is no exchange folder {root}/exchange: `nbgrader release_assignment ps1` makes it"),
    ("export", (source,), "There is nothing to export, because no assignment is in the gradebook {root}/gradebook.db"),
    ("validate", (source,), "Say which notebook: nbgrader validate source/ps1/problems.ipynb."),
    ("validate nosuch.ipynb", (source,), "There is no notebook nosuch.ipynb: there is source/ps1/problems.ipynb."),
]


@pytest.mark.parametrize(("typed", "done", "told"), TOO_EARLY, ids=[f"{t[0]} {len(t[1])}" for t in TOO_EARLY])
def test_too_early_or_under_a_wrong_name(typed: str, done: tuple[Do, ...], told: str, tmp_path: Path) -> None:
    for step in done:
        step(tmp_path)
    said = _command(tmp_path, *typed.split())
    assert said.startswith(told.format(root=tmp_path))
    assert "\n" not in said


IN_TIME: list[tuple[str, tuple[Do, ...]]] = [
    ("generate_assignment ps1", (source,)),
    ("release_assignment ps1", (source, release)),
    ("autograde ps1", (source, gradebook, handed_in)),
    ("autograde ps1", (gradebook, handed_in)),  # the source need not be on the machine that grades
    ("generate_feedback ps1", (source, graded)),
    ("release_feedback ps1", (source, pages, released)),
    ("list", (released,)),
    ("export", (gradebook,)),
    ("submit ps1", ()),  # a student's command
]


@pytest.mark.parametrize(("typed", "done"), IN_TIME, ids=[f"{t[0]} {len(t[1])}" for t in IN_TIME])
def test_a_command_that_has_something_to_work_on_is_not_stopped(
    typed: str, done: tuple[Do, ...], tmp_path: Path
) -> None:
    for step in done:
        step(tmp_path)
    assert _command(tmp_path, *typed.split()) == ""


def test_a_student_who_has_not_handed_in_is_told_with_those_who_have(tmp_path: Path) -> None:
    for step in (source, gradebook, handed_in):
        step(tmp_path)
    said = _command(tmp_path, "autograde", "ps1", student="bob")
    assert said == ("bob has not handed in ps1: there is no folder submitted/bob/ps1. Look at the name; ada handed in.")


def test_a_release_that_is_forced_and_an_exchange_that_is_no_folder_are_not_asked(tmp_path: Path) -> None:
    for step in (source, release, released):
        step(tmp_path)
    forced = {"ExchangeReleaseAssignment": {"force": True}}
    assert _command(tmp_path, "release_assignment", "ps1", **forced) == ""
    elsewhere = {"ExchangeFactory": {"collect": "ngshare_exchange.ExchangeCollect"}}
    assert _command(tmp_path, "collect", "ps1", **elsewhere) == ""


def test_a_gradebook_that_cannot_be_asked_now_stops_nothing_here(tmp_path: Path) -> None:
    """It is locked, or of another version: the command itself waits for it, or says what is wrong."""
    handed_in(tmp_path)
    file = tmp_path / "gradebook.db"
    file.write_text("not a database")
    assert _command(tmp_path, "autograde", "ps1") == ""
    file.unlink()
    with closing(sqlite3.connect(file)) as book:
        book.execute("CREATE TABLE another_version (name TEXT)")
        book.commit()
        assert _command(tmp_path, "autograde", "ps1") == ""
        book.execute("BEGIN EXCLUSIVE")
        assert _command(tmp_path, "autograde", "ps1") == ""
