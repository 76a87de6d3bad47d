"""Questions in notebooks: reading them out of source cells, and writing the five cells of a new one.

Everything written here follows from the forward pass; what only a person can write (the statement's words, hints, the
solution) is left as clearly marked text to replace.
"""

from __future__ import annotations

import ast
import copy
import linecache
import re
import secrets
from pathlib import Path
from typing import Any

from autograder._errors import QuestionError
from autograder._links import way
from autograder._question import Question

_IMAGE = re.compile(r"!\[[^\]]*\]\(data:image/svg\+xml;base64,[A-Za-z0-9+/=]*\)")
_CELL = re.compile(r"^(q\w+)-forward$")
NAME = re.compile(r"q\w+")


def read(path: Path) -> Any:
    """The notebook; QuestionError if there is none at `path` or it cannot be read as one."""
    import nbformat

    if not path.exists():
        raise QuestionError(f"There is no notebook {path}. Name one with --notebook.")
    try:
        return nbformat.read(path, as_version=4)
    except Exception as error:
        raise QuestionError(f"{path} cannot be read as a notebook: {error}") from None


def write(notebook: Any, path: Path) -> None:
    """Writes beside the file first, so that a crash or Ctrl-C leaves the old notebook whole."""
    import nbformat

    beside = path.with_suffix(".ipynb.new")
    nbformat.write(notebook, beside)
    beside.replace(path)


def questions(notebook: Any) -> dict[str, Question]:
    """The questions that the forward cells define, by name; QuestionError names the cell that does not make one."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    run("import torch\nfrom autograder import question\n", "setup", namespace)
    found = {}
    for cell in notebook.cells:
        name = _CELL.match(_grade_id(cell))
        if name:
            run(cell.source, name[1], namespace)
            made = namespace.get(name[1])
            if not isinstance(made, Question):
                raise QuestionError(f"The cell {name[0]} makes no question {name[1]}: put @question above its def.")
            found[name[1]] = made
    return found


def run(source: str, name: str, namespace: dict[str, Any]) -> None:
    """Runs a cell as a notebook does: its text stays readable for inspect."""
    file = f"<cell {name} {hash(source)}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    try:
        exec(compile(source, file, "exec"), namespace)  # the author's own cell
    except QuestionError:
        raise
    except Exception as error:
        raise QuestionError(
            f"The cell of {name} stopped with {type(error).__name__}: {error}. Mend it first."
        ) from None


def with_pictures(notebook: Any) -> Any:
    """A copy whose statements carry the pictures that their questions have now."""
    notebook = copy.deepcopy(notebook)
    made = questions(notebook)
    for cell in notebook.cells:
        name = _grade_id(cell).removesuffix("-statement")
        if _grade_id(cell).endswith("-statement") and name in made:
            cell.source = _IMAGE.sub(picture(made[name]).replace("\\", r"\\"), cell.source)
    return notebook


def picture(question: Question) -> str:
    """The statement's picture as markdown."""
    return question.draw().markdown(f"The computation graph of {question.name}, with a slot for each adjoint")


def tested(question: Question) -> str:
    """The statement's sentence about where the answer is tested."""
    at = ", ".join(f"{n} = {v:g}" for n, v in question.at.items())
    boxes: dict[tuple[float, float], list[str]] = {}
    for name, box in question.domain.items():
        boxes.setdefault(box, []).append(name)
    domain = "; ".join(f"{', '.join(names)} between {lo:g} and {hi:g}" for (lo, hi), names in boxes.items())
    forward = question.forward
    return (
        f"**Tested:** your value `{forward.output}` and your derivative `{forward.adjoint(question.wrt)}` are compared "
        f"with torch's at {at} in the open, and at 24 hidden points with {domain.replace('-', '−')}."
    )


