"""The mixed course, made once for all tests of a file, and what is read of it."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest

from autograder.class_report import work
from autograder.class_report.work import Work
from autograder.gradebook import reading
from tests.class_report import mixed


@pytest.fixture(scope="session")
def mixed_course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("report") / "course"
    mixed.course(root)
    return root


def read(root: Path, assignment: str = "ps1") -> Work:
    """The work of the course at `root`."""
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # nbgrader's own
        patch.chdir(root)
        coursedir = reading.course_here()
        with reading.opened(coursedir.db_url, assignment) as session:
            return work.read(coursedir, session, reading.find(session, assignment))


@pytest.fixture(scope="session")
def mixed_work(mixed_course: Path) -> Work:
    return read(mixed_course)
