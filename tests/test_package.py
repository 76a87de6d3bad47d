"""The public surface is small, and importing it stays light."""

from __future__ import annotations

import subprocess
import sys

import autograder


def test_the_exported_names_are_these() -> None:
    assert autograder.__all__ == ["AutograderError", "CheckFailed", "Question", "QuestionError", "question"]


def test_importing_loads_neither_nbgrader_nor_matplotlib_nor_ipython() -> None:
    code = "import sys, autograder; print(sorted({m.split('.')[0] for m in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    for heavy in ("nbgrader", "matplotlib", "IPython", "nbconvert", "sqlalchemy"):
        assert f"'{heavy}'" not in loaded
