"""How each test of a course gets at what is the student's, kept beside the course from one release to the next.

`generate_assignment` finds it out (`tried`) and writes `.tests-<assignment>.json`. Where a test has been changed since,
or was never tried, what it may borrow is read from the course's cells. A test that only asks questions borrows nothing.
"""

from __future__ import annotations

import ast
import builtins
import functools
import hashlib
import itertools
import json
import keyword
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from IPython.core.inputtransformer2 import TransformerManager

from autograder.rooms import written_files
from autograder.rooms.course_cells import CourseCell, CourseCells

UNTRIED = (
    "Never tried with the course's own solution, so that right answers may fail: {names}. Run `nbgrader "
    "generate_assignment` again."
)
INSIDE = (
    "These tests run where the student's code runs, so that a student who knows how can make them pass "
    "(docs/security.md): {names}."
)
_INSIDE = frozenset(
    (
        *("getsource", "getsourcelines", "findsource", "getmembers", "monkeypatch", "setattr"),
        *("__code__", "__defaults__", "__kwdefaults__", "__closure__", "__globals__", "__dict__", "__annotations__"),
        *("redirect_stdout", "redirect_stderr", "capture_output", "setrecursionlimit"),
    )
)
_MODULES_INSIDE = frozenset(("dis", "unittest.mock", "mock"))
_SHELLS = frozenset(("get_ipython", "exit", "quit", "In", "Out", "display", "open"))
"""What IPython itself gives to every namespace."""
_WORD = re.compile(r"[^\W\d]\w*")


@dataclass(frozen=True)
class Way:
    """How a test gets at what it needs of the student's."""

    names: tuple[str, ...] = ()
    """What it borrows."""
    asked: tuple[tuple[str, str], ...] | None = ()
    """The pairs (class, special method) that it may ask of objects; None while the course's own solution is tried."""
    rebound: tuple[str, ...] = ()
    """While it is tried: the names that a student's cell gave a value last."""
    imports: tuple[tuple[str, str, str], ...] = ()
    """Name, module and attribute of what a student's cell imports: the examiner imports it itself. The name `*` stands
    for all names of the module, an empty attribute for the module."""
    tried: bool = True
    """It was tried with the course's own solution."""
    closed: bool = False
    """It runs in the student's closed room, because it does what cannot be asked from outside."""

    def loan(self) -> dict[str, Any] | None:
        """What the examiner's worker is told; None if there is nothing to borrow."""
        if not self.names and not self.imports:
            return None
        return {"names": self.names, "asked": self.asked, "rebound": self.rebound, "imports": self.imports}


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
    found = {
        test.name: Way() if asks_only(test) else _kept(tried.get(test.name), test) or unread(test, course)
        for test in tests(course)
    }
    return {**shared(course), **found}


def shared(course: CourseCells) -> dict[str, Way]:
    """What the course's cells that run in both rooms may borrow in the examiner's."""
    both = [c for c in course.cells.values() if c.cell_type == "code" and c.locked and not c.grade]
    return {cell.name: replace(unread(cell, course), tried=True) for cell in both}


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
    """What a test may borrow as far as the course's cells show it: what it names and a student's cell gives."""
    way = first(test, course)
    if test.grade and reaches_inside(test, course):
        return Way(tried=False, closed=True)
    return Way(way.rebound, imports=way.imports, tried=False)


