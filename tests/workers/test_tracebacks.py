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


def _learnt(compiler: Compiler, source: str) -> ast.Module:
    """The tree of a cell of one statement that the compiler has learnt, as the next process finds it."""
    compiler.reset_compiler_flags()  # as a shell does that is reset
    compiler.learning = True
    tree: ast.Module = compiler.ast_parse(source)
    compiler(ast.Module(tree.body, []), "learnt.py", "exec")
    compiler.learning = False
    compiler.reset_compiler_flags()
    assert compiler.ast_parse(source) is tree
    return tree


def test_a_statement_that_was_learnt_is_not_compiled_again_and_stands_in_the_file_of_its_cell() -> None:
    compiler = Compiler()
    tree = _learnt(compiler, "def f():\n    return lambda: 1 / 0\n")
    (function,) = tree.body
    assert isinstance(function, ast.FunctionDef)
    function.body.clear()  # so that it cannot be compiled anew
    code = compiler(ast.Module(tree.body, []), "cell.py", "exec")
    space: dict[str, Any] = {}
    exec(code, space)
    inner = space["f"]()
    assert {c.co_filename for c in (code, space["f"].__code__, inner.__code__)} == {"cell.py"}


def test_what_was_learnt_is_compiled_anew_once_a_notebook_changes_the_trees_of_cells() -> None:
    command = [sys.executable, "-c", TRANSFORMED]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.split() == ["1", "2"]


TRANSFORMED = """
import ast, os, sys
from autograder.workers.shell import make_shell, run_cell
said, shell = sys.stdout, make_shell()
shell.compile.learning = True
run_cell(shell, "x = 1", 1)
shell.compile.learning = False
class Two(ast.NodeTransformer):
    def visit_Constant(self, node):
        node.value = 2
        return node
for transformers in ([], [Two()]):
    if not os.fork():
        shell.ast_transformers = transformers
        run_cell(shell, "x = 1", 2)
        print(shell.user_ns["x"], file=said, flush=True)
        os._exit(0)
    os.wait()
"""


def test_a_statement_is_learnt_for_the_same_rules_of_python_only() -> None:
    compiler = Compiler()
    future = _learnt(compiler, "from __future__ import annotations\n")
    assert not compiler.flags & __future__.annotations.compiler_flag
    compiler(ast.Module(future.body, []), "cell.py", "exec")
    assert compiler.flags & __future__.annotations.compiler_flag
