"""Where a line takes a function of a node, and what stands around that function at one point.

A site is one application in a line: `torch.log(d + 1)`, `x ** 3`, `a / b`, `x * torch.sin(x)`. The derivatives around
it come from torch.autograd on the author's own expressions (the line by the site, the site by its arguments, these by
the node), so that a wrong rule can take the place of the right one and nothing is differentiated here.
"""

from __future__ import annotations

import ast
import copy
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from autograder.calculus.graph import Forward, Line
from autograder.calculus.reference import Reference, clean_torch
from autograder.verdict.wording import is_sigmoid

# What is cut out of an expression is called so; no name of a forward pass has a space.
_SITE, _ARGUMENT = "the site", "argument {}"
_POWERS = {"square": 2.0, "reciprocal": -1.0}


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
    """One application in a line: of a function (`tanh`), or a `power`, an `exponential`, a `product`, a `quotient`, or
    a node `over` or `under` a bar.
    """

    forward: Forward
    line: Line
    node: str
    whole: ast.expr
    """The expression of the line."""
    part: ast.expr
    """The expression of the site, inside `whole`."""
    function: str
    arguments: Sequence[ast.expr]
    """The operands in which the node occurs."""
    exponent: float = math.nan
    """Of a power."""
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
        return self.is_whole and len(self.arguments) == 1 and _is_name(self.stripped)

    @property
    def stripped(self) -> ast.expr:
        """The first argument without what is added to the node: the `d` of `d + 1`."""
        return _stripped(self.arguments[0], self.node)

    def around(self, reference: Reference) -> Around:
        """The numbers with the values of one point."""
        inputs = tuple(reference.values[name] for name in self.line.inputs)
        if inputs not in self._known:
            self._known[inputs] = self._measured(reference)
        return self._known[inputs]

    def own_at(self, argument: float, reference: Reference) -> float:
        """The derivative of a site with one argument, taken at another argument."""
        with clean_torch():
            cut = torch.tensor(argument, dtype=torch.float64, requires_grad=True)
            made = self._evaluated(self._without_arguments(), {**self._values(reference), _ARGUMENT.format(0): cut})
            return torch.autograd.grad(made, cut)[0].item()

    def value_of(self, part: ast.expr, reference: Reference) -> float:
        """The value of an operand without the node, or of a part of an argument."""
        if isinstance(part, ast.Name) and part.id in reference.values:
            return reference.values[part.id]
        constant = _constant(part)
        if constant is not None:
            return constant
        with clean_torch():
            return float(self._evaluated(part, self._values(reference)))

    def _measured(self, reference: Reference) -> Around:
        local = reference.local[self.line.name, self.node]
        beside = math.nan if self.beside is None else self.value_of(self.beside, reference)
        if self.is_whole and len(self.arguments) == 1 and _is_name(self.arguments[0]):
            value = reference.values[self.line.name]
            return Around(local, 1.0, value, [reference.values[self.node]], [local], [1.0], beside)
        with clean_torch():
            values = self._values(reference)
            # Each argument has a leaf of its own, so that one backward call tells their derivatives apart.
            leaves = [values[self.node].clone().requires_grad_() for _ in self.arguments]
            arguments = [
                self._evaluated(a, {**values, self.node: leaf}) for a, leaf in zip(self.arguments, leaves, strict=True)
            ]
            cut = {_ARGUMENT.format(n): a.detach().requires_grad_() for n, a in enumerate(arguments)}
            made = self._evaluated(self._without_arguments(), {**values, **cut})
            hole = made.detach().requires_grad_()
            line = self._evaluated(self._without_site(), {**values, _SITE: hole})
            outputs = [made for made in (*arguments, made, line) if made.requires_grad]
            grads = torch.autograd.grad(
                outputs, [*leaves, *cut.values(), hole], allow_unused=True, materialize_grads=True
            )
        numbers, count = [g.item() for g in grads], len(arguments)
        inner, own, outer = numbers[:count], numbers[count:-1], numbers[-1]
        return Around(local, outer, made.item(), [a.item() for a in arguments], own, inner, beside)

    def _values(self, reference: Reference) -> dict[str, torch.Tensor]:
        return {n: torch.tensor(reference.values[n], dtype=torch.float64) for n in self.line.inputs}

    def _without_arguments(self) -> ast.expr:
        operands = [*enumerate(self.arguments), *((0, c) for c in self.copies)]
        return _cut(self.part, {id(operand): _ARGUMENT.format(n) for n, operand in operands})

    def _without_site(self) -> ast.expr:
        """The line without the site, wherever it stands in the same words."""
        same = ast.dump(self.part)
        return _cut(self.whole, {id(part): _SITE for part in ast.walk(self.whole) if ast.dump(part) == same})

    def _evaluated(self, part: ast.expr, values: Mapping[str, torch.Tensor]) -> Any:
        code = compile(ast.fix_missing_locations(ast.Expression(part)), f"<{self.line.name}>", "eval")
        return eval(code, dict(self.forward.given), dict(values))  # the author's own line, or a part of it


