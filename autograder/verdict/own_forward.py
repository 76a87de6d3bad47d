"""A derivative that is right for the forward lines that the student wrote, though these are not the given ones.

The lines are read from the cell and computed here, by torch's operations on numbers: nothing of them is run. Only plain
arithmetic and the usual functions are understood; lines that are anything else are not looked at further.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from types import FunctionType
from typing import Any

import torch

from autograder.by_hand.rules import words
from autograder.calculus.graph import Forward
from autograder.calculus.reference import Reference, clean_torch
from autograder.verdict.chain import path
from autograder.verdict.lines import Lines, Spot
from autograder.verdict.quantities import TOLERANCE

_OPERATORS: Mapping[type, Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
}
_FUNCTIONS = {
    name: getattr(torch, name)
    for name in words(
        "sin cos tan exp log tanh sigmoid relu sqrt sinh cosh abs log1p expm1 square asin acos atan pow add sub mul "
        "div neg maximum minimum"
    )
}
_CONSTANTS = {"pi": math.pi, "e": math.e}
_MODULES = ("torch", "math", "np", "numpy", "F")
_AS_IT_IS = ("double", "clone")
_LARGEST, _MOST_LINES = 1e6, 200


def own_forward(
    forward: Forward, wrt: str, references: Sequence[Reference], given: Sequence[tuple[float, float]], lines: Lines
) -> Spot | None:
    """The first line that differs from those given, if value and derivative are right for the lines as they are and
    every node on the way to `wrt` still takes part, as far as there is a line for it.

    `given` holds the student's value and derivative at each point.
    """
    found = lines.answer()
    if not found:
        return None
    leaves = {
        name: torch.tensor([r.point[name] for r in references], dtype=torch.float64, requires_grad=name == wrt)
        for name in forward.leaves
    }
    try:
        with clean_torch():
            own, at = _computed(forward, found[0], leaves)
            value = own["return"]
            slopes = torch.autograd.grad(value.sum(), leaves[wrt], retain_graph=True)[0].tolist()
            steps = [own[name] for name in path(forward, wrt)[:-1] if name in own]
            if not all(map(_any, [*_slopes(value, steps), *(_slopes(step, [leaves[wrt]])[0] for step in steps)])):
                return None  # a node that was made 0, or that is not used any more: `f = x`
            if len(references) > 1 and len(set(slopes)) == 1 < len({r.adjoints[wrt] for r in references}):
                return None  # the same without the nodes
    except (ArithmeticError, TypeError, ValueError, RuntimeError, RecursionError):
        return None
    for (a, b), v, g, r in zip(given, value.tolist(), slopes, references, strict=True):
        size = max(r.value_scale(forward.output), abs(v))
        if not (abs(a - v) <= TOLERANCE * size and abs(b - g) <= TOLERANCE * max(abs(g), r.scales[wrt])):
            return None
    for name in forward.nodes:
        numbers = own[name].expand(len(references)).tolist() if name in own else ()
        if any(abs(n - r.values[name]) > TOLERANCE * abs(n) for n, r in zip(numbers, references, strict=False)):
            return lines.spot(at[name])
    return lines.spot(found[0].body[-1].lineno)


def _slopes(of: torch.Tensor, by: Sequence[torch.Tensor]) -> Sequence[torch.Tensor]:
    return torch.autograd.grad(of.sum(), by, retain_graph=True, allow_unused=True, materialize_grads=True)


def _any(numbers: torch.Tensor) -> bool:
    return bool(numbers.any())


def _computed(
    forward: Forward, function: ast.FunctionDef | ast.AsyncFunctionDef, leaves: Mapping[str, torch.Tensor]
) -> tuple[dict[str, torch.Tensor], dict[str, int]]:
    """What each name holds when it gets its first value, and "return" what is returned first; and the names' lines."""
    names: dict[str, Any] = dict(zip((a.arg for a in function.args.args), leaves.values(), strict=True))
    if set(names) == set(leaves):
        names = dict(leaves)
    own: dict[str, torch.Tensor] = {}
    at: dict[str, int] = {}
    for statement in function.body[:_MOST_LINES]:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=expression):
                try:
                    names[name] = _value(expression, names, forward)
                except ValueError:
                    names.pop(name, None)
                    continue
                if isinstance(names[name], torch.Tensor) and name not in at:
                    own[name], at[name] = names[name], statement.lineno
            case ast.Return(value=ast.Tuple(elts=[first, _]) | ast.List(elts=[first, _])):
                returned = _value(first, names, forward)
                if not isinstance(returned, torch.Tensor):
                    break
                return {**own, "return": returned}, at
            case ast.Expr():
                continue
            case _:
                for node in ast.walk(statement):
                    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                        names.pop(node.id, None)
    raise ValueError("it does not end with two results, the first of them computed")


def _value(node: ast.expr, names: Mapping[str, Any], forward: Forward) -> Any:
    """What an expression gives; ValueError for one that is not understood here."""
    match node:
        case ast.Constant(value=int() | float() as number) if abs(number) <= _LARGEST:
            return float(number)
        case ast.Name(id=name) if name in names:
            return names[name]
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return _OPERATORS[type(op)](_value(left, names, forward), _value(right, names, forward))
        case ast.UnaryOp(op=op, operand=inner) if type(op) in _OPERATORS:
            return _OPERATORS[type(op)](_value(inner, names, forward))
        case ast.Attribute(value=ast.Name(id=module), attr=name) if module in _MODULES and name in _CONSTANTS:
            return _CONSTANTS[name]
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name not in names:
            helper = forward.given.get(name)
            if isinstance(helper, FunctionType):  # the course's own, such as `sig`
                return helper(*(_value(a, names, forward) for a in args))
        case ast.Call(func=ast.Attribute(value=inner, attr=name), args=args, keywords=[]):
            of_module = isinstance(inner, ast.Name) and inner.id not in names and inner.id in _MODULES
            given = [_value(a, names, forward) for a in (args if of_module else [inner, *args])]
            if name in _AS_IT_IS and not of_module:
                return given[0]
            if name in _FUNCTIONS:
                numbers = [g if isinstance(g, torch.Tensor) else torch.tensor(g, dtype=torch.float64) for g in given]
                return _FUNCTIONS[name](*numbers)
    raise ValueError(ast.unparse(node))
