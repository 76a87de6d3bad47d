"""What a forward pass may not be written with, and what an author writes instead.

Only what can be told from the text is here; what a line does when it runs is `admission`'s. Each function gives the
reason and the remedy, or "".
"""

from __future__ import annotations

import ast
import builtins
import difflib
import math
from collections.abc import Collection, Mapping
from types import ModuleType
from typing import Any

import torch

_KINK = "write a kink with torch.relu, abs, torch.clamp or torch.maximum"
_NO_LOOP = "a forward pass has no loops; give each step a line of its own"
_HELPER = "define helpers above the question with def, and call them here"
_SYNTAX: dict[type, str] = {
    ast.Compare: f"a comparison has no derivative; {_KINK}",
    ast.IfExp: f"a forward pass has no `if`; {_KINK}",
    ast.BoolOp: "a forward pass has no `and` or `or`; use torch operations only",
    ast.Lambda: _HELPER,
    ast.comprehension: _NO_LOOP,
    ast.NamedExpr: "give each node a line of its own: name = expression",
    ast.Subscript: "nodes are scalars and cannot be indexed; pass each number as an argument of its own",
    ast.Starred: "pass the arguments one by one",
    ast.List: "nodes are scalars; give each its own name",
    ast.Tuple: "nodes are scalars; give each its own line",
    ast.Dict: "nodes are scalars; give each its own name",
    ast.Set: "nodes are scalars; give each its own name",
    ast.Await: "a forward pass is an ordinary function",
    ast.Yield: "a forward pass is an ordinary function",
    ast.JoinedStr: "a forward pass computes numbers only; leave the text out",
    ast.FloorDiv: "`//` has no useful derivative; use `/`",
    ast.Mod: "`%` has no useful derivative; leave it out",
    ast.MatMult: "`@` works on vectors, and nodes are scalars; write the products and sums, as in `w * x + v * y`",
    ast.Not: "a forward pass has no `not`; use torch operations only",
    ast.BitXor: "in Python `^` is not a power; write `**`",
    ast.Invert: "nodes are real numbers; `~` works on bits",
}
_STATEMENTS: dict[type, str] = {
    ast.If: f"a forward pass has no `if`; {_KINK}",
    ast.Match: f"a forward pass has no `match`; {_KINK}",
    ast.For: _NO_LOOP,
    ast.While: _NO_LOOP,
    ast.FunctionDef: _HELPER,
    ast.Import: "import it in a cell above the question",
    ast.ImportFrom: "import it in a cell above the question",
    ast.Return: "only the last line is a `return`; take this one out, or the lines below it",
}
_BUILTINS: dict[str, str] = {
    "max": "use torch.maximum(a, b)",
    "min": "use torch.minimum(a, b)",
    "sum": "write the sum with `+`",
    "float": "keep the tensor as it is: float() takes it out of torch's graph",
    "int": "keep the tensor as it is: int() takes it out of torch's graph",
    "round": "rounding has no useful derivative; leave it out",
    "complex": "only real numbers can be differentiated here",
}
_USABLE_BUILTINS = {"abs", "pow"}
_ON_NUMBERS = {"math", "cmath", "numpy", "np", "jnp"}
"""Modules whose functions take numbers and give numbers, so that torch does not see what they do."""
_OF_TORCH = "use torch's functions, `**`, `*`, `/`, `+` and `-`"
ON_VECTORS = ("matmul", "dot", "inner", "vdot", "mm", "mv", "bmm", "einsum", "stack", "cat", "hstack")
"""Functions of torch that no two numbers have a use for."""
NO_VECTORS = "nodes are scalars; write the products and sums, as in `w * x + v * y`"


def of_statement(statement: ast.stmt) -> str:
    """Why `statement` is no line `name = expression`."""
    match statement:
        case ast.Assign(targets=[ast.Name()]):
            return ""
        case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)) if len(names) == len(values):
            lines = [f"`{ast.unparse(n)} = {ast.unparse(v)}`" for n, v in zip(names, values, strict=True)]
            return f"assign one plain name per line: {', then '.join(lines)}"
        case ast.Assign():
            return "assign one plain name per line"
        case ast.AugAssign(target=ast.Name(id=name), op=operator, value=value):
            whole = ast.BinOp(ast.Name(name), operator, value)
            return f"`{name}` is assigned twice; write a line with a new name, as in `{name}2 = {ast.unparse(whole)}`"
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            return f"leave the annotation out: `{ast.unparse(target)} = {ast.unparse(value)}`"
    return _STATEMENTS.get(
        type(statement), "a forward pass holds only lines `name = expression`; take it out or rewrite it as such lines"
    )


