"""Reading a forward pass: lines `name = expression`, each name once, then `return name`.

A function that keeps this rule *is* the specification of a question: its nodes, edges and lines are read from its
source here. A function that does not is refused with the line and the remedy.
"""

from __future__ import annotations

import ast
import inspect
import linecache
import textwrap
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import CodeType, FunctionType
from typing import Any, NoReturn

import torch

from autograder.calculus import syntax
from autograder.errors import QuestionError


@dataclass(frozen=True)
class Line:
    """One node and the line that makes it: `name = expression`."""

    name: str
    inputs: tuple[str, ...]
    """Nodes and leaves that the expression reads, each once, in order of first use."""
    text: str
    code: CodeType = field(repr=False, compare=False)
    number: int = field(default=0, compare=False)
    """Of the line in its cell or file, counted from 1."""

    @property
    def expression(self) -> str:
        return self.text.split("=", 1)[1].strip()


@dataclass(frozen=True)
class Forward:
    """The computation graph of one forward pass, read from its source."""

    name: str
    leaves: tuple[str, ...]
    lines: tuple[Line, ...]
    output: str
    given: Mapping[str, Any] = field(repr=False, compare=False)
    """Names from outside that the lines and their helpers use (torch, `sig`), as they were when it was made."""

    def consumers(self, name: str) -> tuple[Line, ...]:
        """The lines that read `name`; more than one is a fan-out."""
        return self._consumers.get(name, ())

    @cached_property
    def _consumers(self) -> Mapping[str, tuple[Line, ...]]:
        names = (*self.leaves, *self.nodes)
        return {name: tuple(line for line in self.lines if name in line.inputs) for name in names}

    def adjoint(self, name: str) -> str:
        """How the derivative of the output by `name` is called in code: `dfdx`."""
        return f"d{self.output}d{name}"

    def line(self, name: str) -> Line:
        """The line that makes the node `name`; KeyError for a leaf."""
        return self._makers[name]

    @cached_property
    def _makers(self) -> Mapping[str, Line]:
        return {line.name: line for line in self.lines}

    @cached_property
    def nodes(self) -> tuple[str, ...]:
        return tuple(line.name for line in self.lines)

    @property
    def helpers(self) -> Hashable:
        """What is behind the names from outside: forward passes in the same words are equal also where these differ."""
        return _behind(self.given)


def _behind(given: Mapping[str, Any]) -> Hashable:
    return tuple(sorted((name, getattr(value, "__code__", id(value))) for name, value in given.items()))


_known: dict[Hashable, Forward] = {}
_MOST_KNOWN = 64


def read(function: Callable[..., Any]) -> Forward:
    """The graph of `function`; QuestionError with line and remedy where the rule is not kept.

    A function in the same words, at the same place of the same cell, is not read again, as for the next submission.
    """
    if not isinstance(function, FunctionType):
        raise QuestionError(f"@question was given {function!r}. It goes on a plain `def`: put it right above one.")
    given = _frozen_names(function)
    cell = tuple(linecache.getlines(function.__code__.co_filename, function.__globals__))
    same = cell, function.__code__, _behind(given)
    if cell and (known := _known.get(same)):
        return replace(known, given=given)
    forward = _read(function, given)
    while len(_known) >= _MOST_KNOWN:
        del _known[next(iter(_known))]
    _known[same] = forward
    return forward


def _read(function: FunctionType, given: Mapping[str, Any]) -> Forward:
    tree = _parse(function)
    leaves = _leaves(tree, function.__name__)
    reader = _Reader(function.__name__, leaves, given)
    body = [s for i, s in enumerate(tree.body) if not (i == 0 and _is_docstring(s))]
    if not body:
        reader.refuse(tree.body[0], "it has no lines; write lines `name = expression`, then `return name`")
    *above, returned = body
    if not isinstance(returned, ast.Return):
        for statement in body:  # a loop or an `if` at the end is told as that
            reader.statement(statement)
        reader.refuse(returned, "the last line must be `return name`; add it")
    lines = tuple(reader.statement(s) for s in above)
    if not isinstance(returned.value, ast.Name) or returned.value.id not in {line.name for line in lines}:
        reader.refuse(returned, "return the name of one node, nothing else; give the last step a line of its own")
    forward = Forward(function.__name__, leaves, lines, returned.value.id, reader.given)
    _refuse_unused(forward)
    _refuse_shared_names(forward)
    return forward


def _parse(function: FunctionType) -> ast.FunctionDef:
    try:
        source = textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError):
        raise QuestionError(
            f"{function.__name__}: its source cannot be read. Write the question in a notebook cell or a .py file; "
            "code run by exec() keeps no source."
        ) from None
    tree = ast.parse(source).body[0]
    ast.increment_lineno(tree, function.__code__.co_firstlineno - 1)
    if not isinstance(tree, ast.FunctionDef):
        raise QuestionError(f"{function.__name__}: @question goes on a plain `def`, not on {type(tree).__name__}.")
    return tree


