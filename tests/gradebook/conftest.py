"""A course with two assignments of every kind of cell, made in the gradebook without running a notebook."""

from __future__ import annotations

import os
import shutil
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT


def cells(gradebook: object, assignment: str) -> None:
    add = gradebook.add_grade_cell  # type: ignore[attr-defined]
    for name, points in {"q10-hidden": 8, "q10-check": 2, "q2-hidden": 8, "q2-check": 2}.items():
        add(name, "problems", assignment, max_score=points, cell_type="code")
    add("essay", "problems", assignment, max_score=5, cell_type="markdown")
    gradebook.add_task_cell("drawing", "problems", assignment, max_score=3, cell_type="markdown")  # type: ignore[attr-defined]


@pytest.fixture(scope="session")
def course(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Ada is graded, Bela waits for a person and was late, Chen handed in nothing, Zed's names are hostile."""
    from nbgrader.api import Gradebook

    root = tmp_path_factory.mktemp("graded")
    (root / "nbgrader_config.py").write_text((ROOT / "nbgrader_config.py").read_text())
    path = os.environ["PATH"]
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{path}"
    with Gradebook(f"sqlite:///{root}/gradebook.db", "derivatives") as book, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SQLAlchemy's, of how nbgrader makes a submission
        book.add_assignment("ps1", duedate="2026-12-01 18:00:00")
        book.add_notebook("problems", "ps1")
        cells(book, "ps1")
        book.add_assignment("ps2")
        for notebook in ("one", "two"):
            book.add_notebook(notebook, "ps2")
            book.add_grade_cell("score", notebook, "ps2", max_score=1, cell_type="code")
        hidden = '### BEGIN HIDDEN TESTS\nq1.grade(points=8, seed="8f1d6c2a")\n### END HIDDEN TESTS'
        book.add_source_cell("q1-hidden", "two", "ps2", source=hidden, cell_type="code")
        own = hidden.replace("8f1d6c2a", "our own")
        book.add_source_cell("q2-hidden", "problems", "ps1", source=own, cell_type="code")
        for name, known in {
            "ada": {"first_name": "Ada", "last_name": 'Love"lace, Countess', "email": "ada@example.org"},
            "bela": {"first_name": "Béla"},
            "chen": {},
            "zed": {"first_name": "=cmd|' /c calc'!A1", "last_name": "\t@SUM(A1)", "email": "-1"},
        }.items():
            book.add_student(name, **known)
        for name, time in {"ada": "2026-11-30 10:00:00", "bela": "2026-12-02 10:00:00", "zed": None}.items():
            work = book.add_submission("ps1", name, **({"timestamp": time} if time else {}))
            for grade in work.notebooks[0].grades:
                grade.auto_score = grade.max_score * {"ada": 1, "bela": 1 / 3, "zed": 0}[name]
                grade.needs_manual_grade = name == "bela" and grade.name == "essay"
                if name == "zed" and grade.name == "essay":
                    grade.manual_score = -1.25
            if name == "bela":
                work.notebooks[0].late_submission_penalty = 2.5
        book.db.commit()
    yield root
    os.environ["PATH"] = path


@pytest.fixture
def here(course: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The course's folder as the current one; a copy, which a test may change."""
    folder = tmp_path / "course"
    shutil.copytree(course, folder)
    monkeypatch.chdir(folder)
    return folder
