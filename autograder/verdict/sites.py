"""Where a line takes a function of a node, and what stands around that function at one point.

A site is one application in a line: `torch.log(d + 1)`, `x ** 3`, `a / b`, `x * torch.sin(x)`. The derivatives around
it come from torch.autograd on the author's own expressions (the line by the site, the site by its arguments, these by
the node), so that a wrong rule can take the place of the right one and nothing is differentiated here.
"""

from __future__ import annotations

import ast
import copy
import math
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from types import CodeType
from typing import Any

import torch

from autograder.calculus.graph import Forward, Line
from autograder.calculus.reference import Reference, clean_torch
from autograder.verdict.operations import constant, factors, holds, multiplied, operations, stripped

# What is cut out of an expression is called so; no name of a forward pass has a space.
_SITE, _ARGUMENT = "the site", "argument {}"
_MOST_POINTS = 64


@dataclass(frozen=True)
class Around:
    """A site at one point. With a rule's derivative of the site by the node, the derivative of the line by the node is
    `line + outer * (rule - right)`.
    """

    line: float
    """The right derivative of the line by the node."""
    outer: float
    """Of the line by the site."""
    value: float
    """Of the site."""
    arguments: Sequence[float]
    own: Sequence[float]
    """The right derivative of the site by each argument."""
    inner: Sequence[float]
    """Of each argument by the node."""
    beside: float
    """The operand without the node, such as a in a / b seen from b; NaN if there is none."""

    @property
    def right(self) -> float:
        """The right derivative of the site by the node."""
        return math.fsum(own * inner for own, inner in zip(self.own, self.inner, strict=True))


@dataclass(frozen=True, eq=False)
class Site:
    """One application in a line, to the operands in which the node occurs."""

    forward: Forward
    line: Line
    node: str
    whole: ast.expr
    """The expression of the line."""
    part: ast.expr
    """The expression of the site, inside `whole`."""
    function: str
    """The name of a function, or u**n, a**v, u*v, u/v, u/c, c/v: here c, a and n are without the node."""
    arguments: Sequence[ast.expr]
    exponent: float = math.nan
    """The n of u**n."""
    beside: ast.expr | None = None
    copies: Sequence[ast.expr] = ()
    """Operands that equal the first argument: the second x of x * x."""
    _known: dict[tuple[float, ...], Around] = field(default_factory=dict, repr=False)

    @property
    def is_whole(self) -> bool:
        return self.part is self.whole

    @property
    def is_plain(self) -> bool:
        """Whether the line is only this function, of the node and what is added to it: `e = torch.log(d + 1)`."""
        return self.is_whole and len(self.arguments) == 1 and isinstance(self.stripped, ast.Name)

    @property
    def stripped(self) -> ast.expr:
        """The first argument without what is added to the node: the `d` of `d + 1`."""
        return stripped(self.arguments[0], self.node)

    def around(self, reference: Reference) -> Around:
        """The numbers with the values of one point."""
        inputs = tuple(reference.values[name] for name in self.line.inputs)
        if inputs not in self._known:
            if len(self._known) >= _MOST_POINTS:
                self._known.clear()
            self._known[inputs] = self._measured(reference)
        return self._known[inputs]

    def own_at(self, argument: float, reference: Reference) -> float:
        """The derivative of a site with one argument, taken at another argument."""
        with clean_torch():
            cut = torch.tensor(argument, dtype=torch.float64, requires_grad=True)
            made = self._evaluated(self._without_arguments, {**self._values(reference), _ARGUMENT.format(0): cut})
            return torch.autograd.grad(made, cut)[0].item()

    def value_of(self, part: ast.expr, reference: Reference) -> float:
        """The value of an operand without the node, or of a part of an argument."""
        if isinstance(part, ast.Name) and part.id in reference.values:
            return reference.values[part.id]
        number = constant(part)
        if number is not None:
            return number
        with clean_torch():
            return float(self._evaluated(_compiled(part), self._values(reference)))

    def _measured(self, reference: Reference) -> Around:
        local = reference.local[self.line.name, self.node]
        beside = math.nan if self.beside is None else self.value_of(self.beside, reference)
        if self.is_whole and len(self.arguments) == 1 and isinstance(self.arguments[0], ast.Name):
            value = reference.values[self.line.name]
            return Around(local, 1.0, value, [reference.values[self.node]], [local], [1.0], beside)
        with clean_torch():
            values = self._values(reference)
            # Each argument has a leaf of its own, so that one backward call tells their derivatives apart.
            leaves = [values[self.node].clone().requires_grad_() for _ in self.arguments]
            arguments = [
                self._evaluated(_compiled(a), {**values, self.node: leaf})
                for a, leaf in zip(self.arguments, leaves, strict=True)
            ]
            cut = {_ARGUMENT.format(n): a.detach().requires_grad_() for n, a in enumerate(arguments)}
            made = self._evaluated(self._without_arguments, {**values, **cut})
            hole = made.detach().requires_grad_()
            line = self._evaluated(self._without_site, {**values, _SITE: hole})
            outputs = [made for made in (*arguments, made, line) if made.requires_grad]
            grads = torch.autograd.grad(
                outputs, [*leaves, *cut.values(), hole], allow_unused=True, materialize_grads=True
            )
        numbers, count = [g.item() for g in grads], len(arguments)
        inner, own, outer = numbers[:count], numbers[count:-1], numbers[-1]
        return Around(local, outer, made.item(), [a.item() for a in arguments], own, inner, beside)

    def _values(self, reference: Reference) -> dict[str, torch.Tensor]:
        return {n: torch.tensor(reference.values[n], dtype=torch.float64) for n in self.line.inputs}

    @cached_property
    def _without_arguments(self) -> CodeType:
        operands = [*enumerate(self.arguments), *((0, c) for c in self.copies)]
        return _compiled(_cut(self.part, {id(operand): _ARGUMENT.format(n) for n, operand in operands}))

    @cached_property
    def _without_site(self) -> CodeType:
        """The line without the site, wherever it stands in the same words."""
        same = ast.dump(self.part)
        parts = [part for part in ast.walk(self.whole) if ast.dump(part) == same]
        return _compiled(_cut(self.whole, {id(part): _SITE for part in parts}))

    def _evaluated(self, code: CodeType, values: Mapping[str, torch.Tensor]) -> Any:
        return eval(code, dict(self.forward.given), dict(values))  # the author's own line, or a part of it


