"""The time of the last run is read as JupyterLab writes it, and nothing else is taken for one."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from autograder.class_report import attempts

CELLS = {"q5": ("q5",), "q6": ("q6", "q6-check")}


def notebook(**times: object) -> str:
    """A notebook whose cells ran at these times, as JSON."""
    ran = [(name, {"iopub.execute_input": time}) for name, time in times.items()]
    return json.dumps({"cells": [{"metadata": {"nbgrader": {"grade_id": n}, "execution": t}} for n, t in ran]})


def test_the_last_run_of_any_cell_of_a_question_counts(tmp_path: Path) -> None:
    times = {"q6": "2026-11-29T08:00:00Z", "q6-check": "2026-11-30T09:30:15.25Z", "mine": "2026-11-30T23:00:00Z"}
    (tmp_path / "a.ipynb").write_text(notebook(**times))
    assert attempts.last(tmp_path / "a.ipynb", CELLS) == {"q6": "2026-11-30 09:30:15"}
    assert attempts.last(tmp_path / "a.ipynb", CELLS, until="2026-11-29 12:00:00") == {"q6": "2026-11-29 08:00:00"}


@pytest.mark.parametrize(
    "text",
    [
        notebook(q6="yesterday"),
        notebook(q6=["2026-11-29T08:00:00Z"]),
        notebook(q6="2026-11-29T08:00:00+05:00"),
        '{"cells": [{"metadata": {"execution": 3}}, 7, {"metadata": "execution"}]}',
        '{"cells": "execution"}',
        '"execution"',
        '{"execution"',
        "[" * 100_000 + '"execution"',
        "",
    ],
)
def test_anything_else_is_no_time_and_no_error(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.ipynb").write_text(text)
    assert attempts.last(tmp_path / "a.ipynb", CELLS) == {}
    assert attempts.last(tmp_path / "none.ipynb", CELLS) == {}


def test_jupyters_own_client_writes_it_in_this_form(tmp_path: Path) -> None:
    made = new_notebook(cells=[new_code_cell("1", metadata={"nbgrader": {"grade_id": "q5"}})])
    NotebookClient(made, kernel_name="python3").execute()
    nbformat.write(made, tmp_path / "a.ipynb")
    assert attempts.last(tmp_path / "a.ipynb", CELLS).keys() == {"q5"}
