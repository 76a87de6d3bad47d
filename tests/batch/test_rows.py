"""The rows of a gradebook as plain data: nothing is lost on the way to a private gradebook and back."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from nbgrader.api import Gradebook
from sqlalchemy import event

from autograder.batch import rows
from autograder.gradebook.reading import GradebookError


@pytest.fixture
def book() -> Iterator[Gradebook]:
    """A course with an assignment of two notebooks and every kind of cell, and another assignment."""
    gradebook = Gradebook("sqlite://", "derivatives")
    gradebook.add_assignment("ps1", duedate="2026-01-01 12:00:00")
    gradebook.add_assignment("ps2")
    for notebook in ("a", "b"):
        gradebook.add_notebook(notebook, "ps1", kernelspec='{"name": "python3"}')
        gradebook.add_grade_cell("test", notebook, "ps1", max_score=4, cell_type="code")
        gradebook.add_grade_cell("essay", notebook, "ps1", max_score=2, cell_type="markdown")
        gradebook.add_solution_cell("essay", notebook, "ps1")
        gradebook.add_solution_cell("answer", notebook, "ps1")
        gradebook.add_task_cell("task", notebook, "ps1", max_score=3, cell_type="markdown")
        gradebook.add_source_cell(
            "test", notebook, "ps1", cell_type="code", source="assert True", checksum="1", locked=True
        )
    gradebook.add_notebook("c", "ps2")
    yield gradebook
    gradebook.close()


def _submit(gradebook: Gradebook, student: str, **about: str) -> Any:
    with gradebook.db.no_autoflush:  # SQLAlchemy warns otherwise, as it does of nbgrader's own command
        return gradebook.add_submission("ps1", student, **about)


def _all(gradebook: Gradebook, student: str = "ada") -> Any:
    with gradebook.engine.connect() as connection:
        found = {**rows.of_course(connection, "ps1"), **rows.of_student(connection, "ps1", student)}
    return json.loads(json.dumps(found))


def _private_and_adas_rows(book: Gradebook) -> tuple[rows.Private, rows.Rows]:
    book.add_student("ada")
    _submit(book, "ada")
    book.db.commit()
    with book.engine.connect() as connection:
        course, theirs = rows.of_course(connection, "ps1"), rows.of_student(connection, "ps1", "ada")
    return rows.private(course, "derivatives"), theirs


def test_a_private_gradebook_has_the_rows_of_the_assignment_and_of_the_student_alone(book: Gradebook) -> None:
    book.add_student("ada", first_name="Ada", email="ada@example.org")
    book.add_student("bo")
    _submit(book, "bo")
    submission = _submit(book, "ada", timestamp="2026-01-02 13:14:15")
    submission.extension = timedelta(days=2, seconds=7)
    submission.notebooks[0].grades[0].manual_score = 1.5
    submission.notebooks[0].comments[0].manual_comment = "Σ well done"
    book.db.commit()
    known = _all(book)
    private = rows.private({name: known[name] for name in known if name not in ("student",)}, "derivatives")
    with private.engine.begin() as connection:
        rows.put(connection, {"student": known["student"]})
    assert _all(private) == known
    again = private.find_submission("ps1", "ada")
    assert (again.timestamp, again.extension) == (datetime(2026, 1, 2, 13, 14, 15), timedelta(days=2, seconds=7))
    assert again.max_score == submission.max_score == 18
    assert [a.name for a in private.assignments] == ["ps1"]
    assert [s.id for s in private.students] == ["ada"]


def test_an_assignment_that_is_not_in_the_gradebook_is_named_with_what_to_do(book: Gradebook) -> None:
    with book.engine.connect() as connection, pytest.raises(GradebookError, match="generate_assignment ps9"):
        rows.of_course(connection, "ps9")


def test_a_new_submission_is_what_nbgrader_makes_of_one(book: Gradebook) -> None:
    with book.engine.connect() as connection:
        course, nobody = rows.of_course(connection, "ps1"), rows.of_student(connection, "ps1", "ada")
    assert not any(nobody.values())
    made = rows.with_submission(course, "ada", nobody)
    book.update_or_create_student("ada")
    _submit(book, "ada")
    theirs = _all(book)
    assert _without_ids(made) == _without_ids({name: theirs[name] for name in made})
    with book.engine.connect() as connection:
        known = rows.of_student(connection, "ps1", "ada")
    assert rows.with_submission(course, "ada", known) == known


def _without_ids(found: Any) -> Any:
    """The rows by what they point at, because their ids are drawn by chance."""
    notebooks = {row["id"]: row["notebook_id"] for row in found["submitted_notebook"]}

    def plain(row: dict[str, Any]) -> Any:
        kept = {name: value for name, value in row.items() if name not in ("id", "assignment_id")}
        kept["notebook_id"] = notebooks.get(row.get("notebook_id", ""), row.get("notebook_id"))
        return sorted(kept.items(), key=repr)

    return {name: sorted(map(plain, found[name]), key=repr) for name in found}


def test_saving_writes_what_has_changed_and_leaves_what_somebody_else_has_written(book: Gradebook) -> None:
    book.add_student("ada")
    submission = _submit(book, "ada")
    with book.engine.connect() as connection:
        before = rows.of_student(connection, "ps1", "ada")
    after = json.loads(json.dumps(before))
    for row in after["grade"]:
        row["auto_score"], row["needs_manual_grade"] = 2.0, False
    book.db.execute(rows.update(rows.api.Grade.__table__).values(manual_score=1.0))
    book.db.commit()
    with book.engine.begin() as connection:
        rows.save(connection, before, after)
    book.db.expire_all()
    grades = [grade for notebook in submission.notebooks for grade in notebook.grades]
    assert {(g.auto_score, g.manual_score, g.needs_manual_grade) for g in grades} == {(2.0, 1.0, False)}


def test_a_private_gradebook_holds_one_student_after_the_other_and_what_it_has_read_of_none_is_left(
    book: Gradebook,
) -> None:
    known = {}
    for student in ("ada", "bo"):
        book.add_student(student)
        _submit(book, student).notebooks[0].grades[0].manual_score = float(len(student))
        book.db.commit()
        known[student] = _all(book, student)
    with book.engine.connect() as connection:
        private = rows.private(rows.of_course(connection, "ps1"), "derivatives")
        theirs = {student: rows.of_student(connection, "ps1", student) for student in known}
    for student in ("ada", "bo", "ada"):
        private.hold(theirs[student])
        assert _all(private, student) == known[student]
        with private.engine.connect() as connection:
            assert rows.of_the_student(connection) == theirs[student]
        (submission,) = private.assignment_submissions("ps1")
        given = {grade.manual_score for notebook in submission.notebooks for grade in notebook.grades}
        assert (submission.student_id, given) == (student, {None, float(len(student))})
    private.hold({})
    assert private.assignment_submissions("ps1") == []


def test_a_mark_that_a_person_has_given_since_is_read_when_the_same_student_is_held_again(book: Gradebook) -> None:
    """Also where what was read before is still there, and its transaction was committed."""
    private, theirs = _private_and_adas_rows(book)
    private.hold(theirs)
    before = [grade for notebook in private.find_submission("ps1", "ada").notebooks for grade in notebook.grades]
    private.db.commit()
    private.hold({**theirs, "grade": [row | {"manual_score": 1.5} for row in theirs["grade"]]})
    after = [grade for notebook in private.find_submission("ps1", "ada").notebooks for grade in notebook.grades]
    assert {grade.id for grade in before} == {grade.id for grade in after}
    assert {grade.manual_score for grade in after} == {1.5}


def test_no_other_students_rows_are_looked_through_or_grading_a_class_would_take_quadratic_time(
    book: Gradebook,
) -> None:
    book.add_student("ada")
    _submit(book, "ada")
    book.db.commit()
    asked: list[Any] = []
    event.listen(book.engine, "before_cursor_execute", lambda *said: asked.append(said[2:4]))
    with book.engine.connect() as connection:
        found = rows.of_student(connection, "ps1", "ada")
        queries = list(asked)
        plans = [
            row[3]
            for query in queries
            for row in connection.exec_driver_sql("EXPLAIN QUERY PLAN " + query[0], query[1])
        ]
    assert all(found.values())
    assert len(queries) == len(found)
    assert not {f"SCAN {table}" for table in found} & set(plans), plans


def test_what_was_read_of_a_student_is_not_read_again_until_the_next_one_is_held(book: Gradebook) -> None:
    private, theirs = _private_and_adas_rows(book)
    read: list[str] = []
    event.listen(private.engine, "before_cursor_execute", lambda *about: read.append(about[2]))
    for _ in range(2):
        private.hold(theirs)
        for again in (False, True):
            read.clear()
            submission = theirs["submitted_assignment"][0]
            handed_in = private.db.get(rows.api.SubmittedAssignment, submission["id"])
            assert handed_in.assignment.name == "ps1"
            del handed_in  # nobody holds it
            gc.collect()
            assert any(query.startswith("SELECT") for query in read) is not again
