"""What a submission lacks is told only where it lacks it."""

from __future__ import annotations

from markupsafe import Markup
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_notebook

from autograder.feedback import lacking, texts
from autograder.feedback.grades import Grades, Mark, Sums
from autograder.feedback.questions import questions
from tests.feedback.course import lost, unread, words


def sources(notebook: NotebookNode) -> list[str]:
    return [cell.source for cell in notebook.cells]


def titles(notebook: NotebookNode) -> list[str]:
    marks = {name: Mark(0, 1) for name in ("q1-check", "q1-hidden", "q2-hidden")}
    grades = Grades("ada", "", marks, {}, frozenset(), frozenset({"setup"}), Sums("lost", 0, 3, 0))
    made = questions(notebook, grades, lambda cell: cell.source.startswith("## Question"), unread=True)
    return [texts.plain(Markup(one.title)) for one in made if one.graded]


def test_the_note_of_grading_is_found_and_taken_out_and_one_that_a_student_wrote_beside_an_answer_is_not() -> None:
    notebook = unread(lost())
    notebook.cells.insert(0, words().cells[1])  # an answer that earns points itself is added back when it is missing
    note = notebook.cells[-1].source
    assert lacking.unreadable(notebook) == "line 3 is not JSON"
    assert note not in sources(notebook)
    for others in (lost().cells, [new_markdown_cell("More.")], [new_markdown_cell(note)]):
        written = new_notebook(cells=[*others, new_markdown_cell(note)])
        assert lacking.unreadable(written) == ""
        assert sources(written)[-1] == note


def test_headings_come_from_the_source_notebook_if_none_is_left() -> None:
    notebook, course = unread(lost()), lost().cells
    lacking.add_headings(notebook, course, lambda cell: cell in course)
    assert titles(notebook) == ["Question 1", "Question 2"]
    before = sources(notebook)
    lacking.add_headings(notebook, course, lambda cell: cell.source in before)
    assert sources(notebook) == before


def test_without_any_heading_the_names_of_the_tests_tell_the_questions_apart() -> None:
    assert titles(unread(lost())) == ["q1", "q2"]
