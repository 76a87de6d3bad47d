"""The pages of one submission: whether they are up to date, and how they are written, whole or not at all.

nbgrader's own converter makes each file, in a folder aside, which then takes the place of the old one. So its files are
those of `nbgrader generate_feedback`, byte for byte, and a run that is killed leaves none half-written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.feedback.grades import NONE, Grades
from autograder.feedback.page import GRADES, is_whole
from autograder.sandbox import folders

_DIGEST = re.compile(rb'<meta name="grades" content="([0-9a-f]+)">')
_HEAD = 1000
"""Bytes of a page among which its digest stands."""


@dataclass(frozen=True)
class Submission:
    """The graded notebooks of a student, what the gradebook has of them, and the folder of their pages."""

    number: int
    student: str
    graded: Path
    pages: Path
    notebooks: tuple[str, ...]
    grades: Mapping[str, Grades]

    @property
    def names(self) -> list[str]:
        """Of the notebooks, as the gradebook knows them."""
        return [Path(notebook).stem for notebook in self.notebooks]

    def is_up_to_date(self) -> bool:
        """Whether each notebook has a page that is newer than it, made from the grades that the gradebook has now.

        A page says itself which grades it was made from, whichever command wrote it. Of work with another date than
        the pages', all are written again: nbgrader does so if it is later, and it may be earlier.
        """
        return _bytes(self.graded / "timestamp.txt") == _bytes(self.pages / "timestamp.txt") and all(
            self._has_page(Path(notebook)) for notebook in self.notebooks
        )

    def _has_page(self, notebook: Path) -> bool:
        page = self.pages / f"{notebook.stem}.html"
        try:
            if page.stat().st_mtime_ns < notebook.stat().st_mtime_ns:
                return False
        except OSError:
            return False
        text = _bytes(page)
        grades, found = self.grades.get(notebook.stem), _DIGEST.search(text, 0, _HEAD)
        return bool(is_whole(text) and grades and found and found[1].decode() == grades.digest())


@dataclass(frozen=True)
class Written:
    """How many pages of a submission were written, and of each of the others why it could not be."""

    pages: int
    failed: Mapping[str, str]


class Writer:
    """Writes the pages of submissions with nbgrader's `converter`, each in a folder of its own within `aside` first."""

    def __init__(self, converter: Any, aside: Path) -> None:
        self._converter, self._aside = converter, aside

    def __call__(self, submission: Submission) -> Written:
        """Writes all pages of a submission and never raises. If no page can be made, there is none afterwards."""
        here, old = (self._aside / f"{submission.number}.{kind}" for kind in ("new", "old"))
        failed: dict[str, str] = {}
        try:
            for left in (here, old):  # by a process that was killed
                folders.remove(str(left))
            made = self._write(submission, here, failed)
            if submission.pages.exists():
                submission.pages.rename(old)
            if made:
                submission.pages.parent.mkdir(parents=True, exist_ok=True)
                here.rename(submission.pages)
            self._converter.run_post_convert_hook()
            folders.remove(str(old))
        except Exception as error:
            return Written(0, dict.fromkeys(submission.names, why(error)) | failed)
        return Written(made, failed)

    def _write(self, submission: Submission, here: Path, failed: dict[str, str]) -> int:
        """Writes into the folder `here` what nbgrader writes for a submission; returns the number of pages."""
        converter, assignment = self._converter, self._converter.coursedir.assignment_id
        converter._format_dest = lambda *_: str(here)
        converter.notebooks = list(submission.notebooks)
        converter.run_pre_convert_hook()
        here.mkdir()
        converter.init_assignment(assignment, submission.student)
        for name, notebook in zip(submission.names, submission.notebooks, strict=True):
            if name not in submission.grades:
                failed[name] = NONE.format(student=submission.student, notebook=name, assignment=assignment)
                continue
            try:
                resources = converter.init_single_notebook_resources(notebook)
                resources["nbgrader"][GRADES] = submission.grades[name]
                page, resources = converter.exporter.from_filename(notebook, resources=resources)
                converter.write_single_notebook(page, resources)
            except Exception as error:
                failed[name] = why(error)
                (here / f"{name}.html").unlink(missing_ok=True)
        converter.set_permissions(assignment, submission.student)
        return len(submission.names) - len(failed)


def why(error: Exception) -> str:
    """What went wrong, on one line: the further ones of an error about a notebook quote its cells."""
    text = next(iter(str(error).strip().splitlines()), "no reason given")
    ours = type(error).__module__.startswith(("autograder.", "nbgrader."))
    return text if ours else f"{type(error).__name__}: {text}"


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""
