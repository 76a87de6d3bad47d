"""An answer that a person marks reaches that person: its picture, and the text although its cell lost its mark."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from PIL import Image

from tests.rooms.course import Course, Submission, find

pytestmark = pytest.mark.course

POINTS = {"cell_type": "markdown", "grade": True, "grade_id": "words", "locked": False, "points": 5, "solution": True}


def _photo(folder: Path) -> None:
    out = io.BytesIO()
    Image.effect_noise((3000, 2000), 90).convert("RGB").save(out, "JPEG", quality=90)
    assert len(out.getvalue()) > 1_500_000
    (folder / "scan (1).jpg").write_bytes(out.getvalue())


def _answer(text: str) -> Any:
    def edit(notebook: NotebookNode) -> None:
        find(notebook, "words").source = text

    return edit


def _moved(notebook: NotebookNode) -> None:
    words = find(notebook, "words")
    notebook.cells[notebook.cells.index(words)] = nbformat.v4.new_markdown_cell("Because the gate is closed.")


def _deleted(notebook: NotebookNode) -> None:
    notebook.cells.remove(find(notebook, "words"))


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    made = Course(tmp_path_factory.mktemp("handwriting"))
    source = made.root / "source" / "ps1" / "problems.ipynb"
    notebook = nbformat.read(source, as_version=4)
    marks = {"nbgrader": {**POINTS, "schema_version": 3, "task": False}}
    at = notebook.cells.index(find(notebook, "q1-check"))
    notebook.cells.insert(at + 1, nbformat.v4.new_markdown_cell("Say why.", metadata=marks))
    nbformat.write(notebook, source)
    made.run("generate_assignment", "ps1", "--force")
    made.hand_in("photo", Submission(edit=_answer("See ![my scan](scan%20%281%29.jpg)"), files=_photo))
    made.hand_in("moved", Submission(edit=_moved))
    made.hand_in("deleted", Submission(edit=_deleted))
    made.run("autograde", "ps1")
    made.run("generate_feedback", "ps1")
    return made


def test_a_photo_beside_the_notebook_is_shown_to_whoever_marks_and_to_the_student(course: Course) -> None:
    assert '<img src="data:image/jpeg;base64,' in find(course.graded("photo"), "words").source
    assert 'src="data:image/jpeg;base64,' in course.page("photo")
    assert len(course.page("photo")) < 2_500_000


@pytest.mark.parametrize("name", ["photo", "moved", "deleted"])
def test_no_answer_for_a_person_gets_points_by_itself(course: Course, name: str) -> None:
    with Gradebook(f"sqlite:///{course.root}/gradebook.db") as gradebook:
        grade = gradebook.find_grade("words", "problems", "ps1", name)
        assert (grade.auto_score, grade.needs_manual_grade) == (None, True)


def test_an_answer_in_a_new_cell_is_the_one_that_is_marked(course: Course) -> None:
    assert find(course.graded("moved"), "words").source == "Because the gate is closed."
    assert find(course.graded("deleted"), "words").source == "YOUR ANSWER HERE"
