"""The README's example prints what the comments in it say, and every link of the documentation leads somewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.docs.walk import commands

PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")])
(SNIPPET,) = re.findall(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(), flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("program", [["IPython", "--colors=nocolor", "--no-banner"], []], ids=["pasted", "as a file"])
def test_the_example_prints_what_its_comments_say(program: list[str], tmp_path: Path) -> None:
    file = tmp_path / "example.py"
    file.write_text(SNIPPET)
    command = [sys.executable, *(["-m", *program] if program else []), str(file)]
    done = subprocess.run(
        command, cwd=tmp_path, env={"HOME": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    said = " ".join((done.stdout + done.stderr).split())
    at = 0
    for line in re.findall(r"^# (.+)$", SNIPPET, flags=re.MULTILINE):
        words = " ".join(line.split())
        assert words in said[at:], f"{words!r} is not said, or not in this place:\n{said}"
        at = said.index(words, at) + len(words)


WALKED = {
    "README.md": "test_readme",
    "docs/administrators.md": "test_administrators_page",
    "docs/authors.md": "test_authors_page",
    "docs/instructors.md": "test_instructors_page",
    "docs/students.md": "test_students_page",
}
# Its two commands need Docker, which the machines that run these tests lack; the page says that nobody has run them.
NOT_WALKED = ["docs/security.md"]


def test_every_page_with_commands_is_walked() -> None:
    pages = sorted(str(page.relative_to(ROOT)) for page in PAGES if "```sh" in page.read_text())
    assert pages == sorted([*WALKED, *NOT_WALKED])
    assert [test for test in WALKED.values() if not (ROOT / "tests" / "docs" / f"{test}.py").exists()] == []


def test_each_command_of_the_readme_is_typed_somewhere() -> None:
    """`make test` is what runs this; the others take a while and are tested for more than their first words."""
    typed = {
        "git clone <this repository> course && cd course": "tests/docs/test_instructors_page.py",
        "make demo": "tests/test_course.py",
        "make test": ".ci/run",
        "make hub": "tests/hub/test_demo.py",
    }
    assert commands("README.md") == list(typed)
    for command, file in typed.items():
        assert command in (ROOT / file).read_text()
    # test_demo.py starts the program itself: make answers Ctrl-C with a line of its own.
    hub = subprocess.run(["make", "-n", "hub"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "-m coursehub.demo" in hub.splitlines()[-1]


def _anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", page.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_within_the_repository_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:|data:)([^)\s]+)\)", page.read_text()):
        name, _, anchor = target.partition("#")
        meant = (page.parent / name).resolve() if name else page
        assert meant.exists(), f"{page.name} links to {target}"
        assert not anchor or anchor in _anchors(meant), f"{page.name} links to {target}, a section that is not there"


def test_every_page_of_the_documentation_is_listed_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text()
    assert [page.name for page in PAGES if page.parent.name == "docs" and f"docs/{page.name}" not in readme] == []
