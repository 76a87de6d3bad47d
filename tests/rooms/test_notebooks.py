"""A graded notebook is written as nbformat writes it."""

from __future__ import annotations

import json
from typing import Any

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_notebook, new_output

from autograder.rooms.notebooks import _json, _text
from tests.conftest import ROOT

LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=30)


def _as_python(thing: Any) -> str:
    return json.dumps(thing, indent=1, sort_keys=True, separators=(",", ": "), ensure_ascii=False)


@given(VALUES)
def test_a_value_is_written_as_python_writes_it(value: Any) -> None:
    assert _json(value, "\n") == _as_python(value)


def test_what_is_nested_deeply_is_written_where_python_writes_it() -> None:
    value: Any = "a"
    for _ in range(150):
        value = [{"": value}]
    assert _json(value, "\n") == _as_python(value)


@pytest.mark.parametrize("name", ["problems", "examples"])
def test_a_notebook_is_written_as_nbformat_writes_it(name: str) -> None:
    notebook = nbformat.read(ROOT / "source" / "ps1" / f"{name}.ipynb", as_version=4)
    expected = nbformat.writes(notebook)
    assert _text(notebook) == f"{expected.rstrip()}\n"


def test_outputs_of_every_kind_are_written_as_nbformat_writes_them() -> None:
    image = new_output("display_data", {"image/png": "aGVsbG8=\n", "application/json": {"a": [1, {}, []]}})
    lines = new_output("stream", text="δ\r\n\u2028 one line\nanother")
    notebook = new_notebook(cells=[new_code_cell("a = 1\n\nb", outputs=[image, lines], metadata={"x": (1, 2.5, None)})])
    expected = nbformat.writes(notebook)
    assert _text(notebook) == f"{expected.rstrip()}\n"
