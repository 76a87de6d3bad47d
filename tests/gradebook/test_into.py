"""`autograder grades --into` fills in a file of Canvas's or Moodle's as its importer reads it, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from autograder.__main__ import main
from tests.gradebook.importers import Canvas, Refused, Worksheet, moodle_gradebook

CANVAS = (
    "Student,ID,SIS User ID,SIS Login ID,Section,ps1 (4711),ps2 (4712),Final Score,Notes\r\n"
    ",,,,,Manual Posting,,,\r\n"
    "    Points Possible,,,,,28.00,2.00,(read only),\r\n"
    '"Lovelace, Ada",101,S1,ada,"Maths, A",,1.5,97.20,"said ""later"""\r\n'
    '"Bartók, Béla",102,S2,bela,"Maths, A",12.00,2.00,50.00,\r\n'
    "Chen,103,S3,chen,M,,,,\r\n"
    '"Zed, Z",104,S4,zed,M,EX,,,\r\n'
    '"Student, Test",105,,8f3a,M,,,,\r\n'
)
WORKSHEET = (
    "\ufeffIdentifier,Full name,ID number,Email address,Status,Grade,Maximum Grade,Grade can be changed,"
    "Last modified (submission),Last modified (grade),Feedback comments\n"
    'Participant 17,Ada Lovelace,,ADA@example.org,Submitted for grading,,"28,00",Yes,'
    '"Monday, 30 November 2026","-","a\nb"\n'
    'Participant 18,Béla Bartók,bela,,No submission,"3,00","28,00",Yes,-,-,\n'
    'Participant 19,Nobody,,nobody@example.org,No submission,,"28,00",Yes,-,-,\n'
)


def fill(file: Path, text: str | bytes, *more: str) -> int:
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return main(["grades", "ps1", "--into", str(file), *more])


def differing(before: str, after: str) -> list[tuple[int, int]]:
    """Line and column (by commas) of what has changed."""
    pairs = zip(before.splitlines(), after.splitlines(), strict=True)
    return [
        (line, column)
        for line, (old, new) in enumerate(pairs)
        for column, (a, b) in enumerate(zip(old.split(","), new.split(","), strict=True))
        if a != b
    ]


