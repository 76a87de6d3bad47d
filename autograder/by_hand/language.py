"""Statements and expressions: what each leaves in its scope, how a body ends, and what value a name comes to."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from typing import Any

from autograder.by_hand.arithmetic import compared, truth
from autograder.by_hand.library import LOOKS, MOST_TURNS
from autograder.by_hand.objects import Objects
from autograder.by_hand.values import (
    Choice,
    Class,
    Instance,
    Number,
    PackageName,
    Scope,
    as_number,
    constant,
    either,
    generic,
    is_finite,
    is_plain,
    method_of,
    options,
)


class Language(Objects):
    """`run` tells how a body ends: "" at its end, or by "return", or by "stop", which ends a turn of a loop."""

    def run(self, body: Sequence[ast.stmt], scope: Scope) -> str:
        for statement in body:
            self.spend()
            self.at = statement, scope
            if end := self._statement(statement, scope):
                return end
        return ""

    def _statement(self, s: ast.stmt, scope: Scope) -> str:  # noqa: PLR0912, PLR0915 - one branch a statement
        match s:
            case ast.Assign(targets=targets, value=value):
                held = self.evaluate(value, scope)
                for target in targets:
                    self._store(target, held, scope)
            case ast.AnnAssign(target=target, value=value):
                if isinstance(scope.owner, Class) and isinstance(target, ast.Name):
                    scope.owner.fields.append(target.id)
                if value:
                    self._store(target, self.evaluate(value, scope), scope)
            case ast.AugAssign(target=target, op=op, value=value):
                before, by = self.evaluate(target, scope), self.evaluate(value, scope)
                self.at = s, scope
                self._store(target, self.operation(type(op).__name__.lower(), before, by), scope)
            case ast.Expr(value=value):
                self.evaluate(value, scope, used=not isinstance(value, ast.Call))  # `x.grad.zero_()` keeps nothing
            case ast.Return(value=value):
                scope.returned.append(self.evaluate(value, scope) if value else None)
                return "return"
            case ast.If(test=test, body=body, orelse=orelse):
                holds = truth(self.evaluate(test, scope))
                arms = [body, orelse] if holds is None else [body if holds else orelse]
                return self._branches(arms, scope) if holds is None else self.run(arms[0], scope)
            case ast.For(target=target, iter=many) | ast.AsyncFor(target=target, iter=many):
                for n, value in enumerate(self.iterate(self.evaluate(many, scope))):
                    self._forget(s, n, scope)
                    self._store(target, value, scope)
                    if self.run(s.body, scope) == "return":
                        return "return"
                return self.run(s.orelse, scope)
            case ast.While(test=test):
                for n in range(MOST_TURNS + 1):
                    self._forget(s, n, scope)
                    holds = truth(self.evaluate(test, scope))
                    if holds is False or self.run(s.body, scope) == "return":
                        return "return" if holds else self.run(s.orelse, scope)
                return self.run(s.orelse, scope)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                self.define(s, scope)
            case ast.Import() | ast.ImportFrom():
                self.bring(s, scope)
            case ast.Match(subject=subject, cases=cases):
                held = self.evaluate(subject, scope)
                for case in cases:
                    for part in ast.walk(case.pattern):
                        if isinstance(part, ast.MatchAs | ast.MatchStar) and part.name:
                            scope.names[part.name] = held
                return self._branches([*(c.body for c in cases), []], scope)
            case ast.Try() | ast.TryStar():
                first, later = self.run(s.body, scope), [h.body for h in s.handlers]
                scope.names.update({h.name: generic("exception") for h in s.handlers if h.name})
                rest = self._branches(later if first else [s.orelse, *later], scope)
                last = self.run(s.finalbody, scope)
                return last or (rest if later or not first else first)
            case ast.With() | ast.AsyncWith():
                for item in s.items:
                    held = self.evaluate(item.context_expr, scope)
                    if method := method_of(held, "__enter__"):
                        held = self.enter(method, [held], {})
                    if item.optional_vars:
                        self._store(item.optional_vars, held, scope)
                return self.run(s.body, scope)
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                for name in names:
                    outer = scope.top if isinstance(s, ast.Global) else scope.parent and scope.parent.home(name)
                    scope.elsewhere[name] = outer or scope
            case _:
                self._parts(s, scope)
                return {ast.Raise: "return", ast.Break: "stop", ast.Continue: "stop"}.get(type(s), "")
        return ""

    def _branches(self, bodies: Sequence[Sequence[ast.stmt]], scope: Scope) -> str:
        """Each from the same start; a name that they leave with different values may be any of them."""
        self.spend(len(scope.names) // 8)
        before, after, ends = dict(scope.names), [], []
        self.guesses += 1
        for body in bodies:
            scope.names.clear()
            scope.names.update(before)
            ends.append(self.run(body, scope))
            if ends[-1] != "return":
                after.append(dict(scope.names))
        self.guesses -= 1
        for name in {n: None for names in after for n in names}:
            held = [names[name] for names in after if name in names]
            scope.names[name] = held[0] if all(h is held[0] for h in held) else either(held)
        return "" if "" in ends or not ends else "return" if {*ends} == {"return"} else "stop"

    def _forget(self, loop: ast.stmt, turn: int, scope: Scope) -> None:
        """After many turns a counter may be anything."""
        for node in ast.walk(loop) if turn >= MOST_TURNS else ():
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and is_finite(scope.names.get(node.id)):
                scope.names[node.id] = generic(("later", node.id), certain=True)

    def evaluate(self, node: ast.expr, scope: Scope, used: bool = True) -> Any:
        """What `node` may be. Not `used`: it is only looked at, or a longer name follows that is judged itself."""
        self.spend()
        outer, self.at = self.at, (node, scope)
        value = self._expression(node, scope)
        if used:
            self.use(value)
        self.at = outer
        return value

    def _expression(self, node: ast.expr, scope: Scope) -> Any:  # noqa: PLR0912 - one branch an expression
        match node:
            case ast.Constant(value=value):
                made = constant(value, self.given) if is_plain(value) else generic(repr(value)[:40])
                if isinstance(value, complex):
                    return self.broken("imaginary", as_number(made) if isinstance(made, complex) else made)
                return made
            case ast.Name(id=name):
                return self.load(name, scope)
            case ast.Attribute(value=inner, attr=name):
                return self.attribute(self.evaluate(inner, scope, used=False), name)
            case ast.Call():
                return self._call(node, scope)
            case ast.BinOp(left=left, op=op, right=right):
                a, b = self.evaluate(left, scope), self.evaluate(right, scope)
                return self.operation(type(op).__name__.lower(), a, b)
            case ast.UnaryOp(op=ast.Not(), operand=inner):
                holds = truth(self.evaluate(inner, scope))
                return generic("not", certain=True) if holds is None else not holds
            case ast.UnaryOp(op=op, operand=inner):
                value = self.evaluate(inner, scope)
                return self.operation("mult", -1, value) if isinstance(op, ast.USub) else value
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                looks = isinstance(op, ast.Is | ast.IsNot | ast.In | ast.NotIn)
                outer, self.comparing = self.comparing, len(self.active)
                a, b = self.evaluate(left, scope, not looks), self.evaluate(right, scope, not looks)
                self.comparing = outer
                holds = compared(type(op).__name__, a, b)
                return generic("compare", a, b, certain=True) if holds is None else holds
            case ast.BoolOp(op=op, values=values):
                return self._bool_op(isinstance(op, ast.Or), values, scope)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                holds = truth(self.evaluate(test, scope))
                arms = [body, orelse] if holds is None else [body if holds else orelse]
                return either(self.evaluate(arm, scope) for arm in arms)
            case ast.Subscript(value=inner, slice=part):
                base, key = self.evaluate(inner, scope, used=False), self.evaluate(part, scope)
                return either(self.subscript(one, key) for one in options(base))
            case ast.Slice():
                parts = [p and self.evaluate(p, scope) for p in (node.lower, node.upper, node.step)]
                return slice(*parts) if all(p is None or isinstance(p, int) for p in parts) else generic("slice")
            case ast.Tuple(elts=elts):
                return tuple(self._spread(elts, scope))
            case ast.List(elts=elts) | ast.Set(elts=elts):
                return self._spread(elts, scope)
            case ast.Dict(keys=keys, values=values):
                pairs: list[Any] = []
                for key, one in zip(keys, values, strict=True):
                    held = self.evaluate(one, scope)
                    pairs += [(self.evaluate(key, scope), held)] if key else getattr(held, "items", list)()
                return self._dictionary(pairs)
            case ast.Lambda():
                return self.function(node, scope)
            case ast.ListComp(elt=elt) | ast.SetComp(elt=elt) | ast.GeneratorExp(elt=elt):
                return [one for (one,) in self._comprehension([elt], node.generators, scope.inside())]
            case ast.DictComp(key=key, value=value):
                return self._dictionary(self._comprehension([key, value], node.generators, scope.inside()))
            case ast.JoinedStr(values=parts):
                texts = [self.evaluate(p, scope, used=False) for p in parts]
                readable = all(isinstance(t, str) for t in texts) and sum(map(len, texts)) < 1000
                return "".join(texts) if readable else generic("text", *texts)
            case ast.FormattedValue(value=inner):
                value = self.evaluate(inner, scope, used=False)
                return value if isinstance(value, str) and not node.format_spec else generic("text", value)
            case ast.NamedExpr(target=target, value=inner):
                outer, self.comparing = self.comparing, -1
                value = self.evaluate(inner, scope)
                self.comparing = outer
                self._store(target, value, scope)
                return value
            case ast.Yield(value=inner) | ast.YieldFrom(value=inner) if inner:
                value = self.evaluate(inner, scope)
                scope.yielded += self.iterate(value) if isinstance(node, ast.YieldFrom) else [value]
                return value
            case ast.Await(value=inner) | ast.Starred(value=inner):
                return self.evaluate(inner, scope)
        return generic(type(node).__name__, *self._parts(node, scope))

    def _parts(self, node: ast.AST, scope: Scope) -> list[Any]:
        return [self.evaluate(n, scope) for n in ast.iter_child_nodes(node) if isinstance(n, ast.expr)]

    def _call(self, node: ast.Call, scope: Scope) -> Any:
        function = self.evaluate(node.func, scope, used=False)
        looks = isinstance(function, PackageName) and function.path.rpartition(".")[2] in LOOKS
        args = self._spread(node.args, scope, not looks)  # `print(x.grad)` takes no derivative from anywhere
        named: dict[Any, Any] = {}
        for k in node.keywords:
            value = self.evaluate(k.value, scope)
            named.update({k.arg: value} if k.arg else value if isinstance(value, dict) else {})
        return self.call(function, args, {k: v for k, v in named.items() if isinstance(k, str)})

    def _bool_op(self, stops_at: bool, values: list[ast.expr], scope: Scope) -> Any:
        made = []
        for node in values:
            made.append(self.evaluate(node, scope))
            holds = truth(made[-1])
            if holds is stops_at:
                break
            if holds is not None and node is not values[-1]:
                made.pop()
        return either(made)

    def _spread(self, nodes: Sequence[ast.expr], scope: Scope, used: bool = True) -> list[Any]:
        made: list[Any] = []
        for node in nodes:
            value = self.evaluate(node, scope, used)
            made += self.iterate(value) if isinstance(node, ast.Starred) else [value]
        return made

    def _dictionary(self, pairs: Iterable[Sequence[Any]]) -> dict[Any, Any]:
        made: dict[Any, Any] = {}
        for key, value in pairs:
            self.put(made, key, value)
        return made

    def _comprehension(self, wanted: list[ast.expr], loops: list[ast.comprehension], scope: Scope) -> list[list[Any]]:
        if not loops:
            return [[self.evaluate(node, scope) for node in wanted]]
        made = []
        for value in self.iterate(self.evaluate(loops[0].iter, scope)):
            self._store(loops[0].target, value, scope)
            if not any(truth(self.evaluate(test, scope)) is False for test in loops[0].ifs):
                made += self._comprehension(wanted, loops[1:], scope)
        return made

    def _store(self, target: ast.expr, value: Any, scope: Scope) -> None:
        match target:
            case ast.Name(id=name):
                scope.put(name, value)
            case ast.Starred(value=inner):
                self._store(inner, value, scope)
            case ast.Tuple(elts=elts) | ast.List(elts=elts):
                parts = [] if isinstance(value, Number | Choice | Instance) else self.iterate(value, len(elts) + 1)
                for i, part in enumerate(elts):
                    rest = isinstance(part, ast.Starred) and parts[i:]
                    one = rest or parts[i] if i < len(parts) else either(self.subscript(v, i) for v in options(value))
                    self._store(part, one, scope)
            case ast.Attribute(value=inner, attr=name):
                self.set_attribute(self.evaluate(inner, scope, used=False), name, value)
            case ast.Subscript(value=inner, slice=part):
                key = self.evaluate(part, scope)
                for held in options(self.evaluate(inner, scope, used=False)):
                    self.put(held, key, value)
