"""Expressions as sums: coefficient times atom, with names expanded to what they hold, so that `x + h` is seen as such.

Two expressions that are the same sum of the same atoms get the same number, whatever names they went through.
"""

from __future__ import annotations

import ast
import re
from typing import Any

from autograder.by_hand.names import Scope, Value
from autograder.by_hand.paths import call_path, paths
from autograder.by_hand.rules import words

Form = dict[int, complex]
Place = tuple[ast.AST, Scope]
ONE = 0
_KEEPS_VALUE = set(
    words("item detach clone double float numpy cpu to tolist squeeze requires_grad_ contiguous type astype")
)
_WRAPS = {
    "builtins.float",
    *(f"torch.{n}" for n in words("tensor as_tensor from_numpy squeeze clone")),
    *(f"numpy.{n}" for n in words("asarray array float64 float32 squeeze")),
    "decimal.Decimal",
    "fractions.Fraction",
}
_STEP_NAMES = re.compile(r"(h+|eps\w*|epsilon|delta\w*|d[a-z]?|step\w*|tiny|small|dh)\d?", re.IGNORECASE)


class Forms:
    """Numbers for atoms, and what is known of each; lives for one reading."""

    def __init__(self, answers: set[int]) -> None:
        self.answers = answers
        self._ids: dict[Any, int] = {"one": ONE}
        self._memo: dict[Place, Form] = {}
        self.form_of: dict[int, Form] = {}
        self.inside: dict[int, set[int]] = {}
        self.named: dict[int, tuple[str, Scope]] = {}
        self.made: dict[int, ast.AST] = {}

    def _id(self, key: Any, inside: set[int] | None = None) -> int:
        number = self._ids.setdefault(key, len(self._ids))
        self.inside.setdefault(number, set()).update(inside or ())
        return number

    def key(self, form: Form) -> int:
        inside = set(form).union(*(self.inside.get(k, ()) for k in form))
        number = self._id(("form", tuple(sorted(form.items(), key=lambda item: item[0]))), inside)
        self.form_of[number] = form
        return number

    def linear(self, node: ast.AST, scope: Scope) -> Form:
        place = node, scope
        if place not in self._memo:
            self._memo[place] = {self._id(("itself", node, scope)): 1}  # holds where a name leads back to itself
            self._memo[place] = {k: c for k, c in self._linear(*self.plain(node, scope)).items() if c}
        return self._memo[place]

    def number(self, node: ast.AST, scope: Scope) -> complex | None:
        form = self.linear(node, scope)
        return form.get(ONE, 0) if set(form) <= {ONE} else None

    def _linear(self, node: ast.AST, scope: Scope) -> Form:
        match node:
            case ast.Constant(value=int() | float() | complex() as literal) if abs(literal) < 1e100:
                return {ONE: complex(literal)}
            case ast.Attribute(attr="eps" | "epsilon" | "smallest_normal"):
                return {ONE: 2.2e-16}
            case ast.UnaryOp(op=ast.USub()):
                return scaled(self.linear(node.operand, scope), -1)
            case ast.BinOp(op=ast.Add()):
                return added(self.linear(node.left, scope), self.linear(node.right, scope))
            case ast.BinOp(op=ast.Sub()):
                return added(self.linear(node.left, scope), self.linear(node.right, scope), -1)
            case ast.BinOp():
                left, right = self.number(node.left, scope), self.number(node.right, scope)
                if isinstance(node.op, ast.Mult) and (left is not None or right is not None):
                    other = node.left if left is None else node.right
                    return scaled(self.linear(other, scope), right if left is None else left)  # type: ignore[arg-type]
                if isinstance(node.op, ast.Div) and right:
                    return scaled(self.linear(node.left, scope), 1 / right)
                if isinstance(node.op, ast.Pow) and left and right is not None and abs(right) < 60:
                    return {ONE: left**right} if abs(left) < 1e5 else {self._atom(node, scope): 1}
            case ast.Call(args=[real, imaginary]) if call_path(node, scope) in ("builtins.complex", "torch.complex"):
                return added(self.linear(real, scope), self.linear(imaginary, scope), 1j)
            case ast.Call(args=[inner]) if call_path(node, scope).rpartition(".")[2] in ("sqrt", "cbrt"):
                value = self.number(inner, scope)
                if value is not None:
                    return {ONE: value**0.5}
        return {self._atom(node, scope): 1}

    def _atom(self, node: ast.AST, scope: Scope) -> int:
        if isinstance(node, ast.Name):
            home: Scope | None = scope
            while home and node.id not in home.names:
                home = home.parent
            number = self._id(("name", node.id, home or scope.module))
            self.named[number] = node.id, scope
            return number
        shape = self.shape(node, scope)
        if shape is None:
            return self._id(("node", node, scope))
        keys = [self.key(self.linear(*child)) for child in shape[1]]
        number = self._id((shape[0], *keys), set(keys).union(*(self.inside[k] for k in keys)))
        self.made[number] = node
        return number

    def shape(self, node: ast.AST, scope: Scope) -> tuple[Any, list[Place]] | None:
        """What an expression does, and to which parts; None for a leaf."""
        match node:
            case ast.Call(func=func, args=args):
                given: list[Place] = [(a, scope) for a in (*args, *(k.value for k in node.keywords))]
                meant = paths(func, scope)
                if meant:
                    return ("call", *sorted(meant)), given
                if isinstance(func, ast.Attribute):
                    return ("method", func.attr), [(func.value, scope), *given]
                return ("call", self.key(self.linear(func, scope))), given
            case ast.BinOp():
                return (type(node.op),), [(node.left, scope), (node.right, scope)]
            case ast.UnaryOp():
                return (type(node.op),), [(node.operand, scope)]
            case ast.Attribute():
                return ("attribute", node.attr), [(node.value, scope)]
            case ast.Subscript():
                return ("subscript", ast.dump(node.slice)), [(node.value, scope)]
            case ast.Tuple() | ast.List():
                parts: list[Place] = [(e, scope) for e in node.elts]
                return ("several", len(parts)), parts
        return None

    def plain(self, node: ast.AST, scope: Scope, loose: bool = False) -> Place:
        """Through names, float(), .item(), torch.tensor() … to the expression underneath."""
        for _ in range(20):
            step = self._through(node, scope, loose)
            if step is None:
                break
            node, scope = step
        return node, scope

    def _through(self, node: ast.AST, scope: Scope, loose: bool) -> Place | None:
        match node:
            case ast.Name():
                values = scope.find(node.id) or []
                if loose and len(values) > 1:  # `d /= h` divides what d was; `s += f(x)` gathers from a first number
                    values = [v for v in values if v.whole and not _mentions(v, node.id)]
                    values = [v for v in values if not isinstance(v.node, ast.Constant)]
                if len(values) == 1 and values[0].whole and isinstance(values[0].node, ast.expr):
                    value = values[0]
                    return None if _mentions(value, node.id) and value.scope.parent else (value.node, value.scope)  # type: ignore[return-value]
            case ast.NamedExpr():
                return node.value, scope
            case ast.Call(func=ast.Attribute() as method) if method.attr in _KEEPS_VALUE and not paths(method, scope):
                return method.value, scope
            case ast.Call(args=[inner, *_]) if call_path(node, scope) in _WRAPS:
                return inner, scope
            case ast.Subscript(slice=ast.Constant(value=int(index))):
                return self._element(*self.plain(node.value, scope), index)
        return None

    def _element(self, node: ast.AST, scope: Scope, index: int) -> Place | None:
        """Entry `index` of a literal, of a comprehension over a literal, or of map() over one."""
        match node:
            case ast.Call(args=[inner]) if call_path(node, scope) in ("builtins.list", "builtins.tuple"):
                return self._element(inner, scope, index)
            case ast.Tuple(elts=elts) | ast.List(elts=elts) if -len(elts) <= index < len(elts):
                return elts[index], scope
            case ast.ListComp(generators=[loop]) | ast.GeneratorExp(generators=[loop]):
                over = self._element(*self.plain(loop.iter, scope), index)
                if over and isinstance(loop.target, ast.Name):
                    inner_scope = scope.child(node)
                    inner_scope.bind(loop.target.id, Value(over[0], over[1]))
                    return node.elt, inner_scope
            case ast.Call(args=[function, many]) if call_path(node, scope) == "builtins.map":
                over = self._element(*self.plain(many, scope), index)
                if over and isinstance(over[0], ast.expr) and over[1] is scope:
                    return ast.copy_location(ast.Call(function, [over[0]], []), node), scope
        return None

    def small(self, atom: int) -> str:
        """Whether an atom is a step: "yes", "maybe", or "no" for an argument of the answer itself."""
        if atom not in self.named:
            made = self.made.get(atom)
            steps = isinstance(made, ast.Tuple | ast.List | ast.BinOp) and _holds_small(made)
            return "yes" if steps and (not isinstance(made, ast.BinOp) or isinstance(made.op, ast.Pow)) else "maybe"
        name, scope = self.named[atom]
        home: Scope | None = scope
        while home and name not in home.names:
            home = home.parent
        values = scope.find(name) or []
        for value in values:
            number = self.number(value.node, value.scope) if isinstance(value.node, ast.expr) else None
            if value.node and (_holds_small(value.node) or (number and abs(number) <= 0.1)):
                return "yes"
        if home is not None and id(home.owner) in self.answers and name in _arguments(home.owner):
            return "no"
        return "yes" if not values and _STEP_NAMES.fullmatch(name) else "maybe"