def _frozen_names(function: FunctionType) -> dict[str, Any]:
    """What `function` reads from outside, helpers included, cut loose from its notebook.

    Whatever a notebook does later (`del torch`, another `sig`), the question stays what it was.
    """
    given: dict[str, Any] = {}

    def add(name: str, value: Any) -> None:
        given[name] = value
        if isinstance(value, FunctionType) and value.__globals__ is function.__globals__:
            for n, v in inspect.getclosurevars(value).globals.items():
                if n not in given:
                    add(n, v)
            given[name] = FunctionType(value.__code__, given, name, value.__defaults__, value.__closure__)

    names = inspect.getclosurevars(function)
    for name, value in {**names.globals, **names.nonlocals}.items():
        add(name, value)
    given.setdefault("torch", torch)  # a forward pass is written in it, whatever a notebook has deleted
    return given


def _leaves(tree: ast.FunctionDef, name: str) -> tuple[str, ...]:
    args = tree.args
    if args.vararg or args.kwarg or args.kwonlyargs or args.defaults:
        raise QuestionError(f"{name}: arguments must be plain names without * or defaults; write def {name}(x, y):")
    leaves = tuple(a.arg for a in [*args.posonlyargs, *args.args])
    if not leaves:
        raise QuestionError(f"{name}: it has no argument to differentiate with respect to; give it at least one.")
    return leaves


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


class _Reader:
    """Turns statements into lines, keeping what has been assigned so far."""

    def __init__(self, question: str, leaves: tuple[str, ...], given: Mapping[str, Any]) -> None:
        self.question = question
        self.known = list(leaves)
        self.given = given

    def refuse(self, where: ast.stmt, why: str) -> NoReturn:
        first = ast.unparse(where).split("\n")[0]
        raise QuestionError(f"{self.question}, line {where.lineno}: `{first}`: {why}.")

    def statement(self, statement: ast.stmt) -> Line:
        why = syntax.of_statement(statement)
        if why or not isinstance(statement, ast.Assign) or not isinstance(statement.targets[0], ast.Name):
            self.refuse(statement, why)
        name = statement.targets[0].id
        if name in self.known:
            self.refuse(statement, f"`{name}` is assigned twice, so d/d{name} would mean two things; use a new name")
        if name in syntax.called(statement):
            self.refuse(statement, f"`{name}` is called as a function or module; give the node another name")
        inputs = tuple(dict.fromkeys(self._names(statement)))
        if not inputs:
            self.refuse(statement, "this line depends on no argument; write the number where it is used")
        self.known.append(name)
        code = compile(ast.Expression(statement.value), f"<{self.question}>", "eval")
        return Line(name, inputs, ast.unparse(statement), code, statement.lineno)

    def _names(self, statement: ast.Assign) -> Iterator[str]:
        parts = list(ast.walk(statement.value))
        parts.sort(key=lambda p: (getattr(p, "lineno", 0), getattr(p, "col_offset", 0)))  # as they are read
        for part in parts:
            why = syntax.of_part(part, self.known, self.given)
            if why:
                self.refuse(statement, why)
            if isinstance(part, ast.Name) and part.id in self.known:
                yield part.id


def _refuse_unused(forward: Forward) -> None:
    reached = {forward.output}
    for line in reversed(forward.lines):
        if line.name in reached:
            reached.update(line.inputs)
    unused = [n for n in (*forward.leaves, *forward.nodes) if n not in reached]
    if unused:
        where = "".join(f", line {n.number}: `{n.text}`" for n in forward.lines if n.name == unused[0])
        raise QuestionError(
            f"{forward.name}{where}: the returned `{forward.output}` does not depend on `{unused[0]}`, so that "
            "derivative is always 0; use it or remove it."
        )


def _refuse_shared_names(forward: Forward) -> None:
    """`dedfdx` must not be readable as both d(e)/d(fdx) and d(edf)/d(x), nor be a node itself."""
    names = (*forward.leaves, *forward.nodes)
    meanings: dict[str, tuple[str, str]] = {}
    for of in names:
        for by in names:
            spelled = f"d{of}d{by}"
            other = meanings.setdefault(spelled, (of, by))
            if forward.output in (of, other[0]) and (spelled in names or other != (of, by)):
                clash = f"the name of a node and of d({of})/d({by})"
                if other != (of, by):
                    clash = f"both d({of})/d({by}) and d({other[0]})/d({other[1]})"
                raise QuestionError(f"{forward.name}: `{spelled}` would be {clash}; rename one of the nodes.")
