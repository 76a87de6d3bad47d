"""Cells are read as IPython runs them."""

from __future__ import annotations

import pytest

from autograder.authoring.source import without_magics

MAGICS = {
    "x = (a\n     % b)": "x = (a\n     % b)",
    "\n\n%matplotlib inline\nx = 1": "\n\n\nx = 1",
    "!ls\nx = (a\n     % b)\n  %cd it's": "\nx = (a\n     % b)\n",
    "%%time\nx = 1": "\nx = 1",
    "if x:\n    %time y = 1": "if x:\n    y = 1",
    "%time x = = 1": "x = = 1",
    "x = = 1\n%cd ..": "x = = 1\n%cd ..",
}


@pytest.mark.parametrize("cell", MAGICS)
def test_only_what_python_cannot_read_is_a_magic_and_lines_keep_count(cell: str) -> None:
    assert without_magics(cell) == MAGICS[cell]
