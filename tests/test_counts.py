"""No test holds what ps1 has today: 6 questions, 12 cells, 60 points. An author adds more as docs/authors.md tells.

Tests take these from the notebook, by tests/conftest.py: QUESTIONS_OF_PS1, FURTHER, GRADED_CELLS, POINTS. Tests of ps1
as a whole mostly run nbgrader for minutes; so this reads them instead of running them once more with a question added.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.conftest import ROOT

COUNTS = (6, 12, 60)
SAID = re.compile(
    r"\b(?:6|12|60)(?:\.0+)? (?:cells?|points?|questions?|hidden tests?)\b|\b[Oo]f (?:6|12) q|\bof 60\.0|/ 60\b"
)
WHOLE = re.compile(r"(?:len|list|set|sorted|tuple)\(NAMES\)")
"""The contract's six taken for all of ps1; `[: len(NAMES)]` takes the six of it."""


def literals(source: str) -> dict[int, str]:
    """Each expectation about the whole of ps1 that is stated as a number or by NAMES, by its line."""
    tree = ast.parse(source)
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    of_the_six = re.search(r"^from tests\.conftest import .*\bNAMES\b", source, re.MULTILINE)
    of_a_slice = {id(n) for part in ast.walk(tree) if isinstance(part, ast.Slice) for n in ast.walk(part)}
    found: dict[int, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if id(node) not in docstrings and SAID.search(node.value):
                found[node.lineno] = node.value
        elif isinstance(node, ast.Call) and id(node) not in of_a_slice:
            if of_the_six and WHOLE.fullmatch(ast.unparse(node)):
                found[node.lineno] = ast.unparse(node)
        elif isinstance(node, ast.Compare) and _is_a_count(node):
            found[node.lineno] = ast.unparse(node)
    return found


def _is_a_count(node: ast.Compare) -> bool:
    """Whether something must be equal to one of the numbers, other than what somebody earns who answers the six."""
    if "marks(" in ast.unparse(node):
        return False
    sides = [side.value for side in (node.left, *node.comparators) if isinstance(side, ast.Constant)]
    return any(isinstance(operator, ast.Eq) for operator in node.ops) and any(side in COUNTS for side in sides)


@pytest.mark.parametrize(
    "found",
    [  # each of these once failed for an author with a seventh question
        'x = "ps1 is in the gradebook: 2 notebooks, 12 cells with points."',
        'assert "60 points in all" in said',
        "assert _points(clone) == 60",
        'assert gradebook.find_submission("ps1", "ada").score == 12',
        'Step("autograder seeds", says=("new seeds for 6 hidden tests",))',
        'assert "Right at the checks that you can see: 2 of 6 questions. The hidden" in said',
        "assert [q.name for q in questions] == list(NAMES)",
        "assert page.count('<section>') == len(NAMES)",
        "assert len(set(drawn)) == len(NAMES) + 1",
        "count = len(NAMES) + 1",
        'assert f"new seeds for {len(NAMES)} hidden tests" in said',
    ],
)
def test_such_a_literal_is_seen(found: str) -> None:
    assert list(literals(f"from tests.conftest import NAMES, ROOT\n{found}\n")) == [2]


def test_no_test_holds_the_number_of_ps1s_questions_cells_or_points() -> None:
    answers = ROOT / "tests" / "sample_class"  # not all of them are Python
    files = [f for f in (ROOT / "tests").rglob("*.py") if answers not in f.parents and f.name != Path(__file__).name]
    seen = {f"{file.relative_to(ROOT)}:{n}": text for file in files for n, text in literals(file.read_text()).items()}
    assert seen == {}, "take it from tests/conftest.py: QUESTIONS_OF_PS1, FURTHER, GRADED_CELLS or POINTS"
