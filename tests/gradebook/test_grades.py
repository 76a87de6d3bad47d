"""`autograder grades` and `nbgrader export` write the whole gradebook, a row a student, and change nothing in it."""

from __future__ import annotations

import csv
import io
import sqlite3
from pathlib import Path

import pytest

from autograder.__main__ import main
from autograder.gradebook import spreadsheet

PS1 = ["q2", "q2-check", "q2-hidden", "q10", "q10-check", "q10-hidden"]


def rows(file: Path) -> dict[str, dict[str, str]]:
    return {row["student_id"]: row for row in spreadsheet.read(file)}


def export(*arguments: str) -> None:
    """nbgrader's own command, with the course's nbgrader_config.py."""
    from nbgrader.apps import ExportApp

    app = ExportApp()
    app.initialize([*arguments])
    try:
        app.start()
    finally:
        app.deinit_logging()


def test_every_student_has_a_row_with_every_question_and_its_parts(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (here / "gradebook.db").read_bytes()
    assert main(["grades", "ps1"]) == 0
    assert capsys.readouterr().out == (
        "Wrote 4 students to grades-ps1.csv\n"
        "Still to be graded by a person, in the formgrader: bela.\n"
        "Handed in nothing: chen.\n"
    )
    found = rows(here / "grades-ps1.csv")
    assert list(found) == ["ada", "bela", "chen", "zed"]
    assert list(found["ada"])[13:] == ["drawing", "essay", *PS1]
    wanted = ["last_name", "first_name", "email", "timestamp", "duedate", "raw_score", "late_submission_penalty"]
    wanted += ["score", "max_score", "handed_in", "needs_manual_grade", "drawing", "essay", "q2", "q2-check", "q10"]
    due = "2026-12-01 18:00:00"
    assert [found["ada"][c] for c in wanted] == [
        *('Love"lace, Countess', "Ada", "ada@example.org", "2026-11-30 10:00:00", due),
        *("28.00", "0.00", "28.00", "28.00", "yes", "no", "3.00", "5.00", "10.00", "2.00", "10.00"),
    ]
    assert [found["bela"][c] for c in wanted] == [
        *("", "Béla", "", "2026-12-02 10:00:00", due),
        *("9.33", "2.50", "6.83", "28.00", "yes", "yes", "1.00", "1.67", "3.33", "0.67", "3.33"),
    ]
    assert [found["chen"][c] for c in wanted] == [
        *("", "", "", "", due, "0.00", "0.00", "0.00", "28.00", "no", "no", "0.00", "0.00", "0.00", "0.00", "0.00")
    ]
    assert [found["zed"][c] for c in ("first_name", "last_name", "email", "essay", "raw_score", "score")] == [
        *("'=cmd|' /c calc'!A1", "' @SUM(A1)", "'-1", "-1.25", "-1.25", "0.00")
    ]
    assert "None" not in (here / "grades-ps1.csv").read_text()
    assert (here / "gradebook.db").read_bytes() == before


def test_nbgraders_export_writes_the_same_for_every_assignment(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["grades", "ps1"])
    export("--to", "grades.csv")
    said = capsys.readouterr().err
    assert "Wrote 4 students, 2 assignments each, to grades.csv" in said
    assert "ps1: Handed in nothing: chen." in said
    assert "ps2: Handed in nothing: ada, bela, chen, zed." in said
    every = spreadsheet.read(here / "grades.csv")
    assert [(r["assignment"], r["student_id"]) for r in every] == [
        (a, s) for a in ("ps1", "ps2") for s in ("ada", "bela", "chen", "zed")
    ]
    one = spreadsheet.read(here / "grades-ps1.csv")
    assert [{k: row[k] for k in one[0]} for row in every[:4]] == one
    # Two notebooks have a cell of the same name, which is that of a column of ours too.
    assert list(every[0])[-2:] == ["one/score", "two/score"]
    assert (every[0]["one/score"], every[4]["one/score"]) == ("", "0.00")
    export("--to", "some.csv", "--assignment", "ps2", "--student", "ada")
    assert [(r["assignment"], r["student_id"]) for r in spreadsheet.read(here / "some.csv")] == [("ps2", "ada")]


def test_a_cell_called_as_a_column_of_ours_gets_a_column_of_its_own(here: Path) -> None:
    book = sqlite3.connect(here / "gradebook.db")
    book.execute("UPDATE base_cell SET name = 'email' WHERE name = 'essay'")
    book.execute("UPDATE base_cell SET name = 'q2' WHERE name = 'drawing'")
    book.commit()
    book.close()
    main(["grades", "ps1"])
    ada = rows(here / "grades-ps1.csv")["ada"]
    assert (ada["email"], ada["email (2)"]) == ("ada@example.org", "5.00")
    assert [ada[c] for c in ("q2", "q2 (2)", "q2-check", "q2-hidden")] == ["13.00", "3.00", "2.00", "8.00"]


def test_standard_output_gets_the_table_and_nothing_else(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["grades", "ps1", "--to", "-", "--student", "bela", "--student", "ada"]) == 0
    said = capsys.readouterr()
    assert [row["student_id"] for row in csv.DictReader(io.StringIO(said.out))] == ["ada", "bela"]
    assert "Still to be graded by a person, in the formgrader: bela." in said.err


def test_work_whose_grading_was_stopped_is_not_for_a_person(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "submitted" / "bela" / "ps1").mkdir(parents=True)
    main(["grades", "ps1"])
    said = capsys.readouterr().out
    assert "Handed in, but not graded yet, so without these marks: bela. Run `nbgrader autograde ps1`" in said
    assert "by a person" not in said
    assert rows(here / "grades-ps1.csv")["bela"]["needs_manual_grade"] == "no"
    (here / "autograded" / "bela" / "ps1").mkdir(parents=True)
    main(["grades", "ps1"])
    said = capsys.readouterr().out
    assert "Still to be graded by a person, in the formgrader: bela." in said
    assert "not graded yet" not in said


def test_work_that_is_not_graded_yet_is_named(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "autograded" / "bela" / "ps1").mkdir(parents=True)
    for name, time in {"chen": "2026-12-01 10:00:00 UTC", "ada": "2026-12-01 10:00:00 UTC", "bela": "nonsense"}.items():
        (here / "submitted" / name / "ps1").mkdir(parents=True)
        (here / "submitted" / name / "ps1" / "timestamp.txt").write_text(time)
    main(["grades", "ps1"])
    said = capsys.readouterr().out
    assert "Handed in, but not graded yet, so without these marks: ada, chen. Run `nbgrader autograde ps1`" in said
    assert "Handed in nothing" not in said
    assert rows(here / "grades-ps1.csv")["chen"]["handed_in"] == "yes"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["ps9"], "the gradebook has no assignment ps9; it has ps1, ps2."),
        (["ps1", "--student", "nobody"], "the gradebook has no student nobody."),
        (["ps1", "--to", "none/x.csv"], "none/x.csv cannot be written: there is no folder"),
    ],
)
def test_what_is_not_there_is_one_sentence(
    here: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    assert main(["grades", *arguments]) == 1
    assert capsys.readouterr().err.startswith(f"autograder grades: {sentence}")
    assert not list(here.glob("*.csv"))


def test_asking_makes_no_gradebook(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "gradebook.db").unlink()
    assert main(["grades", "ps1"]) == 1
    said = capsys.readouterr().err
    assert "there is no gradebook" in said
    assert "`nbgrader generate_assignment ps1` makes the gradebook and `nbgrader autograde ps1` fills it." in said
    with pytest.raises(SystemExit) as left:
        export()
    assert left.value.code == 1
    assert [f.name for f in here.iterdir()] == ["nbgrader_config.py"]


@pytest.mark.parametrize(
    ("contents", "sentence"),
    [(b"", "was made by another version of nbgrader"), (b"no database" * 99, "cannot be read: file is not a database")],
)
def test_a_file_that_is_no_gradebook_is_named(
    here: Path, capsys: pytest.CaptureFixture[str], contents: bytes, sentence: str
) -> None:
    (here / "gradebook.db").write_bytes(contents)
    assert main(["grades", "ps1"]) == 1
    assert sentence in capsys.readouterr().err
    assert (here / "gradebook.db").read_bytes() == contents


def test_grades_from_public_seeds_are_said_to_be_so(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["grades", "ps2"])
    assert "The hidden tests of ps2 still have this project's public seeds" in capsys.readouterr().out
    main(["grades", "ps1"])
    assert "public seeds" not in capsys.readouterr().out
