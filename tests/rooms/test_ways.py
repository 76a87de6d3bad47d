"""What a test may borrow, read from the course's cells; and what was found out, kept and read again."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.rooms import ways
from autograder.rooms.course_cells import CourseCell, CourseCells, Way


def cell(name: str, source: str, *, locked: bool = True, grade: bool = False) -> CourseCell:
    return CourseCell(name, "code", source, "", locked, grade, not locked, False, 1.0, None)


def course(test: str, given: str = "", theirs: str = "") -> CourseCells:
    made = [cell("given", given), cell("ans", theirs, locked=False), cell("t", test, grade=True)]
    return CourseCells({one.name: one for one in made}, {})


@pytest.mark.parametrize("source", ["q1.check()", "q1.grade(8, seed='a')", "# words\nq1.grade(points=8, seed=3)"])
def test_a_test_that_only_asks_questions_is_known_for_one(source: str) -> None:
    assert ways.asks_only(cell("t", source, grade=True))
    assert ways.read(Path("nowhere"), "hw", course(source, theirs="q1 = 3")) == {"t": Way()}


@pytest.mark.parametrize(
    "source",
    ["q1.grade(8, seed=f())", "x = q1.check()", "f(3)", "q1.check(); assert f(3)", "%time q1.check()", "q1.grade"],
)
def test_any_other_test_is_not(source: str) -> None:
    assert not ways.asks_only(cell("t", source, grade=True))


@pytest.mark.parametrize(
    ("test", "given", "names"),
    [
        ("assert f(3) == 9", "", {"f"}),
        ("assert eval('f(3)') == 9 and globals()['g']", "", {"f", "g"}),
        ("%%time\nassert f(3)", "", {"f", "time"}),
        ("# g\nassert f(3)", "", {"f"}),
        ("helper(3)", "def helper(n):\n    return f(n)\ndef other(n):\n    return g(n)", {"f", "n"}),
        ("import numpy as np\nassert np.ones(f(2)).sum()", "import numpy as np", {"f"}),
        ("assert sum(f(2)) == len([1])", "", {"f"}),
    ],
)
def test_an_untried_test_may_borrow_what_it_names_and_the_course_does_not_give(
    test: str, given: str, names: set[str]
) -> None:
    (way,) = ways.read(Path("nowhere"), "hw", course(test, given)).values()
    assert set(way.names) - {"np", "sum_", ""} == names
    assert not way.tried
    assert not way.closed
    assert way.asked == ()


def test_a_built_in_name_is_borrowed_where_students_write_it() -> None:
    (way,) = ways.read(Path("nowhere"), "hw", course("assert sum([1]) == 1", theirs="def sum(xs): ...")).values()
    assert way.names == ("sum",)


def test_what_was_found_out_holds_while_the_test_is_the_same(tmp_path: Path) -> None:
    file, found = ways.file_of(tmp_path, "ps2"), Way(("f",), (("V", "__eq__"),), closed=True)
    ways.write(file, "hw", "abc", {"t": ("f(3)", found)})
    ways.write(file, "other", "def", {})
    assert ways.read(file, "hw", course("f(3)")) == {"t": found}
    assert ways.known(file, "hw", "abc")
    assert not ways.known(file, "hw", "abd")
    assert ways.read(file, "hw", course("f(4)")) == {"t": Way(("f",), tried=False)}


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"hw": 3}', '{"hw": {"tests": {"t": {"source": 3}}}}', '{"hw": {"tests": []}}']
)
def test_a_damaged_file_is_as_if_nothing_had_been_tried(tmp_path: Path, text: str) -> None:
    file = ways.file_of(tmp_path, "ps2")
    file.write_text(text)
    assert ways.read(file, "hw", course("f(3)")) == {"t": Way(("f",), tried=False)}
    ways.write(file, "hw", "abc", {"t": ("f(3)", Way(("f",)))})
    assert ways.read(file, "hw", course("f(3)")) == {"t": Way(("f",))}


def test_a_run_says_what_was_never_tried_and_what_runs_inside() -> None:
    assert ways.told({"a": Way()}) == []
    said = ways.told({"a": Way(tried=False), "b": Way(closed=True), "c": Way(closed=True)})
    assert [line.rpartition(": ")[2] for line in said] == ["a. Run `nbgrader generate_assignment` again.", "b, c."]
