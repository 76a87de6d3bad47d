"""A line's local derivative in words, such as `d(a / b)/db = -a/b**2`; sympy words it, and never decides anything.

sympy (which torch brings) is loaded only when a slip has been found, because its import takes half a second.
"""

from __future__ import annotations

import ast
from functools import lru_cache
from types import FunctionType
from typing import Any

import torch

from autograder.calculus.graph import Forward, Line
from autograder.calculus.reference import clean_torch

_LONGEST = 60


@lru_cache(maxsize=512)
def _worded(expression: str, by: str, names: tuple[str, ...], sigmoids: tuple[str, ...]) -> str | None:
    import sympy

    symbols = {name: sympy.Symbol(name, real=True) for name in names}
    tree = ast.parse(expression, mode="eval")
    for part in ast.walk(tree):  # torch.sin(x) -> sin(x)
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute):
            part.func = ast.copy_location(ast.Name(part.func.attr, ast.Load()), part.func)
    if isinstance(tree.body, ast.Call) and ast.unparse(tree.body) == f"relu({by})":
        return f"d({expression})/d{by} = 1 where {by} > 0, and 0 elsewhere"
    if isinstance(tree.body, ast.Call) and ast.unparse(tree.body) in {f"{s}({by})" for s in ("sigmoid", *sigmoids)}:
        return f"d({expression})/d{by} = {expression}*(1 - {expression})"  # as it is taught; sympy says it by exp
    functions: dict[str, Any] = {n: getattr(sympy, n) for n in ("sin", "cos", "tan", "exp", "log", "tanh", "sqrt")}
    functions |= {n: getattr(sympy, n) for n in ("sinh", "cosh", "atan", "asin", "acos")}
    functions |= {name: lambda v: 1 / (1 + sympy.exp(-v)) for name in ("sigmoid", *sigmoids)}
    try:
        code = compile(ast.fix_missing_locations(tree), "<line>", "eval")
        derivative = sympy.diff(eval(code, {"__builtins__": {}, **functions, **symbols}), symbols[by])
    except Exception:  # an operation that sympy has no word for: say nothing
        return None
    text = str(sympy.nsimplify(derivative, rational=False) if derivative.has(sympy.Float) else derivative)
    return f"d({expression})/d{by} = {text}" if len(text) <= _LONGEST else None


def rule(forward: Forward, line: Line, by: str) -> str | None:
    """The local derivative of `line` by its input `by`, or None where it cannot be worded briefly."""
    sigmoids = tuple(name for name, value in forward.given.items() if is_sigmoid(value))
    return _worded(line.expression.replace("torch.", ""), by, line.inputs, sigmoids)


def is_sigmoid(value: object) -> bool:
    """Whether it is a helper such as `def sig(x): return torch.sigmoid(x)`, also by exp: its numbers tell."""
    if not isinstance(value, FunctionType) or value.__code__.co_argcount != 1:
        return False
    if not set(value.__code__.co_names) <= {"torch", "sigmoid", "special", "expit", "exp"}:
        return False  # another helper: what it does with these numbers is not for us to find out
    with clean_torch():
        numbers = torch.tensor([-1.5, 0.25, 2.0], dtype=torch.float64)
        made = value(numbers)
        return isinstance(made, torch.Tensor) and made.shape == numbers.shape and made.allclose(torch.sigmoid(numbers))
