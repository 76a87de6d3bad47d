"""A class list reaches the gradebook whole, or nothing of it does."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from nbgrader.api import Gradebook

from autograder.__main__ import main


def test_names_reach_the_gradebook_and_nothing_that_is_known_is_lost(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "class.csv").write_text("username,first_name,last_name\nbela,,Bartók\ndora,Dora,D\n", encoding="utf-8")
    assert main(["roster", "class.csv"]) == 0
    assert capsys.readouterr().out == (
        "Read 2 students into gradebook.db: 1 of them new.\n"
        "In the gradebook, but not in class.csv: ada, chen, zed. Nobody was removed.\n"
    )
    main(["grades", "ps1", "--to", "-", "--student", "bela", "--student", "dora"])
    said = capsys.readouterr().out
    assert "bela,Bartók,Béla," in said
    assert "dora,D,Dora," in said


def test_names_under_headings_that_are_not_understood_are_said_to_be_missing(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "class.csv").write_text("Matrikel;Vorname;Nachname\nada;Ada;Adams\n", encoding="utf-8")
    assert main(["roster", "class.csv", "--id", "Matrikel"]) == 0
    said = capsys.readouterr().out
    assert "class.csv has nothing to read as first_name or last_name; its headings are Matrikel, Vorname" in said


def test_a_wrong_list_changes_nothing(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (here / "gradebook.db").read_bytes()
    (here / "class.csv").write_text("username\nnew\nnew\n")
    assert main(["roster", "class.csv"]) == 1
    assert "class.csv, line 3: new stands in line 2 too" in capsys.readouterr().err
    assert (here / "gradebook.db").read_bytes() == before


def test_a_list_that_the_gradebook_cannot_take_leaves_nobody_of_it_behind(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "class.csv").write_text("username,first_name\nada,Changed\nnew,New\n")
    before = (here / "gradebook.db").read_bytes()
    with sqlite3.connect(here / "gradebook.db") as other:
        other.execute("BEGIN IMMEDIATE")
        assert main(["roster", "class.csv"]) == 1
    assert "gradebook.db is held by another process. Nothing was changed" in capsys.readouterr().err
    assert (here / "gradebook.db").read_bytes() == before


def test_a_list_is_not_read_into_a_folder_that_is_no_course(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("class.csv").write_text("username\nada\n")
    assert main(["roster", "class.csv"]) == 1
    assert "is not a course: there is no nbgrader_config.py" in capsys.readouterr().err
    assert [p.name for p in tmp_path.iterdir()] == ["class.csv"]


def test_a_damaged_gradebook_is_one_sentence(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "gradebook.db").write_bytes(b"damaged" * 1000)
    (here / "class.csv").write_text("username\nada\n")
    assert main(["roster", "class.csv"]) == 1
    said = capsys.readouterr().err
    assert "gradebook.db cannot be read: file is not a database." in said
    assert "Traceback" not in said


def test_a_list_comes_before_the_first_gradebook(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "gradebook.db").unlink()
    (here / "class.csv").write_text("username\nada\n")
    assert main(["roster", "class.csv"]) == 0
    assert "Read 1 students into gradebook.db: 1 of them new." in capsys.readouterr().out
    assert main(["roster", "class.csv"]) == 0
    assert "0 of them new" in capsys.readouterr().out


def test_a_name_that_is_no_plain_text_is_not_obeyed_by_the_terminal(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Gradebook(f"sqlite:///{here}/gradebook.db") as gradebook:
        gradebook.add_student("\x1b]0;title\x07mallory")
    (here / "class.csv").write_text("username\nada\n")
    assert main(["roster", "class.csv"]) == 0
    assert "?]0;title?mallory" in capsys.readouterr().out
