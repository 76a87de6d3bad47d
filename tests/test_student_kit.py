"""The kit for work at home holds what a student needs, and no solution, hidden test or seed."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

import pytest

from tests.conftest import CELLS, NAMES
from tools.student_kit import AT_HOME, pack, pins


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    return zipfile.ZipFile(pack("ps1", tmp_path_factory.mktemp("dist")))


def names(archive: zipfile.ZipFile) -> dict[str, str]:
    return {Path(name).name: name for name in archive.namelist()}


def test_it_holds_the_released_notebooks_the_package_and_what_to_install(kit: zipfile.ZipFile) -> None:
    found = names(kit)
    (wheel,) = (name for name in found if name.endswith(".whl"))
    assert set(found) == {"examples.ipynb", "problems.ipynb", "requirements.txt", "README.txt", wheel}
    required = kit.read(found["requirements.txt"]).decode().split()
    assert required == [f"./{wheel}", *(f"{name}=={pins()[name]}" for name in AT_HOME)]


def test_it_holds_no_solution_no_hidden_test_and_no_seed(kit: zipfile.ZipFile) -> None:
    texts = [kit.read(name).decode() for name in kit.namelist() if not name.endswith(".whl")]
    (wheel,) = (name for name in kit.namelist() if name.endswith(".whl"))
    with zipfile.ZipFile(io.BytesIO(kit.read(wheel))) as package:
        assert all(name.startswith(("autograder/", "autograder-")) for name in package.namelist())
        texts += [package.read(name).decode() for name in package.namelist()]
    seeds = [re.findall(r'seed="(\w+)"', CELLS[f"{name}-hidden"])[0] for name in NAMES]
    for secret in (*seeds, "dfdb = dfdc * -a", "dzda = dzdx * 2 + dzdy"):
        assert not any(secret in text for text in texts)
