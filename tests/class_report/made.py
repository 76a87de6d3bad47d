"""A graded course made without grading: gradebook and graded notebooks, with messages that the grader gives."""

from __future__ import annotations

import contextlib
import io
import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_notebook, new_output
from nbgrader.api import Base, Gradebook
from sqlalchemy import create_engine

from autograder.errors import CheckFailed
from tests.conftest import QUESTIONS, ROOT, Class

SEED = "a class"


@dataclass
class Cell:
    """What grading made of a cell: its source (None: as released), its outputs, and its points (None: no mark yet)."""

    source: str | None = None
    outputs: Sequence[NotebookNode] = ()
    points: float | None = None
    by_person: float | None = None
    unanswered: bool = False


Cells = Mapping[str, Cell]


@dataclass
class Made:
    """A course at `root` with one assignment, whose notebooks are these cells as released."""

    root: Path
    notebooks: Mapping[str, Sequence[NotebookNode]]
    assignment: str = "ps1"
    due: str | None = None

    def __post_init__(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        (self.root / "nbgrader_config.py").write_text((ROOT / "nbgrader_config.py").read_text())
        url = f"sqlite:///{self.root}/gradebook.db"
        engine = create_engine(url)
        Base.metadata.create_all(engine)  # where tables are, nbgrader does not start a process to ask for their version
        engine.dispose()
        with Gradebook(url) as book:
            book.add_assignment(self.assignment, **({"duedate": self.due} if self.due else {}))
            for name, cells in self.notebooks.items():
                book.add_notebook(name, self.assignment)
                for cell in cells:
                    self._add(book, name, cell)

    def _add(self, book: Gradebook, name: str, cell: NotebookNode) -> None:
        about = cell.metadata.get("nbgrader")
        if not about:
            return
        worth = {"max_score": about.get("points"), "cell_type": cell.cell_type}
        if about.get("task"):
            book.add_task_cell(about.grade_id, name, self.assignment, **worth)
        elif about.grade:
            book.add_grade_cell(about.grade_id, name, self.assignment, **worth)
        if about.solution:
            book.add_solution_cell(about.grade_id, name, self.assignment)
        more = {"source": cell.source, "cell_type": cell.cell_type, "locked": about.locked}
        book.add_source_cell(about.grade_id, name, self.assignment, **more)

    def grade(self, students: Mapping[str, Cells], handed_in: str | None = "2026-11-30 10:00:00", **about: Any) -> None:
        """Graded work of these students: by the cell's id what became of it; `about` is metadata of the notebooks."""
        with Gradebook(f"sqlite:///{self.root}/gradebook.db") as book, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # SQLAlchemy's, of how nbgrader makes a submission
            for student, cells in students.items():
                book.update_or_create_student(student)
                work = book.add_submission(self.assignment, student, **({"timestamp": handed_in} if handed_in else {}))
                for notebook in work.notebooks:
                    for grade in notebook.grades:
                        cell = cells.get(grade.name, Cell(points=0))
                        grade.auto_score, grade.manual_score = cell.points, cell.by_person
                        grade.needs_manual_grade = cell.points is None and cell.by_person is None
                    for comment in notebook.comments:
                        comment.auto_comment = "No response." if cells.get(comment.name, Cell()).unanswered else None
                    self._write(student, notebook.name, cells, about)
            book.db.commit()

    def _write(self, student: str, name: str, cells: Cells, about: Mapping[str, Any]) -> None:
        made = []
        for n, released in enumerate(self.notebooks[name], 1):
            cell = nbformat.from_dict(json.loads(json.dumps(released)))
            if known := cells.get(cell.metadata.get("nbgrader", {}).get("grade_id", "")):
                cell.source = released.source if known.source is None else known.source
                if cell.cell_type == "code":
                    cell.outputs, cell.execution_count = list(known.outputs), n
            made.append(cell)
        folder = self.root / "autograded" / student / self.assignment
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.ipynb").write_text(json.dumps(new_notebook(cells=made, metadata=dict(about))))

    def enrol(self, student: str) -> None:
        with Gradebook(f"sqlite:///{self.root}/gradebook.db") as book:
            book.add_student(student)

    def hand_in(self, student: str, when: str = "2026-12-01 10:00:00") -> Path:
        """Work that is not graded."""
        folder = self.root / "submitted" / student / self.assignment
        folder.mkdir(parents=True)
        (folder / "timestamp.txt").write_text(f"{when} UTC")
        return folder


def problems() -> list[NotebookNode]:
    """The cells of ps1's six questions as they are released."""
    return list(nbformat.read(ROOT / "release" / "ps1" / "problems.ipynb", as_version=4).cells)


def said(text: str) -> NotebookNode:
    return new_output("stream", name="stdout", text=text)


def raised(name: str, text: str, *traceback: str) -> NotebookNode:
    return new_output("error", ename=name, evalue=text, traceback=list(traceback))


@cache
def judged(question: str, source: str) -> dict[str, Cell]:
    """What `check` and `grade` make of an answer: its cell and those of its tests."""
    student, asked = Class(), QUESTIONS[question]
    student.namespace |= asked.forward.given
    student.run(source)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        points = student.grade(asked, seed=SEED)
    told, check = printed.getvalue(), Cell(points=2)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            student.check(asked)
    except CheckFailed as error:
        check = Cell(outputs=[raised("CheckFailed", str(error))], points=0)
    return {
        question: Cell(source),
        f"{question}-check": check,
        f"{question}-hidden": Cell(outputs=[said(told)], points=points),
    }


def answered(answers: Mapping[str, str]) -> dict[str, Cell]:
    """What became of the answers to several of ps1's questions."""
    return {name: cell for question, source in answers.items() for name, cell in judged(question, source).items()}