def test_canvas_changes_the_grades_that_are_final_and_nothing_else(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = here / "canvas.csv"
    assert fill(file, CANVAS) == 1
    after = file.read_bytes().decode()
    assert after == CANVAS.replace('ada,"Maths, A",,', 'ada,"Maths, A",28.00,')
    canvas = Canvas(28, {"101": "", "102": "12.0", "103": "", "104": "EX", "105": ""})
    canvas.read(file.read_bytes(), "ps1 (4711)")
    assert (canvas.points, canvas.changes) == (28, {"101": "28.00"})
    said = capsys.readouterr().out
    assert f"{file} (Canvas's gradebook), column ps1 (4711): 1 filled in, 0 changed, 0 as they were." in said
    for why in (
        "because a person still has to mark cells: bela.",
        "because nothing was handed in: chen.",
        "because the file says EX: zed.",
        "because nobody of the gradebook has this user name or address: line 8 (Student, Test 105).",
    ):
        assert f"Left as it was, {why}" in said


def test_a_grade_that_is_the_same_at_two_decimals_keeps_its_bytes(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = CANVAS.replace('ada,"Maths, A",,', 'ada,"Maths, A",28.001,').replace("zed,M,EX,", "zed,M,7,")
    fill(here / "canvas.csv", text)
    assert (here / "canvas.csv").read_bytes().decode() == text.replace("zed,M,7,", "zed,M,0.00,")
    said = capsys.readouterr().out
    assert "0 filled in, 1 changed, 1 as they were." in said
    assert "Changed: zed 7 → 0.00." in said


def test_canvas_with_semicolons_and_decimal_commas_reads_what_was_meant(here: Path) -> None:
    rows = [line.replace("Maths, A", "Maths").replace(", ", " ") for line in CANVAS.splitlines()]
    text = "\n".join(line.replace(",", ";") for line in rows)
    text = re.sub(r"(\d)\.(\d)", r"\1,\2", text) + "\n"
    fill(here / "canvas.csv", text)
    canvas = Canvas(28, {"101": "", "102": "12.0", "104": "EX"})
    canvas.read((here / "canvas.csv").read_bytes(), "ps1 (4711)")
    assert (canvas.points, canvas.changes) == (28, {"101": "28.00"})
    assert ";28,00;" in (here / "canvas.csv").read_text()


def test_other_points_than_the_gradebooks_are_named(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fill(here / "canvas.csv", CANVAS.replace(",28.00,2.00,(read only)", ",100.00,2.00,(read only)"))
    said = capsys.readouterr().out
    assert "Canvas's gradebook has 100 points for it and the gradebook 28: grades are written as points" in said


@pytest.mark.parametrize(
    ("headings", "column"),
    [
        (("Identifier", "Grade", "Last modified (grade)"), ()),
        (("ID", "Bewertung", "Zuletzt geändert (Bewertung)"), ("--column", "Bewertung")),
    ],
)
def test_moodles_worksheet_is_read_in_any_language(
    here: Path, headings: tuple[str, str, str], column: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    text = WORKSHEET.replace("Identifier", headings[0]).replace("Last modified (grade)", headings[2])
    text = text.replace(",Grade,", f",{headings[1]},")
    assert fill(here / "sheet.csv", text, *column) == 1
    after = (here / "sheet.csv").read_bytes()
    assert after.decode() == text.replace('grading,,"28,00"', 'grading,"28,00","28,00"')
    moodle = Worksheet(headings, 28, ",")
    moodle.read(after)
    assert moodle.grades == {"Participant 17": 28, "Participant 18": 3}
    assert "(Participant 19 Nobody)" in capsys.readouterr().out


def test_a_grade_that_moodle_would_leave_out_without_a_word_is_named(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = WORKSHEET.replace('"28,00"', '"20,00"')
    assert fill(here / "sheet.csv", text) == 1
    assert (here / "sheet.csv").read_bytes().decode() == text
    assert "because Moodle takes at most 20 points and leaves such a line out without a word: ada." in (
        capsys.readouterr().out
    )


def test_moodles_gradebook_is_taken_whole_by_its_import(here: Path) -> None:
    text = (
        "First name,Surname,Email address,Assignment: ps1 (Real),Assignment: ps10 (Real),Assignment: ps1 (Feedback)\n"
        "Ada,Lovelace,ada@example.org,-,5.00,\nSomebody,Else,else@example.org,-,-,\n"
    )
    assert fill(here / "grades.csv", text) == 1
    after = (here / "grades.csv").read_bytes()
    assert after.decode() == text.replace("ada@example.org,-", "ada@example.org,28.00")
    people = {"ada@example.org", "else@example.org"}
    assert moodle_gradebook(after, "Email address", "Assignment: ps1 (Real)", people) == {"ada@example.org": 28}
    with pytest.raises(Refused):
        moodle_gradebook(after, "Email address", "Assignment: ps1 (Real)", {"ada@example.org"})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (CANVAS.replace("ps1 (4711)", "Homework (4711)"), 'it may be one of: "Homework (4711)", "ps2 (4712)"'),
        (CANVAS.replace("ps2 (4712)", "ps1 (4712)"), 'it may be one of: "ps1 (4711)", "ps1 (4712)"'),
        (WORKSHEET.replace(",Grade,", ",Note,"), "has no single column for Grade. Name it with --column"),
        (
            CANVAS.replace("ada,", "x1,").replace("bela,", "x2,").replace("chen,", "x3,").replace("zed,", "x4,"),
            "No line",
        ),
        (CANVAS.encode("latin-1"), "is not UTF-8 text"),
        (CANVAS.replace("Chen,", '"Chen"x,'), "line 6: not CSV"),
        ("", "has no single column"),
    ],
)
def test_a_file_that_cannot_be_filled_in_is_left_with_the_reason(
    here: Path, text: str | bytes, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fill(here / "file.csv", text) == 1
    assert said in capsys.readouterr().err
    assert (here / "file.csv").read_bytes() == (text if isinstance(text, bytes) else text.encode())


def test_who_has_two_lines_or_shares_one_is_not_graded_by_guess(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    twice = CANVAS + "Ada again,109,S9,ada,M,,,,\r\n"
    both = CANVAS.replace("104,S4,zed", "104,ada,zed").replace("M,EX", "M,")
    assert fill(here / "twice.csv", twice) == fill(here / "both.csv", both) == 1
    said = capsys.readouterr().out
    assert "because ada has 2 lines: line 4 (Lovelace, Ada 101), line 9 (Ada again 109)." in said
    assert "because it names ada and zed: line 7" in said
    assert (here / "twice.csv").read_bytes().decode() == twice


def test_a_first_name_is_nobodys_user_name(here: Path) -> None:
    top = "First name,Surname,Email address,Assignment: ps1 (Real)"
    text = f"{top}\nZed,Other,other@example.org,-\nA,L,ada@example.org,-\n"
    assert fill(here / "grades.csv", text) == 1
    assert (here / "grades.csv").read_text() == text.replace("ada@example.org,-", "ada@example.org,28.00")


def test_another_file_is_written_on_wish_and_a_utf16_one_stays_so(here: Path) -> None:
    text = "\ufeff" + CANVAS.replace(",", "\t").replace("Maths\t A", "Maths, A").replace("\t ", ", ")
    assert fill(here / "in.csv", text.encode("utf-16-le"), "--to", "out.csv") == 1
    assert (here / "in.csv").read_bytes() == text.encode("utf-16-le")
    after = (here / "out.csv").read_bytes().decode("utf-16-le")
    assert after == text.replace('ada\t"Maths, A"\t\t', 'ada\t"Maths, A"\t28.00\t')
