"""docs/security.md promises nothing that no test shows: each line names a test that exists, or says why not."""

from __future__ import annotations

import re

import pytest

from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "security.md").read_text()
TESTS = {path: path.read_text() for path in (ROOT / "tests").rglob("test_*.py")}
NAMED = re.findall(r"`(test_\w+)(?:\[([\w-]+)\])?`", PAGE)


def _part(title: str) -> str:
    return PAGE.split(f"## {title}\n")[1].split("\n## ")[0]


@pytest.mark.parametrize("name", sorted({name for name, _ in NAMED}))
def test_a_test_that_the_page_names_exists(name: str) -> None:
    assert [path for path, text in TESTS.items() if re.search(rf"^def {name}\(", text, re.MULTILINE)]


@pytest.mark.parametrize("kind", sorted(set(re.findall(r"\[([a-z][\w-]*)\]`", PAGE))))
def test_a_submission_that_the_page_names_exists(kind: str) -> None:
    rooms = [text for path, text in TESTS.items() if path.parent.name == "rooms"]
    assert [text for text in rooms if f'"{kind}": Submission(' in text]


def test_every_line_of_what_is_protected_names_a_test() -> None:
    lines = [line for line in _part("What is protected").splitlines() if line.startswith("| ")][1:]
    assert len(lines) > 20
    assert not [line for line in lines if not re.search(r"`test_\w+(\[[\w-]+\])?`[^|]*\|$", line)]


def test_every_line_of_what_is_not_names_a_test_or_says_why_there_is_none() -> None:
    lines = re.split(r"^- ", _part("What is not"), flags=re.MULTILINE)[1:]
    assert len(lines) > 5
    assert not [line for line in lines if not re.search(r"No test|`test_\w+`", line)]
