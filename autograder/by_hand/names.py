"""What the names of a notebook mean: which statements gave each its value, read from the cells without running them.

A name may have several values (an `if`, a loop, a list that grows); all of them count. A value computed by a cell sees
the names as they were when that cell ran; a function sees them as they are when it is called.
"""

from __future__ import annotations

import ast
import builtins
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from autograder.by_hand.cells import branches, parse

END = math.inf
_GROWS = {"append", "extend", "insert", "add", "update", "setdefault", "appendleft", "__setitem__"}
_GIVEN = {
    "torch": "torch",
    "np": "numpy",
    "numpy": "numpy",
    "math": "math",
    "display": "IPython",
    "get_ipython": "IPython",
}
Def = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(eq=False)
class Scope:
    """Where names are looked up: the module at one time, a function's body, a comprehension."""

    module: Module
    cell: int | None
    time: float
    parent: Scope | None = None
    owner: ast.AST | None = None
    names: dict[str, list[Value]] = field(default_factory=dict)
    elsewhere: set[str] = field(default_factory=set)
    """Names declared global."""

    def child(self, owner: ast.AST, time: float | None = None) -> Scope:
        return Scope(self.module, self.cell, self.time if time is None else time, self, owner)

    def bind(self, name: str, value: Value, weak: bool = False) -> None:
        if name not in self.elsewhere:
            self.names.setdefault(name, []).append(value)

    def find(self, name: str) -> list[Value] | None:
        """What `name` may be here; None if nothing in the notebook defines it."""
        scope: Scope | None = self
        while scope:
            hidden = isinstance(scope.owner, ast.ClassDef) and scope is not self
            if name in scope.names and not hidden and name not in scope.elsewhere:
                return scope.names[name]
            scope = scope.parent
        return self.module.find(name, self.time)


@dataclass(eq=False)
class Value:
    """An expression or a definition, and where its own names are looked up; or the dotted path of an import."""

    node: ast.AST | None
    scope: Scope
    path: str = ""
    whole: bool = True
    """False if the name holds only a part of it, or what came of it."""

    def when_called(self, caller: Scope) -> Scope:
        """Where a definition's body looks names up: as they are when it is called, not when it was defined."""
        if self.scope.parent is not None:
            return self.scope
        time = caller.time if caller.module is self.scope.module else END
        return Scope(self.scope.module, self.scope.cell, time)


@dataclass(eq=False)
class Module:
    """The names of the notebook, or of a file beside it, in the order in which they were given."""

    modules: Mapping[str, Module]
    lines: dict[int | None, list[str]] = field(default_factory=dict)
    _given: dict[str, list[tuple[int, bool, Value | None]]] = field(default_factory=dict)
    _stars: list[str] = field(default_factory=list)
    _clock: int = 0

    def add(self, source: str, cell: int | None) -> None:
        tree, self.lines[cell] = parse(source)
        for statement in tree.body if tree else []:
            self._clock += 1
            scope = _ModuleScope(self, cell, self._clock)
            collect([statement], scope, False)

    def bind(self, name: str, value: Value | None, weak: bool) -> None:
        self._given.setdefault(name, []).append((self._clock, weak, value))

    def star(self, path: str) -> None:
        self._stars.append(path)

    def find(self, name: str, time: float = END) -> list[Value] | None:
        values: list[Value] = []
        for at, weak, value in reversed(self._given.get(name, [])):
            if at >= time:
                continue
            if value is None:
                break
            values.append(value)
            if not weak:
                break
        if not values:
            if time < END and not hasattr(builtins, name) and name in self._given:
                return self.find(name)  # a method of an object made now may be called later
            path = self._imported(name)
            return [Value(None, Scope(self, None, END), path)] if path else None
        return values

    def _imported(self, name: str) -> str:
        for star in reversed(self._stars):
            loaded = sys.modules.get(star)
            if loaded is None or hasattr(loaded, name):
                return f"{star}.{name}"
        if hasattr(builtins, name) or name == "__builtins__":
            return f"builtins.{name}"
        return _GIVEN.get(name, "")


class _ModuleScope(Scope):
    """The top level of a cell while one statement is read: what it binds is the module's."""

    def bind(self, name: str, value: Value, weak: bool = False) -> None:
        self.module.bind(name, value, weak)


