"""What authors type: from a forward pass to a released seventh question and a second assignment (docs/authors.md)."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from autograder.__main__ import main
from autograder.authoring.inspection import Inspection
from autograder.authoring.notebook import questions, with_questions
from autograder.authoring.source import grade_id
from tests.authoring.notebooks import FORWARD, SOLUTION, find, six, solved
from tests.conftest import QUESTIONS, QUESTIONS_OF_PS1, ROOT
from tests.test_course import Course


@pytest.fixture
def notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The source notebook of a course, which is where the commands are run."""
    path = tmp_path / "source" / "ps1" / "problems.ipynb"
    shutil.copytree(ROOT / "source" / "ps1", path.parent)
    nbformat.write(six(), path)
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
    (tmp_path / "q7.py").write_text(FORWARD)
    monkeypatch.chdir(tmp_path)
    return path


def new(notebook: Path, name: str = "q7", forward: Path | None = None) -> int:
    return main(["new", name, str(forward or notebook.parents[2] / "q7.py"), "--notebook", str(notebook)])


def test_new_writes_the_contracts_five_cells_after_the_last_question(notebook: Path) -> None:
    assert new(notebook) == 0
    cells = nbformat.read(notebook, as_version=4).cells
    nbformat.validate(nbformat.read(notebook, as_version=4))
    ids = [c.metadata.get("nbgrader", {}).get("grade_id") for c in cells]
    at = ids.index("q6-hidden")
    assert ids[at + 1 : at + 6] == ["q7-statement", "q7-forward", "q7", "q7-check", "q7-hidden"]
    assert ids[at + 6] == "which-argument-statement"
    by_id = dict(zip(ids, cells, strict=True))
    assert "### BEGIN SOLUTION\n    dhdr = ...\n    dhdq = ...\n    dhdp = ...\n    dhdt = ...\n" in by_id["q7"].source
    assert by_id["q7"].source.endswith("return h, dhdt")
    statement = by_id["q7-statement"].source
    assert '<img alt="Computation graph of q7: p = s * t; q = torch.log(t); ' in statement.split("\n")[-1]
    assert "24 hidden points with s between −2 and 2; t between 0.5 and 3." in statement
    assert "**Points:** 10: 2 for the check and 8 for the hidden points." in statement


@pytest.mark.parametrize(
    ("name", "source", "reason"),
    [
        ("q6", FORWARD.replace("q7", "q6"), "already has a cell q6"),
        ("q8", FORWARD, "defines q7, not q8"),
        ("seven", FORWARD, "no name for a question"),
        ("q7", FORWARD.replace("p = s * t", "p = s if s > 0 else t"), "a forward pass has no `if`"),
        ("q7", FORWARD + "  x", "syntax error|IndentationError|unexpected indent"),
        ("q7", "x = 1\n", "must hold one function under @question"),
        ("q7", None, "cannot be read"),
    ],
)
def test_new_refuses_with_a_reason_and_leaves_the_notebook_alone(
    notebook: Path, capsys: pytest.CaptureFixture[str], name: str, source: str | None, reason: str
) -> None:
    before = notebook.read_bytes()
    forward = notebook.parents[2] / "other.py"
    if source is not None:
        forward.write_text(source)
    assert new(notebook, name, forward) == 1
    assert re.search(reason, capsys.readouterr().err)
    assert notebook.read_bytes() == before


def test_inspect_shows_graph_domain_points_and_slips(notebook: Path, capsys: pytest.CaptureFixture[str]) -> None:
    new(notebook)
    capsys.readouterr()
    assert main(["inspect", "q7", "--notebook", str(notebook), "--picture", str(notebook.with_suffix(".svg"))]) == 0
    said = capsys.readouterr().out
    for part in (
        "q7 asks for d(h)/d(t), which students name dhdt.",
        "p = s * t ",
        "An answer has 4 links, from the output backwards: dhdr, dhdq, dhdp, dhdt.",
        "Good: the domain gives 24 test points, with s between -2 and 2, t between 0.5 and 3.",
        "known slips give a wrong derivative at one of these points.",
        "To do: q7-statement: it still says TODO; write the words that belong there.",
        "To do: the solution still holds `...` or TODO: write its lines.",
    ):
        assert part in said
    assert notebook.with_suffix(".svg").read_text().startswith("<svg")


