"""`autograder check` says what a grader will see, and never more or less; what it says of a file is one sentence."""

from __future__ import annotations

import json
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode

from autograder import messages
from autograder.__main__ import main
from autograder.at_home import fresh_run
from autograder.at_home.fresh_run import Outcome
from autograder.at_home.notebook import expected_name, original_of, read
from autograder.at_home.pack import pack
from autograder.at_home.report import RIGHT, UNANSWERED, UNSEEN, WRONG, Report, report
from autograder.errors import AutograderError
from tests.conftest import FURTHER, QUESTIONS_OF_PS1, ROOT
from tests.rooms.course import find
from tools.sample_class import fill_in, students

RELEASE = ROOT / "release" / "ps1" / "problems.ipynb"


def notebook(folder: Path, student: str = "", change: Callable[[NotebookNode], Any] | None = None) -> Path:
    """`problems.ipynb` in a folder as the kit makes it, with a student's answers."""
    (folder / "original").mkdir(exist_ok=True)
    (folder / "original" / "problems.ipynb").write_bytes(RELEASE.read_bytes())
    content = nbformat.read(RELEASE, as_version=4)
    if student:
        fill_in(content, students()[student])
    if change:
        change(content)
    nbformat.write(content, folder / "problems.ipynb")
    return folder / "problems.ipynb"


def scratch(source: str, ran: int | None = None) -> NotebookNode:
    return nbformat.v4.new_code_cell(source, execution_count=ran)


def reported(path: Path, *outcomes: tuple[str, str, str]) -> Report:
    """The report as if every cell went well, but these (name or beginning of the source, error, text)."""
    made = read(path)
    ended = []
    for cell in made.cells:
        if cell.kind == "code":
            error, text = next(
                ((e, t) for start, e, t in outcomes if start in (cell.name, cell.source[: len(start)])), ("", "")
            )
            ended.append(Outcome(cell, error, text, line=1 if error else None, source="the line" if error else ""))
    return report(made, original_of(made), ended)


def test_a_whole_notebook_is_run_from_a_fresh_python_and_each_question_gets_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def change(content: NotebookNode) -> None:
        at = content.cells.index(find(content, "q2"))
        content.cells.insert(at, scratch("import beside\nfirst = beside.value\nwide = twice(first)", ran=7))
        content.cells.append(scratch("def twice(x):\n    return 2 * x", ran=6))
        find(content, "q1").source = find(content, "q1").source.replace("grad_q1", "gradient_q1")
        find(content, "q5").source = next(c.source for c in released.cells if c.metadata.nbgrader.grade_id == "q5")

    released = nbformat.read(RELEASE, as_version=4)
    (tmp_path / "beside.py").write_text("value = 3\n")
    path = notebook(tmp_path, "chen", change)
    before = path.read_bytes()
    assert main(["check", str(path)]) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert path.read_bytes() == before
    assert "not right There is no function grad_q1" in said
    assert "Q2. A neuron that is on or off right" in said
    assert "not right dfdx is not right at x = 0.2" in said
    assert "not answered grad_q5 is not answered yet" in said
    assert "NameError, line 3: name 'twice' is not defined. twice gets its value further down" in said
    assert "wide = twice(first)" in said
    right = f"2 of {len(QUESTIONS_OF_PS1)} questions"
    assert f"Right at the checks that you can see: {right}. The hidden points are not looked at" in said
    assert f"autograder pack {path} --name YOUR-NAME" in said
    assert "Traceback" not in said
    assert "Before you hand in" not in said


