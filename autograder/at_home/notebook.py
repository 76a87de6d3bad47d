"""Reads a notebook file that may be damaged or hostile, without nbgrader; each fault of the file is one plain sentence.

nbgrader's metadata in each cell says what the course expects of it. If the kit's untouched copy is in `original/`, that
copy's metadata is used.
"""

from __future__ import annotations

import hashlib
import json
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.errors import AutograderError

MISSING = "There is no file {name} in {folder}.{others}"
OTHERS = " The notebooks there are: {names}."
NO_OTHERS = " There is no notebook at all: go to the folder with your notebook first (cd), or give its path."
IS_FOLDER = "{name} is a folder: name the notebook in it, such as {example}."
NOT_IPYNB = "{name} is not a notebook: the name of a notebook ends in .ipynb."
EMPTY = "{name} is empty (0 bytes). Open the notebook again, save it (Ctrl+S) and look at the file once more."
WEB_PAGE = "{name} is a web page that was saved under the name of a notebook. In Jupyter use File > Download."
NOT_JSON = (
    "{name} is not a valid notebook: line {line} cannot be read ({why}). It was edited as text, or it is cut off. "
    "{remedy}"
)
NOT_NOTEBOOK = "{name} is not a notebook, although its name ends in .ipynb: it holds no cells. {remedy}"
FROM_ORIGINAL = "Take a new copy of {original} and paste your lines into it."
FROM_COURSE = "Take a new copy of the course's notebook and paste your lines into it."
TOO_LARGE = "{name} is larger than {megabytes} MB. Clear the outputs (Edit > Clear Outputs of All Cells) and save."
LARGEST = 100  # MiB
ORIGINAL = "original"
_STUB = re.compile(r"^[ \t]*raise NotImplementedError(?:\(\))?[ \t]*$", re.MULTILINE)
"""What nbgrader puts where a solution was, alone or in a function."""
_KIT = re.compile(r"(.+)-student-kit\b")
_ANSWER = re.compile(r"^def grad_q\w+\(", re.MULTILINE)
# Matches the reversed name, so that the match is anchored and takes linear time. Students choose the names: a search
# for such an ending from every position takes minutes on some of them.
_COPY = re.compile(r"(\)\d+\(\s*|\d* ?ypoc[ _-]+)+", re.IGNORECASE)


class UnreadableNotebook(AutograderError):
    """A file that cannot be read as a notebook; the text says why and what to do."""


@dataclass(frozen=True)
class Cell:
    """One cell: its number (from 1, text cells included), kind (cell_type), source, and nbgrader's metadata (`mark`).

    `ran_before` and `failed_before` are the saved execution count and whether the saved output has an error.
    """

    number: int
    kind: str
    source: str
    mark: dict[str, Any]
    failed_before: bool
    ran_before: int | None

    @property
    def name(self) -> str:
        return str(self.mark.get("grade_id", ""))

    @property
    def locked(self) -> bool:
        return bool(self.mark.get("locked"))

    @property
    def graded(self) -> bool:
        return bool(self.mark.get("grade"))

    @property
    def answer(self) -> bool:
        return bool(self.mark.get("solution"))

    @property
    def for_a_person(self) -> bool:
        """Whether a person gives its points."""
        return bool(self.mark.get("task")) or (self.graded and self.answer)

    @property
    def test(self) -> bool:
        """Whether it is a test of which something can be seen."""
        seen = any(line.strip() and not line.lstrip().startswith("#") for line in self.source.split("\n"))
        return self.graded and not self.answer and self.kind == "code" and seen

    @property
    def points(self) -> float:
        """What it is worth; 0 if that is not known."""
        points = self.mark.get("points")
        return float(points) if isinstance(points, int | float) else 0.0

    @property
    def has_stub(self) -> bool:
        """Whether a line of it still is what nbgrader puts where a solution was."""
        return self.answer and _STUB.search(self.source) is not None

    @property
    def edited(self) -> bool:
        """Whether a read-only cell was changed, by the checksum that nbgrader stored in its metadata."""
        checksum = self.mark.get("checksum")
        return self.locked and isinstance(checksum, str) and checksum != _checksum(self)

    @property
    def title(self) -> str:
        """The first heading of a text cell."""
        heading = re.search(r"^#+\s+(.+)$", self.source, re.MULTILINE) if self.kind == "markdown" else None
        return heading[1].strip() if heading else ""


@dataclass(frozen=True)
class Notebook:
    """A notebook file's content."""

    path: Path
    content: dict[str, Any]
    cells: tuple[Cell, ...]

    @property
    def language(self) -> str:
        about = self.content.get("metadata")
        about = about if isinstance(about, dict) else {}
        info, spec = about.get("language_info"), about.get("kernelspec")
        return str(
            (isinstance(info, dict) and info.get("name")) or (isinstance(spec, dict) and spec.get("language")) or ""
        )

    @property
    def graded(self) -> bool:
        return any(cell.graded for cell in self.cells)

    def named(self, name: str) -> list[Cell]:
        return [cell for cell in self.cells if cell.name == name]


