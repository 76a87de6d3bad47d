"""What graders have graded is saved whole, once, and never over what a person has written meanwhile."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from nbgrader.api import Gradebook
from nbgrader.coursedir import CourseDirectory

from autograder.batch import rows
from autograder.batch.save import Saving


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Gradebook]:
    gradebook = Gradebook(f"sqlite:///{tmp_path}/gradebook.db")
    gradebook.add_assignment("ps1")
    gradebook.add_notebook("hw", "ps1")
    gradebook.add_grade_cell("test", "hw", "ps1", max_score=4, cell_type="code")
    yield gradebook
    gradebook.close()


def _saving(tmp_path: Path, *, dry: bool = False, groupshared: bool = False) -> Saving:
    courses = CourseDirectory(root=str(tmp_path), groupshared=groupshared)
    return Saving(SimpleNamespace(coursedir=courses), "ps1", dry=dry)


def _graded(saving: Saving, book: Gradebook, student: str, score: float) -> tuple[Any, Any]:
    """An order, and what a grader says that has given `score`."""
    with book.engine.connect() as connection:
        course = rows.of_course(connection, "ps1")
    order = saving.fresh(book, {"student": student, "assignment": "ps1"})
    book.db.rollback()
    after = rows.with_submission(course, student, order["rows"])
    graded = {**after, "grade": [{**row, "auto_score": score} for row in after["grade"]]}
    said = {"rows": graded, "into": order["into"] + "/grader"}
    folder = saving.made(order, said)
    folder.mkdir(parents=True)
    (folder / "hw.ipynb").write_text(f"{score}")
    return order, said


def _scores(book: Gradebook) -> dict[str, float]:
    book.db.expire_all()
    return {s.student.id: s.score for s in book.assignment_submissions("ps1")}


def test_rows_of_several_are_saved_and_their_folders_put_in_place(book: Gradebook, tmp_path: Path) -> None:
    saving = _saving(tmp_path)
    both = [_graded(saving, book, name, score) for name, score in (("ada", 4.0), ("bo", 1.0))]
    outcome = saving.save(book, both)
    assert outcome.saved == both
    for order, said in both:
        saving.put_in_place(order, said)
    assert _scores(book) == {"ada": 4.0, "bo": 1.0}
    assert (tmp_path / "autograded" / "bo" / "ps1" / "hw.ipynb").read_text() == "1.0"
    saving.end()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["autograded", "gradebook.db"]


def test_one_whose_rows_a_person_has_changed_is_not_saved_and_the_others_are(book: Gradebook, tmp_path: Path) -> None:
    saving = _saving(tmp_path)
    saving.save(book, [_graded(saving, book, "ada", 2.0)])
    ada, bo = _graded(saving, book, "ada", 4.0), _graded(saving, book, "bo", 1.0)
    book.find_submission("ps1", "ada").notebooks[0].grades[0].manual_score = 3.0
    book.db.commit()
    outcome = saving.save(book, [ada, bo])
    assert (outcome.saved, outcome.changed, outcome.refused) == ([bo], [ada[0]], [])
    assert _scores(book) == {"ada": 3.0, "bo": 1.0}
    again = saving.fresh(book, ada[0])
    assert again["rows"]["grade"][0]["manual_score"] == 3.0
    assert (again["tries"], again["into"] == ada[0]["into"]) == (2, False)


def test_one_that_the_gradebook_does_not_take_is_named_and_the_others_are_saved(
    book: Gradebook, tmp_path: Path
) -> None:
    saving = _saving(tmp_path)
    ada, bo, chen = (_graded(saving, book, name, 1.0) for name in ("ada", "bo", "chen"))
    bo[1]["rows"]["grade"][0]["needs_manual_grade"] = None  # the column refuses it
    outcome = saving.save(book, [ada, bo, chen])
    assert outcome.saved == [ada, chen]
    ((order, why),) = outcome.refused
    assert order is bo[0]
    assert "the gradebook does not take it: NOT NULL constraint failed" in why
    assert _scores(book) == {"ada": 1.0, "chen": 1.0}


def test_text_that_no_column_can_hold_is_refused_like_what_the_database_refuses(
    book: Gradebook, tmp_path: Path
) -> None:
    saving = _saving(tmp_path)
    ada, bo = (_graded(saving, book, name, 1.0) for name in ("ada", "bo"))
    bo[1]["rows"]["student"][0]["first_name"] = "\ud800"  # an error of Python's, as PostgreSQL's driver raises for NUL
    outcome = saving.save(book, [bo, ada])
    assert outcome.saved == [ada]
    assert [order for order, _ in outcome.refused] == [bo[0]]
    assert _scores(book) == {"ada": 1.0}


def test_a_graded_folder_is_replaced_and_one_that_failed_leaves_none(book: Gradebook, tmp_path: Path) -> None:
    saving = _saving(tmp_path)
    for score in (1.0, 2.0):
        saving.put_in_place(*_graded(saving, book, "ada", score))
    graded = tmp_path / "autograded" / "ada" / "ps1" / "hw.ipynb"
    assert graded.read_text() == "2.0"
    order, said = _graded(saving, book, "ada", 3.0)
    saving.put_in_place(order, {**said, "into": order["into"] + "/nothing"})
    assert not graded.parent.exists()


def test_a_dry_run_changes_nothing(book: Gradebook, tmp_path: Path) -> None:
    saving = _saving(tmp_path, dry=True)
    one = _graded(saving, book, "ada", 4.0)
    assert saving.save(book, [one]).saved == [one]
    saving.put_in_place(*one)
    saving.end()
    assert _scores(book) == {}
    assert [path.name for path in tmp_path.iterdir()] == ["gradebook.db"]


def test_folders_that_a_group_shares_get_nbgraders_permissions(book: Gradebook, tmp_path: Path) -> None:
    saving = _saving(tmp_path, groupshared=True)
    saving.put_in_place(*_graded(saving, book, "ada", 4.0))
    for folder in ("autograded", "autograded/ada"):
        assert stat.S_IMODE((tmp_path / folder).stat().st_mode) & 0o2770 == 0o2770


def test_what_a_killed_run_has_left_aside_is_removed(tmp_path: Path) -> None:
    saving = _saving(tmp_path)
    aside = saving.made({"student": "ada"}, {"into": saving._aside("token")})
    aside.mkdir(parents=True)
    _saving(tmp_path)
    assert list(tmp_path.iterdir()) == []
