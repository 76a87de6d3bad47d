"""`autograder new-assignment ps2`: writes the source notebook of another assignment, without questions yet."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from autograder.authoring.cells import cell
from autograder.errors import QuestionError

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
"""Names of assignments: nbgrader forbids `+`, and the name becomes a folder, so it must not contain `/` or begin with
a dot."""
NOTEBOOK = "problems.ipynb"
SET_UP = "import torch\n\nfrom autograder import question"
INTRO = """\
# {title}

For each function you write the lines that go **backwards** through it, from the output to one argument, and \
return the value together with the derivative. torch checks you; it does not do the work for you.

The **adjoint** of a node is the derivative of the output with respect to that node: it says how much the \
output changes when the node changes a little. In code it is named `d<output>d<node>`: `dfde` is df/de.

1. Run the **forward pass** of the question. It is the function, one named node per line.
2. In the answer cell the same lines are given. Write your backward lines where it says `# YOUR CODE HERE`, \
and delete the `raise` line. Give each adjoint its name (or name the derivative \
of each line, `d<line>d<input>`, and multiply at the end); then you can be told *which* link of your chain is \
wrong.
3. Run the **check**. It prints torch's number and yours at one point, then one line per link, and draws the \
graph: what is right is green, the first link that is wrong is red.
4. When every check passes, press **Validate** (at home: `autograder check problems.ipynb`, see `students.html`), then \
submit. The hidden tests look at 24 more points of each \
question.

Do not use a machine that differentiates (autograd, finite differences, a symbolic package) inside your \
answer. In a cell of your own, to check yourself, you may use anything."""


def path_of(name: str, course: Path) -> Path:
    """The path of the assignment's new notebook; QuestionError if the name is not allowed or its folder is in use."""
    if not NAME.fullmatch(name):
        raise QuestionError(
            f"{name!r} is no name for an assignment: use letters, digits, `-` and `_`, such as ps2, because it is the "
            "name of a folder."
        )
    if not (course / "nbgrader_config.py").exists():
        raise QuestionError(
            f"{course.resolve()} is not the folder of a course, because it has no nbgrader_config.py. Change into the "
            "course's folder and run the command again."
        )
    folder = course / "source" / name
    if folder.exists() and any(folder.iterdir()):
        raise QuestionError(f"{folder} exists already. Choose another name, or remove that folder first.")
    return folder / NOTEBOOK


def notebook(title: str) -> Any:
    """A new notebook with the instructions and the set-up cell, both read-only."""
    from nbformat.v4 import new_notebook

    made = new_notebook(
        metadata={
            "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    made.cells = [cell("intro", INTRO.format(title=title)), cell("setup", SET_UP)]
    return made
