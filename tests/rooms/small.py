"""A course whose assignment ps2 has one notebook, hw, for tests that run nbgrader's own commands on it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbgrader.api import Gradebook

from tests import warm
from tests.conftest import ROOT

SQUARES = "def squares(n):\n    ### BEGIN SOLUTION\n    return [i**2 for i in range(1, n + 1)]\n    ### END SOLUTION"
AUTOTESTS = """\
python3:
    setup: "from hashlib import sha1"
    dispatch: "type({{snippet}})"
    normalize: "str({{snippet}})"
    check: 'assert {{snippet}} == "{{value}}", "{{message}}"'
    success: "print('Success!')"
    templates:
        default:
            - test: "{{snippet}}"
              fail: "value is not correct"
"""
EVERYTHING = """
class Everything(dict):
    def __getattr__(self, name): return self
    def __call__(self, *given, **named): return self
    def __hash__(self): return 0
for name in ("eq", "ne", "lt", "le", "gt", "ge", "bool", "contains", "len", "float", "int", "index"):
    setattr(Everything, f"__{name}__", lambda *given: 1)
for name in ("add", "sub", "mul", "radd", "rsub", "rmul", "abs", "matmul", "getitem", "missing"):
    setattr(Everything, f"__{name}__", lambda self, *given: self)
"""
"""The class of an object that is equal to everything."""

UNTRIED = "\nc.TryTests.enabled = False\n"
"""It takes seconds that a test of something else need not spend."""


def marked(name: str, source: str, points: float | None = None, *, locked: bool = True) -> NotebookNode:
    marks = {"grade_id": name, "grade": points is not None, "locked": locked, "solution": not locked, "task": False}
    worth = {"points": points} if points is not None else {}
    return new_code_cell(source, metadata={"nbgrader": {"schema_version": 3, "cell_type": "code", **marks, **worth}})


def by_hand(name: str, points: float) -> NotebookNode:
    """A text that a person marks."""
    marks = {"grade_id": name, "grade": True, "locked": False, "solution": True, "task": False, "points": points}
    return new_markdown_cell("", metadata={"nbgrader": {"schema_version": 3, "cell_type": "markdown", **marks}})


class Small:
    """A course whose assignment ps2 has one notebook, hw."""

    def __init__(self, root: Path, *cells: NotebookNode, config: str = UNTRIED, language: str = "python") -> None:
        self.root, self.source = root, root / "source" / "ps2"
        self.source.mkdir(parents=True)
        kernel = {"display_name": "Python 3", "language": language, "name": "python3"}
        nbformat.write(new_notebook(cells=list(cells), metadata={"kernelspec": kernel}), self.source / "hw.ipynb")
        (root / "nbgrader_config.py").write_text((ROOT / "nbgrader_config.py").read_text() + config)

    def configure(self, line: str) -> None:
        with (self.root / "nbgrader_config.py").open("a") as config:
            config.write(f"\n{line}\n")

    def run(self, *command: str) -> tuple[int, str]:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            [warm.python(), "-m", "nbgrader", *command, "ps2"],
            cwd=self.root,
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def refused(self) -> str:
        """Why the assignment is not generated, on one line."""
        status, said = self.run("generate_assignment")
        assert status == 1, said
        assert not (self.root / "release").exists()
        return " ".join(said.split())

    def generated(self) -> None:
        status, said = self.run("generate_assignment")
        assert status == 0, said

    def hand_in(self, student: str, answer: str = "", **answers: str) -> Path:
        """The release, with `answer` in the cell `ans`, and others in the cells that they name."""
        folder = self.root / "submitted" / student / "ps2"
        shutil.copytree(self.root / "release" / "ps2", folder)
        if answer or answers:
            notebook = nbformat.read(folder / "hw.ipynb", as_version=4)
            given: Mapping[str, str] = {"ans": answer, **answers} if answer else answers
            for cell in notebook.cells:
                name = cell.metadata.get("nbgrader", {}).get("grade_id")
                cell.source = given.get(name, cell.source)
            nbformat.write(notebook, folder / "hw.ipynb")
        return folder

    def graded(self, student: str) -> str:
        return (self.root / "autograded" / student / "ps2" / "hw.ipynb").read_text()

    def marks(self, student: str) -> dict[str, tuple[float, bool]]:
        with Gradebook(f"sqlite:///{self.root}/gradebook.db") as gradebook:
            found = gradebook.find_submission_notebook("hw", "ps2", student).grades
            return {grade.name: (grade.score, bool(grade.needs_manual_grade)) for grade in found}