def added(left: Form, right: Form, factor: complex = 1) -> Form:
    form = {k: left.get(k, 0) + factor * right.get(k, 0) for k in {**left, **right}}
    # What cancels leaves rounding behind, which is no step.
    return {k: c for k, c in form.items() if abs(c) > 1e-14 * max(abs(left.get(k, 0)), abs(right.get(k, 0)), 1e-300)}


def scaled(form: Form, factor: complex) -> Form:
    return {k: c * factor for k, c in form.items()}


def _mentions(value: Value, name: str) -> bool:
    return value.node is not None and any(isinstance(n, ast.Name) and n.id == name for n in ast.walk(value.node))


def _arguments(function: Any) -> set[str]:
    args = getattr(function, "args", None)
    return {a.arg for a in (*args.posonlyargs, *args.args, *args.kwonlyargs)} if args else set()


def _holds_small(node: ast.AST) -> bool:
    """Whether a number such as 1e-6, 10**-n or eps stands in it."""
    for n in ast.walk(node):
        if isinstance(n, ast.Attribute) and n.attr in ("eps", "epsilon"):
            return True
        if isinstance(n, ast.Constant) and isinstance(n.value, float) and 0 < abs(n.value) <= 0.1:
            return True
        if isinstance(n, ast.BinOp) and isinstance(n.op, ast.Pow) and isinstance(n.left, ast.Constant):
            negative = isinstance(n.right, ast.UnaryOp) and isinstance(n.right.op, ast.USub)
            if negative:
                return True
    return False
