"""Reads the questions of a source notebook by running its locked cells in order, as grading does.

If a cell fails, its name is reported and the other cells are run nevertheless.
"""

from __future__ import annotations

import contextlib
import io
import linecache
import re
from dataclasses import dataclass, field
from typing import Any

from autograder.authoring.source import grade_id, without_magics
from autograder.errors import QuestionError
from autograder.questions import Question

FORWARD = re.compile(r"^(q\w+)-forward$")
_BASICS = "import torch\nfrom autograder import question\n"


@dataclass
class Questions:
    """The questions of a notebook and the sources of their forward cells, by name.

    `faults` has a sentence for each forward cell that defines no question.
    """

    made: dict[str, Question] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    namespace: dict[str, Any] = field(default_factory=dict)
    """The global names that the locked cells defined; `grad_qN` is looked up in such a namespace."""


def read(notebook: Any) -> Questions:
    """The questions of a notebook; what its cells print is discarded."""
    found = Questions(namespace={"__name__": "__main__", "In": [""]})
    run(_BASICS, "basics", found.namespace)
    locked = [c for c in notebook.cells if c.cell_type == "code" and (_is_course(c) or FORWARD.match(grade_id(c)))]
    last = max((i for i, c in enumerate(locked) if FORWARD.match(grade_id(c))), default=-1)
    other = ""
    for cell in locked[: last + 1]:
        name = FORWARD.match(grade_id(cell))
        try:
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                run(cell.source, grade_id(cell), found.namespace)
        except QuestionError as error:
            if name:
                found.faults.setdefault(name[1], f"{error}{other}")
            else:
                other = f" (Before that: {error})"
            continue
        if not name:
            continue
        made = found.namespace.get(name[1])
        if not isinstance(made, Question):
            text = f"The cell {name[0]} makes no question {name[1]}: put @question(…) above `def {name[1]}(…):`."
            found.faults.setdefault(name[1], text)
        else:
            found.made[name[1]], found.sources[name[1]] = made, cell.source
    return found


def run(source: str, name: str, namespace: dict[str, Any]) -> None:
    """Runs the cell called `name` in `namespace`, without its magics; QuestionError if it fails.

    The source is put into `linecache`, because the forward pass reads the source of a function with `inspect`.
    """
    source = without_magics(source)
    file = f"<cell {name} {hash(source)}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    try:
        exec(compile(source, file, "exec"), namespace)  # the author's own cell
    except QuestionError:
        raise
    except SyntaxError as error:
        raise QuestionError(f"The cell {name} has a syntax error in line {error.lineno}: {error.msg}.") from None
    except (Exception, SystemExit) as error:
        why = f": {error}" if str(error) else ""
        raise QuestionError(f"The cell {name} stopped with {type(error).__name__}{why}. Correct it.") from None


def _is_course(cell: Any) -> bool:
    marks = cell.metadata.get("nbgrader", {})
    return bool(marks.get("locked")) and not marks.get("grade")
