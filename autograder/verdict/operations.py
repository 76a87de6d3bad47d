"""Reading what an expression does to a node: the outermost operation, and the operands in which the node occurs.

It reads what an author writes in one line of a forward pass: calls with one such operand, powers, products, quotients,
and a sigmoid written out. What it cannot read gives nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from autograder.verdict.wording import is_sigmoid

_POWERS = {"square": 2.0, "reciprocal": -1.0}
Found = tuple[str, Sequence[ast.expr], dict[str, Any]]
"""The function, its operands that hold the node, and further fields of a site."""
_EPSILON = 1e-3


def operations(part: ast.expr, node: str, given: Mapping[str, Any], product: Sequence[ast.expr]) -> Iterator[Found]:
    """What the outermost operation of `part` is, with its arguments; `product`: its factors that hold the node."""
    match part:
        case ast.Call():
            yield from _call(part, node, given)
        case ast.BinOp(left=base, op=ast.Pow(), right=exponent):
            number = constant(exponent)
            if number is not None:
                yield "u**n", [base], {"exponent": number}
            elif not holds(base, node):
                yield "a**v", [exponent], {"beside": base}
        case ast.BinOp(left=above, op=ast.Div(), right=below) if holds(below, node):
            if holds(above, node):
                yield "u/v", [above, below], {}
            else:
                yield "c/v", [below], {"beside": above}
            inside = _logistic(part)
            if inside is not None:
                yield "sigmoid", [inside], {}
        case ast.BinOp(left=above, op=ast.Div(), right=below):
            yield "u/c", [above], {"beside": below}
    kinds = {ast.dump(factor) for factor in product}
    if len(kinds) == 1 and len(product) > 1:
        yield "u**n", product[:1], {"exponent": float(len(product)), "copies": product[1:]}
    elif len(kinds) > 1 and len(kinds) == len(product):
        yield "u*v", product, {}


def _call(part: ast.Call, node: str, given: Mapping[str, Any]) -> Iterator[Found]:
    """A call with one operand that holds the node: `torch.tanh(e)`, `e.tanh()`, `sig(v)`, `torch.pow(x, 2)`."""
    operands, name = [*part.args], ""
    if isinstance(part.func, ast.Attribute):
        name = part.func.attr
        if holds(part.func.value, node):
            operands.insert(0, part.func.value)
    elif isinstance(part.func, ast.Name):
        name = "sigmoid" if is_sigmoid(given.get(part.func.id)) else part.func.id
    holding = [operand for operand in operands if holds(operand, node)]
    if len(holding) != 1 or any(holds(keyword.value, node) for keyword in part.keywords):
        return
    number = constant(operands[1]) if name == "pow" and len(operands) == 2 else _POWERS.get(name)
    if number is not None and holding[0] is operands[0]:
        yield "u**n", holding, {"exponent": number}
    elif name:
        yield name, holding, {}


def factors(part: ast.expr, node: str) -> Iterator[ast.expr]:
    """What is multiplied in `part` and holds the node; nothing if it is no product."""
    for side in multiplied(part, node):
        yield from list(factors(side, node)) or [side]


def multiplied(part: ast.AST, node: str) -> list[ast.expr]:
    """The sides of a product that hold the node; a division by something else is one, too."""
    match part:
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            return [side for side in (left, right) if holds(side, node)]
        case ast.BinOp(left=left, op=ast.Div(), right=right) if holds(left, node) and not holds(right, node):
            return [left]
    return []


def stripped(part: ast.expr, node: str) -> ast.expr:
    """The `d` of `d + 1`: an expression without what is added to the node."""
    match part:
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub(), right=right) if not holds(right, node):
            return stripped(left, node)
        case ast.BinOp(left=left, op=ast.Add(), right=right) if not holds(left, node):
            return stripped(right, node)
    return part


def has_epsilon(part: ast.expr) -> bool:
    """Whether it is a node and a number that keeps it from 0, as in `v + 1e-5`: to leave that out is no mistake."""
    match part:
        case (
            ast.BinOp(left=ast.Name(), op=ast.Add(), right=number)
            | ast.BinOp(left=number, op=ast.Add(), right=ast.Name())
        ):
            added = constant(number)
            return added is not None and abs(added) <= _EPSILON
    return False


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


def constant(part: ast.expr) -> float | None:
    """The number that is written there, if it is one."""
    match part:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
            return -float(number)
    return None


def holds(part: ast.expr, node: str) -> bool:
    return any(isinstance(p, ast.Name) and p.id == node for p in ast.walk(part))