def test_inspect_without_a_name_covers_the_whole_notebook(capsys: pytest.CaptureFixture[str]) -> None:
    path = ROOT / "source" / "ps1" / "problems.ipynb"
    assert main(["inspect", "--notebook", str(path)]) == 0
    said = capsys.readouterr().out
    for name in QUESTIONS_OF_PS1:
        assert f"{name} asks for " in said
    assert said.count("your own solution earns full marks") == said.count(" asks for ") == len(QUESTIONS_OF_PS1)


def test_no_slip_is_beyond_the_points_of_the_courses_own_seeds() -> None:
    text = "".join(c.source for c in six().cells)
    seeds = dict(re.findall(r'(q\d+)\.grade\(points=8, seed="(\w+)"', text))
    assert set(seeds) == set(QUESTIONS)
    for name, seed in seeds.items():
        assert Inspection(QUESTIONS[name], seed).undetected == []


def test_every_source_notebook_is_what_its_questions_give(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert main(["refresh", "--check"]) == 0, "run: autograder refresh"
    assert main(["pictures", "--check"]) == 0, "run: autograder pictures"
    for path in with_questions():
        notebook = nbformat.read(path, as_version=4)
        assert sum("data:image/svg+xml" in c.source for c in notebook.cells) == len(questions(notebook))


def test_pictures_redraws_a_statement_that_drifted(notebook: Path) -> None:
    nb = nbformat.read(notebook, as_version=4)
    forward = next(c for c in nb.cells if c.metadata.get("nbgrader", {}).get("grade_id") == "q1-forward")
    forward.source = forward.source.replace("2 * x + 3 * y", "2 * x + 4 * y")
    nbformat.write(nb, notebook)
    assert main(["pictures", "--check", "--notebook", str(notebook)]) == 1
    assert main(["pictures", "--notebook", str(notebook)]) == 0
    assert main(["pictures", "--check", "--notebook", str(notebook)]) == 0


def test_help_is_enough(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ([], ["new-assignment"], ["new"], ["inspect"], ["refresh"], ["pictures"], ["grade"]):
        with pytest.raises(SystemExit) as left:
            main([*command, "--help"])
        assert left.value.code == 0
        assert "usage: autograder" in capsys.readouterr().out


def test_refresh_says_what_it_changed_and_what_is_left(notebook: Path, capsys: pytest.CaptureFixture[str]) -> None:
    new(notebook)
    nb = nbformat.read(notebook, as_version=4)
    find(nb, "q7").source = solved(find(nb, "q7").source, SOLUTION)
    find(nb, "q7-forward").source = find(nb, "q7-forward").source.replace("torch.log(t)", "torch.log(t + 1)")
    nbformat.write(nb, notebook)
    capsys.readouterr()
    before = notebook.read_bytes()
    assert main(["refresh", "--check"]) == 1
    said = capsys.readouterr()
    assert "  q7: the given lines are NOT up to date.\n" in said.out
    assert said.err == "autograder refresh: something is not what its question gives now. Run `autograder refresh`.\n"
    assert notebook.read_bytes() == before
    assert main(["refresh", "q7"]) == 0
    said = capsys.readouterr()
    assert "  q7-statement: the picture is up to date now.\n  q7: the given lines are up to date now.\n" in said.out
    assert "  Look at this yourself:\n    q7-statement: the forward pass has changed" in said.out
    assert "    q7: your own solution does not earn full marks" in said.out
    assert main(["refresh", "--check"]) == 0
    assert main(["refresh", "q8"]) == 1
    assert "there is no question q8; the questions there: q1, q2" in capsys.readouterr().err


def test_a_reader_that_has_seen_enough_costs_no_traceback(notebook: Path) -> None:
    """As `autograder inspect | head -1`, with a reader that is gone before the first line."""
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "autograder", "inspect", "q1"]
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (141, "")


def test_a_second_assignment_begins_with_instructions_and_a_set_up_cell(
    notebook: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["new-assignment", "ps2", "--title", "Problem set 2"]) == 0
    said = capsys.readouterr().out
    path = Path("source/ps2/problems.ipynb")
    for step in (f'autograder new q1 q1.py --title "Q1. …" --notebook {path}', "generate_assignment ps2"):
        assert step in said
    made = nbformat.read(path, as_version=4)
    nbformat.validate(made)
    assert [grade_id(c) for c in made.cells] == ["intro", "setup"]
    assert made.cells[0].source.startswith("# Problem set 2\n")
    assert made.cells[0].source.split("\n", 1)[1] == find(six(), "intro").source.split("\n", 1)[1]
    assert all(c.metadata.nbgrader.locked for c in made.cells)
    # Where two notebooks can be meant, the command asks; questions of both are refreshed and inspected.
    assert main(["new", "q7", "q7.py"]) == 1
    refused = capsys.readouterr().err
    assert "There are several notebooks: source/ps1/problems.ipynb, source/ps2/problems.ipynb. Say which one" in refused
    assert main(["new", "q7", "q7.py", "--notebook", str(path)]) == 0
    assert main(["inspect", "q7"]) == 0
    assert main(["refresh", "--check"]) == 0
    said = capsys.readouterr().out
    assert "source/ps1/problems.ipynb: everything is up to date." in said
    assert "source/ps2/problems.ipynb:" in said


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("ps1", "source/ps1 exists already. Choose another name, or remove that folder first."),
        ("ps+2", "'ps+2' is no name for an assignment: use letters, digits, `-` and `_`"),
        ("../ps2", "'../ps2' is no name for an assignment"),
        ("", "'' is no name for an assignment"),
    ],
)
def test_an_assignment_that_cannot_be_is_refused(
    notebook: Path, capsys: pytest.CaptureFixture[str], name: str, reason: str
) -> None:
    assert main(["new-assignment", name]) == 1
    assert reason in capsys.readouterr().err
    Path("nbgrader_config.py").unlink()
    assert main(["new-assignment", "ps3"]) == 1
    assert "is not the folder of a course, because it has no nbgrader_config.py." in capsys.readouterr().err


