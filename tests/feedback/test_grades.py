"""What a page needs from the gradebook: the same whether it is read for one notebook or for the class."""

from __future__ import annotations

from pathlib import Path

import pytest
from nbgrader.api import Gradebook, MissingEntry
from sqlalchemy import event

from autograder.feedback import grades
from autograder.feedback.grades import Grades, Mark, Sums
from autograder.gradebook import reading
from tests.feedback.course import COMMENT, STUDENT, Course

pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")  # nbgrader's own, while the course is made


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    return Course(tmp_path_factory.mktemp("hw"))


def of_class(course: Course) -> dict[tuple[str, str], Grades]:
    with reading.opened(course.url, "hw") as session:
        return grades.of_class(session, "hw")


def test_the_grades_of_a_class_are_those_of_each_notebook(course: Course) -> None:
    found = of_class(course)
    assert sorted(found) == [(STUDENT, name) for name in ("lost", "mixed", "reading", "words")]
    with Gradebook(course.url) as book:
        for (student, notebook), of in found.items():
            assert grades.read(book, notebook, "hw", student) == of
        with pytest.raises(MissingEntry, match="no grades of mixed of hw by nobody: grade it first"):
            grades.read(book, "mixed", "hw", "nobody")
    mixed, words = found[STUDENT, "mixed"], found[STUDENT, "words"]
    assert mixed.name == "Ada <i>Lovelace</i>"
    assert mixed.marks["b-hidden"] == Mark(8 / 3, 8.0)
    assert mixed.sums == Sums("mixed", 41 / 3, 34.0, 1.5)
    assert mixed.unanswered == {"c"}
    assert mixed.given == {"a-given", *(name for name in mixed.marks)}
    assert words.marks == {"essay": Mark(4.5, 5.0, by_person=True), "task": Mark(0.0, 4.0, pending=True)}
    assert words.comments == {"essay": COMMENT}
    assert [sums.notebook for sums in words.assignment] == ["lost", "mixed", "reading", "words"]


def test_a_class_is_read_in_five_queries_however_large_it_is(course: Course, tmp_path: Path) -> None:
    asked: list[str] = []
    with reading.opened(course.url, "hw") as session:
        event.listen(session.get_bind(), "before_cursor_execute", lambda *sent: asked.append(sent[2]))
        grades.of_class(session, "hw")
        assert len(asked) == 5
        assert grades.of_class(session, "another") == {}


def test_a_digest_tells_any_other_grades_and_is_the_same_every_time(course: Course) -> None:
    first, again = of_class(course), of_class(course)
    assert {key: of.digest() for key, of in first.items()} == {key: of.digest() for key, of in again.items()}
    with Gradebook(course.url) as book:
        book.find_comment("d", "mixed", "hw", STUDENT).manual_comment = "Look again."
        book.find_submission_notebook("words", "hw", STUDENT).late_submission_penalty = 0.5
        book.db.commit()
    changed = of_class(course)
    # The sums of all notebooks stand on each page.
    assert all(changed[key].digest() != of.digest() for key, of in first.items())
