"""Hands in the sample class: answers stored as text, one file for each student, are put into the released notebook.

A file in tests/sample_class has cells in the percent format: `# %% q4` replaces the answer cell of question 4, and
`# %% scratch` adds a student's cell after the previous cell. The first line says what the student does.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import nbformat

ANSWERS = Path(__file__).parent.parent / "tests" / "sample_class"


def students(folder: Path = ANSWERS) -> dict[str, Path]:
    """The file of each student's answers, by the student's name."""
    return {file.stem: file for file in sorted(folder.glob("*.py"))}


def about(answers: Path) -> str:
    """What a student does, from the first line of the file."""
    return answers.read_text().splitlines()[0].removeprefix("# ")


def cells(answers: Path) -> Iterator[tuple[str, str]]:
    """The cells of a file in order: (cell id or "scratch", source)."""
    parts = re.split(r"^# %% (\w+)\n", answers.read_text(), flags=re.MULTILINE)[1:]
    yield from ((name, source.rstrip("\n")) for name, source in zip(parts[::2], parts[1::2], strict=True))


def fill_in(notebook: nbformat.NotebookNode, answers: Path) -> nbformat.NotebookNode:
    """Puts a student's answers into the released notebook, which is changed and returned."""
    at = next(i for i, c in enumerate(notebook.cells) if c.metadata.get("nbgrader", {}).get("grade_id") == "setup")
    for name, source in cells(answers):
        if name == "scratch":
            at += 1
            notebook.cells.insert(at, nbformat.v4.new_code_cell(source))
            continue
        at = next(i for i, c in enumerate(notebook.cells) if c.metadata.get("nbgrader", {}).get("grade_id") == name)
        notebook.cells[at].source = source
    return notebook


def hand_in(release: Path, answers: Path, submission: Path) -> None:
    """Writes submission/ from release/ and one student's answers, with nbgrader's timestamp."""
    submission.mkdir(parents=True)
    for file in release.iterdir():
        shutil.copy(file, submission)
    notebook = nbformat.read(release / "problems.ipynb", as_version=4)
    nbformat.write(fill_in(notebook, answers), submission / "problems.ipynb")
    (submission / "timestamp.txt").write_text(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC")
