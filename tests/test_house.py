"""The house stands as CONTRIBUTING.md shows it: who imports whom, what an import loads, one tree of exceptions."""

from __future__ import annotations

import ast
import builtins
import re
import subprocess
import sys
from pathlib import Path

import pytest

import autograder
from autograder import errors
from tools import house

PACKAGE = house.ROOT / "autograder"
MODULES = {file: ast.parse(file.read_text(encoding="utf-8")) for file in sorted(PACKAGE.rglob("*.py"))}
TREE = re.findall(r"^[│├└─ ]*(\w+)(?: {3,}.*)?$", (errors.__doc__ or "").split("\n\n")[1], re.MULTILINE)


def test_imports_run_downwards_in_no_circle_and_the_grader_does_not_know_nbgrader() -> None:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-logo", "--no-cache"]
    told = subprocess.run(command, cwd=house.ROOT, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout
    assert "3 kept, 0 broken" in told.stdout


def test_the_picture_of_the_house_is_what_make_house_draws() -> None:
    assert house.PICTURE.read_text(encoding="utf-8") == house.svg()


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("autograder", {"torch", "numpy", "nbgrader", "matplotlib", "IPython", "nbconvert", "sqlalchemy"}),
        ("autograder.__main__", {"torch", "nbgrader", "IPython"}),
        ("autograder.rooms.exporter", {"torch"}),
    ],
)
def test_an_import_loads_nothing_that_it_does_not_need(module: str, heavy: set[str]) -> None:
    code = f"import sys, {module}; print(*{{n.partition('.')[0] for n in sys.modules}})"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert module.partition(".")[0] in loaded
    assert not heavy & set(loaded)


def test_the_exported_names_are_these() -> None:
    assert autograder.__all__ == ["AutograderError", "CheckFailed", "Question", "QuestionError", "question"]


def test_every_exception_of_the_package_is_in_the_tree_that_errors_draws() -> None:
    bases = {
        node.name: [ast.unparse(base).rpartition(".")[2] for base in node.bases]
        for tree in MODULES.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    found, before = {"AutograderError"}, 0
    while len(found) > before:
        before = len(found)
        found |= {name for name, of in bases.items() if found & set(of)}
    assert sorted(found) == sorted(TREE)
    builtin = {name for name in dir(builtins) if name.endswith(("Error", "Exception"))}
    assert {name for name, of in bases.items() if builtin & set(of)} == {"AutograderError", "TooLong"}


def test_every_module_says_what_it_keeps() -> None:
    assert [str(file) for file, tree in MODULES.items() if not ast.get_docstring(tree)] == []


def test_what_commands_print_goes_through_the_one_function_that_makes_it_safe() -> None:
    """What a student has written or chosen, such as the name of a file, is not obeyed by an instructor's terminal."""
    own = {
        "terminal/__init__.py": "it is that function",
        "questions.py": "a check prints into the student's own notebook",
        "verdict/shown.py": "the same",
        "at_home/fresh_run.py": "progress on the student's own terminal, on one line that is written again",
        "authoring/current.py": "one line of JSON for the process that has started it",
    }
    printing = {
        file.relative_to(PACKAGE).as_posix()
        for file, tree in MODULES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    }
    assert printing == set(own)
