"""In a folder that is no course, an instructor's command says so and makes nothing there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.terminal.elsewhere import NO_COURSE
from tests.conftest import ROOT

INSTALLED = ROOT / "autograder" / "terminal" / "etc"
"""What the package puts into etc/jupyter of its environment."""


@pytest.mark.course
def test_an_export_in_the_wrong_folder_is_refused_and_leaves_no_gradebook(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", "export"],
        cwd=tmp_path,
        env={**os.environ, "JUPYTER_CONFIG_PATH": str(INSTALLED), "JUPYTER_CONFIG_DIR": str(tmp_path.parent / "none")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == f"[ExportApp | ERROR] {NO_COURSE.format(folder=tmp_path)}\n"
    assert done.returncode == 1
    assert list(tmp_path.iterdir()) == []


def test_the_package_installs_that_file() -> None:
    import tomllib

    built = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert built["shared-data"] == {
        f"{INSTALLED.relative_to(ROOT)}/nbgrader_config.py": "etc/jupyter/nbgrader_config.py"
    }
