"""The kit for work at home holds what a student needs, and no solution, hidden test or seed."""

from __future__ import annotations

import ast
import html
import importlib.util
import io
import re
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import CELLS, QUESTIONS_OF_PS1, ROOT
from tools import student_kit
from tools.student_kit import AT_HOME, pack, pins


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    return zipfile.ZipFile(pack("ps1", tmp_path_factory.mktemp("dist")))


def names(archive: zipfile.ZipFile) -> dict[str, str]:
    return {Path(name).name: name for name in archive.namelist()}


def test_it_holds_the_released_notebooks_the_package_and_what_to_install(kit: zipfile.ZipFile) -> None:
    found = names(kit)
    (wheel,) = (name for name in found if name.endswith(".whl"))
    texts = {"requirements.txt", "README.txt", "students.html", "install.py"}
    assert set(found) == {"examples.ipynb", "problems.ipynb", wheel, *texts}
    first, *required = kit.read(found["requirements.txt"]).decode().splitlines()
    assert first.startswith("# Python 3.11 or later is needed. torch is large:")
    assert required == [f"./{wheel}", *(f"{name}=={pins()[name]}" for name in AT_HOME)]
    inside = "ps1-student-kit"
    assert kit.read(f"{inside}/original/problems.ipynb") == kit.read(f"{inside}/problems.ipynb")


def test_what_is_needed_and_torchs_size_are_said_before_the_command_that_installs(kit: zipfile.ZipFile) -> None:
    readme = kit.read("ps1-student-kit/README.txt").decode()
    python, torch, command = (
        readme.index(t) for t in ("You need Python 3.11", "torch is large", "python install.py  ")
    )
    assert python < torch < command
    assert readme.count("{") == 0
    assert readme.count("\n") == readme.count("\r\n")
    assert "First open examples.ipynb." in " ".join(readme.split())
    assert "autograder check problems.ipynb" in readme


@pytest.mark.parametrize(
    ("notebooks", "said"),
    [
        (("examples.ipynb", "problems.ipynb"), "open JupyterLab: first examples.ipynb, then problems.ipynb"),
        (("sums.ipynb", "sums.ipynb"), "open JupyterLab: sums.ipynb"),
    ],
)
def test_the_installer_names_the_notebooks_of_its_own_kit(
    tmp_path: Path,
    notebooks: tuple[str, str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "install.py").write_text(student_kit.installer(*notebooks))
    install = loaded(tmp_path / "install.py")
    for step in ("refuse", "has_torch", "make_venv", "pip", "try_out"):
        monkeypatch.setattr(install, step, lambda *_: True)
    monkeypatch.setattr(install, "LOG", str(tmp_path / "log"))
    monkeypatch.setattr(sys, "argv", ["install.py"])
    install.main()
    out = capsys.readouterr().out
    assert f"{said}\n" in out
    assert f"autograder check {notebooks[1]}" in out


def test_the_students_page_is_in_it_whole_and_asks_for_nothing_outside(kit: zipfile.ZipFile) -> None:
    shown = kit.read("ps1-student-kit/students.html").decode()
    assert shown.startswith('<!DOCTYPE html>\n<html lang="en">')
    source = (ROOT / "docs" / "students.md").read_text()
    for heading in re.findall(r"^## (.+)$", source, re.MULTILINE):
        assert f">{html.escape(heading, quote=False)}</h2>" in shown
    rows = len(re.findall(r"^\|(?! ?-)", source, re.MULTILINE))
    assert rows > 15
    assert shown.count("<tr>") == rows
    assert re.findall(r'(?:src|href)="(?!#|https?:|data:)[^"]*"', shown) == []
    assert "<script" not in shown


def test_an_assignment_is_packed_by_its_name_or_all_of_them_without(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(student_kit, "pack", lambda name, where: where / f"{name}.zip")
    student_kit.main(["ps7"])
    assert capsys.readouterr().out == f"Made {ROOT / 'dist' / 'ps7.zip'}\n"
    student_kit.main([])
    made = capsys.readouterr().out.split()[1::2]
    assert made == [str(ROOT / "dist" / f"{name}.zip") for name in student_kit.assignments()]
    assert student_kit.assignments()[0] == "ps1"


def loaded(file: Path) -> Any:
    """A Python file as a module."""
    made = importlib.util.spec_from_file_location("install", file)
    assert made
    assert made.loader
    module = importlib.util.module_from_spec(made)
    made.loader.exec_module(module)
    return module


@pytest.fixture
def installer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """The kit's install.py as a module, in a folder of its own."""
    module = loaded(ROOT / "tools" / "kit" / "install.py")
    monkeypatch.setattr(module, "HERE", str(tmp_path))
    monkeypatch.setattr(module, "LOG", str(tmp_path / "install.log"))
    return module


def test_an_old_python_can_read_the_installer_and_is_told_before_anything_is_made(
    installer: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    source = (ROOT / "tools" / "kit" / "install.py").read_text("ascii")
    ast.parse(source, feature_version=(3, 4))
    assert not re.search(r"""\bf["']|:=|->|\bnonlocal\b|^async |print [^(]""", source, re.MULTILINE)
    monkeypatch.setattr(installer.sys, "version_info", (3, 9, 1))
    with pytest.raises(
        SystemExit, match=r"Python 3.11 or later is needed; this is Python 3.9 .*\nNothing was installed"
    ):
        installer.refuse()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("ERROR: No matching distribution found for torch==2.13.0", "there is no torch==2.13.0 for this Python"),
        ("OSError: [Errno 28] No space left on device", "the disk is full."),
        ("NewConnectionError('... Failed to establish a new connection", "the package index cannot be reached."),
        ("[WinError 5] Access is denied", "a file may not be written."),
        ("one\n\nsomething else", "pip's last lines are\n  one\n  something else\nAsk your instructor."),
    ],
)
def test_an_install_that_stops_half_way_ends_with_what_to_do(
    said: str, sentence: str, installer: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "requirements.txt").write_text("x")
    fake = [sys.executable, "-c", f"print({said!r}); raise SystemExit(1)"]
    real = installer.subprocess.Popen
    monkeypatch.setattr(installer.subprocess, "Popen", lambda command, **options: real(fake, **options))
    with pytest.raises(SystemExit) as end:
        installer.pip(["-r", "requirements.txt"])
    assert str(end.value).startswith(f"The packages could not be installed: {sentence}")
    assert "Then run the same command again: it goes on with what is there." in str(end.value)
    assert said.splitlines()[0] in (tmp_path / "install.log").read_text()


def test_it_holds_no_solution_no_hidden_test_and_no_seed(kit: zipfile.ZipFile) -> None:
    texts = [kit.read(name).decode() for name in kit.namelist() if not name.endswith(".whl")]
    (wheel,) = (name for name in kit.namelist() if name.endswith(".whl"))
    with zipfile.ZipFile(io.BytesIO(kit.read(wheel))) as package:
        assert all(name.startswith(("autograder/", "autograder-")) for name in package.namelist())
        texts += [package.read(name).decode() for name in package.namelist()]
    seeds = [re.findall(r'seed="(\w+)"', CELLS[f"{name}-hidden"])[0] for name in QUESTIONS_OF_PS1]
    for secret in (*seeds, "dfdb = dfdc * -a", "dzda = dzdx * 2 + dzdy"):
        assert not any(secret in text for text in texts)