def sites(forward: Forward, line: Line, node: str) -> Iterator[Site]:
    """Every site of the line that takes `node`, the outermost first; equal ones once."""
    whole = ast.parse(line.expression, mode="eval").body
    seen: set[str] = set()
    inside = {id(side) for part in ast.walk(whole) for side in _multiplied(part, node)}
    for part in ast.walk(whole):
        if not isinstance(part, ast.expr) or not _holds(part, node) or ast.dump(part) in seen:
            continue
        seen.add(ast.dump(part))
        product = [] if id(part) in inside else list(_factors(part, node))
        for function, arguments, more in _read(part, node, forward, product):
            yield Site(forward, line, node, whole, part, function, arguments, **more)


_Found = tuple[str, Sequence[ast.expr], dict[str, Any]]


def _read(part: ast.expr, node: str, forward: Forward, product: Sequence[ast.expr]) -> Iterator[_Found]:
    """What the outermost operation of `part` is, with its arguments; `product`: its factors that hold the node."""
    match part:
        case ast.Call():
            yield from _call(part, node, forward)
        case ast.BinOp(left=base, op=ast.Pow(), right=exponent):
            number = _constant(exponent)
            if number is not None:
                yield "power", [base], {"exponent": number}
            elif not _holds(base, node):
                yield "exponential", [exponent], {"beside": base}
        case ast.BinOp(left=above, op=ast.Div(), right=below) if _holds(below, node):
            if _holds(above, node):
                yield "quotient", [above, below], {}
            else:
                yield "under", [below], {"beside": above}
            inside = _logistic(part)
            if inside is not None:
                yield "sigmoid", [inside], {}
        case ast.BinOp(left=above, op=ast.Div(), right=below):
            yield "over", [above], {"beside": below}
    kinds = {ast.dump(factor) for factor in product}
    if len(kinds) == 1 and len(product) > 1:
        yield "power", product[:1], {"exponent": float(len(product)), "copies": product[1:]}
    elif len(kinds) > 1 and len(kinds) == len(product):
        yield "product", product, {}


def _call(part: ast.Call, node: str, forward: Forward) -> Iterator[_Found]:
    """A call with one operand that holds the node: `torch.tanh(e)`, `e.tanh()`, `sig(v)`, `torch.pow(x, 2)`."""
    operands, name = [*part.args], ""
    if isinstance(part.func, ast.Attribute):
        name = part.func.attr
        if _holds(part.func.value, node):
            operands.insert(0, part.func.value)
    elif isinstance(part.func, ast.Name):
        name = "sigmoid" if is_sigmoid(forward.given.get(part.func.id)) else part.func.id
    holding = [operand for operand in operands if _holds(operand, node)]
    if len(holding) != 1 or any(_holds(keyword.value, node) for keyword in part.keywords):
        return
    number = _constant(operands[1]) if name == "pow" and len(operands) == 2 else _POWERS.get(name)
    if number is not None and holding[0] is operands[0]:
        yield "power", holding, {"exponent": number}
    elif name:
        yield name, holding, {}


def text(part: ast.expr) -> str:
    """As a student reads it: without `torch.`."""
    return ast.unparse(part).replace("torch.nn.functional.", "").replace("torch.", "")


def _cut(part: ast.expr, names: Mapping[int, str]) -> ast.expr:
    """A copy of `part` with names in the place of the expressions that have these ids."""
    memo: dict[int, Any] = {at: ast.Name(name, ast.Load()) for at, name in names.items()}
    return copy.deepcopy(part, memo)


def _factors(part: ast.expr, node: str) -> Iterator[ast.expr]:
    """What is multiplied in `part` and holds the node; nothing if it is no product."""
    for side in _multiplied(part, node):
        yield from list(_factors(side, node)) or [side]


def _multiplied(part: ast.AST, node: str) -> list[ast.expr]:
    """The sides of a product that hold the node; a division by something else is one, too."""
    match part:
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            return [side for side in (left, right) if _holds(side, node)]
        case ast.BinOp(left=left, op=ast.Div(), right=right) if _holds(left, node) and not _holds(right, node):
            return [left]
    return []


def _stripped(part: ast.expr, node: str) -> ast.expr:
    match part:
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub(), right=right) if not _holds(right, node):
            return _stripped(left, node)
        case ast.BinOp(left=left, op=ast.Add(), right=right) if not _holds(left, node):
            return _stripped(right, node)
    return part


def _logistic(part: ast.expr) -> ast.expr | None:
    """The v of `1 / (1 + torch.exp(-v))`."""
    match part:
        case ast.BinOp(
            left=ast.Constant(value=1),
            right=ast.BinOp(left=ast.Constant(value=1), op=ast.Add(), right=exp)
            | ast.BinOp(left=exp, op=ast.Add(), right=ast.Constant(value=1)),
        ):
            match exp:
                case ast.Call(func=ast.Attribute(attr="exp"), args=[ast.UnaryOp(op=ast.USub(), operand=inside)]):
                    return inside
    return None


def _constant(part: ast.expr) -> float | None:
    """The number that is written there, if it is one."""
    match part:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
            return -float(number)
    return None


def _is_name(part: ast.expr) -> bool:
    return isinstance(part, ast.Name)


def _holds(part: ast.expr, node: str) -> bool:
    return any(isinstance(p, ast.Name) and p.id == node for p in ast.walk(part))
