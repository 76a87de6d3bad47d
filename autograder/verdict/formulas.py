"""The formulas that students take for the derivatives of functions: 1 - f for 1 - f**2, v*(1 - v) for a*(1 - a).

A formula is written once: the same text is computed at the points, and told to the student in the names of the line.
The right rule of a function is here only to be told, and to make sure that a function is what its name says: what is
right is decided by torch.autograd.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping
from functools import lru_cache
from types import CodeType

from autograder.verdict.sites import Around, Site, text

_AGREE = 1e-6

# Of each function its right rule, then each wrong one with its kind. v: the argument, s: the value, a: the base.
FORMULAS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "sigmoid": (
        "s*(1 - s)",
        {
            "v*(1 - v)": "input for value",
            "1 - s": "factor of the rule lost",
            "1 - s**2": "rule of tanh",
            "1 - tanh(v)**2": "rule of tanh",
            "s*(1 - v)": "input for value",
            "v*(1 - s)": "input for value",
            "s*(1 + s)": "sign in the rule",
            "s**2": "wrong rule",
        },
    ),
    "tanh": (
        "1 - s**2",
        {
            "1 - v**2": "input for value",
            "1 - s": "not squared",
            "1/cosh(v)": "not squared",
            "s*(1 - s)": "rule of the sigmoid",
            "sigmoid(v)*(1 - sigmoid(v))": "rule of the sigmoid",
            "1 + s**2": "sign in the rule",
            "(1 - s)**2": "wrong rule",
            "1 - v": "wrong rule",
            "s**2": "wrong rule",
        },
    ),
    "relu": ("v > 0", {"1": "gate left open", "v < 0": "gate turned over"}),
    "exp": (
        "s",
        {"v*exp(v - 1)": "rule of a power", "exp(v - 1)": "rule of a power", "v*exp(v)": "exponent as a factor"},
    ),
    "a**v": ("s*log(a)", {"v*a**(v - 1)": "rule of a power", "v*s": "exponent as a factor"}),
    "sin": ("cos(v)", {"-sin(v)": "sine and cosine"}),
    "cos": ("-sin(v)", {"-cos(v)": "sine and cosine"}),
    "tan": ("1 + s**2", {"1/cos(v)": "not squared", "1 - s**2": "sign in the rule", "s**2": "wrong rule"}),
    "sqrt": (
        "1/(2*s)",
        {
            "1/s": "factor of the rule lost",
            "1/(2*v)": "wrong rule",
            "s/2": "wrong rule",
            "-1/(2*s)": "sign in the rule",
        },
    ),
    "cosh": ("sinh(v)", {"-sinh(v)": "sign in the rule"}),
}
_MATHEMATICS: Mapping[str, Callable[[float], float]] = {
    **{name: getattr(math, name) for name in ("exp", "log", "sin", "cos", "sinh", "cosh", "tanh")},
    "sigmoid": lambda v: 1 / (1 + math.exp(-v)),
}


@lru_cache(maxsize=128)
def _compiled(formula: str) -> CodeType:
    return compile(formula, "<rule>", "eval")


def computed(formula: str, a: Around) -> float:
    """A formula of the table at one point."""
    names = {"v": a.arguments[0], "s": a.value, "a": a.beside}
    return float(eval(_compiled(formula), {"__builtins__": {}}, {**_MATHEMATICS, **names}))


def fits(right: str, a: Around) -> bool:
    """Whether autograd agrees with the right rule: an author's helper may have the name of another function."""
    return math.isclose(computed(right, a), a.own[0], rel_tol=_AGREE, abs_tol=_AGREE)


class _Named(ast.NodeTransformer):
    """Puts the names of a line in the place of v, s and a."""

    def __init__(self, names: Mapping[str, ast.expr]) -> None:
        self.names = names

    def visit_Name(self, name: ast.Name) -> ast.expr:
        return self.names.get(name.id, name)


def told(formula: str, site: Site) -> str:
    """A formula of the table in the names of the line."""
    value = ast.Name(site.line.name, ast.Load()) if site.is_whole else site.part
    names = {"v": site.arguments[0], "s": value, "a": site.beside or value}
    return text(_Named(names).visit(ast.parse(formula, mode="eval").body))