def of_part(part: ast.AST, known: Collection[str], given: Mapping[str, Any]) -> str:
    """Why a line may not hold `part`; `known` are the arguments and earlier lines, `given` the names from outside."""
    why = _SYNTAX.get(type(part)) or _SYNTAX.get(type(getattr(part, "op", part)))
    if why:
        return why
    match part:
        case ast.Constant(value=str() | bytes()):
            return "a forward pass computes numbers only; leave the text out"
        case ast.Constant(value=value) if value is ...:
            return "it is still `...`; write the expression"
        case ast.Call(func=ast.Name(id=name)) if name in known:
            return f"`{name}` is a number here, not a function; write `*` for a product, or give `{name}` another name"
        case ast.Attribute(value=ast.Name(id=name)) if name in known and name in ("torch", *_ON_NUMBERS):
            return f"`{name}` is a number here, not a module; give `{name}` another name"
        case ast.Call(func=function):
            return _of_call(part, function, known, given)
        case ast.Attribute(value=ast.Name(id=name), attr=attribute) if given.get(name) is torch:
            return "" if hasattr(torch, attribute) else _no_such(attribute)
        case ast.Name(id=name) if name not in known and name not in given:
            return _of_unknown(name)
    return ""


def called(statement: ast.Assign) -> set[str]:
    """The names of the functions that a line calls, and torch, which students call."""
    functions = (part.func for part in ast.walk(statement) if isinstance(part, ast.Call))
    return {"torch", *(f.id for f in functions if isinstance(f, ast.Name))}


def _of_call(call: ast.Call, function: ast.expr, known: Collection[str], given: Mapping[str, Any]) -> str:
    """Functions of math and numpy, which are welcome on numbers and hide what they do to a node."""
    match function:
        case ast.Attribute(value=ast.Name(id=module), attr=name):
            value = given.get(module)
            module = value.__name__ if isinstance(value, ModuleType) else module
        case ast.Name(id=name) if name in given:
            module = getattr(given[name], "__module__", None) or type(given[name]).__module__
        case ast.Name(id=name) if name not in known and hasattr(math, name) and not _reads(call, known):
            return f"`{name}` is not known here; of a number, write `math.{name}`, and import math above the question"
        case _:
            return ""
    if module not in _ON_NUMBERS or not _reads(call, known):
        return ""
    what = f"`{ast.unparse(function)}` takes numbers, not tensors, so torch cannot see what it does; "
    if name in ON_VECTORS:
        return what + NO_VECTORS
    if callable(getattr(torch, name, None)):
        return what + f"write `torch.{name}`"
    return what + _OF_TORCH


def _reads(call: ast.Call, known: Collection[str]) -> bool:
    """Whether a node or an argument stands in the call's brackets."""
    inside = [*call.args, *(k.value for k in call.keywords)]
    return any(isinstance(p, ast.Name) and p.id in known for a in inside for p in ast.walk(a))


def _of_unknown(name: str) -> str:
    if name in _BUILTINS:
        return _BUILTINS[name]
    if hasattr(builtins, name):
        return "" if name in _USABLE_BUILTINS else f"`{name}` does not compute with numbers; use torch operations"
    if len(name) > 1 and callable(getattr(torch, name, None)):
        return f"`{name}` is not known here; write `torch.{name}`"
    if callable(getattr(math, name, None)):
        return f"`{name}` is not known here, and math's takes numbers only; {_OF_TORCH}"
    if hasattr(math, name):
        return f"`{name}` is neither an argument nor an earlier line; write `math.{name}`, and import math above"
    if name in _ON_NUMBERS or name in ("F", "nn", "scipy"):
        return f"`{name}` is not known here; import it in a cell above the question"
    return f"`{name}` is neither an argument nor an earlier line; define it first"


def _no_such(attribute: str) -> str:
    near = difflib.get_close_matches(attribute.lower(), [n for n in dir(torch) if n.islower()], n=1)
    return f"torch has no `{attribute}`" + (f"; write `torch.{near[0]}`" if near else "; look up what it is called")
