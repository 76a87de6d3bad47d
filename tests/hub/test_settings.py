"""course.yaml is used as it is meant, or refused with file, line and remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from coursehub.roster import Student
from coursehub.settings import HUB, SettingsError, load

GOOD = """\
hub:
  address: http://127.0.0.1:8000
folders:
  state: /var/lib/coursehub
  exchange: /srv/exchange
  courses: /srv/courses
limits:
  memory: 2G
courses:
  calculus:
    port: 9101
    instructors: [prof, ta]
    students:
      - alice
      - bob
  algebra:
    port: 9102
    instructors: [bob]
    students: [prof]
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "course.yaml"
    path.write_text(text)
    return path


def refusal(folder: Path, old: str, new: str) -> str:
    """What is said of the good file with `old` replaced by `new`."""
    assert GOOD.count(old) == 1
    with pytest.raises(SettingsError) as caught:
        load(written(folder, GOOD.replace(old, new)))
    return str(caught.value)


def test_the_example_is_accepted_with_its_defaults():
    example = load(HUB / "course.yaml")
    assert example.courses["derivatives"].grader == "grader-derivatives"
    assert not example.demo
    assert (example.hub_port, example.proxy_port, example.idle_minutes) == (8081, 8001, 60)


def test_a_person_may_teach_one_course_and_take_another(tmp_path):
    settings = load(written(tmp_path, GOOD))
    assert settings.groups_of("bob") == ["formgrade-algebra", "nbgrader-calculus"]
    assert settings.groups_of("alice") == ["nbgrader-calculus"]
    assert settings.groups_of("mallory") == []
    assert settings.people == {"prof", "ta", "alice", "bob"}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("    students:\n      -", "    studnets:\n      -", "line 13: unknown key `studnets`; did you mean `students`?"),
        ("limits:", "quotas:", "line 7: unknown key `quotas`; here stand: hub, folders, limits, courses."),
        ("  memory: 2G", "  memory: 2G\n  color: red", "line 9: unknown key `color`; here stand: memory, cpu, idle"),
        ("  memory: 2G", "  memory: lots", 'line 8: `memory` is `"lots"`, expected an amount of memory such as 2G or'),
        ("  memory: 2G", "  memory: 2", "line 8: `memory` holds the number 2; put it in quotes to make it text."),
        ("  memory: 2G", "  cpu: none", 'line 8: `cpu` is `"none"`, expected a number of processors such as 2 or 0.5.'),
        ("port: 9101", "port: 80", "line 11: `port` is `80`, expected a port between 1024 and 65535."),
        ("port: 9101", "port: yes", 'line 11: `port` is `"yes"`, expected a port between 1024 and 65535.'),
        ("    port: 9101\n", "", "line 10: `port` is missing in `calculus`; add it: a port between 1024 and 65535."),
        ("  state: /var/lib/coursehub\n", "", "line 3: `state` is missing in `folders`; add it: the whole path of a"),
        ("/srv/exchange", "exchange", 'line 5: `exchange` is `"exchange"`, expected the whole path of a folder, such'),
        ("[prof, ta]", "prof", 'line 12: `instructors` is `"prof"`, expected a list of user names such as [prof, ta].'),
        ("[prof, ta]", "[]", "line 12: `instructors` is `[]`, expected a list of user names such as [prof, ta]."),
        ("      - alice", "      - Alice", 'line 14: `students` is `"Alice"`, expected a Linux user name: small letters'),
        ("      - alice", "      - 1234", "line 14: `students` holds the number 1234; put it in quotes to make it text."),
        ("  algebra:", "  Linear Algebra:", "line 16: `Linear Algebra` is not a course id of at most 24 small letters"),
        ("  algebra:", "  101:", "line 16: `101` is not a course id of at most 24 small letters"),
        ("http://127.0.0.1:8000", "localhost", 'line 2: `address` is `"localhost"`, expected an address such as http'),
        ("127.0.0.1:8000", "127.0.0.1:80000", "line 2: the port in `http://127.0.0.1:80000` is not between 1 and"),
        ("limits:\n  memory: 2G", "limits: none", 'line 7: `limits` is `"none"`, expected further keys: memory, cpu, '),
        ("folders:\n  state: /var/lib/coursehub\n  exchange: /srv/exchange\n  courses: /srv/courses\n", "",
         "line 1: `folders` is missing; add it."),
    ],
)  # fmt: skip
def test_what_the_schema_refuses_is_named_with_line_and_remedy(tmp_path, old, new, said):
    assert refusal(tmp_path, old, new).startswith(f"course.yaml {said}")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("port: 9102", "port: 9101", "line 17: port 9101 is already used in line 11; choose another one."),
        ("port: 9102", "port: 8000", "line 17: port 8000 is already used in line 2; choose another one."),
        ("port: 9102", "port: 8081", "line 17: port 8081 is already used in line 1; choose another one."),
        ("      - bob", "      - ta", "line 15: `ta` is an instructor of this course too; remove one, or use a second"),
        ("      - bob", "      - alice", "line 15: `alice` is twice in `students`; remove one."),
        ("      - bob", "      - root", "line 15: `root` is an account of the machine; choose another user name."),
        ("      - bob", "      - grader-algebra", "line 15: `grader-algebra` is an account of the machine; choose"),
        ("  algebra:", "  calculus:", "line 16: `calculus` stands here a second time. Keep one of the two."),
        ("[prof, ta]", "[prof, ta", "line 13: this is not YAML (expected ',' or ']', but got ':'). Look at the"),
        ("[prof]", "[prof]\n    roster: list.csv", "line 20: the roster "),
    ],
)
def test_what_no_schema_sees_is_named_with_line_and_remedy(tmp_path, old, new, said):
    assert refusal(tmp_path, old, new).startswith(f"course.yaml {said}")


