"""Finds, reads and writes source notebooks, and inserts a new question into one."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from autograder.authoring import cells
from autograder.authoring.questions import FORWARD
from autograder.authoring.questions import read as questions_of
from autograder.authoring.source import grade_id
from autograder.errors import QuestionError
from autograder.questions import Question

SOURCE = Path("source")


def read(path: Path) -> Any:
    """The notebook (format 4) at `path`; QuestionError if there is none or it cannot be read."""
    import nbformat

    if not path.exists():
        raise QuestionError(f"There is no notebook {path}. Name one with --notebook.")
    try:
        return nbformat.read(path, as_version=4)
    except Exception as error:
        raise QuestionError(f"{path} cannot be read as a notebook: {error}") from None


def write(notebook: Any, path: Path) -> None:
    """Writes to another file first and renames it, so that a crash or Ctrl-C does not damage the old notebook."""
    import nbformat

    beside = path.with_suffix(".ipynb.new")
    nbformat.write(notebook, beside)
    beside.replace(path)


def with_questions(source: Path = SOURCE) -> list[Path]:
    """The source notebooks, of all assignments, that contain questions."""
    return [path for path, ids, _ in _sources(source) if any(map(FORWARD.match, ids))]


def set_up(source: Path = SOURCE) -> list[Path]:
    """The source notebooks that can take new questions: a locked cell imports `question`."""
    return [path for path, _, text in _sources(source) if "from autograder import question" in text]


def _sources(source: Path) -> Iterator[tuple[Path, list[str], str]]:
    """Each source notebook with the grade_ids of its cells and the text of its locked cells."""
    for path in sorted(source.glob("*/*.ipynb")):
        try:
            cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
            marks = [(cell.get("metadata", {}).get("nbgrader", {}), "".join(cell["source"])) for cell in cells]
        except (ValueError, KeyError, TypeError, AttributeError):
            continue  # not a notebook; nbgrader will report it
        yield path, [m.get("grade_id", "") for m, _ in marks], "\n".join(t for m, t in marks if m.get("locked"))


def questions(notebook: Any) -> dict[str, Question]:
    """The questions that the forward cells define, by name; QuestionError if one of the cells defines none."""
    found = questions_of(notebook)
    if found.faults:
        raise QuestionError(next(iter(found.faults.values())))
    return found.made


def five_cells(source: str, title: str, notebook: Any) -> tuple[Question, list[Any]]:
    """The question and its five cells, from the source of its forward cell.

    Names of the set-up cell of `notebook` can be used. QuestionError if the source defines no question.
    """
    from nbformat import NotebookNode

    name = _name_in(source)
    above = [cell for cell in notebook.cells if grade_id(cell) != f"{name}-forward"]
    found = questions_of(NotebookNode(notebook, cells=[*above, cells.cell(f"{name}-forward", source)]))
    if name in found.faults:
        raise QuestionError(found.faults[name])
    made = cells.texts(found.made[name], source, title)
    return found.made[name], [cells.cell(grade_id, text) for grade_id, text in made.items()]


def _name_in(source: str) -> str:
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise QuestionError(f"The forward pass has a syntax error in line {error.lineno}: {error.msg}.") from None
    made = [s.name for s in tree.body if isinstance(s, ast.FunctionDef) and s.decorator_list]
    if len(made) != 1:
        raise QuestionError(f"The file must hold one function under @question, and holds {len(made)}.")
    return made[0]


def insert(notebook: Any, made: list[Any]) -> None:
    """Inserts the cells `made` after the last question; QuestionError if an id is taken."""
    have = [grade_id(cell) for cell in notebook.cells]
    taken = sorted({grade_id(c) for c in made} & set(have))
    if taken:
        raise QuestionError(f"The notebook already has a cell {taken[0]}. Choose another name or remove its cells.")
    last = max((i for i, g in enumerate(have) if g.endswith("-hidden")), default=len(have) - 1)
    notebook.cells[last + 1 : last + 1] = made
