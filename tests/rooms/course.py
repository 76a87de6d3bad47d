"""Many submissions graded in one run of `nbgrader autograde`: what the tests of the rooms share.

Every submission here answers q1 rightly and q2 to q6 with a wrong derivative, unless it says otherwise; so whoever
earns more than `EARNED` has forged it, and whoever earns less has lost what was right.
"""

from __future__ import annotations

import atexit
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from tests import warm
from tests.conftest import NAMES, ROOT
from tools.sample_class import cells, hand_in, students

EARNED = [10, 0, 0, 0, 0, 0]
_released: list[Path] = []
"""The first course of this process after its release: the folder `release` and the gradebook."""


@dataclass
class Submission:
    """`scratch` runs before everything else, `also` goes to the end of an answer cell, `edit` sees the notebook last."""

    scratch: str = ""
    also: dict[str, str] = field(default_factory=dict)
    answers: dict[str, str] = field(default_factory=dict)
    edit: Callable[[NotebookNode], None] | None = None
    files: Callable[[Path], None] | None = None
    earns: list[int] = field(default_factory=lambda: list(EARNED))


def find(notebook: NotebookNode, name: str) -> NotebookNode:
    return next(c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") == name)


def wrong(source: str) -> str:
    """The answer with its derivative off in every term, and none named, so that no step of it earns anything."""
    source = re.sub(r"\bd(\w)d(\w)\b", r"slope_\1\2", source)
    head, _, last = source.rstrip().rpartition("\n")
    return f"{head}\n{last} * 3 - 1"


def deepen(folder: Path, levels: int) -> None:
    """Folders in folders below `folder`, deeper than a path can name."""
    here = os.open(".", os.O_RDONLY)
    os.chdir(folder)
    try:
        for _ in range(levels):
            os.mkdir("a")
            os.chdir("a")
    finally:
        os.chdir(here)
        os.close(here)


class Course:
    """A scratch course, released, with submissions to grade."""

    graded_with: tuple[str, int]
    """What the run said that graded the class, and its exit status."""

    def __init__(self, root: Path, config: str = "") -> None:
        self.root = root
        shutil.copytree(ROOT / "source", root / "source", ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
        (root / "source" / "ps1" / "examples.ipynb").unlink()
        settings = (ROOT / "nbgrader_config.py").read_text() + config
        (root / "nbgrader_config.py").write_text(settings)
        if not _released:  # once for all the files that a process tests: what it writes is the same each time
            self.run("generate_assignment", "ps1")
            _released.append(Path(tempfile.mkdtemp(prefix="released-")))
            atexit.register(shutil.rmtree, _released[0], ignore_errors=True)
            self._copy(root, _released[0])
        else:
            self._copy(_released[0], root)
        self._right = dict(cells(students()["ada"]))

    @staticmethod
    def _copy(there: Path, here: Path) -> None:
        shutil.copytree(there / "release", here / "release")
        shutil.copy(there / "gradebook.db", here)

    def run(self, *arguments: str, ok: bool | None = True, on: Sequence[str] = (), **environment: str) -> str:
        """nbgrader's own command, on the machine `on` (see `machines`)."""
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            [*on, sys.executable if on else warm.python(), "-m", "nbgrader", *arguments],
            cwd=self.root,
            env={**os.environ, "PATH": path, "NBGRADER_EXCHANGE": str(self.root / "exchange"), **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        said = done.stdout + done.stderr
        self.status = done.returncode
        # 3: everybody is graded, and somebody needs a person.
        assert ok is None or (done.returncode in ((0, 3) if arguments[0] == "autograde" else (0,))) == ok, said
        return said

    def hand_in(self, name: str, submission: Submission) -> Path:
        folder = self.root / "submitted" / name / "ps1"
        hand_in(self.root / "release" / "ps1", students()["ada"], folder)
        notebook = nbformat.read(folder / "problems.ipynb", as_version=4)
        for question in NAMES:
            right = self._right[question]
            source = submission.answers.get(question, right if question == "q1" else wrong(right))
            find(notebook, question).source = source + "\n" + submission.also.get(question, "")
        if submission.scratch:
            at = notebook.cells.index(find(notebook, "setup"))
            notebook.cells.insert(at + 1, nbformat.v4.new_code_cell(submission.scratch))
        if submission.edit:
            submission.edit(notebook)
        nbformat.write(notebook, folder / "problems.ipynb")
        if submission.files:
            submission.files(folder)
        return folder

    def marks(self, student: str) -> list[float]:
        from nbgrader.api import Gradebook

        with Gradebook(f"sqlite:///{self.root}/gradebook.db") as gradebook:
            notebooks = gradebook.find_submission("ps1", student).notebooks
            marks = {grade.name: grade.score for notebook in notebooks for grade in notebook.grades}
        return [marks[f"{q}-check"] + marks[f"{q}-hidden"] for q in NAMES]

    def graded(self, student: str) -> NotebookNode:
        return nbformat.read(self.root / "autograded" / student / "ps1" / "problems.ipynb", as_version=4)

    def shown(self, student: str) -> str:
        return (self.root / "autograded" / student / "ps1" / "problems.ipynb").read_text()

    def page(self, student: str) -> str:
        return (self.root / "feedback" / student / "ps1" / "problems.html").read_text()
