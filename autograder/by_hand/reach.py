"""Reach: which code runs when a function is called, as far as names tell: functions, classes, values of other cells.

A function or value is reached when its name is; a method when its class is and its name is used somewhere reached.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from autograder.by_hand.cells import branches
from autograder.by_hand.names import (
    Def,
    Scope,
    Value,
    body_scope,
    collect,
    inside_files,
    live,
    loaded,
    stored,
    stores,
)

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


class Reach(ast.NodeVisitor):
    """Keeps what is still to be read. Arguments gather over the rounds; the rest starts anew with each."""

    def __init__(self) -> None:
        self.passed: dict[tuple[int, int], None] = {}
        self.scopes: dict[tuple[int, float], Scope] = {}

    def start(self, scope: Scope) -> None:
        self.scope = scope
        self.seen: set[object] = set()
        self.todo: list[tuple[ast.AST, Scope]] = []
        self.methods: list[tuple[str, Value]] = []
        self.own: set[str] = set()
        """Attributes that classes of the student have."""

    def reach(self, value: Value) -> None:
        """Whatever a reached name holds: a function's body, a class, or the expression that a cell computed."""
        node, scope = value.node, value.scope
        if value.path:
            for other in inside_files(value, scope):
                self.reach(other)
            return
        inner = value.when_called(self.scope) if isinstance(node, Def) else scope
        if node is None or (id(node), inner.time) in self.seen:
            return
        if isinstance(node, Def):
            self.seen.add((id(node), inner.time))
            for outer in node.decorator_list:
                self.todo.append((outer, scope))
            if isinstance(node, ast.ClassDef):
                self.reach_class(node, scope, inner)
            else:
                for default in (*node.args.defaults, *filter(None, node.args.kw_defaults)):
                    self.todo.append((default, scope))
                self.body(node.body, self.scope_of(node, inner))
        elif scope.parent is None:  # the lines of a function that is reached are read with its body
            self.seen.add((id(node), scope.time))
            self.todo.append((node, scope))

    def reach_class(self, node: ast.ClassDef, scope: Scope, outer: Scope) -> None:
        inner = outer.child(node)
        collect(node.body, inner, False)
        for base in (*node.bases, *(k.value for k in node.keywords)):
            self.todo.append((base, scope))
        for statement in live(node.body):
            if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
                self.own.add(statement.name)
                method = Value(statement, inner)
                if statement.name.startswith("__"):
                    self.reach(method)
                else:
                    self.methods.append((statement.name, method))
                self.own.update(stores(statement))
            else:
                self.own.update(n.id for n in ast.walk(statement) if stored(n) and isinstance(n, ast.Name))
                self.body([statement], inner)

    def scope_of(self, node: Function, parent: Scope) -> Scope:
        """One scope a function and time, so that what calls pass to it gathers there over the rounds."""
        key = id(node), parent.time
        if key not in self.scopes:
            self.scopes[key] = body_scope(node, parent)
        return self.scopes[key]

    def body(self, statements: Sequence[ast.stmt], scope: Scope) -> None:
        for statement in live(statements):
            if isinstance(statement, Def):
                continue  # read when its name is used
            for child in ast.iter_child_nodes(statement):
                if isinstance(child, ast.ExceptHandler | ast.match_case):
                    self.todo += [
                        (n, scope) for n in ast.iter_child_nodes(child) if isinstance(n, ast.expr | ast.pattern)
                    ]
                elif not isinstance(child, ast.stmt):
                    self.todo.append((child, scope))
            if isinstance(statement, ast.AugAssign):
                as_read = ast.copy_location(
                    ast.BinOp(loaded(statement.target), statement.op, statement.value), statement
                )
                self.todo.append((as_read, scope))
            for block in branches(statement):
                self.body(block, scope)

    def pass_arguments(self, node: ast.Call) -> None:
        """What a call hands to a function of the notebook becomes a value of that function's arguments."""
        if not isinstance(node.func, ast.Name):
            return
        for value in self.scope.find(node.func.id) or ():
            target = value.node
            if (
                isinstance(target, ast.ClassDef)
                or not isinstance(target, Function)
                or (id(node), id(target)) in self.passed
            ):
                continue
            self.passed[id(node), id(target)] = None
            scope = self.scope_of(target, value.when_called(self.scope))
            args = [*target.args.posonlyargs, *target.args.args]
            named = {k.arg: k.value for k in node.keywords if k.arg}
            for arg, given in [
                *zip(args, node.args, strict=False),
                *((a, named[a.arg]) for a in args if a.arg in named),
            ]:
                if not isinstance(given, ast.Starred):
                    scope.names[arg.arg].insert(0, Value(given, self.scope))
