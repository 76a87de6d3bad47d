"""Reads one graded notebook: the answer to each question, and what the tests said of it.

Whose cell is whose follows from the ids that the gradebook has; grading has removed them from a student's own cells.
The outputs of tests were written in the examiner's room. The source of an answer is a student's, and is never run.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from autograder.class_report import mistakes
from autograder.class_report.mistakes import Mistake
from autograder.feedback import failure, outputs, verdicts
from autograder.feedback.failure import Source
from autograder.workers import wire

FEWER = "fewer points, without a message"
MARKED_DOWN = "fewer points, given by a person"
FAILED, STOPPED = "fails at `{statement}`", "stops with {error} at `{statement}`"
FAILED_SOMEWHERE, STOPPED_SOMEWHERE = "fails at an assertion", "stops with {error}"
_LONGEST, _MOST_SOURCE, _MOST_SAID = 90, 20_000, 2_000  # characters


@dataclass
class Test:
    """A cell with points: where it stands, and the output by which its test speaks."""

    at: int
    said: str = ""
    """The message of `check` or `grade`; else the text of an error."""
    mistake: Mistake | None = None
    grades: bool = False
    """Whether the message is that of `grade`, which saw the hidden points."""


@dataclass
class Notebook:
    """What a report needs of one graded notebook."""

    tests: dict[str, Test] = field(default_factory=dict)
    nodes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """The names in each question's forward pass, arguments first and the output last."""
    solutions: list[tuple[int, str, str]] = field(default_factory=list)
    """Place, id and source of each cell for an answer."""
    texts: set[str] = field(default_factory=set)
    """The ids of those that are no code."""

    def answer(self, names: Sequence[str]) -> dict[str, str]:
        """The source of each cell with the answer that the cells `names` give points for, by the cell's id.

        Either they are the answer, as where a person marks it, or it stands above the first of them and below the test
        before; where nothing stands between two tests, both are of the same answer.
        """
        own = {name: source for _, name, source in self.solutions if name in names}
        first = min((self.tests[name].at for name in names if name in self.tests), default=-1)
        above = [cell for cell in self.solutions if cell[0] < first]
        if own or not above:
            return own
        before = max((test.at for test in self.tests.values() if test.at < above[-1][0]), default=-1)
        return {name: source for at, name, source in above if at > before}

    def verdict(self, names: Sequence[str]) -> tuple[Mistake, str]:
        """What went wrong in the cells `names`, which earned less than all; and the message that says so."""
        tests = [self.tests[name] for name in names if name in self.tests]
        told = min((test for test in tests if test.mistake), key=lambda test: not test.grades, default=None)
        if told and told.mistake:
            return told.mistake, told.said
        return Mistake("", FEWER if tests else MARKED_DOWN), ""


def read(file: Path, graded: Collection[str]) -> Notebook | None:
    """The notebook in `file`, or None if that is none; `graded` holds the ids of its cells with points."""
    try:
        notebook = json.loads(file.read_bytes())
        cells = [cell for cell in notebook["cells"] if isinstance(cell, dict)]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    forwards = _forwards(cells)
    found = Notebook(nodes=forwards)
    tests = [cell for cell in cells if _name(cell) in graded]
    sources = {cell.get("execution_count"): Source(_text(cell.get("source"))) for cell in tests}
    for at, cell in enumerate(cells):
        name = _name(cell)
        if _marks(cell).get("solution"):
            found.texts |= {name} if cell.get("cell_type") != "code" else set()
            found.solutions.append((at, name, _text(cell.get("source"))[:_MOST_SOURCE]))
        elif name in graded and not _marks(cell).get("task"):
            found.tests[name] = _test(at, cell, sources, forwards)
    return found


def _test(at: int, cell: Any, sources: Mapping[Any, Source], forwards: Mapping[str, tuple[str, ...]]) -> Test:
    shown = [output for output in cell.get("outputs", []) if isinstance(output, dict)]
    printed = "".join(_text(output.get("text")) for output in shown if output.get("output_type") == "stream")
    if (said := verdicts.without_points(printed)) is not None:
        nodes = forwards.get(printed.partition(":")[0], ())
        return Test(at, said[:_MOST_SAID], mistakes.read(said, nodes), grades=True)
    for output in shown:
        if output.get("output_type") == "error":
            error = NotebookNode(ename=str(output.get("ename")), evalue=str(output.get("evalue")))
            error.traceback = [str(line) for line in output.get("traceback") or []]
            said = outputs.clean(error.evalue)[:_MOST_SAID]
            if error.ename in outputs.OURS:
                return Test(at, said, mistakes.read(said, forwards.get(_name(cell).rpartition("-")[0], ())))
            return Test(at, f"{error.ename}: {said}".rstrip(": "), _stopped(error, cell, sources))
    return Test(at)


def _stopped(error: NotebookNode, cell: Any, sources: Mapping[Any, Source]) -> Mistake:
    """What stopped an ordinary test, and at which of its statements: the same for all students who stop there."""
    test = sources[cell.get("execution_count")]
    told = failure.told(error, test, sources, secret=False)
    quoted = [line.strip() for line in told.split("\n") if line.startswith("    ")]
    if failure.FAILED_AT.partition("{")[0] in told and not quoted:
        quoted = [told.partition("`")[2].rpartition("`")[0]]
    name = _short(error.ename.removesuffix(wire.IN_THE_ANSWER))
    statement = _short(quoted[0]) if quoted else ""
    known, unknown = (FAILED, FAILED_SOMEWHERE) if name == "AssertionError" else (STOPPED, STOPPED_SOMEWHERE)
    return Mistake("", (known if statement else unknown).format(error=name, statement=statement))


def _forwards(cells: Sequence[Any]) -> dict[str, tuple[str, ...]]:
    """The names in the forward pass of each question, arguments first and the output last, by the question's name."""
    found: dict[str, tuple[str, ...]] = {}
    for cell in cells:
        if cell.get("cell_type") == "code" and _marks(cell).get("locked") and "@question" in _text(cell.get("source")):
            found |= _passes(_text(cell.get("source")))
    return found


@lru_cache(maxsize=256)
def _passes(source: str) -> dict[str, tuple[str, ...]]:
    """The names in each function of a course's cell; the same cell for every student, and read once."""
    try:
        functions = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    except (SyntaxError, ValueError):
        return {}
    return {f.name: (*(a.arg for a in f.args.args), *_assigned(f)) for f in functions if f.decorator_list}


def _assigned(function: ast.FunctionDef) -> list[str]:
    lines = [line for line in function.body if isinstance(line, ast.Assign)]
    return [line.targets[0].id for line in lines if isinstance(line.targets[0], ast.Name)]


def _marks(cell: Any) -> dict[str, Any]:
    marks = cell.get("metadata", {}).get("nbgrader") if isinstance(cell.get("metadata"), dict) else None
    return marks if isinstance(marks, dict) else {}


def _name(cell: Any) -> str:
    return str(_marks(cell).get("grade_id", ""))


def _text(source: Any) -> str:
    return "".join(map(str, source)) if isinstance(source, list) else str(source or "")


def _short(line: str) -> str:
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"
