"""The sample class: hands in answers kept as text, one file a student, as notebooks made from the release.

A file of tests/sample_class holds cells in the percent format: `# %% q4` replaces the answer cell of question 4,
`# %% scratch` adds a cell of the student's own after the cell before it. Its first line says what the student does.
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
    """The students of a folder of answers, by name."""
    return {file.stem: file for file in sorted(folder.glob("*.py"))}


def about(answers: Path) -> str:
    """What a student does, from the first line of the file."""
    return answers.read_text().splitlines()[0].removeprefix("# ")


def cells(answers: Path) -> Iterator[tuple[str, str]]:
    """(cell id or "scratch", source) in order."""
    parts = re.split(r"^# %% (\w+)\n", answers.read_text(), flags=re.MULTILINE)[1:]
    yield from ((name, source.rstrip("\n")) for name, source in zip(parts[::2], parts[1::2], strict=True))


def fill_in(notebook: nbformat.NotebookNode, answers: Path) -> nbformat.NotebookNode:
    """The released notebook with a student's answers in it."""
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
