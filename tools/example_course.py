"""nbgrader's own example course, with a small class: what its documentation hands in, and answers right and wrong."""

from __future__ import annotations

import shutil
from pathlib import Path

import nbformat
import nbgrader

COURSE = Path(nbgrader.__file__).parent / "docs" / "source" / "user_guide"
SQUARES = {
    "right": "def squares(n):\n    if n < 1:\n        raise ValueError('n is less than 1')\n"
    "    return [i * i for i in range(1, n + 1)]",
    "arrays": "import numpy as np\ndef squares(n):\n    if n < 1:\n        raise ValueError\n"
    "    return list(np.arange(1, n + 1) ** 2)",
    "lenient": "squares = lambda n: [i ** 2 for i in range(1, n + 1)]",
    "off-by-one": "def squares(n):\n    if n < 1:\n        raise ValueError\n    return [i ** 2 for i in range(n)]",
    "tuple": "def squares(n):\n    if n < 1:\n        raise ValueError\n"
    "    return tuple(i ** 2 for i in range(1, n + 1))",
    "printed": "def squares(n):\n    print([i ** 2 for i in range(1, n + 1)])",
    "broken": "def squares(n):\n    return [i ** 2 for i in range(1, n + 1)",
}
"""Answers to its first question; the others are answered as the instructor does."""


def copy_source(root: Path) -> None:
    shutil.copytree(COURSE / "source" / "ps1", root / "source" / "ps1")


def hand_in(root: Path, copies: int = 1) -> None:
    """Everybody's work, each so many times, as `submitted/NAME-COPY/ps1`."""
    for copy in range(copies):
        for folder in sorted((COURSE / "submitted").iterdir()):
            shutil.copytree(folder / "ps1", root / "submitted" / f"{folder.name}-{copy}" / "ps1")
        for name, answer in SQUARES.items():
            work = root / "submitted" / f"{name}-{copy}" / "ps1"
            shutil.copytree(COURSE / "source" / "ps1", work)
            notebook = nbformat.read(work / "problem1.ipynb", as_version=4)
            cell = next(c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") == "squares")
            cell.source = answer
            nbformat.write(notebook, work / "problem1.ipynb")
