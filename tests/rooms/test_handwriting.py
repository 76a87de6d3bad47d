"""An answer that a person marks reaches that person: its picture, and the text although its cell lost its mark."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from PIL import Image, ImageDraw

from autograder.sandbox.limits import LANDLOCK, NAMESPACES
from tests.rooms.course import Course, Submission, find
from tests.rooms.test_sameness import formgrader

pytestmark = pytest.mark.course

POINTS = {"cell_type": "markdown", "grade": True, "grade_id": "words", "locked": False, "points": 5, "solution": True}


LEVELS = (NAMESPACES, LANDLOCK)
SEE = "See ![my scan](scan%20%281%29.jpg)\n\nand ![pasted](attachment:scan(1).png)"


def _picture(kind: str, size: tuple[int, int], **options: int) -> bytes:
    """Noise below a line of writing, as hard to press together as a photo of a sheet."""
    image = Image.effect_noise(size, 30).convert("RGB")
    ImageDraw.Draw(image).text((size[0] // 10, size[1] // 5), f"my {kind}", "black", font_size=size[1] // 5)
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def _photo(folder: Path) -> None:
    data = _picture("JPEG", (3400, 2550), quality=80)
    assert 2_000_000 < len(data) < 5_000_000
    (folder / "scan (1).jpg").write_bytes(data)


def _shows(notebook: NotebookNode) -> None:
    words = find(notebook, "words")
    words.source = SEE
    words.attachments = {"scan(1).png": {"image/png": base64.b64encode(_picture("PNG", (400, 200))).decode()}}


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
    for level in LEVELS:
        made.hand_in(f"photo-{level}", Submission(edit=_shows, files=_photo))
        made.hand_in(f"moved-{level}", Submission(edit=_moved))
        made.hand_in(f"deleted-{level}", Submission(edit=_deleted))
        made.run("autograde", "ps1", f"--student=*-{level}", f"--Engine.isolation={level}")
    made.run("generate_feedback", "ps1")
    return made


@pytest.mark.parametrize("level", LEVELS)
def test_a_photo_beside_the_notebook_is_shown_to_whoever_marks_and_to_the_student(course: Course, level: str) -> None:
    assert '<img src="data:image/jpeg;base64,' in find(course.graded(f"photo-{level}"), "words").source
    page = course.page(f"photo-{level}")
    for kind in ("jpeg", "png"):
        assert f'src="data:image/{kind};base64,' in page
    assert len(page) < 2_500_000


@pytest.mark.browser
@pytest.mark.filterwarnings("ignore::ResourceWarning")  # the log of the server, closed with it
def test_the_real_formgrader_displays_a_photo_and_a_pasted_picture(course: Course, browser: Any) -> None:
    with Gradebook(f"sqlite:///{course.root}/gradebook.db") as gradebook:
        shown = [gradebook.find_submission_notebook("problems", "ps1", f"photo-{level}").id for level in LEVELS]
    with formgrader(course.root) as (address, token):
        page = browser.new_page()
        page.route("**/*", lambda route: route.continue_() if route.request.url.startswith(address) else route.abort())
        page.goto(f"{address}/login?token={token}", timeout=180_000)
        for notebook in shown:
            page.goto(f"{address}/formgrader/submissions/{notebook}", timeout=180_000)
            for alt, width in (("my scan", 1600), ("pasted", 400)):
                picture = page.locator(f"img[alt='{alt}']")
                picture.wait_for(timeout=180_000)
                assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") == width
                assert picture.bounding_box()["width"] > 300
            page.locator("#words").wait_for(timeout=180_000)  # the field for the points
        page.close()


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", ["photo", "moved", "deleted"])
def test_no_answer_for_a_person_gets_points_by_itself(course: Course, name: str, level: str) -> None:
    with Gradebook(f"sqlite:///{course.root}/gradebook.db") as gradebook:
        grade = gradebook.find_grade("words", "problems", "ps1", f"{name}-{level}")
        assert (grade.auto_score, grade.needs_manual_grade) == (None, True)


@pytest.mark.parametrize("level", LEVELS)
def test_an_answer_in_a_new_cell_is_the_one_that_is_marked(course: Course, level: str) -> None:
    assert find(course.graded(f"moved-{level}"), "words").source == "Because the gate is closed."
    assert find(course.graded(f"deleted-{level}"), "words").source == "YOUR ANSWER HERE"
