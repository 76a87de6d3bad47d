"""A notebook in another language is refused by name, or graded as stock nbgrader does it where the course says so.

The language is bash, with a real kernel of Jupyter's.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_notebook
from nbgrader.api import Gradebook

from tests.rooms.small import Small, marked
from tests.rooms.test_as_stock import STOCK, run

pytestmark = pytest.mark.course

KERNEL = {
    "argv": [sys.executable, "-m", "bash_kernel", "-f", "{connection_file}"],
    "display_name": "Bash",
    "language": "bash",
}
STUB = "\nc.ClearSolutions.code_stub = {'bash': '# YOUR CODE HERE', 'python': 'raise NotImplementedError()'}\n"
UNSAFE = "\nc.Engine.unsafe = True\nc.Execute.shutdown_kernel = 'immediate'\n"
RIGHT = "double() { echo $((2 * $1)); }"
TEST = '[ "$(double 2)" = 4 ]\n### BEGIN HIDDEN TESTS\n[ "$(double -3)" = -6 ]\n### END HIDDEN TESTS'
CLASS = {
    "right": f"{RIGHT}\necho '<script>alert(1)</script><b>mine</b>' | displayHTML",
    "wrong": "double() { echo 4; }",
}


def marks(root: Path, student: str) -> dict[str, float]:
    with Gradebook(f"sqlite:///{root}/gradebook.db") as gradebook:
        notebooks = gradebook.find_submission("ps2", student).notebooks
        return {grade.name: grade.auto_score for notebook in notebooks for grade in notebook.grades}


@pytest.fixture(scope="module")
def kernels(tmp_path_factory: pytest.TempPathFactory) -> Iterator[pytest.MonkeyPatch]:
    folder = tmp_path_factory.mktemp("jupyter")
    (folder / "kernels" / "bash").mkdir(parents=True)
    (folder / "kernels" / "bash" / "kernel.json").write_text(json.dumps(KERNEL))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_PATH", str(folder))
        yield patch


@dataclass(frozen=True)
class Runs:
    """A course that may be graded unsafe, and what was said before it was, without its kernel, and then."""

    made: Small
    stock: Path
    generating: str
    refusing: str
    lacking: str
    grading: str
    began: bool
    """Whether anything was graded before it was allowed."""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, kernels: pytest.MonkeyPatch) -> Runs:
    """An assignment with a notebook in bash and one in Python."""
    cells = marked("ans", f"### BEGIN SOLUTION\n{RIGHT}\n### END SOLUTION", locked=False), marked("t1", TEST, 2)
    root = tmp_path_factory.mktemp("bash")
    made = Small(root / "rooms", *cells, config=STUB + UNSAFE, language="bash")
    notebook = nbformat.read(made.source / "hw.ipynb", as_version=4)
    notebook.metadata.kernelspec.name = "bash"
    nbformat.write(notebook, made.source / "hw.ipynb")
    python = new_notebook(cells=[marked("t2", "import os\nassert os.getcwd()", 1)])
    nbformat.write(python, made.source / "py.ipynb")
    made.generated()
    for student, answer in CLASS.items():
        made.hand_in(student, answer)
    shutil.copytree(made.root, root / "stock")
    (root / "stock" / "nbgrader_config.py").write_text(STOCK.format(root=str(root / "stock")))
    run(root / "stock", "autograde", "ps2")
    claiming = nbformat.read(file := made.hand_in("claims", RIGHT) / "hw.ipynb", as_version=4)
    claiming.metadata.kernelspec = {"display_name": "Python 3", "language": "python", "name": "python3"}
    claiming.metadata.language_info = {"name": "python"}
    nbformat.write(claiming, file)

    made.configure("c.Engine.unsafe = False")
    generating, refusing = made.run("generate_assignment"), made.run("autograde")
    made.configure("c.Engine.unsafe = True")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("JUPYTER_PATH")
        lacking = made.run("autograde")
    began = (made.root / "autograded").exists()
    grading = made.run("autograde")
    assert [status for status, _ in (generating, refusing, lacking, grading)] == [1, 1, 1, 0], grading
    assert made.run("generate_feedback")[0] == 0
    said = [" ".join(text.split()) for _, text in (generating, refusing, lacking, grading)]
    return Runs(made, root / "stock", *said, began=began)


def test_by_default_it_is_refused_by_name_before_anything_runs(runs: Runs) -> None:
    told = "The notebook hw is written in bash, and rooms run Python alone."
    assert told in runs.generating
    assert f"Nothing was graded: {told}" in runs.refusing
    assert "c.Engine.unsafe = True" in runs.refusing
    assert "hw is written in bash, and its kernel, bash, is not installed here." in runs.lacking
    assert not runs.began


def test_where_that_is_allowed_it_earns_what_it_earns_under_stock_nbgrader(runs: Runs) -> None:
    assert "GRADING hw WITHOUT ISOLATION, because it is written in bash and Engine.unsafe is set" in runs.grading
    assert "py is written" not in runs.grading
    for student in CLASS:
        assert marks(runs.made.root, student) == marks(runs.stock, student)
    assert marks(runs.made.root, "right") == {"t1": 2, "t2": 1}
    assert marks(runs.made.root, "wrong") == {"t1": 0, "t2": 1}


def test_a_student_who_claims_another_language_is_graded_in_that_of_the_course(runs: Runs) -> None:
    assert marks(runs.made.root, "claims") == {"t1": 2, "t2": 1}
    about = nbformat.reads(runs.made.graded("claims"), as_version=4).metadata
    assert (about.kernelspec.name, about.language_info.name) == ("bash", "bash")


def test_what_its_cells_show_is_cleaned_as_in_rooms(runs: Runs) -> None:
    graded = nbformat.reads(runs.made.graded("right"), as_version=4)
    shown = graded.cells[0].outputs[-1].data["text/html"]
    assert "<b>mine</b>" in shown
    assert "script" not in shown
    page = (runs.made.root / "feedback/right/ps2/hw.html").read_text()
    assert "<b>mine</b>" in page
    assert "alert(1)</script>" not in page
