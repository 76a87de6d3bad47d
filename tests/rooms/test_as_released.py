"""What is run once for all is a notebook that nobody can have changed, and nobody's marks hang on it."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell

from autograder.rooms.as_released import Outputs, is_released
from autograder.rooms.course_cells import CourseCells, Owner, of_notebook
from autograder.rooms.ways import Way
from tests.rooms.small import Small, marked

CHANCE = "import random\nprint(random.random())"
CODE = (CHANCE, "1 + 1")


def course(*cells: nbformat.NotebookNode) -> CourseCells:
    return of_notebook(nbformat.v4.new_notebook(cells=[*cells, new_code_cell("")]))


def holds(cells: list[str], known: CourseCells, files: tuple[str, ...] = (), owner: Owner = Owner.STUDENT) -> bool:
    return is_released(
        [(cell, owner, Way()) for cell in cells], known, files, lambda source: source.partition("###")[0]
    )


def test_the_courses_cells_in_their_places_are_released() -> None:
    known = course(*map(new_code_cell, CODE))
    assert holds([*CODE], known)
    assert holds([*CODE], known, ("timestamp.txt", "submission_secret.txt"))
    assert holds(["1"], course(marked("locked", "1")), owner=Owner.BOTH)


@pytest.mark.parametrize("cells", [[*CODE, "2"], [CODE[0]], [*reversed(CODE)], [CODE[0], "1 + 1 "], []])
def test_a_cell_more_or_less_or_elsewhere_or_other_is_the_students(cells: list[str]) -> None:
    assert not holds(cells, course(*map(new_code_cell, CODE)))


@pytest.mark.parametrize("file", ["random.py", "data/table.csv", "timestamp.txt.py"])
def test_with_a_file_of_the_students_nothing_is_as_it_was_released(file: str) -> None:
    assert not holds([*CODE], course(*map(new_code_cell, CODE)), (file,))


def test_an_answer_is_none_even_if_it_is_the_instructors_own() -> None:
    assert not holds(["x = 1 ### solution"], course(new_code_cell("x = 1 ### solution")))
    assert holds(["x = 1 "], course(new_code_cell("x = 1 ### hidden")))


def test_a_notebook_with_a_test_is_run_for_each() -> None:
    test = marked("test", "assert True", 1)
    assert not is_released([(test.source, Owner.EXAMINER, Way())], course(test), (), str)


def test_where_the_course_has_no_source_nothing_is_released() -> None:
    assert not holds([*CODE], CourseCells({}, {}))


def test_whoever_changes_the_outputs_that_it_gets_changes_nobody_elses() -> None:
    kept, where = Outputs(), {"assignment": "ps1", "notebook": "examples"}
    assert kept.known(where) == []
    kept.keep(where, [[nbformat.v4.new_output("stream", text="1\n2")]])
    kept.known(where)[0][0].text = ["changed"]
    assert kept.known(where)[0][0].text == "1\n2"
    assert kept.known({**where, "notebook": "problems"}) == []


@pytest.mark.course
def test_one_run_serves_those_who_changed_nothing_and_nobody_else(tmp_path: Path) -> None:
    made = Small(tmp_path, new_code_cell(CHANCE), new_markdown_cell("An example."))
    made.generated()
    for student in ("ada", "bela", "cleo", "dora", "emil"):
        folder = made.hand_in(student)
        notebook = nbformat.read(folder / "hw.ipynb", as_version=4)
        if student == "bela":
            notebook.cells[1].source = "A note of my own."
        if student == "cleo":
            notebook.cells.append(new_code_cell("print(random.random())"))
        if student == "dora":
            (folder / "own.py").write_text("x = 1")
        nbformat.write(notebook, folder / "hw.ipynb")
    status, said = made.run("autograde")
    assert status == 0, said
    printed = {}
    for student in ("ada", "bela", "cleo", "dora", "emil"):
        code = [cell for cell in json.loads(made.graded(student))["cells"] if cell["cell_type"] == "code"]
        printed[student] = "".join(code[0]["outputs"][0]["text"])
        assert code[0]["execution_count"] == 1
    assert printed["ada"] == printed["bela"] == printed["emil"]
    assert len(set(printed.values())) == 3
    assert "A note of my own." in made.graded("bela")