def test_only_a_notebook_with_all_visible_checks_right_ends_in_success(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = notebook(tmp_path, "ada")
    monkeypatch.setattr(fresh_run, "run", lambda made, tell: [Outcome(c) for c in made.cells if c.kind == "code"])
    assert main(["check", str(path)]) == 0
    said = " ".join(capsys.readouterr().out.split())
    count = len(QUESTIONS_OF_PS1)
    assert f" {count} of {count} questions. The hidden points are not looked at here; full marks need them too." in said
    assert f"The file to send: {path}" in said
    assert "Before you hand in" not in said


def test_a_check_that_was_not_run_or_is_gone_is_not_called_right(tmp_path: Path) -> None:
    path = notebook(tmp_path, "ada", lambda content: content.cells.remove(find(content, "q3-check")))
    found = reported(path, ("q1-check", "NameError", "name 'q1' is not defined"))
    assert [q.verdict for q in found.questions] == [WRONG, RIGHT, UNSEEN, RIGHT, RIGHT, RIGHT, *[RIGHT] * len(FURTHER)]
    assert "The check itself stopped with NameError" in found.questions[0].text
    assert not found.passed
    made = read(path)
    died = report(made, None, [Outcome(made.cells[1], error="DeadKernelError", died=True)])
    assert {q.verdict for q in died.questions} == {UNSEEN}
    assert "This cell ended Python itself" in died.stopped[0][0]


def test_not_answered_is_told_from_not_right(tmp_path: Path) -> None:
    blank = messages.BLANK.format(adjoint="dzda", function="grad_q1")
    found = reported(notebook(tmp_path), ("q1-check", "CheckFailed", blank))
    assert found.questions[0].verdict == UNANSWERED
    assert found.questions[0].text == blank


def drop(*names: str) -> Callable[[NotebookNode], None]:
    def change(content: NotebookNode) -> None:
        for name in names:
            content.cells.remove(find(content, name))

    return change


def as_text(content: NotebookNode) -> None:
    cell = find(content, "q5")
    content.cells[content.cells.index(cell)] = nbformat.v4.new_markdown_cell(cell.source, metadata=cell.metadata)


def unmarked(content: NotebookNode) -> None:
    for cell in content.cells:
        cell.metadata = {}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (drop("q4"), "The answer cell of q4 is missing: without it there is no answer. Take a new copy of original/"),
        (drop("q4-check", "q5-hidden"), "The read-only cells q4-check, q5-hidden are missing."),
        (drop("setup"), "The read-only cell setup is missing."),
        (lambda c: find(c, "q2-forward").update(source="pass"), "Read-only cells were changed: q2-forward. The grader"),
        (
            lambda c: c.cells.append(nbformat.from_dict(dict(find(c, "q6"), id="again"))),
            "There is more than one cell q6: the last one",
        ),
        (as_text, "The answer cell of q5 is no code cell any more, so it is not run."),
        (lambda c: c.update(metadata={"language_info": {"name": "R"}}), "The notebook is set to R. Choose Python 3"),
        (unmarked, "None of the course's cells is in this notebook"),
    ],
)
def test_what_would_go_wrong_when_it_is_handed_in_is_said(
    change: Callable[[NotebookNode], Any], sentence: str, tmp_path: Path
) -> None:
    (found,) = reported(notebook(tmp_path, "ada", change)).before
    assert found.startswith(sentence)


def test_a_copy_is_handed_in_under_the_right_name(tmp_path: Path) -> None:
    for name in ("problems (1)", "problems-Copy1", "problems - Copy (2)", "problems copy 2", "problems(1)(2)"):
        assert expected_name(f"{name}.ipynb") == "problems.ipynb"
    for name in ("problems", "problems_1", "copy", "my-problems"):
        assert expected_name(f"{name}.ipynb") == f"{name}.ipynb"
    path = notebook(tmp_path, "ada").rename(tmp_path / "final version.ipynb")
    assert reported(path).before == (
        "The file is called final version.ipynb. Hand it in as problems.ipynb: rename it before you send it.",
    )


@pytest.mark.parametrize(
    "stem", [f"problems{' copy (1)' * 14}x", f"problems{' ' * 60_000}x", f"problems{' copy' * 12_000}x"], ids=len
)
def test_no_name_takes_long_to_read(stem: str) -> None:
    start = time.process_time()
    assert expected_name(f"{stem}.ipynb") == f"{stem}.ipynb"
    assert time.process_time() - start < 1


def test_a_file_to_rename_is_not_the_file_to_send_yet(tmp_path: Path) -> None:
    path = notebook(tmp_path, "ada").rename(tmp_path / "problems (1).ipynb")
    last = reported(path).lines()[-1]
    assert last == f"The file to send, when you have renamed it: {tmp_path / 'problems.ipynb'}"


@pytest.mark.parametrize("kit", [True, False])
def test_the_examples_are_not_graded_and_nothing_is_wrong_with_them(kit: bool, tmp_path: Path) -> None:
    notebook(tmp_path, "ada")
    path = tmp_path / "examples.ipynb"
    path.write_bytes(RELEASE.with_name("examples.ipynb").read_bytes())
    if kit:
        (tmp_path / "original" / "examples.ipynb").write_bytes(path.read_bytes())
    found = reported(path)
    assert found.passed
    assert found.lines()[-1] == "Nothing in examples.ipynb is graded. Check problems.ipynb."
    assert found.before == ()
    assert not reported(path, ("import torch", "NameError", "")).passed


def test_a_notebook_that_lost_its_marks_is_told_so_under_any_name_and_without_the_kits_copy(tmp_path: Path) -> None:
    path = notebook(tmp_path, "ada", unmarked)
    (tmp_path / "original" / "problems.ipynb").unlink()
    for name in ("problems.ipynb", "mine.ipynb"):
        path = path.rename(tmp_path / name)
        found = reported(path)
        assert found.before[-1].startswith("None of the course's cells is in this notebook"), name
        assert not found.passed


