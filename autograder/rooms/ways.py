"""How each test of a course gets at what is the student's, kept beside the course from one release to the next.

`generate_assignment` finds it out (`tried`) and writes `.tests-<assignment>.json`. Where a test has been changed since,
or was never tried, what it may borrow is read from the course's cells. A test that only asks questions borrows nothing.
"""

from __future__ import annotations

import ast
import builtins
import hashlib
import json
import keyword
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from IPython.core.inputtransformer2 import TransformerManager

from autograder.rooms.course_cells import CourseCell, CourseCells, Way

UNTRIED = (
    "Never tried with the course's own solution, so that right answers may fail: {names}. Run `nbgrader "
    "generate_assignment` again."
)
INSIDE = (
    "These tests run where the student's code runs, so that a student who knows how can make them pass "
    "(docs/security.md): {names}."
)
_SHELLS = frozenset(("get_ipython", "exit", "quit", "In", "Out", "display", "open"))
"""What IPython itself gives to every namespace."""
_WORD = re.compile(r"[^\W\d]\w*")


def tests(course: CourseCells) -> list[CourseCell]:
    """The cells that the examiner runs."""
    return [c for c in course.cells.values() if c.cell_type == "code" and c.locked and c.grade]


def asks_only(test: CourseCell) -> bool:
    """Whether a test does nothing but ask questions: `q1.check()`, `q1.grade(…)`. It needs nothing of anybody else."""
    calls = [node.value for node in parsed(test.source).body if isinstance(node, ast.Expr)]
    return len(calls) == len(parsed(test.source).body) and all(
        isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr in ("check", "grade")
        and isinstance(call.func.value, ast.Name)
        and all(isinstance(given, ast.Constant) for given in (*call.args, *(k.value for k in call.keywords)))
        for call in calls
    )


def told(ways: Mapping[str, Way]) -> list[str]:
    """What a grading run says of the tests of a notebook before it begins."""
    untried = [name for name, way in ways.items() if not way.tried]
    closed = [name for name, way in ways.items() if way.closed]
    return [
        *([UNTRIED.format(names=", ".join(untried))] if untried else []),
        *([INSIDE.format(names=", ".join(closed))] if closed else []),
    ]


def file_of(root: Path, assignment: str) -> Path:
    return root / f".tests-{assignment}.json"


def read(file: Path, notebook: str, course: CourseCells) -> dict[str, Way]:
    """The ways of the tests of a notebook."""
    tried = _in(file, notebook).get("tests", {})
    return {
        test.name: Way() if asks_only(test) else _kept(tried.get(test.name), test) or unread(test, course)
        for test in tests(course)
    }


def known(file: Path, notebook: str, whole: str) -> bool:
    """Whether this very notebook was tried before."""
    return bool(_in(file, notebook).get("whole") == whole)


def write(file: Path, notebook: str, whole: str, found: Mapping[str, tuple[str, Way]]) -> None:
    """Keeps what was found out, by each test's name with its source; other notebooks of the assignment stay."""
    kept = _all(file)
    ways = {name: {"source": checksum(source), **asdict(way)} for name, (source, way) in found.items()}
    kept[notebook] = {"whole": whole, "tests": ways}
    new = file.with_suffix(".new")
    new.write_text(json.dumps(kept, indent=1), encoding="utf-8")
    new.replace(file)


def _all(file: Path) -> dict[str, Any]:
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}


def _in(file: Path, notebook: str) -> dict[str, Any]:
    kept = _all(file).get(notebook)
    return kept if isinstance(kept, dict) and isinstance(kept.get("tests"), dict) else {}


def checksum(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def unread(test: CourseCell, course: CourseCells) -> Way:
    """What a test may borrow as far as the course's cells show it: whatever it names and the course does not give."""
    theirs = bound(c.source for c in course.cells.values() if c.cell_type == "code" and not c.locked)
    ours = bound(_given(course)) | (set(dir(builtins)) - theirs)
    return Way(tuple(sorted(words(test, course) - ours)), tried=False)


def _given(course: CourseCells) -> list[str]:
    """The sources of the course's cells that are no tests."""
    return [c.source for c in course.cells.values() if c.cell_type == "code" and c.locked and not c.grade]


def words(test: CourseCell, course: CourseCells) -> set[str]:
    """The words by which a test may name something: its own, and those of the course's definitions that it names.

    A text may name something as well, for instance what `eval` or a magic gets.
    """
    found, definitions = (
        _words(parsed(test.source)),
        [node for source in _given(course) for node in parsed(source).body],
    )
    while definitions:
        named = [node for node in definitions if _bound(node) & found]
        if not named:
            break
        definitions = [node for node in definitions if node not in named]
        found = found.union(*map(_words, named))
    return {name for name in found if not keyword.iskeyword(name) and name not in _SHELLS and name[:2] != "__"}


def _words(tree: ast.AST) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.update(_WORD.findall(node.value))
        elif isinstance(node, ast.Global | ast.Nonlocal):
            found.update(node.names)
    return found


def bound(sources: Iterable[str]) -> set[str]:
    """The names to which these cells give a value, outside functions."""
    return {name for source in sources for name in _bound(parsed(source))}


def _bound(tree: ast.AST) -> set[str]:
    names: set[str] = set()
    for node in _outside_functions(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            names.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.alias):
            names.add((node.asname or node.name).split(".")[0])
    return names


def _outside_functions(node: ast.AST) -> Iterable[ast.AST]:
    yield node
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
        for child in ast.iter_child_nodes(node):
            yield from _outside_functions(child)


def parsed(cell: str) -> ast.Module:
    """The cell, or file, as Python reads it; an empty one if it cannot, which the cell itself will say."""
    try:
        source: str = TransformerManager().transform_cell(cell)
        return ast.parse(source)
    except SyntaxError:
        return ast.Module([], [])


def _kept(data: Any, test: CourseCell) -> Way | None:
    try:
        if data["source"] != checksum(test.source):
            return None
        asked = tuple((str(kind), str(name)) for kind, name in data["asked"])
        return Way(tuple(map(str, data["names"])), asked, closed=data["closed"] is True)
    except (KeyError, TypeError, ValueError):
        return None
