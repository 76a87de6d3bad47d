"""A traceback of a room is that of a kernel, to the last character."""

from __future__ import annotations
import __future__

import ast
import json
import re
import subprocess
import sys
from typing import Any

from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from autograder.workers.tracebacks import Compiler

CELLS = [
    "def squares(n):\n    if n < 1:\n        raise ValueError('n is less than 1')\n    return [k * k for k in range(n)]",
    '"""Two answers."""\nassert squares(1) == [0]\nassert squares(2) == [1, 4], "another one"',
    "squares(0)",
    "def broken(n)\n    return n",
    "import json\njson.loads('{')",
    "def down(n):\n    return down(n - 1) if n else {}['key']\ndown(3)",
    "try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    raise KeyError('then') from error",
    "from math import *\nlog(-1)",
    "%time undefined",
]
IN_A_ROOM = """
import json, sys
from autograder.workers import forkserver
from autograder.workers.shell import run_cell
said = sys.stdout
shell = forkserver.warm()
outputs = [run_cell(shell, cell, at)["outputs"] for at, cell in enumerate(json.loads(sys.argv[1]), 1)]
print("found", json.dumps([[o for o in cell if o["output_type"] == "error"] for cell in outputs]), file=said)
"""


def test_errors_look_as_in_a_kernel() -> None:
    notebook = new_notebook(cells=[new_code_cell(source) for source in CELLS])
    NotebookClient(notebook, kernel_name="python3", allow_errors=True, timeout=120).execute()
    kernel = [[dict(o) for o in cell.outputs if o.output_type == "error"] for cell in notebook.cells]
    command = [sys.executable, "-c", IN_A_ROOM, json.dumps(CELLS)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    room = json.loads(next(line for line in done.stdout.splitlines() if line.startswith("found ")).partition(" ")[2])
    assert [len(errors) for errors in kernel] == [0, *[1] * (len(CELLS) - 1)]
    for cell, there, here in zip(CELLS, kernel, room, strict=True):
        assert [_named_alike(error) for error in here] == [_named_alike(error) for error in there], cell


def _named_alike(error: dict[str, Any]) -> str:
    """An error without the number after which a kernel names a cell's file: it is another one for each cell."""
    return re.sub(r"\d+\.py, line", "N.py, line", json.dumps(error))


def test_the_tree_of_a_cell_that_was_learnt_is_used_once() -> None:
    compiler = Compiler()
    compiler.learning = True
    learnt = compiler.ast_parse("x = 1\n")
    compiler.learning = False
    assert compiler.ast_parse("x = 2\n") is not learnt
    assert compiler.ast_parse("x = 1\n") is learnt
    again = compiler.ast_parse("x = 1\n")  # a student's cell may have the same text, and change its tree
    assert again is not learnt
    assert ast.dump(again) == ast.dump(learnt)


def test_a_cell_that_was_learnt_is_parsed_anew_where_python_is_told_to_read_it_otherwise() -> None:
    compiler = Compiler()
    compiler.learning = True
    learnt = compiler.ast_parse("x = 1\n")
    compiler.learning = False
    compiler.flags |= __future__.annotations.compiler_flag
    assert compiler.ast_parse("x = 1\n") is not learnt
