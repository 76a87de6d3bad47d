"""docs/students.md at home: the kit is unpacked, installed and used as written; every message of the page is one."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

from tests.conftest import QUESTIONS_OF_PS1, ROOT
from tests.docs.walk import Step, Walk, commands, reader
from tools.sample_class import fill_in, students
from tools.student_kit import pack

PAGE = "docs/students.md"
# JupyterLab stays open until it is closed; tests/hub works in one, in a browser.
MEANT = {"venv/bin/jupyter lab": "venv/bin/jupyter lab --version"}


def lend_packages(kit: Path) -> None:
    """Saves the minutes of a download: the kit's `venv` has what these tests have, but not the course's package."""
    venv = kit / "venv"
    if subprocess.run(["cp", "-al", sys.prefix, str(venv)], capture_output=True, check=False).returncode:
        subprocess.run(["cp", "-a", sys.prefix, str(venv)], check=True)  # another file system
    for file in [*(venv / "bin").iterdir(), venv / "pyvenv.cfg"]:
        if not file.is_symlink() and file.is_file() and sys.prefix.encode() in (text := file.read_bytes()):
            mode = file.stat().st_mode
            file.unlink()  # it is the other environment's file too
            file.write_bytes(text.replace(sys.prefix.encode(), str(venv).encode()))
            file.chmod(mode)
    remove = [str(venv / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "uninstall", "-q", "-y"]
    subprocess.run([*remove, "autograder"], check=True, capture_output=True)
    assert not (venv / "bin" / "autograder").exists()
    (venv / "made-in.txt").write_text(str(kit))  # else the installer takes it for one that was moved, and makes it anew


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    folder = tmp_path_factory.mktemp("home")
    with zipfile.ZipFile(pack("ps1", folder)) as kit:
        kit.extractall(folder)
    lend_packages(folder / "ps1-student-kit")
    with reader(folder, MEANT) as walk:
        walk.type("cd ps1-student-kit")
        yield walk


@pytest.mark.course
def test_a_student_at_home_installs_answers_checks_and_sends(walk: Walk) -> None:
    def answers(walk: Walk) -> None:
        notebook = nbformat.read(walk.here / "problems.ipynb", as_version=4)
        nbformat.write(fill_in(notebook, students()["chen"]), walk.here / "problems.ipynb")

    def helper(walk: Walk) -> None:
        (walk.here / "mine.py").write_text("TWO = 2\n")
        notebook = nbformat.read(walk.here / "problems.ipynb", as_version=4)
        notebook.cells.insert(1, nbformat.v4.new_code_cell("import mine"))
        nbformat.write(notebook, walk.here / "problems.ipynb")

    def holds_both(walk: Walk, _: str) -> None:
        with zipfile.ZipFile(walk.here / "ps1-ada-adams.zip") as sent:
            assert {Path(name).name for name in sent.namelist()} == {"problems.ipynb", "mine.py"}

    right = f"4 of {len(QUESTIONS_OF_PS1)} questions"
    steps = [
        Step("python3 install.py", says=("Done. Next, in this folder",)),
        Step("venv/bin/jupyter lab"),
        Step(
            "venv/bin/autograder check problems.ipynb",
            says=(f"Right at the checks that you can see: {right}.", "The file to send: "),
            status=1,
            before=answers,
        ),
        Step('venv/bin/autograder pack --name "Ada Adams"', before=helper, then=holds_both),
    ]
    assert commands(PAGE) == [step.command for step in steps]
    walk.take(steps)


# The folders of the modules whose texts students read.
FOLDERS = ("", "at_home", "by_hand", "feedback", "student", "verdict", "workers")


def _texts() -> str:
    """Every text in the code that writes messages, in one line; a page's table drops the backticks within a message."""
    files = [file for folder in FOLDERS for file in (ROOT / "autograder" / folder).glob("*.py")]
    files.append(ROOT / "tools" / "kit" / "install.py")
    nodes = [node for file in files for node in ast.walk(ast.parse(file.read_text()))]
    docstrings = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    strings = (n for n in nodes if isinstance(n, ast.Constant) and id(n) not in docstrings)
    texts = [n.value for n in strings if isinstance(n.value, str)]
    return " ".join(" ".join(texts).split()).replace("`", "")


def _messages() -> str:
    """The section of the page that lists them."""
    return (ROOT / PAGE).read_text().split("## What the messages mean")[1].split("\n## ")[0]


TEXTS = _texts()
MESSAGES = [
    message
    for cell in re.findall(r"^\| (`.+?) \| ", _messages(), flags=re.MULTILINE)
    for message in re.findall(r"`((?:[^`]|`(?=[*^/{]))+)`", cell)
]


@pytest.mark.parametrize("message", MESSAGES)
def test_a_message_of_the_table_is_one_that_the_code_says(message: str) -> None:
    """Some three words of it in a row, names and numbers aside, or all of them where there are fewer."""
    runs = [run.split() for run in re.split(r"\S*[^A-Za-z'`,.:;() -]\S*|\b(?:grad_\w+|d\w?d\w|[a-z]\w?)\b", message)]
    windows = [" ".join(run[at : at + 3]) for run in runs for at in range(max(1, len(run) - 2)) if run]
    assert any(window in TEXTS for window in windows if len(window) > 3), windows


def test_the_table_has_the_messages_that_students_meet_most() -> None:
    assert len(MESSAGES) > 50
