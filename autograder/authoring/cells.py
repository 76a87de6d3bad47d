"""Generates the text of a question's five cells from its forward pass. All generated sentences are in this module.

What only a person can write (the statement's words, hints, the solution) is left as TODO or `...`.
"""

from __future__ import annotations

import ast
import re
import secrets
import textwrap
from collections.abc import Mapping
from typing import Any

from autograder.authoring.source import (
    BEGIN_HIDDEN,
    BEGIN_SOLUTION,
    END_HIDDEN,
    END_SOLUTION,
    NAME,
    without_magics,
)
from autograder.calculus.admission import kinks
from autograder.questions import Question
from autograder.verdict.chain import path

CHECK_POINTS, HIDDEN_POINTS = 2, 8
"""Points of a new question's two graded cells; the author can change them in the Create Assignment panel."""
WIDEST = 110

_LAST = (
    "<!-- The picture is the one long line below. It stands last, so that the text above is easy to read and edit. -->"
)
PICTURE = re.compile(
    r"(?:<!-- The picture is the one long line below\.[^\n]*-->\s*)?"
    r"(?:!\[[^\]]*\]\(data:image/svg\+xml;base64,[A-Za-z0-9+/=]*\)"
    r'|<img\b[^>]*\bsrc="data:image/svg\+xml;base64,[A-Za-z0-9+/=]*"[^>]*>)'
)
"""Matches a statement's picture in every form that a version of this package has written."""


def picture(question: Question) -> str:
    """The statement's last lines: a comment, and the graph with an empty slot for each adjoint."""
    lines = "; ".join(line.text for line in question.forward.lines)
    adjoints = ", ".join(adjoints_of(question))
    alt = f"Computation graph of {question.name}: {lines}. Adjoints to fill in, from the output backwards: {adjoints}."
    return f"{_LAST}\n{question.draw().img(alt)}"


def adjoints_of(question: Question) -> list[str]:
    """The names of the adjoints that an answer computes, from the output backwards."""
    return [question.forward.adjoint(n) for n in path(question.forward, question.wrt)[1:]]


def tested(question: Question) -> str:
    """The statement's sentence on the points at which an answer is tested."""
    boxes: dict[tuple[float, float], list[str]] = {}
    for name, box in question.domain.items():
        boxes.setdefault(box, []).append(name)
    domain = "; ".join(f"{', '.join(names)} between {lo:g} and {hi:g}" for (lo, hi), names in boxes.items())
    output, adjoint = question.forward.output, question.forward.adjoint(question.wrt)
    return (
        f"**Tested:** your value `{output}` and your derivative `{adjoint}` are compared with torch's at "
        f"{_visible_point(question)} and a few other points in the check below, and at 24 hidden points with "
        f"{domain.replace('-', '−')}."
    )


def points(question: Question, check: float, hidden: float) -> str:
    """The statement's sentence on points, from the points of the two graded cells."""
    adjoint = question.forward.adjoint(question.wrt)
    return (
        f"**Points:** {check + hidden:g}: {check:g} for the check and {hidden:g} for the hidden points. If `{adjoint}` "
        f"is wrong at a hidden point, you can still earn up to {hidden / 2:g}: a share for each step that your lines "
        "show and have right, so name your derivatives."
    )


def given(source: str, name: str) -> list[str]:
    """The lines of the forward pass in the cell `source`, as the author wrote them, without indent and `return`."""
    tree = ast.parse(without_magics(source))
    function = next(s for s in tree.body if isinstance(s, ast.FunctionDef) and s.name == name)
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    first, last = body[0].lineno, body[-1].lineno
    above = source.splitlines()[: first - 1]
    while above and above[-1].strip().startswith("#"):  # a comment above the first line is kept with it
        first -= 1
        above.pop()
    lines = textwrap.dedent("\n".join(source.splitlines()[first - 1 : last - 1])).split("\n")
    return [line.rstrip() for line in lines if line.strip()]


def head(question: Question) -> str:
    """The first line (`def`) of an answer."""
    return f"def grad_{question.name}({', '.join(question.forward.leaves)}):"


def returned(question: Question) -> str:
    """The last line (`return`) of an answer."""
    return f"return {question.forward.output}, {question.forward.adjoint(question.wrt)}"


