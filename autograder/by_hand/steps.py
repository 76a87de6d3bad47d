"""Finite differences and imaginary steps: a function's values at shifted arguments, divided by the shift.

Algebra looks much alike, so all of it must be there: the same evaluation twice, arguments that share a base and differ
by a step, and that step as the divisor. Where the step may be a number of the problem, the line is listed at most.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from autograder.by_hand.forms import ONE, Form, Forms, Place, added
from autograder.by_hand.names import Def, Scope, Value, body_scope, live
from autograder.by_hand.paths import call_path, paths

_MOST_TERMS = 24
_SUBTRACTS = {"numpy.subtract", "torch.sub", "torch.subtract", "operator.sub"}
DIVIDES = {"numpy.divide", "numpy.true_divide", "torch.div", "torch.divide", "torch.true_divide", "operator.truediv"}
_SUMS = {
    "builtins.sum",
    "math.fsum",
    "numpy.sum",
    "torch.sum",
    "numpy.dot",
    "torch.dot",
    "math.sumprod",
    "functools.reduce",
}
_DIFFS = {"numpy.diff", "torch.diff", "numpy.ediff1d"}


@dataclass(frozen=True)
class _Term:
    """One summand: coefficient × core / (product of divisors)."""

    factor: complex
    divisors: tuple[int, ...]
    core: ast.AST
    scope: Scope


class Steps:
    def __init__(self, answers: set[int]) -> None:
        self.forms = Forms(answers)

    def difference(self, node: ast.expr, scope: Scope) -> str:
        """The rule that a sum, product or quotient breaks; "" if none."""
        terms = list(islice(self._terms(node, scope, 1, (), 0), _MOST_TERMS))
        rules = set()
        for i, a in enumerate(terms):
            for b in terms[:i]:
                if (a.factor * b.factor).real < 0 and a.divisors == b.divisors:
                    rules.add(self._pair(a, b))
            rules.add(self._neighbours(a))
            rules.add(self._gathered(a))
        return next((r for r in ("differences", "difference-like") if r in rules), "")

    def _terms(
        self, node: ast.AST, scope: Scope, factor: complex, divisors: tuple[int, ...], depth: int
    ) -> Iterator[_Term]:
        node, scope = self.forms.plain(node, scope, loose=True)
        if depth > 10:
            return
        depth += 1
        path = call_path(node, scope) if isinstance(node, ast.Call) else ""
        match node:
            case ast.UnaryOp(op=ast.USub()):
                yield from self._terms(node.operand, scope, -factor, divisors, depth)
                return
            case ast.BinOp(op=ast.Add() | ast.Sub(), left=left, right=right):
                sign = 1 if isinstance(node.op, ast.Add) else -1
                yield from self._terms(left, scope, factor, divisors, depth)
                yield from self._terms(right, scope, factor * sign, divisors, depth)
                return
            case ast.Call(args=[left, right]) if path in _SUBTRACTS:
                yield from self._terms(left, scope, factor, divisors, depth)
                yield from self._terms(right, scope, -factor, divisors, depth)
                return
            case ast.BinOp(op=ast.Mult(), left=left, right=right):
                for one, other in ((left, right), (right, left)):
                    by = self._divisor(one, scope)
                    if by is not None:
                        yield from self._terms(other, scope, factor * by[0], (*divisors, *by[1]), depth)
                        return
            case ast.BinOp(op=ast.Div(), left=left, right=right):
                number, more = self._factors(right, scope)
                if number:
                    yield from self._terms(left, scope, factor / number, tuple(sorted((*divisors, *more))), depth)
                    return
            case ast.Call(args=[left, right]) if path in DIVIDES:
                yield from self._terms(
                    ast.copy_location(ast.BinOp(left, ast.Div(), right), node), scope, factor, divisors, depth
                )
                return
            case ast.Call():
                inner = self._inlined(node, scope)
                if inner and isinstance(inner[0], ast.BinOp) and isinstance(inner[0].op, ast.Sub):
                    yield from self._terms(*inner, factor, divisors, depth)
                    return
        yield _Term(factor, divisors, node, scope)

    def _divisor(self, node: ast.AST, scope: Scope) -> tuple[complex, tuple[int, ...]] | None:
        """A factor that is a number, 1/something or something**-1."""
        number = self.forms.number(node, scope)
        if number is not None:
            return number, ()
        node, scope = self.forms.plain(node, scope)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            top, (below, more) = self.forms.number(node.left, scope), self._factors(node.right, scope)
            return (top / below, more) if top is not None and below else None
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow) and self.forms.number(node.right, scope) == -1:
            below, more = self._factors(node.left, scope)
            return (1 / below, more) if below else None
        return None

    def _factors(self, node: ast.AST, scope: Scope) -> tuple[complex, tuple[int, ...]]:
        node, scope = self.forms.plain(node, scope)
        form = self.forms.linear(node, scope)
        if set(form) <= {ONE}:
            return form.get(ONE, 0), ()
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
            (a, first), (b, second) = self._factors(node.left, scope), self._factors(node.right, scope)
            return a * b, (*first, *second)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
            times = self.forms.number(node.right, scope)
            if times in (2, 3, 4):
                number, more = self._factors(node.left, scope)
                return number ** int(times.real), more * int(times.real)
        if len(form) == 1:
            ((atom, number),) = form.items()
            return number, (self.forms.key({atom: 1}),)
        return 1, (self.forms.key(form),)

    def _inlined(self, node: ast.Call, scope: Scope) -> Place | None:
        """What a call of a function of the notebook returns, its arguments bound to what this call gives."""
        values = scope.find(node.func.id) or [] if isinstance(node.func, ast.Name) else []
        function = values[0].node if len(values) == 1 else None
        if not isinstance(function, ast.FunctionDef | ast.Lambda) or any(isinstance(a, ast.Starred) for a in node.args):
            return None
        inner = body_scope(function, values[0].when_called(scope))
        arguments = [*function.args.posonlyargs, *function.args.args]
        named = {k.arg: k.value for k in node.keywords if k.arg}
        given = [*zip(arguments, node.args, strict=False), *((a, named[a.arg]) for a in arguments if a.arg in named)]
        for argument, value in given:
            inner.names[argument.arg] = [Value(value, scope)]
        if isinstance(function, ast.Lambda):
            return self.forms.plain(function.body, inner)
        returns = [s for s in live(function.body) if isinstance(s, ast.Return)]
        return self.forms.plain(returns[0].value, inner) if returns and returns[0].value else None

    # Two evaluations

    def _pair(self, a: _Term, b: _Term) -> str:
        shifts = self._shifts((a.core, a.scope), (b.core, b.scope), 0)
        if shifts == [] and self._moved(a, b):
            return "differences"
        if not shifts or len({next(iter(s)) for s in shifts}) > 1:
            return ""
        ((atom, size),) = shifts[0].items()
        weight = max(abs(a.factor), abs(b.factor)) * abs(size)
        own = isinstance(a.core, ast.Call) and not paths(a.core.func, a.scope)
        if atom != ONE and not any(atom in self.forms.form_of[d] for d in a.divisors):
            return ""
        if abs(size) <= 0.01 and (_near_one(weight) or _near_one(weight * abs(size))):
            return "differences"
        if atom == ONE:
            if abs(size) <= 0.1 and (abs(weight - 1) < 0.01 or abs(weight - 4 / 3) < 0.01):
                return "differences"
            return "difference-like" if own and abs(weight - 1) < 1e-6 else ""
        return {"yes": "differences", "maybe": "difference-like" if own else ""}.get(self.forms.small(atom), "")

    def _moved(self, a: _Term, b: _Term) -> bool:
        """The same call twice, its argument stepped in between (`x = x + h`), their difference divided by the step."""
        if not (isinstance(a.core, ast.Call) and a.core is not b.core):
            return False
        key = self.forms.key(self.forms.linear(a.core, a.scope))
        stepped = any(k in self.forms.named and self.forms.small(k) == "yes" for k in self.forms.inside[key])
        divided = abs(a.factor) >= 50 or any(
            self.forms.small(k) == "yes" for d in a.divisors for k in self.forms.form_of[d]
        )
        return stepped and divided

    def _shifts(self, a: Place, b: Place, depth: int) -> list[Form] | None:
        """By how much the arguments differ if both do the same to them; [] if nothing does; None if they are unlike."""
        a, b = self.forms.plain(*a), self.forms.plain(*b)
        first, second = self.forms.linear(*a), self.forms.linear(*b)
        shift = added(first, second, -1)
        if not shift:
            return []
        base = any(k != ONE and k in second and abs(c - second[k]) <= 0.05 * abs(c) for k, c in first.items())
        if depth and len(shift) == 1 and base:
            return [shift]
        one, other = self.forms.shape(*a), self.forms.shape(*b)
        if depth > 12 or one is None or other is None or one[0] != other[0] or len(one[1]) != len(other[1]):
            return None
        if one[0] == (ast.Add,) or one[0] == (ast.Sub,):
            depth -= 1  # a sum evaluates nothing: x + h less x is no difference of a function's values
        every: list[Form] = []
        for left, right in zip(one[1], other[1], strict=True):
            found = self._shifts(left, right, depth + 1)
            if found is None:
                return None
            every += found
        return every

    # Many evaluations, gathered by a loop, a sum or numpy

    def _neighbours(self, term: _Term) -> str:
        node = term.core
        if isinstance(node, ast.Subscript):
            node = self.forms.plain(node.value, term.scope)[0]
        if not isinstance(node, ast.Call):
            return ""
        method = isinstance(node.func, ast.Attribute) and node.func.attr == "diff" and not paths(node.func, term.scope)
        if not method and call_path(node, term.scope) not in _DIFFS:
            return ""
        divisors = {k for d in term.divisors for k in self.forms.form_of[d]}
        return "differences" if abs(term.factor) >= 10 or any(self._is_step(k) for k in divisors) else ""

    def _is_step(self, atom: int) -> bool:
        shape = next((k for k, v in self.forms._ids.items() if v == atom), None)
        diff = isinstance(shape, tuple) and isinstance(shape[0], tuple) and bool(_DIFFS & set(map(str, shape[0])))
        return diff or self.forms.small(atom) == "yes"

    def _gathered(self, term: _Term) -> str:
        steps = {k for d in term.divisors for k in self.forms.form_of[d] if self.forms.small(k) == "yes"}
        if abs(term.factor) < 50 and not steps:
            return ""
        held = term.core.value if isinstance(term.core, ast.Subscript) else term.core
        values = term.scope.find(held.id) or [] if isinstance(held, ast.Name) else []
        summed = isinstance(term.core, ast.BinOp) and isinstance(term.core.op, ast.MatMult)
        if isinstance(term.core, ast.Call):
            summed = call_path(term.core, term.scope) in _SUMS
        if not summed and len(values) < 2:
            return ""
        for node, scope in self._below(term.core, term.scope):
            arguments = [*node.args] if isinstance(node, ast.Call) else []
            if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
                arguments = [node.left]
            for argument in arguments:
                form = self.forms.linear(argument, scope)
                base = any(k != ONE and abs(c) >= 0.1 for k, c in form.items())
                stepped = any(abs(c) <= 0.01 and _near_one(abs(c * term.factor)) for c in form.values())
                if base and len(form) > 1 and (stepped or any(self._steps_by(k, steps) for k in form)):
                    return "differences"
        return ""

    def _steps_by(self, atom: int, steps: set[int]) -> bool:
        return bool({atom, *self.forms.inside.get(atom, ())} & steps) or (
            atom in self.forms.named and self.forms.small(atom) == "yes"
        )

    def _below(self, node: ast.AST, scope: Scope) -> Iterator[Place]:
        """Every expression under this one, through names and comprehensions."""
        todo, seen = [(node, scope)], set[Place]()
        while todo and len(seen) < 400:
            place = todo.pop()
            node, scope = place
            if place in seen or isinstance(node, Def):
                continue
            seen.add(place)
            yield place
            if isinstance(node, ast.Name):
                todo += [(v.node, v.scope) for v in scope.find(node.id) or () if v.node]
            if isinstance(node, ast.ListComp | ast.GeneratorExp):
                inner = scope.child(node)
                inner.names.update(
                    {n.id: [] for g in node.generators for n in ast.walk(g.target) if isinstance(n, ast.Name)}
                )
                todo += [(node.elt, inner), *((g.iter, scope) for g in node.generators)]
            elif not isinstance(node, ast.Lambda):
                todo += [(n, scope) for n in ast.iter_child_nodes(node)]

    def imaginary(self, node: ast.AST, scope: Scope) -> str:
        """Whether an imaginary part comes from a real number with a small imaginary step added."""
        for part, where in self._below(node, scope):
            if not isinstance(part, ast.expr) or isinstance(part, ast.Constant | ast.Tuple | ast.List):
                continue
            form = self.forms.linear(part, where)
            turned = {k: c for k, c in form.items() if c.imag}
            if len(form) > len(turned) and any(k != ONE or abs(c) > 0 for k, c in form.items() if not c.imag):
                for atom, c in turned.items():
                    if (atom == ONE and abs(c) <= 0.1) or (
                        atom != ONE and (abs(c) <= 0.01 or self.forms.small(atom) == "yes")
                    ):
                        return "complex-step"
        return "imaginary"


def _near_one(weight: float) -> bool:
    """Whether step times factor is that of a difference quotient of some order: 1/12 … 12."""
    return 0.02 <= weight <= 50
