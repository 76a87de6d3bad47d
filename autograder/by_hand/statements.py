"""Statements: what each leaves in its scope, and how a body ends."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

from autograder.by_hand.arithmetic import truth
from autograder.by_hand.expressions import Expressions, expressions, operator_name
from autograder.by_hand.numeric import MOST_TURNS
from autograder.by_hand.rules import words
from autograder.by_hand.values import (
    NOTHING,
    Class,
    Function,
    Instance,
    Number,
    PackageName,
    Scope,
    either,
    generic,
    is_finite,
)

_MEASURES = set(words("abs absolute fabs float item max norm sum mean detach"))


class Statements(Expressions):
    """`run` tells how a body ends: "" at its end, or with "return", "raise", "break", "continue"."""

    def run(self, body: Sequence[ast.stmt], scope: Scope) -> str:
        for statement in body:
            self.spend()
            self.at = statement, scope
            end = self.statement(statement, scope)
            if end:
                return end
        return ""

    def statement(self, s: ast.stmt, scope: Scope) -> str:  # noqa: PLR0912, PLR0915 - one branch a statement
        match s:
            case ast.Assign(targets=targets, value=value):
                kept = _only_measures(value) and all(isinstance(t, ast.Name) for t in targets)
                before, self.measuring = self.measuring, len(self.active) if kept else -1
                held = self.evaluate(value, scope, used=not isinstance(value, ast.Attribute))
                self.measuring = before
                self.report([f for f in self.unsaid if f not in self.findings_of(held)])
                self.unsaid.clear()
                for target in targets:
                    self.store(target, held, scope)
            case ast.AnnAssign(target=target, value=value):
                if isinstance(scope.owner, Class) and isinstance(target, ast.Name):
                    scope.owner.fields.append(target.id)
                if value:
                    self.store(target, self.evaluate(value, scope), scope)
            case ast.AugAssign(target=target, op=op, value=value):
                old, by = self.evaluate(target, scope), self.evaluate(value, scope)
                self.at = s, scope
                self.store(target, self.operation(operator_name(op), old, by), scope)
            case ast.Expr(value=value):
                self.evaluate(value, scope, used=not isinstance(value, ast.Call))  # `x.grad.zero_()` keeps nothing
            case ast.Return(value=value):
                scope.returned.append(self.evaluate(value, scope) if value else None)
                return "return"
            case ast.Raise() | ast.Continue() | ast.Break():
                for node in expressions(s):
                    self.evaluate(node, scope)
                return type(s).__name__.lower()
            case ast.If(test=test, body=body, orelse=orelse):
                known = truth(self.evaluate(test, scope))
                return (
                    self.branches([body, orelse], scope)
                    if known is None
                    else self.run(body if known else orelse, scope)
                )
            case ast.For() | ast.AsyncFor():
                return self._for(s, scope)
            case ast.While():
                return self._while(s, scope)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                self.define(s, scope)
            case ast.Import() | ast.ImportFrom():
                self.imports(s, scope)
            case ast.Match(subject=subject, cases=cases):
                held = self.evaluate(subject, scope)
                for case in cases:
                    for n in ast.walk(case.pattern):
                        if isinstance(n, ast.MatchAs | ast.MatchStar) and n.name:
                            scope.names[n.name] = held
                return self.branches([*(c.body for c in cases), []], scope)
            case ast.Try() | ast.TryStar():
                first = self.run(s.body, scope)
                later = [h.body for h in s.handlers]
                for name in (h.name for h in s.handlers if h.name):
                    scope.names[name] = generic("exception")
                rest = self.branches(later if first and later else [s.orelse, *later], scope)
                last = self.run(s.finalbody, scope)
                return last or (first if rest or not later else "") or (rest if not first else "")
            case ast.With() | ast.AsyncWith():
                for item in s.items:
                    held = self.evaluate(item.context_expr, scope)
                    if isinstance(held, Instance) and isinstance(method := held.of.find("__enter__"), Function):
                        held = self.enter(method, [held], {})
                    if item.optional_vars:
                        self.store(item.optional_vars, held, scope)
                return self.run(s.body, scope)
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                for name in names:
                    outer = scope.top if isinstance(s, ast.Global) else scope.parent and scope.parent.home(name)
                    scope.elsewhere[name] = outer or scope
            case ast.Delete(targets=targets):
                for target in targets:
                    if isinstance(target, ast.Name):
                        scope.names.pop(target.id, None)
            case ast.Assert(test=test):
                self.evaluate(test, scope)
        return ""

    def branches(self, bodies: Sequence[Sequence[ast.stmt]], scope: Scope) -> str:
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
        self._join(after, scope)
        return "" if "" in ends or not ends else ends[0] if len({*ends}) == 1 else "continue"

    def _join(self, states: list[dict[str, Any]], scope: Scope) -> None:
        for name in {n: None for state in states for n in state}:
            held = [s[name] for s in states if name in s]
            scope.names[name] = held[0] if all(h is held[0] for h in held) else either(held)

    def _for(self, s: ast.For | ast.AsyncFor, scope: Scope) -> str:
        turns = self.iterate(self.evaluate(s.iter, scope))
        for n, value in enumerate(turns):
            if n >= MOST_TURNS:
                self._forget(s, scope)
            self.store(s.target, value, scope)
            end = self.run(s.body, scope)
            if end in ("return", "raise"):
                return end
            if end == "break":
                return ""
        return self.run(s.orelse, scope)

    def _while(self, s: ast.While, scope: Scope) -> str:
        before, known, end = dict(scope.names), True, ""
        for n in range(MOST_TURNS + 1):
            if n == MOST_TURNS:
                self._forget(s, scope)
            test = truth(self.evaluate(s.test, scope))
            known = known and test is not None
            if test is False or end:
                break
            end = self.run(s.body, scope)
            end = "" if end == "continue" else end
        if not known:
            self._join([before, dict(scope.names)], scope)
            end = ""
        return end if end in ("return", "raise") else (end and "") or self.run(s.orelse, scope)

    def _forget(self, loop: ast.stmt, scope: Scope) -> None:
        """After many turns a counter may be anything."""
        for node in ast.walk(loop):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and is_finite(scope.names.get(node.id)):
                scope.names[node.id] = generic(("later", node.id), certain=True)

    def imports(self, s: ast.Import | ast.ImportFrom, scope: Scope) -> None:
        module = getattr(s, "module", None) or ""
        for a in s.names:
            if isinstance(s, ast.Import):
                path = a.name if a.asname else a.name.split(".")[0]
                scope.elsewhere.get(path, scope).names[a.asname or path] = self.files.get(path) or PackageName(path)
            elif a.name == "*":
                scope.top.stars.append(module)
                scope.names.update(self.files[module].names if module in self.files else {})
            else:
                known = self.files.get(module) or PackageName(module) if module else PackageName("")
                value = self.files.get(f"{module}.{a.name}") or self.attribute(known, a.name)
                scope.elsewhere.get(a.asname or a.name, scope).names[a.asname or a.name] = value

    def define(self, s: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, scope: Scope) -> None:
        decorators = [self.evaluate(d, scope) for d in s.decorator_list]
        made: Any
        if isinstance(s, ast.ClassDef):
            bases = [self.evaluate(b, scope) for b in s.bases]
            made = self.new_class({}, bases)
            made.meta = next((self.evaluate(k.value, scope) for k in s.keywords if k.arg == "metaclass"), None)
            inner = scope.inside(made)
            made.owed = NOTHING.union(*map(self.findings_of, bases))
            self.run(s.body, inner)
            made.members.update(inner.names)
            if "enum.Enum" in made.packages:
                made.members.update({n: self.enum_member(made, n, v) for n, v in inner.names.items() if n[0] != "_"})
            self.own.update(inner.names, made.fields)
        else:
            made = self.function(s, scope)
        for decorator in reversed(decorators):
            if isinstance(decorator, PackageName) and decorator.path.startswith("autograder."):
                values: list[Any] = [n.value for n in ast.walk(s) if isinstance(n, ast.Constant)]
                self.given.update(abs(v) for v in values if is_finite(v))
                made = PackageName("autograder.question()")
            elif isinstance(decorator, PackageName | Number):
                made.owed |= self.findings_of(decorator)
                made.kind = decorator.path.rpartition(".")[2] if isinstance(decorator, PackageName) else ""
            else:
                made = self.call(decorator, [made], {})
        scope.elsewhere.get(s.name, scope).names[s.name] = made


def _only_measures(node: ast.expr) -> bool:
    """Whether it gives what it is made of to nothing but its own value: `x.grad`, `(x.grad - d).abs()`."""
    match node:
        case ast.Name() | ast.Constant():
            return True
        case ast.Call(func=ast.Name(id=name), args=[*inner], keywords=[]):
            return name in _MEASURES and all(map(_only_measures, inner))
        case ast.Call(func=ast.Attribute(value=base, attr=name), args=[*inner], keywords=[]):
            return name in _MEASURES and all(map(_only_measures, [base, *inner]))
        case ast.Attribute() | ast.BinOp() | ast.UnaryOp() | ast.Subscript():
            return all(map(_only_measures, expressions(node)))
    return False