@pytest.mark.parametrize(
    ("ran", "errors", "sentence"),
    [
        (4, [], "No cell defines gone: the cell that did was deleted or changed after it was run."),
        (None, [], "name 'gone' is not defined"),
        (4, [nbformat.v4.new_output("error", ename="NameError")], "name 'gone' is not defined"),
    ],
)
def test_that_a_cell_worked_before_is_said_only_if_it_did(
    ran: int | None, errors: list[Any], sentence: str, tmp_path: Path
) -> None:
    cell = scratch("gone + 1", ran)
    cell.outputs = errors
    path = notebook(tmp_path, "ada", lambda content: content.cells.append(cell))
    ((text, source),) = reported(path, ("gone", "NameError", "name 'gone' is not defined")).stopped
    assert text.endswith(sentence)
    assert source == "the line"


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("problems.ipynb", b"", "problems.ipynb is empty (0 bytes)."),
        ("problems.ipynb", b"<!DOCTYPE html><html>", "problems.ipynb is a web page"),
        ("problems.ipynb", b'{"cells": [\n{"cell_ty', "problems.ipynb is not a valid notebook: line 2 cannot be read"),
        ("problems.ipynb", b"\xff\xfe{}", "problems.ipynb is not a valid notebook: line 1 cannot be read"),
        ("problems.ipynb", b"[" * 100_000, "problems.ipynb is not a valid notebook: line 1 cannot be read"),
        ("problems.ipynb", b'{"cells": {"a": 1}}', "problems.ipynb is not a notebook, although its name ends in"),
        ("problems.py", b"x = 1", "problems.py is not a notebook: the name of a notebook ends in .ipynb."),
        ("other.ipynb", b"{}", "There is no file problems.ipynb in"),
    ],
)
def test_a_file_that_is_no_notebook_is_one_sentence(
    name: str, data: bytes, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).write_bytes(data)
    asked = "problems.ipynb" if name == "other.ipynb" else name
    assert main(["check", str(tmp_path / asked)]) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"autograder check: {sentence}")
    assert len(said.splitlines()) == 1


def test_the_released_notebook_has_nothing_to_complain_about_with_or_without_the_kits_copy(tmp_path: Path) -> None:
    path = notebook(tmp_path, "ada")
    assert reported(path).before == ()
    made = read(path)
    assert report(made, None, []).before == ()
    assert [q.name for q in report(made, None, []).questions] == list(QUESTIONS_OF_PS1)