def sites(forward: Forward, line: Line, node: str) -> Sequence[Site]:
    """Every site of the line that takes `node`, the outermost first; equal ones once."""
    return _remembered(forward, forward.helpers, line, node)


@lru_cache(maxsize=128)
def _remembered(forward: Forward, _: Hashable, line: Line, node: str) -> Sequence[Site]:
    """A check and the hidden test look at the same lines, and a link is looked at once for each slip."""
    return tuple(_sites(forward, line, node))


def _sites(forward: Forward, line: Line, node: str) -> Iterator[Site]:
    whole = ast.parse(line.expression, mode="eval").body
    seen: set[str] = set()
    inside = {id(side) for part in ast.walk(whole) for side in multiplied(part, node)}
    for part in ast.walk(whole):
        if not isinstance(part, ast.expr) or not holds(part, node) or ast.dump(part) in seen:
            continue
        seen.add(ast.dump(part))
        product = [] if id(part) in inside else list(factors(part, node))
        for function, arguments, more in operations(part, node, forward.given, product):
            yield Site(forward, line, node, whole, part, function, arguments, **more)


def text(part: ast.expr) -> str:
    """As a student reads it: without `torch.`."""
    return ast.unparse(part).replace("torch.nn.functional.", "").replace("torch.", "")


def _compiled(part: ast.expr) -> CodeType:
    return compile(ast.fix_missing_locations(ast.Expression(part)), "<part of a line>", "eval")


def _cut(part: ast.expr, names: Mapping[int, str]) -> ast.expr:
    """A copy of `part` with names in the place of the expressions that have these ids."""
    memo: dict[int, Any] = {at: ast.Name(name, ast.Load()) for at, name in names.items()}
    return copy.deepcopy(part, memo)