def check_comment(question: Question) -> str:
    """The comment above `qN.check()`."""
    first = (
        f"# Run this after your answer: it compares {question.forward.output} and "
        f"{question.forward.adjoint(question.wrt)} with torch's at {_visible_point(question)}, and then at a few other "
        "points."
    )
    at = f'{{"{question.wrt}": {_suggested_value(question):g}}}'
    own = f"# You can try a point of your own as well: {question.name}.check(at={at})"
    return f"{_comment(first)}\n{own}"


def hidden_comment(question: Question) -> str:
    """The comment that students see in place of the hidden tests."""
    return _comment(
        f"# Hidden tests: they compare {question.forward.output} and {question.forward.adjoint(question.wrt)} with "
        "torch's at 24 points that you have not seen, in the domain that the statement gives. The check looks at a few "
        "points only, so passing Validate does not yet mean full marks."
    )


def grade_line(name: str, points: float, seed: str) -> str:
    """The line in the hidden cell that grades the answer."""
    return f'{name}.grade(points={points:g}, seed="{seed}")'


def texts(question: Question, source: str, title: str) -> dict[str, str]:
    """The sources of a new question's five cells by grade_id; `source` is that of its forward cell."""
    name = question.name
    hints = ("the rule", "the local derivatives", "one link, worked on another example")
    statement = [
        f"## {title}",
        "TODO: what this function is, in a sentence or two, and its formula.",
        tested(question),
        points(question, CHECK_POINTS, HIDDEN_POINTS),
        "**Stuck?** Open one hint at a time.",
        *(f"<details><summary>Hint {n}: {what}</summary>\n\nTODO\n\n</details>" for n, what in enumerate(hints, 1)),
        "**Graph:** the forward pass, with an empty slot for each adjoint.",
        picture(question),
    ]
    answer = [
        head(question),
        *(f"    {line}" for line in given(source, name)),
        "",
        f"    {BEGIN_SOLUTION}",
        *(f"    {adjoint} = ..." for adjoint in adjoints_of(question)),
        f"    {END_SOLUTION}",
        "",
        f"    {returned(question)}",
    ]
    seed = secrets.token_hex(4)
    hidden = [hidden_comment(question), BEGIN_HIDDEN, grade_line(name, HIDDEN_POINTS, seed), END_HIDDEN]
    return {
        f"{name}-statement": "\n\n".join(statement),
        f"{name}-forward": source.strip(),
        name: "\n".join(answer),
        f"{name}-check": f"{check_comment(question)}\n{name}.check()",
        f"{name}-hidden": "\n".join(hidden),
    }


def cell(grade_id: str, source: str, points: float | None = None) -> Any:
    """A new notebook cell with nbgrader's metadata; the kind of cell follows from its `grade_id`."""
    from nbformat.v4 import new_code_cell, new_markdown_cell

    name, _, kind = grade_id.partition("-")
    made = new_markdown_cell(source) if kind in ("statement", "text") or grade_id == "intro" else new_code_cell(source)
    solution = not kind and NAME.fullmatch(name) is not None
    worth = {"check": CHECK_POINTS, "hidden": HIDDEN_POINTS}.get(kind) if points is None else points
    made.id = grade_id
    made.metadata["nbgrader"] = {
        "grade": worth is not None,
        "grade_id": grade_id,
        "locked": not solution,
        "schema_version": 3,
        "solution": solution,
        "task": False,
        **({"points": worth} if worth is not None else {}),
    }
    return made


def _visible_point(question: Question) -> str:
    return ", ".join(f"{n} = {v:g}" for n, v in question.at.items())


def _suggested_value(question: Question) -> float:
    """A value of `wrt` that the comment suggests to try: in the domain, and not at a kink of the function."""
    lo, hi = question.domain[question.wrt]
    tries = [0.5, *(round(lo + (hi - lo) * part, 2) for part in (0.25, 0.75, 0.4))]
    inside = [v for v in tries if lo <= v <= hi]
    point: Mapping[str, float] = question.at
    return next((v for v in inside if 0.0 not in kinks(question.forward, {**point, question.wrt: v})), inside[0])


def _comment(text: str) -> str:
    return textwrap.fill(text, WIDEST, subsequent_indent="# ", break_long_words=False, break_on_hyphens=False)
