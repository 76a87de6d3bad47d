"""`autograder new` and `inspect`: from a forward pass to a released seventh question, as docs/authors.md says it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from autograder.__main__ import main
from autograder._inspect import Inspection
from autograder._notebook import questions, with_pictures
from autograder.commands.authors import EXAMPLE
from tests.conftest import QUESTIONS, ROOT
from tests.test_course import Course

FORWARD = "\n".join(line[4:] for line in EXAMPLE.split("\n")[2:])
SOLUTION = """    dhdr = 1
    dhdq = 1
    dhdp = dhdr * (1 - r * r)
    dhdt = dhdp * s + dhdq / t
"""


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    path = tmp_path / "source" / "ps1" / "problems.ipynb"
    shutil.copytree(ROOT / "source" / "ps1", path.parent)
    (tmp_path / "q7.py").write_text(FORWARD)
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
    assert "data:image/svg+xml;base64," in by_id["q7-statement"].source
    assert "24 hidden points with s between −2 and 2; t between 0.5 and 3." in by_id["q7-statement"].source


@pytest.mark.parametrize(
    ("name", "source", "reason"),
    [
        ("q6", FORWARD.replace("q7", "q6"), "already has a cell q6"),
        ("q8", FORWARD, "defines q7, not q8"),
        ("seven", FORWARD, "no name for a question"),
        ("q7", FORWARD.replace("p = s * t", "p = s if s > 0 else t"), "control flow is not straight-line"),
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
    import re

    assert re.search(reason, capsys.readouterr().err)
    assert notebook.read_bytes() == before


def test_inspect_shows_graph_domain_points_and_slips(notebook: Path, capsys: pytest.CaptureFixture[str]) -> None:
    new(notebook)
    capsys.readouterr()
    assert main(["inspect", "q7", "--notebook", str(notebook), "--picture", str(notebook.with_suffix(".svg"))]) == 0
    said = capsys.readouterr().out
    for part in (
        "q7(s, t): d(h)/d(t), in code dhdt",
        "p = s * t ",
        "links: dhdr, dhdq, dhdp, dhdt",
        "domain: -2 ≤ s ≤ 2, 0.5 ≤ t ≤ 3",
        "points: 24",
        "slips: ",
        "all caught",
        "told apart only by named adjoints",
    ):
        assert part in said
    assert notebook.with_suffix(".svg").read_text().startswith("<svg")


def test_inspect_without_a_name_covers_the_whole_notebook(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", "--notebook", str(ROOT / "source" / "ps1" / "problems.ipynb")]) == 0
    assert capsys.readouterr().out.count("all caught") == 6


def test_no_slip_is_beyond_the_points_of_the_courses_own_seeds() -> None:
    import re

    text = (ROOT / "source" / "ps1" / "problems.ipynb").read_text()
    seeds = dict(re.findall(r"(q\d)\.grade\(points=8, seed=\\\"(\w+)\\\"", text))
    assert set(seeds) == set(QUESTIONS)
    for name, seed in seeds.items():
        assert Inspection(QUESTIONS[name], seed).untold == []


def test_the_statements_pictures_are_what_the_questions_draw() -> None:
    notebook = nbformat.read(ROOT / "source" / "ps1" / "problems.ipynb", as_version=4)
    assert with_pictures(notebook) == notebook, "run: autograder pictures"
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
    for command in ([], ["new"], ["inspect"], ["pictures"], ["grade"]):
        with pytest.raises(SystemExit) as left:
            main([*command, "--help"])
        assert left.value.code == 0
        assert "usage: autograder" in capsys.readouterr().out


@pytest.mark.course
def test_from_nothing_to_a_released_seventh_question(notebook: Path) -> None:
    """The steps of docs/authors.md, with the commands as a shell runs them."""
    root = notebook.parents[2]
    shutil.copy(ROOT / "nbgrader_config.py", root)
    command = [sys.executable, "-m", "autograder", "new", "q7", "q7.py", "--title", "Q7. Two roads from t"]
    subprocess.run(command, cwd=root, check=True, capture_output=True)
    nb = nbformat.read(notebook, as_version=4)
    cell = next(c for c in nb.cells if c.metadata.get("nbgrader", {}).get("grade_id") == "q7")
    before, rest = cell.source.split("    ### BEGIN SOLUTION\n")
    _, after = rest.split("    ### END SOLUTION")
    cell.source = before + "    ### BEGIN SOLUTION\n" + SOLUTION + "    ### END SOLUTION" + after
    nbformat.write(nb, notebook)
    subprocess.run([sys.executable, "-m", "autograder", "inspect", "q7"], cwd=root, check=True, capture_output=True)
    course = Course(root, root / "exchange")
    assert "Success!" in course.run("validate", "source/ps1/problems.ipynb")
    course.run("generate_assignment", "ps1")
    assert "VALIDATION FAILED ON 7 CELL(S)" in course.run("validate", "release/ps1/problems.ipynb")
    assert "dhdr = 1" not in (root / "release" / "ps1" / "problems.ipynb").read_text()
