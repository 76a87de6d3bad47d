"""A class list as spreadsheets and learning systems write it goes into the gradebook, or its wrong line is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.__main__ import main
from autograder.gradebook.roster import RosterError, Student, read_roster

ADA = Student("ada", {"first_name": "Ada", "last_name": "Lovelace", "email": "ada@example.org"})


def listed(tmp_path: Path, text: str, column: str = "", encoding: str = "utf-8") -> list[Student]:
    file = tmp_path / "class.csv"
    file.write_bytes(text.encode(encoding))
    return list(read_roster(file, column))


@pytest.mark.parametrize(
    "text",
    [
        "username,first_name,last_name,email\nada,Ada,Lovelace,ada@example.org\n",
        "id,email,last_name,first_name\nada,ada@example.org,Lovelace,Ada\n\n,,\n",
        "First name;Surname;Username;Email address\r\nAda;Lovelace;ada;ada@example.org\r\n",
        "USERNAME\tFirst Name\tFamily name\tE-Mail\nada\tAda\tLovelace\tada@example.org",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_the_headings_delimiters_and_encodings_of_spreadsheets_and_moodle_are_read(
    tmp_path: Path, text: str, encoding: str
) -> None:
    assert listed(tmp_path, text, encoding=encoding) == [ADA]


def test_the_gradebook_of_canvas_is_read_by_its_login(tmp_path: Path) -> None:
    text = 'Student,ID,SIS Login ID,Section\n    Points Possible,,,\n"Lovelace, Ada",4711,ada,1\n'
    known = {"last_name": "Lovelace", "first_name": "Ada", "lms_user_id": "4711"}
    assert listed(tmp_path, text) == [Student("ada", known)]


def test_a_full_name_is_taken_apart_and_the_id_number_of_moodle_is_found(tmp_path: Path) -> None:
    known = {"last_name": "Byron", "first_name": "Ada King"}
    assert listed(tmp_path, "Full name,ID number\nAda King Byron,0815\n") == [Student("0815", known)]


def test_another_column_can_be_named(tmp_path: Path) -> None:
    assert listed(tmp_path, "Matrikel-Nr.,First name\n0815,Ada\n", "Matrikel-Nr.") == [
        Student("0815", {"first_name": "Ada"})
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("Vorname,Name\nAda,L\n", "line 1: no column with the user names; the headings are Vorname, Name."),
        ("username,email\n,ada@example.org\n", "line 2: the user name is missing"),
        ("username\nada\nbo\nada\n", "line 4: ada stands in line 2 too"),
        ("username\n../../etc\n", "line 2: '../../etc' cannot be a user name"),
        ("username\na+b\n", "line 2: 'a\\+b' cannot be a user name"),
        ("username,first\nada," + "x" * 200, "line 2: 'ada' cannot be a user name"),
        ("username\n", "holds no student"),
        ("", "line 1: no column with the user names; the headings are missing"),
    ],
)
def test_a_line_that_cannot_be_used_is_named(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(RosterError, match=sentence):
        listed(tmp_path, text)


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(RosterError, match="is not UTF-8 text"):
        listed(tmp_path, "username,last\nbela,Bart\u00f3k\n", encoding="latin-1")
    with pytest.raises(RosterError, match=r"none.csv cannot be read"):
        list(read_roster(tmp_path / "none.csv"))


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


def test_a_wrong_list_changes_nothing(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (here / "gradebook.db").read_bytes()
    (here / "class.csv").write_text("username\nnew\nnew\n")
    assert main(["roster", "class.csv"]) == 1
    assert "class.csv, line 3: new stands in line 2 too" in capsys.readouterr().err
    assert (here / "gradebook.db").read_bytes() == before
