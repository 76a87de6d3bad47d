"""Reading: runs the cells, and then the answer, on descriptions of values, and reports what the answer reached.

Nothing of the student's is executed, imported or evaluated. Whatever only a scratch cell does is not reached by the
answer, and does not count.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Any

from autograder.by_hand.arithmetic import compared, truth
from autograder.by_hand.cells import parse
from autograder.by_hand.library import MOST_TURNS, Library
from autograder.by_hand.reading import TooMuch
from autograder.by_hand.rules import Finding, Outcome, found
from autograder.by_hand.values import (
    Array,
    Bound,
    Choice,
    Class,
    Function,
    Instance,
    Namespace,
    Number,
    PackageName,
    Scope,
    constant,
    either,
    generic,
    is_finite,
    is_plain,
    options,
)

_BUDGET, _CHARACTERS, _FEWEST = 10_000, 100_000, 40
"""Steps for the cells, and as many for the answer; characters that are read; steps that a definition may take anyhow."""
_Def = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def read(cells: Sequence[str], function: str, modules: Mapping[str, str] | None = None) -> tuple[Finding, ...]:
    """What speaks against `function` being by hand, by line; `modules` are files beside the notebook, by name.

    Ask it of a function that exists: one that no readable cell defines is listed as unread.
    """
    return Interpreter().read(cells, function, modules or {})


class Expressions(Library):
    def __init__(self) -> None:
        super().__init__()
        self.given: set[float] = set()
        """Constants of forward passes: they belong to the problem, and are no steps."""
        self.characters, self.unread = _CHARACTERS, False
        """Some cell was left out."""

    def evaluate(self, node: ast.expr, scope: Scope, used: bool = True) -> Any:
        """What `node` may be. Not `used`: it is only looked at, or a longer name follows that is judged itself."""
        self.spend()
        outer, self.at = self.at, (node, scope)
        value = self._evaluate(node, scope)
        if used:
            self.use(value)
        self.at = outer
        return value

    def _evaluate(self, node: ast.expr, scope: Scope) -> Any:  # noqa: PLR0912 - one branch an expression
        match node:
            case ast.Constant(value=value):
                return constant(value, self.given) if is_plain(value) else generic(repr(value)[:40])
            case ast.Name(id=name):
                return self.load(name, scope)
            case ast.Attribute(value=inner, attr=name):
                return self.attribute(self.evaluate(inner, scope, used=False), name)
            case ast.Call():
                return self._call(node, scope)
            case ast.BinOp(left=left, op=op, right=right):
                return self.operation(_name(op), self.evaluate(left, scope), self.evaluate(right, scope))
            case ast.UnaryOp(op=ast.Not(), operand=inner):
                known = truth(self.evaluate(inner, scope))
                return generic("not", certain=True) if known is None else not known
            case ast.UnaryOp(op=op, operand=inner):
                value = self.evaluate(inner, scope)
                return self.operation("mult", -1, value) if isinstance(op, ast.USub) else value
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                looks = isinstance(op, ast.Is | ast.IsNot | ast.In | ast.NotIn)
                a, b = self.evaluate(left, scope, not looks), self.evaluate(right, scope, not looks)
                known = compared(type(op).__name__, a, b)
                return generic("compare", a, b, certain=True) if known is None else known
            case ast.BoolOp(op=op, values=values):
                return self._bool_op(isinstance(op, ast.Or), values, scope)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                known = truth(self.evaluate(test, scope))
                arms = [body, orelse] if known is None else [body if known else orelse]
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
                made: dict[Any, Any] = {}
                for key, value in zip(keys, values, strict=True):
                    held = self.evaluate(value, scope)
                    if key:
                        self._put(made, self.evaluate(key, scope), held)
                    elif isinstance(held, dict):
                        made.update(held)
                return made
            case ast.Lambda():
                return self.function(node, scope)
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                pairs = self._comprehension(node, node.generators, scope.inside())
                if not isinstance(node, ast.DictComp):
                    return [value for _, value in pairs]
                made = {}
                for key, value in pairs:
                    self._put(made, key, value)
                return made
            case ast.JoinedStr(values=parts):
                texts = [self.evaluate(p, scope, used=False) for p in parts]
                known = all(isinstance(t, str) for t in texts) and sum(map(len, texts)) < 1000
                return "".join(texts) if known else generic("text", *texts)
            case ast.FormattedValue(value=inner):
                value = self.evaluate(inner, scope, used=False)
                return value if isinstance(value, str) and not node.format_spec else generic("text", value)
            case ast.NamedExpr(target=target, value=inner):
                value = self.evaluate(inner, scope)
                self.store(target, value, scope)
                return value
            case ast.Yield() | ast.YieldFrom() if node.value:
                value = self.evaluate(node.value, scope)
                scope.yielded += self.iterate(value) if isinstance(node, ast.YieldFrom) else [value]
                return value
            case ast.Await(value=inner) | ast.Starred(value=inner):
                return self.evaluate(inner, scope)
        return generic(type(node).__name__, *(self.evaluate(n, scope) for n in _expressions(node)))

    def _call(self, node: ast.Call, scope: Scope) -> Any:
        function = self.evaluate(node.func, scope, used=False)
        looks = self.only_looks(function)
        args = self._spread(node.args, scope, not looks)
        named: dict[str, Any] = {}
        for k in node.keywords:
            value = self.evaluate(k.value, scope)
            named.update({k.arg: value} if k.arg else value if isinstance(value, dict) else {})
        return self.call(function, args, {k: v for k, v in named.items() if isinstance(k, str)})

    def _bool_op(self, stops_at: bool, values: list[ast.expr], scope: Scope) -> Any:
        made = []
        for node in values:
            made.append(self.evaluate(node, scope))
            known = truth(made[-1])
            if known is stops_at:
                break
            if known is not None and node is not values[-1]:
                made.pop()
        return either(made)

    def _spread(self, nodes: Sequence[ast.expr], scope: Scope, used: bool = True) -> list[Any]:
        made: list[Any] = []
        for node in nodes:
            value = self.evaluate(node, scope, used)
            made += self.iterate(value) if isinstance(node, ast.Starred) else [value]
        return made

    def _comprehension(self, node: Any, loops: Sequence[ast.comprehension], scope: Scope) -> list[tuple[Any, Any]]:
        if not loops:
            key = self.evaluate(node.key, scope) if isinstance(node, ast.DictComp) else None
            return [(key, self.evaluate(node.value if isinstance(node, ast.DictComp) else node.elt, scope))]
        made = []
        for value in self.iterate(self.evaluate(loops[0].iter, scope)):
            self.store(loops[0].target, value, scope)
            if not any(truth(self.evaluate(test, scope)) is False for test in loops[0].ifs):
                made += self._comprehension(node, loops[1:], scope)
        return made

    def function(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, scope: Scope) -> Function:
        positional = [*node.args.posonlyargs, *node.args.args]
        pairs = [*zip(reversed(positional), reversed(node.args.defaults), strict=False)]
        pairs += [(k, d) for k, d in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True) if d]
        defaults = {arg.arg: self.evaluate(d, scope) for arg, d in pairs}
        return Function(node, scope, defaults, frozenset().union(*map(self.findings_of, defaults.values())))

    def subscript(self, base: Any, key: Any) -> Any:
        key = key.exact if isinstance(key, Number) and key.exact is not None else key
        if isinstance(base, PackageName):
            inside = base.path == "sys.modules" or base.path.endswith(".__dict__")
            if inside and isinstance(key, str):
                return self.files.get(key) or PackageName(base.path.removesuffix("sys.modules").removesuffix("__dict__") + key)
            made = generic(base.path, key)
            return self.broken("hidden", made) if inside else self.owing(made, self.findings_of(base))
        if isinstance(base, Namespace) and not isinstance(key, str):
            return self.broken("hidden", generic("entry"))
        if isinstance(base, Instance):
            if isinstance(method := base.of.find("__getitem__"), Function):
                return self.enter(method, [base, key], {})
            base = [*base.members.values()] if base.of.fields else base.members
        if isinstance(base, str | list | tuple | dict | range):
            try:
                value = base[key]  # type: ignore[index]
                return Array(value) if isinstance(base, Array) and isinstance(key, slice) else value
            except (TypeError, KeyError, IndexError, ValueError):
                entries = [*base.values()] if isinstance(base, dict) else [*base]
            if isinstance(key, tuple) and key and isinstance(base, Array):
                return self.subscript(self.subscript(base, key[0]), key[1:] if len(key) > 2 else key[-1])
            return either(entries[:500] or [generic("entry")])
        return generic(("entry", repr(key) if is_plain(key) else ""), base, *([key] if isinstance(key, Number) else []))

    def store(self, target: ast.expr, value: Any, scope: Scope) -> None:
        match target:
            case ast.Name(id=name):
                scope.elsewhere.get(name, scope).names[name] = value
            case ast.Starred(value=inner):
                self.store(inner, value, scope)
            case ast.Tuple(elts=elts) | ast.List(elts=elts):
                parts = self.iterate(value, len(elts) + 1) if not isinstance(value, Number | Choice) else None
                for i, part in enumerate(elts):
                    known = parts is not None and i < len(parts)
                    one = parts[i] if parts and known else either(self.subscript(v, i) for v in options(value))
                    self.store(part, [*parts[i:]] if parts and isinstance(part, ast.Starred) else one, scope)
            case ast.Attribute(value=inner, attr=name):
                self.set_attribute(self.evaluate(inner, scope, used=False), name, value)
            case ast.Subscript(value=inner, slice=part):
                key = self.evaluate(part, scope)
                for held in options(self.evaluate(inner, scope, used=False)):
                    self._put(held, key, value)

    def _put(self, held: Any, key: Any, value: Any) -> None:
        key = key.exact if isinstance(key, Number) and key.exact is not None else key
        held = held.members if isinstance(held, Instance) else held
        try:
            if isinstance(held, dict):
                held[key] = value
            elif isinstance(held, list) and isinstance(key, int | slice):
                held[key] = value
            elif isinstance(held, list):  # somewhere in it
                held[:] = [value] * len(held)
            elif isinstance(held, Number) and isinstance(value, Number):
                held.owed |= value.owed
        except (TypeError, IndexError, ValueError):
            if isinstance(held, dict):
                held[id(value)] = value


class Interpreter(Expressions):
    """Statements. `run` tells how a body ends: "" at its end, or with "return", "raise", "break", "continue"."""

    def read(self, cells: Sequence[str], function: str, modules: Mapping[str, str]) -> tuple[Finding, ...]:
        notebook = Scope([], None)
        self.files["__main__"] = notebook
        self.left = _BUDGET
        for name, source in modules.items():
            self.files[name] = Scope([], None)
            self.run_cell(source, self.files[name])
        for number, source in enumerate(cells):
            self.run_cell(source, Scope([], number, names=notebook.names, stars=notebook.stars))
        if function not in notebook.names:
            return (found("unread"),)
        self.answering, self.left, self.waiting = True, _BUDGET, {}
        self.called.clear()
        self.reached.update({found("too-long"): None} if self.unread else {})
        scope = Scope([], None, names=notebook.names, stars=notebook.stars)
        try:
            self.at = None, scope
            answer = notebook.names[function]
            self.use(answer)
            for one in options(answer):
                method = one.of.find("__call__") if isinstance(one, Instance) else one
                target = method.function if isinstance(method, Bound) else method
                args = self.arguments_for(target, certain=True) if isinstance(target, Function) else []
                skipped = isinstance(one, Instance) or (isinstance(method, Bound) and len(method.first))
                self.call(one, args[1 if skipped else 0 :] or [generic("argument", certain=True)], {})
            while left := [f for f in self.waiting if f not in self.called]:
                self.enter(left[0], self.arguments_for(left[0]), {})
        except (TooMuch, RecursionError):
            self.reached[found("too-long")] = None
        order = {Outcome.FORBIDDEN: 0, Outcome.LISTED: 1}
        key = lambda f: (order[f.outcome], -1 if f.cell is None else f.cell, f.line or 0, f.rule)  # noqa: E731
        return tuple(sorted(self.reached, key=key))

    def run_cell(self, source: str, scope: Scope) -> None:
        """A statement may take a quarter of what is left, so that one that takes too long does not hide all others."""
        if len(source) > self.characters:
            self.unread = True
            return
        self.characters -= len(source)
        tree, lines = parse(source)
        scope.lines[:] = lines
        for statement in tree.body if tree else []:
            before, needed = self.left, isinstance(statement, _Def | ast.Import | ast.ImportFrom)
            if before < _FEWEST and not needed:
                self.unread = True
                continue
            self.left = share = max(before // 4, _FEWEST)
            try:
                self.run([statement], scope)
            except (TooMuch, RecursionError):
                self.active.clear()
                self.guesses = 0
                self._give_up(statement, scope)
            self.left = max(before - (share - max(self.left, 0)), 0)

    def _give_up(self, statement: ast.stmt, scope: Scope) -> None:
        self.at = statement, scope
        nodes = [statement] if isinstance(statement, _Def) else ast.walk(statement)
        names = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        for name in (statement.name,) if isinstance(statement, _Def) else names:
            scope.names[name] = self.broken("too-long", generic("unread"))

    def run(self, body: Sequence[ast.stmt], scope: Scope) -> str:
        for statement in body:
            self.spend()
            self.at = statement, scope
            end = self.statement(statement, scope)
            if end:
                return end
        return ""

    def statement(self, s: ast.stmt, scope: Scope) -> str:  # noqa: PLR0912 - one branch a statement
        match s:
            case ast.Assign(targets=targets, value=value):
                held = self.evaluate(value, scope)
                for target in targets:
                    self.store(target, held, scope)
            case ast.AnnAssign(target=target, value=value):
                if isinstance(scope.owner, Class) and isinstance(target, ast.Name):
                    scope.owner.fields.append(target.id)
                if value:
                    self.store(target, self.evaluate(value, scope), scope)
            case ast.AugAssign(target=target, op=op, value=value):
                before, by = self.evaluate(target, scope), self.evaluate(value, scope)
                self.at = s, scope
                self.store(target, self.operation(_name(op), before, by), scope)
            case ast.Expr(value=value):
                self.evaluate(value, scope, used=False)
            case ast.Return(value=value):
                scope.returned.append(self.evaluate(value, scope) if value else None)
                return "return"
            case ast.Raise() | ast.Continue() | ast.Break():
                for node in _expressions(s):
                    self.evaluate(node, scope)
                return type(s).__name__.lower()
            case ast.If(test=test, body=body, orelse=orelse):
                known = truth(self.evaluate(test, scope))
                return self.branches([body, orelse], scope) if known is None else self.run(body if known else orelse, scope)
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
        return end if end in ("return", "raise") else end and "" or self.run(s.orelse, scope)

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
            made = self._new_class({}, bases, [])
            inner = scope.inside(made)
            inner.names = Namespace()
            made.owed = frozenset().union(*map(self.findings_of, bases))
            self.run(s.body, inner)
            made.members.update(inner.names)
            self.own.update(inner.names, made.fields)
        else:
            made = self.function(s, scope)
        for decorator in reversed(decorators):
            if isinstance(decorator, PackageName) and decorator.path.startswith("autograder."):
                values = [n.value for n in ast.walk(s) if isinstance(n, ast.Constant) and is_finite(n.value)]
                self.given.update(abs(v) for v in values)
                made = PackageName("autograder.question()")
            elif isinstance(decorator, PackageName | Number):
                made.owed |= self.findings_of(decorator)
                made.kind = decorator.path.rpartition(".")[2] if isinstance(decorator, PackageName) else ""
            else:
                made = self.call(decorator, [made], {})
        scope.elsewhere.get(s.name, scope).names[s.name] = made


def _name(op: ast.operator) -> str:
    return type(op).__name__.lower()


def _expressions(node: ast.AST) -> list[ast.expr]:
    return [n for n in ast.iter_child_nodes(node) if isinstance(n, ast.expr)]