def five_cells(source: str, title: str) -> tuple[Question, list[Any]]:
    """The cells of a question whose forward cell is `source`."""
    from nbformat.v4 import new_code_cell, new_markdown_cell

    name = _name_in(source)
    namespace: dict[str, Any] = {"__name__": "__main__"}
    run("import torch\nfrom autograder import question\n", "setup", namespace)
    run(source, name, namespace)
    question: Question = namespace[name]
    forward = question.forward
    adjoint, leaves = forward.adjoint(question.wrt), ", ".join(forward.leaves)
    lines = "\n".join("    " + line.text for line in forward.lines)
    backward = "\n".join(f"    {forward.adjoint(n)} = ..." for n in way(question.forward, question.wrt)[1:])
    at = ", ".join(f"{n} = {v:g}" for n, v in question.at.items())
    statement = (
        f"## {title}\n\nTODO: what this function is, in a sentence or two, and its formula.\n\n{picture(question)}\n\n"
        f"{tested(question)}\n\n**Stuck?** Open one hint at a time.\n\n"
        + "\n\n".join(
            f"<details><summary>Hint {n}: {what}</summary>\n\nTODO\n\n</details>"
            for n, what in enumerate(("the rule", "the local derivatives", "one link, worked on another example"), 1)
        )
    )
    texts = {
        f"{name}-statement": new_markdown_cell(statement),
        f"{name}-forward": new_code_cell(source.strip()),
        name: new_code_cell(
            f"def grad_{name}({leaves}):\n{lines}\n\n    ### BEGIN SOLUTION\n{backward}\n    ### END SOLUTION\n\n"
            f"    return {forward.output}, {adjoint}"
        ),
        f"{name}-check": new_code_cell(
            f"# Run this after your cell: it compares {adjoint} with torch's at {at}.\n"
            f'# Try a point of your own as well: {name}.check(at={{"{question.wrt}": 0.5}})\n{name}.check()'
        ),
        f"{name}-hidden": new_code_cell(
            f"# Hidden tests: the value {forward.output} and the derivative {adjoint} at 24 points that you have not "
            "seen, in the domain\n# stated above. The test you can see looks at one point only, so passing Validate is "
            "not yet full marks.\n"
            f'### BEGIN HIDDEN TESTS\n{name}.grade(points=8, seed="{secrets.token_hex(4)}")\n### END HIDDEN TESTS'
        ),
    }
    return question, [_marked(cell, grade_id, grade_id == name) for grade_id, cell in texts.items()]


def _marked(cell: Any, grade_id: str, solution: bool) -> Any:
    cell.id = grade_id
    points = {"-check": 2, "-hidden": 8}.get(grade_id[grade_id.rfind("-") :] if "-" in grade_id else "")
    cell.metadata["nbgrader"] = {
        "grade": points is not None,
        "grade_id": grade_id,
        "locked": not solution,
        "schema_version": 3,
        "solution": solution,
        "task": False,
        **({"points": points} if points else {}),
    }
    return cell


def _name_in(source: str) -> str:
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise QuestionError(f"The forward pass has a syntax error in line {error.lineno}: {error.msg}.") from None
    made = [s.name for s in tree.body if isinstance(s, ast.FunctionDef) and s.decorator_list]
    if len(made) != 1:
        raise QuestionError(f"The file must hold one function under @question, and holds {len(made)}.")
    return made[0]


def _grade_id(cell: Any) -> str:
    return str(cell.metadata.get("nbgrader", {}).get("grade_id", ""))


def insert(notebook: Any, cells: list[Any]) -> None:
    """Puts the cells of a new question after those of the last one."""
    have = [_grade_id(cell) for cell in notebook.cells]
    taken = sorted({_grade_id(c) for c in cells} & set(have))
    if taken:
        raise QuestionError(f"The notebook already has a cell {taken[0]}. Choose another name or remove its cells.")
    last = max((i for i, g in enumerate(have) if g.endswith("-hidden")), default=len(have) - 1)
    notebook.cells[last + 1 : last + 1] = cells