def first(test: CourseCell, course: CourseCells) -> Way:
    """What is tried of a cell of the course's: whatever it names may be borrowed, but for what students' cells import,
    which is imported, and for what a cell of the course's gave a value last, unless that has changed.
    """
    cells = code(course)
    named, last = words(test, course), dict[str, str]()
    imports: dict[str, tuple[str, str, str]] = {}
    stars: list[tuple[str, str, str]] = []
    for _, source, locked in itertools.takewhile(lambda cell: cell[0] != test.name, cells):
        tree = _of_course(source)
        if not locked:
            brought = list(_imports(tree))
            stars += [one for one in brought if one[0] == "*"]
            imports.update((one[0], one) for one in brought)
            last.update((one[0], "imported") for one in brought)
        last.update(dict.fromkeys(_bound(tree, imports=locked), "ours" if locked else "theirs"))
    theirs = tuple(sorted(name for name in named if last.get(name) == "theirs"))
    own = tuple(imports[name] for name in sorted(named) if last.get(name) == "imported")
    names = tuple(sorted(name for name in named if last.get(name) != "imported"))
    return Way(names, None, theirs, (*own, *stars))


def code(course: CourseCells) -> Sequence[tuple[str, str, bool]]:
    """The code cells of a notebook of the course in order: name, source, whether locked."""
    return course.code or [(c.name, c.source, c.locked) for c in course.cells.values() if c.cell_type == "code"]


def _imports(tree: ast.Module) -> Iterator[tuple[str, str, str]]:
    """Name, module and attribute of what a cell imports outside functions (`Way.imports`)."""
    for node in _outside_functions(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.asname or alias.name.partition(".")[0], alias.name, ""
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                star = alias.name == "*"
                yield ("*" if star else alias.asname or alias.name), node.module, "" if star else alias.name


def reaches_inside(test: CourseCell, course: CourseCells) -> bool:
    """Whether a test, or a function of the course's that it names, looks at what a stand-in has not, or changes what
    the student's room would not see: then it must not pass by that. Or uses a file that a student's cell writes.
    """
    files = written(course)
    named = words(test, course)
    given = [tree for tree in map(_of_course, _given(course)) if _bound(tree) & named]
    trees = [_of_course(test.source), *given]
    for tree in trees:
        brought = {name for name, *_ in _imports(tree)} | {"builtins", "np", "torch", "math"}
        if {module for _, module, _ in _imports(tree)} & _MODULES_INSIDE:
            return True
        if files & written_files.named(tree) or written_files.modules(files) & {m for _, m, _ in _imports(tree)}:
            return True
        for node in ast.walk(tree):
            word = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
            stores = isinstance(getattr(node, "ctx", None), ast.Store | ast.Del)
            of = node.value if isinstance(node, ast.Attribute) else None
            if word in _INSIDE or (stores and isinstance(of, ast.Name) and of.id in brought):
                return True
    return bool(_bound(trees[0], imports=False) & set(dir(builtins)))


def written(course: CourseCells) -> set[str]:
    """The names of files that the students' cells write."""
    cells = [source for _, source, locked in code(course) if not locked]
    return set[str]().union(*(written_files.written(source, parsed(source)) for source in cells))


def _given(course: CourseCells) -> list[str]:
    """The sources of the course's cells that are no tests."""
    return [c.source for c in course.cells.values() if c.cell_type == "code" and c.locked and not c.grade]


def words(test: CourseCell, course: CourseCells) -> set[str]:
    """The words by which a test may name something: its own, and those of the course's definitions that it names.

    A text may name something as well, for instance what `eval` or a magic gets.
    """
    found = _words(_of_course(test.source))
    definitions = [node for source in _given(course) for node in _of_course(source).body]
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


def _bound(tree: ast.AST, imports: bool = True) -> set[str]:
    names: set[str] = set()
    for node in _outside_functions(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            names.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.alias) and imports:
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


_of_course = functools.lru_cache(maxsize=512)(parsed)
"""For each test all cells above it are looked at."""


def _kept(data: Any, test: CourseCell) -> Way | None:
    try:
        if data["source"] != checksum(test.source):
            return None
        asked = tuple((str(kind), str(name)) for kind, name in data["asked"])
        imports = tuple((str(name), str(module), str(of)) for name, module, of in data["imports"])
        return Way(tuple(map(str, data["names"])), asked, imports=imports, closed=data["closed"] is True)
    except (KeyError, TypeError, ValueError):
        return None
