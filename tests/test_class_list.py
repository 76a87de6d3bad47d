"""A class list as spreadsheets and learning systems write it is read, or its wrong line is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.class_list import RosterError, Student, UserNames, read
from autograder.collecting import roster as collecting
from autograder.gradebook.roster import NAMES

ADA = Student("ada", "Ada", "Lovelace", "ada@example.org")


def listed(
    tmp_path: Path, text: str, column: str = "", encoding: str = "utf-8", names: UserNames = NAMES
) -> list[Student]:
    file = tmp_path / "class.csv"
    file.write_bytes(text.encode(encoding))
    return read(file, names, column)


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
@pytest.mark.parametrize("names", [NAMES, collecting.NAMES], ids=["roster", "collect"])
def test_the_headings_delimiters_and_encodings_of_spreadsheets_and_moodle_are_read(
    tmp_path: Path, text: str, encoding: str, names: UserNames
) -> None:
    assert listed(tmp_path, text, encoding=encoding, names=names) == [ADA]


def test_the_gradebook_of_canvas_is_read_by_its_login(tmp_path: Path) -> None:
    text = 'Student,ID,SIS Login ID,PS1\n,,,Manual Posting\n    Points Possible,,,9\n"Lovelace, Ada",4711,ada,1\n'
    assert listed(tmp_path, text) == [Student("ada", "Ada", "Lovelace", lms_user_id="4711")]


def test_an_id_is_the_number_of_canvas_only_beside_the_columns_of_canvas(tmp_path: Path) -> None:
    assert listed(tmp_path, "username,id\nada,4711\n") == [Student("ada")]


def test_the_grading_worksheet_of_moodle_gives_the_number_of_a_hidden_name(tmp_path: Path) -> None:
    text = "Identifier,Full name,Email address\nParticipant 17,,ada@example.org\n"
    known = Student("ada", email="ada@example.org", participant="17")
    assert listed(tmp_path, text, names=collecting.NAMES) == [known]
    with pytest.raises(RosterError, match="no column with the user names"):
        listed(tmp_path, text)


def test_who_has_neither_user_name_nor_address_is_found_by_the_name(tmp_path: Path) -> None:
    text = "email,first_name,last_name\nada@example.org,Ada,Lovelace\n,Bo,Bee\n"
    assert listed(tmp_path, text, names=collecting.NAMES) == [ADA, Student("bo-bee", "Bo", "Bee")]
    with pytest.raises(RosterError, match="line 3: the user name is missing"):
        listed(tmp_path, "email,first_name\nada@example.org,Ada\n,,x\n", names=collecting.NAMES)


def test_a_full_name_is_taken_apart_and_the_id_number_of_moodle_is_found(tmp_path: Path) -> None:
    assert listed(tmp_path, "Full name,ID number\nAda King Byron,0815\n") == [Student("0815", "Ada King", "Byron")]


def test_a_full_name_fills_the_column_that_is_not_there(tmp_path: Path) -> None:
    for text in ("id,first name,name\nada,Ada,Lovelace\n", "id,surname,name\nada,Lovelace,Ada Lovelace\n"):
        assert listed(tmp_path, text) == [Student("ada", "Ada", "Lovelace")]
    assert listed(tmp_path, "id,first,last,name\nada,Ada,,Ada\n") == [Student("ada", "Ada")]


def test_another_column_can_be_named(tmp_path: Path) -> None:
    assert listed(tmp_path, "Matrikel-Nr.,First name\n0815,Ada\n", "Matrikel-Nr.") == [Student("0815", "Ada")]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("Vorname,Name\nAda,L\n", "line 1: no column with the user names; the headings are Vorname, Name."),
        ("username,email\n,ada@example.org\n", "line 2: the user name is missing"),
        ("username\nada\nbo\nada\n", "line 4: ada stands in line 2 too"),
        ("username\n../../etc\n", "line 2: '../../etc' cannot be a user name"),
        ("username\na+b\n", "line 2: 'a\\+b' cannot be a user name"),
        ("username,first\nada," + "x" * 200, "line 2: 'ada' cannot be a user name"),
        ("username,group\n,B\n", "line 2: the user name is missing"),
        ("username\n", "holds no student"),
        ("username\nada\n" + "x" * 140_000, "line 3: not CSV"),
        ("", "line 1: no column with the user names; the headings are missing"),
    ],
)
def test_a_line_that_cannot_be_used_is_named(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(RosterError, match=sentence):
        listed(tmp_path, text)


@pytest.mark.parametrize("name", ["a:b", "_a", "a."])
def test_collect_refuses_what_cannot_name_a_folder_everywhere(tmp_path: Path, name: str) -> None:
    assert listed(tmp_path, f"username\n{name}\n") == [Student(name)]
    with pytest.raises(RosterError, match="cannot be a user name") as said:
        listed(tmp_path, f"username\n{name}\n", names=collecting.NAMES)
    assert "--id" not in str(said.value)
    assert listed(tmp_path, "username\na+b\n", names=collecting.NAMES) == [Student("a+b")]


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(RosterError, match="is not UTF-8 text"):
        listed(tmp_path, "username,last\nbela,Bart\u00f3k\n", encoding="latin-1")
    with pytest.raises(RosterError, match=r"none.csv cannot be read"):
        read(tmp_path / "none.csv", NAMES)
