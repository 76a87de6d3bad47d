"""Updates an author's answer cell: the `def` line, the given lines, the solution between its markers, the `return`.

The lines that follow from the forward pass are rewritten. The solution is never changed: what no longer fits in it is
reported to the author.
"""

from __future__ import annotations

import ast
import builtins
import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from autograder.authoring import cells, questions
from autograder.authoring.source import BEGIN_SOLUTION, END_SOLUTION, bound, placeholder, without_magics
from autograder.errors import QuestionError
from autograder.questions import Question
from autograder.student.kernel import KernelStudent, answering


@dataclass
class Parts:
    """The lines of an answer cell: up to the `def` (included), the given lines, the solution, the lines after it."""

    above: list[str]
    given: list[str]
    solution: list[str]
    below: list[str]


def split(source: str, name: str) -> Parts | None:
    """The parts of the cell; None if it lacks a line that begins with `def grad_qN(`, or one of the markers."""
    lines = source.split("\n")
    at = [i for i, line in enumerate(lines) if line.startswith(f"def grad_{name}(") and line.rstrip().endswith(":")]
    begin = [i for i, line in enumerate(lines) if line.strip() == BEGIN_SOLUTION]
    end = [i for i, line in enumerate(lines) if line.strip() == END_SOLUTION]
    if len(at) != 1 or not begin or not end or not at[0] < begin[0] < end[-1]:
        return None
    return Parts(lines[: at[0] + 1], lines[at[0] + 1 : begin[0]], lines[begin[0] : end[-1] + 1], lines[end[-1] + 1 :])


def renewed(source: str, question: Question, forward_source: str) -> str:
    """The cell with the question's present `def` line, given lines and return; unchanged if `split` finds no parts."""
    parts = split(source, question.name)
    if parts is None:
        return source
    above = [*parts.above[:-1], parts.above[-1] if _arguments(parts.above[-1]) == question.forward.leaves else ""]
    above[-1] = above[-1] or cells.head(question)
    wanted = cells.given(forward_source, question.name)
    given = parts.given
    if _statements(given) != _statements(wanted):
        own = [line for line in given if line.strip().startswith("#") and line.strip() not in wanted]
        given = [*own, *(f"    {line}" for line in wanted), ""]
    below = list(parts.below)
    last = next((i for i in reversed(range(len(below))) if re.match(r"    return\b", below[i])), None)
    if last is None:
        below = [*below, "", f"    {cells.returned(question)}"] if not _returns(parts.solution) else below
    else:
        end, returned = _statement_at(below, last)
        if returned != _statement_at([cells.returned(question)], 0)[1]:
            below[last:end] = [f"    {cells.returned(question)}"]
    return "\n".join([*above, *given, *parts.solution, *below])


def changed(source: str, question: Question, forward_source: str) -> list[str]:
    """The given lines in the cell that are no longer in the forward pass."""
    parts = split(source, question.name)
    wanted = _statements(cells.given(forward_source, question.name)) or []
    have = _statements(parts.given) if parts else None
    return [line for line in have or [] if line not in wanted]


def misfits(source: str, question: Question, names: Mapping[str, Any]) -> Iterator[str]:
    """A sentence for each part of the solution that does not fit the question; `names` are those that it may use."""
    name, forward = question.name, question.forward
    parts = split(source, name)
    if parts is None:
        yield (
            f"{name}: the cell must hold `{cells.head(question)}` and the lines `{BEGIN_SOLUTION}` and "
            f"`{END_SOLUTION}`; without them it cannot be brought up to date."
        )
        return
    if placeholder(source):
        yield f"{name}: the solution still holds `...` or TODO: write its lines."
        return
    try:
        tree = ast.parse(without_magics(source))
    except SyntaxError as error:
        yield f"{name}: the solution has a syntax error in line {error.lineno}: {error.msg}."
        return
    inside = range(len(parts.above) + len(parts.given) + 1, len(source.split("\n")) - len(parts.below) + 1)
    found = [n for n in ast.walk(tree) if isinstance(n, ast.Name) and n.lineno in inside]
    known = bound(source) | {n.arg for n in ast.walk(tree) if isinstance(n, ast.arg)}
    adjoints = {forward.adjoint(n): n for n in (*forward.leaves, *forward.nodes)}
    gone = sorted({n.id for n in found if n.id not in known and n.id not in names and not hasattr(builtins, n.id)})
    stored = {n.id for n in found if isinstance(n.ctx, ast.Store)}
    stray = sorted(n for n in stored if n not in adjoints and re.fullmatch(rf"d{forward.output}d\w+", n))
    if gone:
        yield f"{name}: the solution uses {_quoted(gone)}, which nothing defines now: change these lines."
    if stray:
        yield f"{name}: the solution gives {_quoted(stray)}, but the forward pass has no such node: change these lines."
    missing = [a for a in cells.adjoints_of(question) if a not in known]
    if missing and not gone:
        yield f"{name}: the solution does not name {_quoted(missing)}: add a line for each adjoint."


def marks(source: str, question: Question, found: questions.Questions, seed: str) -> str:
    """Runs the author's solution at the points of `seed`; a sentence that says what is wrong, "" if nothing is."""
    space = {**found.namespace, "In": ["", *found.sources.values(), source]}
    try:
        questions.run(source, question.name, space)
    except QuestionError as error:
        return f"{question.name}: {error}"
    with answering(KernelStudent(space)):
        verdict = question.judge(seed)
    return "" if verdict.right else f"{question.name}: your own solution does not earn full marks: {verdict.text}"


def _statements(lines: list[str]) -> list[str] | None:
    """The statements as `ast.unparse` writes them, so that spacing does not matter; None after a syntax error."""
    try:
        tree = ast.parse(textwrap.dedent("\n".join(lines)))
    except SyntaxError:
        return None
    return [ast.unparse(s) for s in tree.body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]


def _statement_at(lines: list[str], first: int) -> tuple[int, str | None]:
    """The index after the statement that begins in line `first`, and its text by `ast.unparse` (None: syntax error)."""
    for end in range(first + 1, len(lines) + 1):
        try:
            (found,) = ast.parse("\n".join(lines[first:end]).lstrip()).body
        except (SyntaxError, ValueError):  # the statement continues on the next line
            continue
        return end, ast.unparse(found)
    return first + 1, None


def _arguments(line: str) -> tuple[str, ...]:
    try:
        (made,) = ast.parse(f"{line}\n    pass").body
    except (SyntaxError, ValueError):
        return ()
    return tuple(a.arg for a in made.args.args) if isinstance(made, ast.FunctionDef) else ()


def _returns(lines: list[str]) -> bool:
    return any(line.strip().startswith("return") for line in lines)


def _quoted(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