@pytest.mark.course
def test_from_nothing_to_a_released_seventh_question_and_a_second_assignment(notebook: Path) -> None:
    """What is not finished is refused, by cell, and nothing is released before; tests/docs walks docs/authors.md.

    On the way ps1 loses Q2 and has Q5 before Q4; ps2 has other points and a free-text question.
    """
    from nbgrader.api import Gradebook

    root = notebook.parents[2]
    assert new(notebook) == 0
    assert main(["new-assignment", "ps2"]) == 0
    second = root / "source" / "ps2" / "problems.ipynb"
    assert new(second) == 0
    course = Course(root, root / "exchange")
    said = course.run("generate_assignment", "ps1", ok=False)
    assert "q7-statement: it still says TODO; write the words that belong there." in said
    assert "q7: the solution still holds `...` or TODO; write its lines." in said
    assert not (root / "release" / "ps1").exists()
    for path in (notebook, second):
        nb = nbformat.read(path, as_version=4)
        find(nb, "q7").source = solved(find(nb, "q7").source, SOLUTION)
        find(nb, "q7-statement").source = find(nb, "q7-statement").source.replace("TODO", "My words")
        nbformat.write(nb, path)
    free_text = nbformat.v4.new_markdown_cell("Your answer", id="essay")
    marks = {"grade": True, "solution": True, "locked": False, "task": False, "points": 4, "schema_version": 3}
    free_text.metadata["nbgrader"] = {"grade_id": "essay", **marks}
    nb.cells.append(free_text)
    find(nb, "q7-hidden").metadata.nbgrader.points = 5
    nbformat.write(nb, second)
    first = nbformat.read(notebook, as_version=4)
    of = {name: [c for c in first.cells if grade_id(c).partition("-")[0] == name] for name in ("q2", "q5")}
    first.cells = [c for c in first.cells if c not in of["q2"] + of["q5"]]
    at = first.cells.index(find(first, "q4-statement"))
    first.cells[at:at] = of["q5"]
    nbformat.write(first, notebook)
    assert main(["refresh"]) == 0
    assert "Success!" in course.run("validate", "source/ps1/problems.ipynb")
    course.run("generate_assignment", "ps1")
    assert "VALIDATION FAILED ON 6 CELL(S)" in course.run("validate", "release/ps1/problems.ipynb")
    assert "dhdr = 1" not in (root / "release" / "ps1" / "problems.ipynb").read_text()
    course.run("generate_assignment", "ps2")
    handed_in = nbformat.read(root / "release" / "ps2" / "problems.ipynb", as_version=4)
    find(handed_in, "q7").source = solved(find(nb, "q7").source, SOLUTION)
    find(handed_in, "essay").source = "Because of the chain rule."
    folder = root / "submitted" / "ada" / "ps2"
    folder.mkdir(parents=True)
    nbformat.write(handed_in, folder / "problems.ipynb")
    course.run("autograde", "ps2")
    with Gradebook(f"sqlite:///{root}/gradebook.db") as gradebook:
        assert [(a.name, a.max_score) for a in gradebook.assignments] == [("ps1", 60), ("ps2", 2 + 5 + 4)]
        submission = gradebook.find_submission("ps2", "ada")
        assert (submission.score, submission.needs_manual_grade) == (2 + 5, True)
