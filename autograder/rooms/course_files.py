"""The files beside a notebook as its locked cells use them: they must be the course's own, and fit into a room.

Locked cells run beside a copy of the course's files, never a student's. So a module that only students have cannot
be imported there, and of a file that students may edit (`c.Autograde.exclude_overwriting`) the course's copy would be
tested, for which everybody earns full marks. The student's room gets the course's files with the student's, and one
that is too large for the room would be missing there.
"""

from __future__ import annotations

import ast
import importlib.machinery
import os
import sys
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from nbgrader.utils import find_all_files
from traitlets.config import LazyConfigValue

from autograder.rooms.run import GradingRun
from autograder.rooms.ways import parsed, tests
from autograder.rooms.written_files import modules
from autograder.rooms.written_files import written as written_files
from autograder.sandbox.folders import files_beside_notebooks
from autograder.sandbox.limits import MB
from autograder.sandbox.visible import trusted_path
from autograder.selection import PROGRAMS, Budget, is_ignored, limits_of, select

NOBODYS = (
    "The locked cell {cell} imports {module}, which is neither beside the course's notebook nor installed here. When a "
    "submission is graded, locked cells run where no file of the student's exists. Put {module}.py beside the "
    "notebook, install the package, or import it in a cell of the student's."
)
EDITED = (
    "{file} is a file that students may edit (c.Autograde.exclude_overwriting), and {by} uses it. When a submission is "
    "graded, locked cells use the course's own copy, so that a wrong one would earn full marks. Take it out of "
    "exclude_overwriting, or run `nbgrader generate_assignment` again, which lets these tests use the student's copy."
)
TOO_LARGE = (
    "The files beside the notebooks have {size:.1f} MB ({files}), and a room where student code runs takes {most:.0f} "
    "MB of files, half of c.Engine.written. Write c.Engine.written = {needed} in nbgrader_config.py, or shrink them."
)
TOO_MANY = (
    "Students could not hand in {names} again: {why}. Set c.HandedIn.files, c.CourseDirectory.max_file_size or "
    "max_dir_size (kB) in nbgrader_config.py, the students' as well, or make the files fewer and smaller."
)
_MOST_NAMED = 5


def nobodys(locked: Iterable[tuple[str, str]], folder: Path, written: Iterable[str] = ()) -> Iterator[str]:
    """A sentence for each module that a locked cell (name, source) imports and that only students could have; the
    modules of the files `written` are those that a cell of theirs writes, and that is tried.
    """
    cells = list(locked)
    paths = [Path(name) for name in _names(folder)]  # in any folder: a cell may add one to sys.path
    beside = {path.stem for path in paths} | {part for path in paths for part in path.parts}
    beside |= modules([*written, *(name for _, source in cells for name in written_files(source, parsed(source)))])
    for cell, source in cells:
        for module in sorted(imported(source) - beside):
            if not _installed(module):
                yield NOBODYS.format(cell=cell, module=module)


def editable(config: Any, assignment: str) -> list[str]:
    """The files of the assignment that nbgrader leaves as students have them."""
    given = config.Autograde.get("exclude_overwriting", {})
    if isinstance(given, LazyConfigValue):  # as c.Autograde.exclude_overwriting.update(…) leaves it
        given = given.get_value({})
    return [str(name) for name in given.get(assignment, [])]


def edited(locked: Iterable[tuple[str, str]], folder: Path, editable: Iterable[str]) -> Iterator[str]:
    """A sentence for each of the files `editable` by students that a locked cell, or a module of the course, uses."""
    sources = {f"the locked cell {cell}": source for cell, source in locked}
    modules: set[str] = set()
    todo = set().union(*(imported(source, tried=True) for source in sources.values()))
    while todo - modules:
        modules |= todo
        for name in _names(folder):  # what the course's modules import is used as well
            if name.endswith(".py") and {Path(name).stem, Path(name).parts[0]} & modules and name not in sources:
                sources[name] = (folder / name).read_text(encoding="utf-8", errors="replace")
                todo |= imported(sources[name], tried=True)
    for file in map(os.path.normpath, editable):
        by = next((by for by, source in sources.items() if by != file and _uses(source, file)), None)
        if by:
            yield EDITED.format(file=file, by=by)


def edited_in_a_run(run: GradingRun, assignment: str, notebooks: Iterable[str], config: Any) -> list[str]:
    """What `edited` says of the notebooks as the gradebook holds them: the option may be newer than they are.

    Of those whose tests run in the student's room it says nothing, because there the student's copy is used.
    """
    files = editable(config, assignment)
    in_rooms = [n for n in notebooks if files and not run.course_cells(assignment, n).language]
    outside = [n for n in in_rooms if not _is_inside(run, assignment, n)]
    cells = [c for n in outside for c in run.course_cells(assignment, n).cells.values()]
    locked = [(c.name, c.source) for c in cells if c.locked and c.cell_type == "code"]
    return list(edited(locked, Path(run.source_folder(assignment)), files))


def _is_inside(run: GradingRun, assignment: str, notebook: str) -> bool:
    ways = run.ways(assignment, notebook)
    return all(ways[test.name].closed for test in tests(run.course_cells(assignment, notebook)))


def too_many(folder: Path, coursedir: Any) -> Iterator[str]:
    """A sentence for each limit by which students could not hand in again what they were given."""
    _, beyond = select(str(folder), Budget(limits_of(coursedir)), partial(is_ignored, coursedir))
    for names, why, _ in beyond.told():
        if why != PROGRAMS:
            yield TOO_MANY.format(names=names, why=why)


def too_large(folder: Path, coursedir: Any, most: int, room: int) -> str:
    """A sentence if the course's files in `folder` have more than `most` bytes; a room writes `room` MB; else ""."""
    copied = [path for path in find_all_files(str(folder), [*coursedir.ignore, "*.ipynb"]) if os.path.exists(path)]
    sizes = {os.path.relpath(path, folder): os.path.getsize(path) for path in copied}
    total = sum(sizes.values())
    if total <= most:
        return ""
    largest = sorted(sizes, key=lambda name: -sizes[name])[:_MOST_NAMED]
    needed = -(-2 * total // MB)
    return TOO_LARGE.format(
        size=total / MB,
        most=most / MB,
        files=", ".join(f"{name} ({sizes[name] / MB:.1f} MB)" for name in largest),
        needed=max(needed, room),
    )


def imported(source: str, *, tried: bool = False) -> set[str]:
    """The modules that a cell or file imports; those whose absence it expects (`try: import …`) only if `tried`."""
    names: set[str] = set()
    todo: list[ast.AST] = [parsed(source)]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and tried:
            names.add(node.value.partition(".")[0])  # importlib.import_module("mytools")
        todo += ast.iter_child_nodes(node) if tried or not isinstance(node, ast.Try) else ()
    return names


def _uses(source: str, file: str) -> bool:
    path = Path(file)
    if path.suffix == ".py" and {path.stem, path.parts[0]} & imported(source, tried=True):
        return True
    return path.name in source


def _installed(module: str) -> bool:
    if module in sys.stdlib_module_names:
        return True
    if importlib.machinery.PathFinder.find_spec(module, trusted_path()):
        return True
    others = [finder for finder in sys.meta_path if finder is not importlib.machinery.PathFinder]
    return any(finder.find_spec(module, None) for finder in others)


def _names(folder: Path) -> list[str]:
    return [name for _, name in files_beside_notebooks(str(folder))]