def test_one_file_to_send_holds_the_notebook_and_what_it_imports(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("x = 1\n")
    (tmp_path / "unused.py").write_text("x = 1\n")
    path = notebook(tmp_path, "ada", lambda content: content.cells.append(scratch("%time 1\nimport mine, math")))
    made = pack([path.rename(tmp_path / "problems (1).ipynb")], "Zoë O'Neil", "ps1")
    assert made.name == "ps1-zoë-o-neil.zip"
    with zipfile.ZipFile(made) as archive:
        assert archive.namelist() == ["problems.ipynb", "mine.py"]
        assert json.loads(archive.read("problems.ipynb"))["cells"]


def test_what_an_imported_file_imports_is_sent_too(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("import helper\nimport mine\n")
    (tmp_path / "helper.py").write_text("from deep import x\n")
    (tmp_path / "deep.py").write_text("x = (\n")
    path = notebook(tmp_path, "ada", lambda content: content.cells.append(scratch("import mine")))
    with zipfile.ZipFile(pack([path], "Ada", "ps1")) as archive:
        assert archive.namelist() == ["problems.ipynb", "mine.py", "helper.py", "deep.py"]


def test_two_copies_of_a_notebook_that_differ_are_not_sent_as_one(tmp_path: Path) -> None:
    path = notebook(tmp_path, "ada")
    copy = tmp_path / "problems (1).ipynb"
    copy.write_bytes(RELEASE.read_bytes())
    with pytest.raises(AutograderError, match=r"would be problems\.ipynb in the zip, and they differ"):
        pack([path, copy], "Ada", "ps1")
    assert not list(tmp_path.glob("*.zip*"))


@pytest.mark.parametrize(("folder", "zip_name"), [("ps2-student-kit", "ps2-ada.zip"), ("work", "ps1-ada.zip")])
def test_what_is_packed_in_a_kit_has_the_name_of_the_kits_assignment(
    tmp_path: Path, folder: str, zip_name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / folder).mkdir()
    path = notebook(tmp_path / folder, "ada")
    assert main(["pack", str(path), "--name", "Ada"]) == 0
    assert f"Send this file: {path.with_name(zip_name)}\n" in capsys.readouterr().out


@pytest.mark.parametrize("about", [[1], "text", None, {"kernelspec": []}])
def test_metadata_of_another_shape_names_no_language(tmp_path: Path, about: object) -> None:
    content = {"cells": [], "metadata": about, "nbformat": 4, "nbformat_minor": 5}
    (tmp_path / "problems.ipynb").write_text(json.dumps(content))
    assert read(tmp_path / "problems.ipynb").language == ""


def mixed(*tests: tuple[str, str, float]) -> Callable[[NotebookNode], None]:
    """Adds, below a heading, an answer that nobody has written, and these tests (name, source, points)."""

    def change(content: NotebookNode) -> None:
        def marked(name: str, source: str, **about: Any) -> NotebookNode:
            marks = {"grade_id": name, "grade": False, "solution": False, "locked": False, "task": False, **about}
            return nbformat.v4.new_code_cell(source, metadata={"nbgrader": marks})

        content.cells.append(nbformat.v4.new_markdown_cell("## Squares\n\nWrite them."))
        content.cells.append(marked("squares", "# YOUR CODE HERE\nraise NotImplementedError()", solution=True))
        for name, source, points in tests:
            content.cells.append(marked(name, source, grade=True, locked=True, points=points))

    return change


def of_squares(path: Path, *outcomes: tuple[str, str, str], credit: float | None = None) -> list[tuple[str, str, str]]:
    """Title, verdict and text of the tests of squares."""
    made = read(path)
    (path.parent / "original" / "problems.ipynb").unlink(missing_ok=True)
    ended = [
        Outcome(c, *next(((e, t, 1, c.source) for n, e, t in outcomes if n == c.name), ()), credit=credit)
        for c in made.cells
        if c.kind == "code"
    ]
    found = report(made, None, ended)
    assert found.before == ()
    return [(q.title, q.verdict, q.text) for q in found.questions if q.name.startswith("squares")]


@pytest.mark.parametrize(
    ("error", "text", "said"),
    [
        ("AssertionError", "no 9", "A test failed, in line 1: no 9\n    assert squares(3)"),
        ("AssertionError", "", "A test failed, in line 1\n    assert squares(3)"),
        ("TypeError", "not callable", "A test stopped with TypeError, in line 1: not callable\n    assert squares(3)"),
        ("NameError", "name 'np' is not defined", "The check itself stopped with NameError: name 'np' is not defined."),
    ],
)
def test_an_ordinary_test_that_fails_is_told_by_its_line(error: str, text: str, said: str, tmp_path: Path) -> None:
    def answered(content: NotebookNode) -> None:
        mixed(("squares-check", "assert squares(3)", 2), ("squares-hidden", "# hidden", 2))(content)
        find(content, "squares").source = "squares = 3"

    ((title, verdict, told),) = of_squares(notebook(tmp_path, "ada", answered), ("squares-check", error, text))
    assert (title, verdict) == ("Squares", WRONG)
    assert told.startswith(said)


def test_an_ordinary_test_below_an_answer_that_nobody_has_written_is_not_answered(tmp_path: Path) -> None:
    path = notebook(tmp_path, "ada", mixed(("squares-a", "assert squares(3)", 2), ("squares-b", "squares(1)", 1)))
    stopped = ("squares", "NotImplementedError", ""), ("squares-a", "NameError", ""), ("squares-b", "NameError", "")
    for title, verdict, told in of_squares(path, *stopped):
        assert title in ("Squares (squares-a)", "Squares (squares-b)")
        assert (verdict, told[:50]) == (UNANSWERED, "The answer cell of squares still says `raise NotIm")


@pytest.mark.parametrize(("error", "verdict"), [("NotImplementedError", UNANSWERED), ("AssertionError", WRONG)])
def test_a_stub_in_a_function_counts_where_the_test_has_met_it(error: str, verdict: str, tmp_path: Path) -> None:
    def defined(content: NotebookNode) -> None:
        mixed(("squares-a", "assert squares(3)", 2))(content)
        find(content, "squares").source = "def squares(n):\n    # YOUR CODE HERE\n    raise NotImplementedError()"

    ((_, said, told),) = of_squares(notebook(tmp_path, "ada", defined), ("squares-a", error, ""))
    assert (said, "still says `raise NotImplementedError()`" in told) == (verdict, verdict == UNANSWERED)


@pytest.mark.parametrize(("credit", "verdict"), [(0.0, WRONG), (1.5, WRONG), (2.0, RIGHT), (None, RIGHT)])
def test_a_test_that_gives_a_part_of_its_points_is_not_right(
    credit: float | None, verdict: str, tmp_path: Path
) -> None:
    path = notebook(tmp_path, "ada", mixed(("squares-a", "float(squares(3) == 9)", 2)))
    ((_, said, told),) = of_squares(path, credit=credit)
    assert said == verdict
    assert told == (f"The check gives {credit:g} of 2 points." if said == WRONG else "")


def test_a_test_of_which_nothing_can_be_seen_is_not_called_right(tmp_path: Path) -> None:
    assert of_squares(notebook(tmp_path, "ada", mixed(("squares-a", "# Hidden tests\n\n", 2)))) == []