def live(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that can run: none after a return or raise."""
    for statement in body:
        yield statement
        if isinstance(statement, ast.Return | ast.Raise | ast.Continue | ast.Break):
            return


def collect(body: Sequence[ast.stmt], scope: Scope, weak: bool) -> None:  # noqa: PLR0912 - one branch a statement
    """Binds in `scope` what the statements assign; not what functions among them do inside, except to globals."""
    for s in live(body):
        match s:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                scope.bind(s.name, Value(s, scope), weak)
                if isinstance(scope, _ModuleScope):
                    _globals_of(s, scope)
                continue
            case ast.Import():
                for a in s.names:
                    path = a.name if a.asname else a.name.split(".")[0]
                    scope.bind(a.asname or path, Value(None, scope, path), weak)
            case ast.ImportFrom():
                for a in s.names:
                    if a.name == "*":
                        scope.module.star(s.module or "")
                    else:
                        scope.bind(
                            a.asname or a.name, Value(None, scope, f"{s.module or ''}.{a.name}".strip(".")), weak
                        )
            case ast.Assign():
                for target in s.targets:
                    _target(target, s.value, scope, weak)
            case ast.AnnAssign() if s.value:
                _target(s.target, s.value, scope, weak)
            case ast.AugAssign():
                _target(s.target, s.value, scope, True, whole=False)
            case ast.For() | ast.AsyncFor():
                elements = s.iter.elts if isinstance(s.iter, ast.Tuple | ast.List) else None
                for e in elements or [s.iter]:
                    _target(s.target, e, scope, True, whole=elements is not None)
            case ast.With() | ast.AsyncWith():
                for item in s.items:
                    if item.optional_vars:
                        _target(item.optional_vars, item.context_expr, scope, weak, whole=False)
            case ast.Delete():
                for target in s.targets:
                    if isinstance(target, ast.Name) and isinstance(scope, _ModuleScope):
                        scope.module.bind(target.id, None, weak)
            case ast.Expr(value=ast.Call(func=ast.Attribute(attr=attr, value=root), args=args)) if attr in _GROWS:
                for given in args:
                    _target(root, given, scope, True, whole=False)
        for e in _expressions(s):
            for n in ast.walk(e):
                if isinstance(n, ast.NamedExpr):
                    _target(n.target, n.value, scope, weak)
        inner_weak = weak or not isinstance(s, ast.With | ast.AsyncWith)
        for block in branches(s):
            collect(block, scope, inner_weak)


def _expressions(s: ast.stmt) -> Iterator[ast.expr]:
    return (n for n in ast.iter_child_nodes(s) if isinstance(n, ast.expr))


def _target(target: ast.expr, value: ast.expr, scope: Scope, weak: bool, whole: bool = True) -> None:
    if isinstance(target, ast.Name):
        scope.bind(target.id, Value(value, scope, "", whole), weak)
    elif isinstance(target, ast.Starred):
        _target(target.value, value, scope, weak, False)
    elif isinstance(target, ast.Tuple | ast.List):
        pairs = value.elts if isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(target.elts) else None
        starred = any(isinstance(t, ast.Starred) for t in target.elts)
        for i, t in enumerate(target.elts):
            if pairs and not starred:
                _target(t, pairs[i], scope, weak, whole)
            elif whole and not starred and not isinstance(t, ast.Tuple | ast.List):
                index = ast.copy_location(
                    ast.Subscript(value, ast.copy_location(ast.Constant(i), value), ast.Load()), value
                )
                _target(t, index, scope, weak)
            else:
                _target(t, value, scope, weak, False)
    elif isinstance(target, ast.Subscript) and _is_globals(target.value) and isinstance(target.slice, ast.Constant):
        scope.module.bind(str(target.slice.value), Value(value, scope), True)
    else:  # a store into an object changes what its name holds, inside a function also what a global one does
        root: ast.expr = target
        while isinstance(root, ast.Attribute | ast.Subscript):
            root = root.value
        if isinstance(root, ast.Name) and (isinstance(scope, _ModuleScope) or root.id in scope.names):
            scope.bind(root.id, Value(value, scope, "", False), True)


def _is_globals(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("globals", "vars")


def _globals_of(definition: Def, scope: Scope) -> None:
    declared = {n for g in ast.walk(definition) if isinstance(g, ast.Global) for n in g.names}
    if declared and not isinstance(definition, ast.ClassDef):
        inner = body_scope(definition, scope)
        for name in declared:
            for value in inner.names.get(name, ()):
                scope.module.bind(name, value, True)


def body_scope(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, parent: Scope) -> Scope:
    """The scope of a function's body: its arguments, their defaults and what its lines assign."""
    scope = parent.child(node)
    a = node.args
    positional = [*a.posonlyargs, *a.args]
    for arg in (*positional, *a.kwonlyargs, *filter(None, (a.vararg, a.kwarg))):
        scope.names[arg.arg] = []
    defaults = [*zip(reversed(positional), reversed(a.defaults), strict=False)]
    for arg, default in [*defaults, *((k, d) for k, d in zip(a.kwonlyargs, a.kw_defaults, strict=True) if d)]:
        scope.bind(arg.arg, Value(default, parent))
    if not isinstance(node, ast.Lambda):
        collect(node.body, scope, False)
        for g in ast.walk(node):
            if isinstance(g, ast.Global):
                scope.elsewhere.update(g.names)
    return scope


def comprehension_scope(node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp, outer: Scope) -> Scope:
    inner = outer.child(node)
    for loop in node.generators:
        names = {n.id for n in ast.walk(loop.target) if isinstance(n, ast.Name)}
        inner.names.update({n: [] for n in names})
        stand_in = ast.copy_location(ast.For(loop.target, loop.iter, [], []), node)
        collect([stand_in], inner, True)
    return inner


def inside_files(value: Value, scope: Scope) -> list[Value]:
    """What a dotted path into a file beside the notebook leads to."""
    module, _, name = value.path.partition(".")
    known = scope.module.modules.get(module)
    return (known.find(name.split(".")[0]) or []) if known and name else []


def loaded(target: ast.expr) -> ast.expr:
    loaded = ast.parse(ast.unparse(target), mode="eval").body
    for n in ast.walk(loaded):
        ast.copy_location(n, target)
    return loaded


def stores(method: ast.AST) -> set[str]:
    return {n.attr for n in ast.walk(method) if isinstance(n, ast.Attribute) and stored(n)}


def stored(node: ast.AST) -> bool:
    return isinstance(getattr(node, "ctx", None), ast.Store)