def test_a_missing_file_is_named_with_what_to_do(tmp_path):
    with pytest.raises(SettingsError, match=r"course.yaml cannot be read \(No such file.*COURSE_YAML"):
        load(tmp_path / "course.yaml")


@pytest.mark.parametrize("text", ["", "courses", "- courses"])
def test_a_file_without_keys_is_named(tmp_path, text):
    with pytest.raises(SettingsError, match="line 1: expected keys such as `hub:`"):
        load(written(tmp_path, text))


def with_roster(folder: Path, roster: str) -> Path:
    (folder / "list.csv").write_text(roster)
    return written(folder, GOOD + "    roster: list.csv\n")


def test_a_roster_adds_students_with_their_names(tmp_path):
    roster = '\ufeffUsername,first,last,email\ncarol,Carol,"Doe, Jr.",c@example.org\n\ndave,,,\n'
    students = load(with_roster(tmp_path, roster)).courses["algebra"].students
    assert students == (
        Student("prof"),
        Student("carol", "Carol", "Doe, Jr.", "c@example.org"),
        Student("dave"),
    )


@pytest.mark.parametrize(
    ("roster", "said"),
    [
        ("", "list.csv line 1: expected a header such as `username,first_name,last_name,email`."),
        ("name\ncarol\n", "list.csv line 1: expected a header such as"),
        ("username,grade\ncarol,1\n", "list.csv line 1: unknown column `grade`; the columns are username, first_name"),
        ("username\ncarol\nDave\n", "list.csv line 3: `Dave` is not a Linux user name: small letters, digits"),
        ("username\ncarol\ncarol\n", "list.csv line 3: `carol` is in the file twice; remove one line."),
        ("username\nroot\n", "list.csv line 2: `root` is an account of the machine; choose another user name."),
        ("username,email\ncarol,a,b\n", "list.csv line 2: 3 values for 2 columns; quote values that hold a comma."),
        ("username\nbob\n", "`bob` is an instructor of this course and a student in list.csv; remove one of the two."),
    ],
)
def test_a_wrong_roster_is_named_with_both_lines(tmp_path, roster, said):
    with pytest.raises(SettingsError) as caught:
        load(with_roster(tmp_path, roster))
    assert str(caught.value).startswith("course.yaml line 20: ")
    assert said in str(caught.value)
