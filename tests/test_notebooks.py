"""The notebooks of ps1: the contract's cells, the seed's numbers, and a release without solutions or seeds."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.conftest import CELLS, NAMES, QUESTIONS, QUESTIONS_OF_PS1, ROOT

KINDS = {
    "statement": ("markdown", True, False, False, None),
    "forward": ("code", True, False, False, None),
    "": ("code", False, True, False, None),
    "check": ("code", True, False, True, 2),
    "hidden": ("code", True, False, True, 8),
}
NOTEBOOKS = sorted(path.relative_to(ROOT / "source") for path in (ROOT / "source").glob("*/*.ipynb"))


def read(stage: str, name: str) -> nbformat.NotebookNode:
    return nbformat.read(ROOT / stage / "ps1" / f"{name}.ipynb", as_version=4)


def test_the_contracts_six_questions_come_first_and_in_their_order() -> None:
    assert QUESTIONS_OF_PS1[: len(NAMES)] == NAMES


@pytest.mark.parametrize("stage", ["source", "release"])
def test_the_cells_of_each_question_are_the_contracts(stage: str) -> None:
    cells = {c.metadata.nbgrader.grade_id: c for c in read(stage, "problems").cells if "nbgrader" in c.metadata}
    order = [gid for gid in cells if gid.partition("-")[0] in QUESTIONS_OF_PS1]
    assert order == [f"{q}-{kind}".rstrip("-") for q in QUESTIONS_OF_PS1 for kind in KINDS]
    for gid in order:
        kind, locked, solution, grade, points = KINDS[gid.partition("-")[2]]
        meta = cells[gid].metadata.nbgrader
        assert cells[gid].cell_type == kind
        worth = meta.get("points") if gid.partition("-")[0] in NAMES else points  # an author chooses other points
        assert (meta.locked, meta.solution, meta.grade, worth) == (locked, solution, grade, points)


@pytest.mark.parametrize("stage", ["source", "release"])
@pytest.mark.parametrize("path", NOTEBOOKS, ids=str)
def test_notebooks_are_stored_without_outputs(stage: str, path: Path) -> None:
    notebook = nbformat.read(ROOT / stage / path, as_version=4)
    nbformat.validate(notebook)
    assert not any(c.get("outputs") or c.get("execution_count") for c in notebook.cells)


def test_the_release_holds_no_solution_no_hidden_test_and_no_seed() -> None:
    seeds = re.findall(r'seed="(\w+)"', json.dumps(CELLS).replace('\\"', '"'))
    assert len(set(seeds)) == len(QUESTIONS_OF_PS1)
    released = (ROOT / "release" / "ps1" / "problems.ipynb").read_text()
    for secret in (*seeds, "BEGIN", "grade(points", "dzdx = 2", "1 - f * f"):
        assert secret not in released
    for name in QUESTIONS_OF_PS1:
        cell = next(c for c in read("release", "problems").cells if c.id == f"{name}-hidden")
        assert all(line.startswith("#") for line in cell.source.split("\n"))


@pytest.mark.parametrize("name", NAMES)
def test_the_statement_says_the_points_the_point_and_the_domain_that_the_question_has(name: str) -> None:
    question, statement = QUESTIONS[name], CELLS[f"{name}-statement"].replace("\u2212", "-")
    assert "**Points:** 10: 2 for the check and 8 for the hidden points." in statement
    assert "you can still earn up to 4: a share for each step that your lines show and have right" in statement
    at = ", ".join(f"{n} = {v:g}" for n, v in question.at.items())
    assert f"with torch's at {at} and a few other points in the check below" in statement
    bounds: dict[tuple[float, float], list[str]] = {}
    for leaf, box in question.domain.items():
        bounds.setdefault(box, []).append(leaf)
    domain = "; ".join(f"{', '.join(names)} between {lo:g} and {hi:g}" for (lo, hi), names in bounds.items())
    assert f"at 24 hidden points with {domain}." in statement
    assert f"`{question.forward.adjoint(question.wrt)}`" in statement


@pytest.mark.parametrize("name", NAMES)
def test_the_answer_cell_gives_the_forward_lines_and_the_return_in_both_stages(name: str) -> None:
    forward = QUESTIONS[name].forward
    for stage in ("source", "release"):
        cell = next(c for c in read(stage, "problems").cells if c.metadata.nbgrader.grade_id == name)
        lines = [line.strip() for line in cell.source.split("\n")]
        assert lines[0] == f"def grad_{name}({', '.join(forward.leaves)}):"
        assert [re.sub(r"\s", "", line) for line in lines[1 : 1 + len(forward.lines)]] == [
            re.sub(r"\s", "", line.text) for line in forward.lines
        ]
        assert lines[-1] == f"return {forward.output}, {forward.adjoint(QUESTIONS[name].wrt)}"


def test_a_statement_is_text_that_one_can_edit_and_its_picture_is_the_one_long_line_at_the_end() -> None:
    for name in QUESTIONS_OF_PS1:
        *text, picture = CELLS[f"{name}-statement"].split("\n")
        assert picture.startswith(f'<img alt="Computation graph of {name}: ')
        assert 'src="data:image/svg+xml;base64,' in picture
        assert text[-1].startswith("<!-- The picture is the one long line below.")
        assert max(map(len, text)) < 500
        assert "data:" not in "".join(text)


def test_the_words_are_plain_and_an_adjoint_is_explained_where_it_is_first_met() -> None:
    for name, first in (("problems", "intro"), ("examples", "ex1-hand")):
        cells = read("release", name).cells
        met = next(c for c in cells if c.cell_type == "markdown" and "adjoint" in c.source)
        assert met.id == first
        assert "with respect to" in met.source
        text = "\n".join(c.source for c in cells)
        for word in (r"\broads?\b", r"\ba line a link\b", r"differentiated? by\b", r"derivative of \S+ by\b"):
            assert not re.search(word, text, re.IGNORECASE), word


def execute(path: Path) -> tuple[dict[str, str], list[str], list[str]]:
    """Runs a notebook in a real kernel: standard output by cell id, cells that drew, and whatever else was written."""
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(path.parent)}}).execute()
    said: dict[str, str] = {}
    other: list[str] = []
    drawn: list[str] = []
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "stream" and output.name == "stdout":
                said[cell.id] = said.get(cell.id, "") + output.text
            elif output.output_type == "display_data":
                assert {"text/html", "text/plain"} <= set(output.data)
                if "image/svg+xml" in output.data:
                    drawn.append(cell.id)
            elif output.output_type != "execute_result":
                other.append(f"{cell.id}: {output}")
    return said, drawn, other


@pytest.fixture
def quiet_kernel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    assert os.environ.get("NBGRADER_EXECUTION") is None


@pytest.mark.usefixtures("quiet_kernel")
@pytest.mark.filterwarnings("default")  # the kernel client's own
def test_the_examples_print_what_the_seed_printed() -> None:
    said, drawn, other = execute(ROOT / "source" / "ps1" / "examples.ipynb")
    assert other == []
    assert drawn == ["ex3-check"]
    assert said["ex1-print"] == (
        "x:  tensor(3.5000, requires_grad=True)\n"
        "y = x * x:  tensor(12.2500, grad_fn=<MulBackward0>)\n"
        "z = 2 * y + 3:  tensor(27.5000, grad_fn=<AddBackward0>)\n"
    )
    assert said["ex1-backward"] == "Gradient at x = 3.5:  tensor(14.)\n"
    assert said["ex1-by-hand"] == "By hand at x = 3.5:  tensor(14.)\n"


@pytest.mark.usefixtures("quiet_kernel")
@pytest.mark.filterwarnings("default")  # the kernel client's own
def test_the_problems_print_the_seeds_numbers_and_nothing_on_stderr() -> None:
    said, drawn, other = execute(ROOT / "source" / "ps1" / "problems.ipynb")
    assert other == []
    assert drawn == [f"{name}-check" for name in QUESTIONS_OF_PS1]
    numbers = {"q1": "64.0000", "q2": "3.0000", "q3": "0.0018", "q4": "-1.7847", "q5": "326.0000", "q6": "0.1020"}
    for name, number in numbers.items():
        assert f"AutoGrad:  {number}\nManual:    {number}\n" in said[f"{name}-check"]
        assert "8 of 8 points" in said[f"{name}-hidden"]
    assert "d/dx: 0.2229" in said["which-argument"]
    assert "d/dy: 0.1020" in said["which-argument"]
