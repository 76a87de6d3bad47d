"""What a test may borrow, read from the course's cells; and what was found out, kept and read again."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.rooms import ways
from autograder.rooms.course_cells import CourseCell, CourseCells
from autograder.rooms.ways import Way


def cell(name: str, source: str, *, locked: bool = True, grade: bool = False) -> CourseCell:
    return CourseCell(name, "code", source, "", locked, grade, not locked, False, 1.0, None)


def course(test: str, given: str = "", theirs: str = "") -> CourseCells:
    made = [cell("given", given), cell("ans", theirs, locked=False), cell("t", test, grade=True)]
    return CourseCells({one.name: one for one in made}, {})


@pytest.mark.parametrize("source", ["q1.check()", "q1.grade(8, seed='a')", "# words\nq1.grade(points=8, seed=3)"])
def test_a_test_that_only_asks_questions_is_known_for_one(source: str) -> None:
    assert ways.asks_only(cell("t", source, grade=True))
    assert ways.read(Path("nowhere"), "hw", course(source, theirs="q1 = 3"))["t"] == Way()


@pytest.mark.parametrize(
    "source",
    ["q1.grade(8, seed=f())", "x = q1.check()", "f(3)", "q1.check(); assert f(3)", "%time q1.check()", "q1.grade"],
)
def test_any_other_test_is_not(source: str) -> None:
    assert not ways.asks_only(cell("t", source, grade=True))


@pytest.mark.parametrize(
    ("test", "given", "theirs", "names"),
    [
        ("assert f(3) == 9", "", "def f(n): ...", {"f"}),
        ("assert eval('f(3)') == 9 and globals()['g']", "", "f = g = h = 1", {"f", "g"}),
        ("%%time\nassert f(3)", "", "def f(n): ...", {"f"}),
        ("# g\nassert f(3)", "", "f = g = 1", {"f"}),
        ("helper(3)", "def helper(n):\n    return f(n)\ndef other(n):\n    return g(n)", "f = g = 1", {"f"}),
        ("assert np.ones(f(2)).sum()", "import numpy as np", "import numpy as np\nf = 1", {"f"}),
        ("assert close(f(2))", "def close(x): ...", "def close(x): ...\nf = 1", {"close", "f"}),
        ("assert get_ipython() and exit and In", "", "get_ipython = exit = In = 1", set()),
        ("assert f(2)", "", "", set()),
    ],
)
def test_an_untried_test_may_borrow_what_it_names_and_a_students_cell_gives(
    test: str, given: str, theirs: str, names: set[str]
) -> None:
    way = ways.read(Path("nowhere"), "hw", course(test, given, theirs))["t"]
    assert set(way.names) == names
    assert not way.tried
    assert not way.closed
    assert way.asked == ()


def test_what_students_cells_import_is_imported_and_never_borrowed() -> None:
    theirs = (
        "import numpy as np\nimport os.path\nfrom math import sqrt as root\nfrom cmath import *\nfrom mine import f"
    )
    made = course("assert np.allclose(root(f(os.sep)), exp(1))", theirs=theirs)
    way = ways.first(made.cells["t"], made)
    assert set(way.names) == {"exp"}
    assert way.imports == (
        *(("f", "mine", "f"), ("np", "numpy", ""), ("os", "os.path", ""), ("root", "math", "sqrt"), ("*", "cmath", "")),
    )


def test_what_a_cell_of_the_courses_gives_later_is_not_taken_from_the_student() -> None:
    cells = [
        *(cell("ans", "def close(x): ...\ndef f(x): ...", locked=False), cell("given", "def close(x): ...")),
        cell("t", "assert close(f(3))", grade=True),
    ]
    made = CourseCells({one.name: one for one in cells}, {})
    assert ways.first(made.cells["t"], made).rebound == ("f",)


@pytest.mark.parametrize(
    ("test", "inside"),
    [
        ("import inspect\nassert 'for' not in inspect.getsource(f)", True),
        ("assert 'sum' not in f.__code__.co_names", True),
        ("import builtins\nbuiltins.sum = None\nf(1)", True),
        ("from unittest.mock import patch\nwith patch('numpy.sum'): f(1)", True),
        ("def sum(xs): raise AssertionError\nf(1)", True),
        ("import contextlib\nwith contextlib.redirect_stdout(out): f(1)", True),
        ("dis = f(1)\nassert dis == 3", False),
        ("v = V(1)\nv.x = 3\nassert v.x == 3", False),
    ],
)
def test_a_test_that_stand_ins_would_pass_by_mistake_runs_inside(test: str, inside: bool) -> None:
    made = course(test)
    assert ways.reaches_inside(made.cells["t"], made) == inside


def test_a_built_in_name_is_borrowed_where_students_write_it() -> None:
    way = ways.read(Path("nowhere"), "hw", course("assert sum([1]) == 1", theirs="def sum(xs): ..."))["t"]
    assert way.names == ("sum",)


def test_what_was_found_out_holds_while_the_test_is_the_same(tmp_path: Path) -> None:
    file, found = ways.file_of(tmp_path, "ps2"), Way(("f",), (("V", "__eq__"),), closed=True)
    ways.write(file, "hw", "abc", {"t": ("f(3)", found)})
    ways.write(file, "other", "def", {})
    assert ways.read(file, "hw", course("f(3)"))["t"] == found
    assert ways.known(file, "hw", "abc")
    assert not ways.known(file, "hw", "abd")
    assert ways.read(file, "hw", course("f(4)", theirs="f = 1"))["t"] == Way(("f",), tried=False)


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"hw": 3}', '{"hw": {"tests": {"t": {"source": 3}}}}', '{"hw": {"tests": []}}']
)
def test_a_damaged_file_is_as_if_nothing_had_been_tried(tmp_path: Path, text: str) -> None:
    file = ways.file_of(tmp_path, "ps2")
    file.write_text(text)
    assert ways.read(file, "hw", course("f(3)", theirs="f = 1"))["t"] == Way(("f",), tried=False)
    ways.write(file, "hw", "abc", {"t": ("f(3)", Way(("f",)))})
    assert ways.read(file, "hw", course("f(3)"))["t"] == Way(("f",))


def test_a_run_says_what_was_never_tried_and_what_runs_inside() -> None:
    assert ways.told({"a": Way()}) == []
    said = ways.told({"a": Way(tried=False), "b": Way(closed=True), "c": Way(closed=True)})
    assert [line.rpartition(": ")[2] for line in said] == ["a. Run `nbgrader generate_assignment` again.", "b, c."]