def read(path: Path) -> Notebook:
    """The notebook at `path`; UnreadableNotebook if the file is missing, too large or not a notebook."""
    name = path.name
    if path.is_dir():
        example = path / "problems.ipynb"
        raise UnreadableNotebook(IS_FOLDER.format(name=path, example=example))
    if not path.exists():
        folder = path.parent.resolve()
        beside = sorted(p.name for p in folder.glob("*.ipynb")) if folder.is_dir() else []
        others = OTHERS.format(names=", ".join(beside[:10])) if beside else NO_OTHERS
        raise UnreadableNotebook(MISSING.format(name=name, folder=folder, others=others))
    if path.suffix != ".ipynb":
        raise UnreadableNotebook(NOT_IPYNB.format(name=name))
    if path.stat().st_size > LARGEST << 20:
        raise UnreadableNotebook(TOO_LARGE.format(name=name, megabytes=LARGEST))
    return parse(path.read_bytes(), path)


def parse(data: bytes, path: Path) -> Notebook:
    """The notebook in `data`; `path` is used in messages and the result only. UnreadableNotebook if it is none."""
    name, remedy = path.name, _remedy(path)
    if not data.strip():
        raise UnreadableNotebook(EMPTY.format(name=name))
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        if re.match(rb"\s*<(!doctype|html)", data[:200], re.IGNORECASE):
            raise UnreadableNotebook(WEB_PAGE.format(name=name)) from None
        line, why = getattr(error, "lineno", 1), getattr(error, "msg", "it is not text")
        raise UnreadableNotebook(NOT_JSON.format(name=name, line=line, why=why, remedy=remedy)) from None
    cells = content.get("cells") if isinstance(content, dict) else None
    if not isinstance(cells, list) or not all(
        isinstance(c, dict) and isinstance(c.get("cell_type"), str) for c in cells
    ):
        raise UnreadableNotebook(NOT_NOTEBOOK.format(name=name, remedy=remedy))
    return Notebook(path, content, tuple(_cell(number, cell) for number, cell in enumerate(cells, 1)))


def original_of(notebook: Notebook) -> Notebook | None:
    """The kit's untouched copy of this notebook, found by its name or else by its cells' ids; None if there is none."""
    folder = notebook.path.parent / ORIGINAL
    wanted = expected_name(notebook.path.name)
    names = {cell.name for cell in notebook.cells if cell.name}
    found: list[Notebook] = []
    for path in sorted(folder.glob("*.ipynb")) if folder.is_dir() else []:
        with suppress(UnreadableNotebook):
            copy = read(path)
            if path.name == wanted:
                return copy
            found += [copy] if names & {cell.name for cell in copy.cells if cell.graded} else []
    return found[0] if len(found) == 1 else None


def is_graded(notebook: Notebook, original: Notebook | None) -> bool:
    """Whether the course grades this notebook (it does not grade the examples), even if its metadata was lost.

    Without the kit's copy, a notebook without metadata counts as graded if it defines a `grad_q…` function or is called
    problems.ipynb.
    """
    course = original or notebook
    if notebook.graded or course.graded:
        return True
    if original:
        return False
    answers = any(_ANSWER.search(cell.source) for cell in notebook.cells)
    return answers or expected_name(notebook.path.name) == "problems.ipynb"


def graded_beside(path: Path) -> tuple[str, ...]:
    """The names of other notebooks in the same folder that have graded cells."""
    found = []
    for other in sorted(path.parent.glob("*.ipynb"))[:20]:
        with suppress(UnreadableNotebook):
            if other.name != path.name and read(other).graded:
                found.append(other.name)
    return tuple(found)


def expected_name(name: str) -> str:
    """The file name without what browsers and Jupyter add to copies: `problems (1).ipynb` becomes `problems.ipynb`."""
    stem, dot, suffix = name.rpartition(".")
    added = _COPY.match(stem[::-1])
    return ((stem[: -added.end()] if added else "") or stem) + dot + suffix


def assignment_of(path: Path) -> str:
    """The assignment of the notebook at `path`, by the name of its folder (`ps2-student-kit`); elsewhere "ps1"."""
    kit = _KIT.match(path.resolve().parent.name)
    return kit[1] if kit else "ps1"


def _remedy(path: Path) -> str:
    copy = path.parent / ORIGINAL / expected_name(path.name)
    return FROM_ORIGINAL.format(original=f"{ORIGINAL}/{copy.name}") if copy.exists() else FROM_COURSE


def _cell(number: int, cell: dict[str, Any]) -> Cell:
    about = cell.get("metadata")
    mark = about.get("nbgrader") if isinstance(about, dict) else None
    outputs = cell.get("outputs")
    count = cell.get("execution_count")
    return Cell(
        number=number,
        kind=str(cell["cell_type"]),
        source=_text(cell.get("source")),
        mark=mark if isinstance(mark, dict) else {},
        failed_before=any(
            isinstance(o, dict) and o.get("output_type") == "error"
            for o in (outputs if isinstance(outputs, list) else ())
        ),
        ran_before=count if isinstance(count, int) else None,
    )


def _text(source: Any) -> str:
    if isinstance(source, list):
        return "".join(line for line in source if isinstance(line, str))
    return source if isinstance(source, str) else ""


def _checksum(cell: Cell) -> str:
    """The checksum as nbgrader computes it (`compute_checksum` in nbgrader/utils.py); MD5 is no protection here."""
    parts = [cell.source, cell.kind, *(str(bool(cell.mark.get(flag))) for flag in ("grade", "solution", "locked"))]
    parts.append(cell.name)
    if cell.graded:
        try:
            parts.append(str(float(cell.mark.get("points", 0))))
        except (TypeError, ValueError):
            parts.append("")
    return hashlib.md5("".join(parts).encode("utf-8", "replace"), usedforsecurity=False).hexdigest()
