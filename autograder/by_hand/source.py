"""Reading: what `grad_qN` reaches when it is called, and whether a machine that differentiates is among it.

Only what is reached is judged. A scratch cell that uses autograd freely, and that nothing in the answer leads to, does
not exist here. A name is judged by what it means, not by how it is spelled.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence

from autograder.by_hand.names import END, Module, Scope, Value, comprehension_scope, inside_files
from autograder.by_hand.paths import call_path, is_import, literal_attribute, paths, strings
from autograder.by_hand.reach import Reach
from autograder.by_hand.rules import ATTRIBUTES, Finding, Outcome, found, rule_of
from autograder.by_hand.steps import DIVIDES, Steps

_ROUNDS = 4
"""Arguments become known as calls are read, and may lead to more calls; honest programs settle in two."""
_OWN_KINDS = {"collections.namedtuple", "types.SimpleNamespace", "typing.NamedTuple", "dataclasses.make_dataclass"}


def read(cells: Sequence[str], function: str, modules: Mapping[str, str] | None = None) -> tuple[Finding, ...]:
    """What speaks against `function` being by hand, by line; `modules` are files beside the notebook, by name.

    Ask it of a function that exists: one that no readable cell defines is listed as unread.
    """
    known: dict[str, Module] = {}
    for name, source in (modules or {}).items():
        known[name] = Module(known)
        known[name].add(source, None)
    notebook = Module(known)
    for cell, source in enumerate(cells):
        notebook.add(source, cell)
    reader = _Reader(notebook, function)
    for _ in range(_ROUNDS):
        before = len(reader.passed)
        findings = reader.read()
        if len(reader.passed) == before:
            break
    return findings


class _Reader(Reach):
    """Walks everything reached, once a round."""

    def __init__(self, notebook: Module, function: str) -> None:
        super().__init__()
        self.notebook, self.function = notebook, function

    def read(self) -> tuple[Finding, ...]:
        self.findings: dict[Finding, None] = {}
        self.start(Scope(self.notebook, None, END))
        self.attributes: set[str] = set()
        self.doubtful: list[tuple[str, str, bool, Finding]] = []
        values = self.notebook.find(self.function)
        if not values:
            return (found("unread"),)
        self.answers = {id(v.node) for v in values}
        self.stepper = Steps(self.answers)
        for value in values:
            self.reach(value)
        while self.todo or self.methods:
            while self.todo:
                node, self.scope = self.todo.pop()
                try:
                    self.visit(node)
                except RecursionError:  # no honest line is nested that deep; somebody should look
                    self.report("unread", node)
            called = [m for m in self.methods if m[0] in self.attributes]
            if not called:
                break
            self.methods = [m for m in self.methods if m not in called]
            for _, method in called:
                self.reach(method)
        for attribute, rule, certain, finding in self.doubtful:
            if certain or attribute not in self.own:
                self.findings[finding] = None
                assert rule
        order = {Outcome.FORBIDDEN: 0, Outcome.LISTED: 1}
        key = lambda f: (order[f.outcome], -1 if f.cell is None else f.cell, f.line or 0, f.rule)  # noqa: E731
        return tuple(sorted(self.findings, key=key))

    def report(self, rule: str, node: ast.AST) -> None:
        self.findings[self.finding(rule, node)] = None

    def finding(self, rule: str, node: ast.AST) -> Finding:
        line = getattr(node, "lineno", None)
        lines = self.scope.module.lines.get(self.scope.cell, [])
        source = lines[line - 1].strip() if line and line <= len(lines) else ""
        return found(rule, line, source, self.scope.cell)

    def judge(self, path: str, node: ast.AST, attribute: str = "") -> None:
        if path.partition(".")[0] in self.notebook.modules:
            for value in inside_files(Value(None, self.scope, path), self.scope):
                self.reach(value)
            return
        rule = rule_of(path)
        if not rule and attribute:
            rule = ATTRIBUTES.get(attribute, "")
        if rule:
            self.report(rule, node)

    def visit_Name(self, node: ast.Name) -> None:
        if not isinstance(node.ctx, ast.Load):
            return
        for path in paths(node, self.scope):
            self.judge(path, node)
        for value in self.scope.find(node.id) or ():
            if self.is_question(value):
                self.report("question", node)
            elif value.path or not value.whole or not paths(value.node, value.scope):  # an alias is judged where used
                self.reach(value)

    def is_question(self, value: Value, depth: int = 0) -> bool:
        if isinstance(value.node, ast.Name) and depth < 5:
            return any(self.is_question(v, depth + 1) for v in value.scope.find(value.node.id) or ())
        decorators = value.node.decorator_list if isinstance(value.node, ast.FunctionDef) else []
        calls = [d.func if isinstance(d, ast.Call) else d for d in decorators]
        return any(p.startswith("autograder.") for c in calls for p in paths(c, value.scope))

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if not isinstance(node.ctx, ast.Load):
            self.visit(node.value)
            return
        self.attributes.add(node.attr)
        meant = paths(node, self.scope)
        for path in meant:
            self.judge(path, node, node.attr)
        if not meant:
            self.attribute(node.attr, node.value, node)
            self.visit(node.value)
        elif isinstance(node.value, ast.Call):  # importlib.import_module("…").x: the arguments are literals
            self.generic_visit(node.value)
        if node.attr == "imag":
            self.steps(self.stepper.imaginary(node.value, self.scope), node)

    def attribute(self, name: str, on: ast.expr, node: ast.AST) -> None:
        """An attribute of something that is computed: judged by its name, unless a class of the student has it."""
        rule = ATTRIBUTES.get(name, "")
        if rule:
            answers = isinstance(on, ast.Name) and id(self.scope.owner) in self.answers and self._argument(on.id)
            self.doubtful.append((name, rule, answers, self.finding(rule, node)))

    def _argument(self, name: str) -> bool:
        args = getattr(self.scope.owner, "args", None)
        return args is not None and name in {a.arg for a in (*args.posonlyargs, *args.args)}

    def visit_Call(self, node: ast.Call) -> None:  # noqa: PLR0912 - one branch a way of calling
        path = call_path(node, self.scope)
        for argument in (*node.args, *node.keywords):
            self.visit(argument)
        names = literal_attribute(node, self.scope)
        if names is not None:
            for name in names:
                self.attributes.add(name)
                meant = paths(ast.copy_location(ast.Attribute(node.args[0], name, ast.Load()), node), self.scope)
                for p in meant:
                    self.judge(p, node, name)
                if not meant:
                    self.attribute(name, node.args[0], node)
            return
        if is_import(node, self.scope) and node.args and strings(node.args[0], self.scope):
            for p in paths(node, self.scope):
                self.judge(p, node)
            return
        if path in DIVIDES:
            self.steps(self.stepper.difference(node, self.scope), node)
        if path in _OWN_KINDS:
            texts = [n.value for a in node.args for n in ast.walk(a) if isinstance(n, ast.Constant)]
            self.own.update(w for t in texts if isinstance(t, str) for w in t.replace(",", " ").split())
            self.own.update(k.arg for k in node.keywords if k.arg)
        if path in ("operator.attrgetter", "operator.methodcaller"):
            for argument in node.args if path.endswith("attrgetter") else node.args[:1]:
                for text in strings(argument, self.scope) or ["__getattribute__"]:
                    for name in text.split("."):
                        self.attributes.add(name)
                        self.attribute(name, argument, node)
        if path in ("numpy.imag", "torch.imag") and node.args:
            self.steps(self.stepper.imaginary(node.args[0], self.scope), node)
        if isinstance(node.func, ast.Name) and self.scope.find(node.func.id) is None:
            self.report("undefined", node)
        self.pass_arguments(node)
        self.visit(node.func)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        meant = paths(node, self.scope)
        for path in meant:
            self.judge(path, node)
        inside = node.value
        keeper = isinstance(inside, ast.Attribute) and inside.attr == "__dict__"
        called = call_path(inside, self.scope) if isinstance(inside, ast.Call) else ""
        modules = "sys.modules" in paths(inside, self.scope)
        if keeper or modules or called in ("builtins.vars", "builtins.globals"):
            names = strings(node.slice, self.scope)
            for name in names or ["__getattribute__"]:
                self.attributes.add(name)
                if called == "builtins.globals" and names:
                    self.visit(ast.copy_location(ast.Name(name, ast.Load()), node))
                elif not meant:
                    self.attribute(name, inside, node)
            self.visit(node.slice)
            return
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        self.steps(self.stepper.difference(node, self.scope), node)
        self.generic_visit(node)

    def steps(self, rule: str, node: ast.AST) -> None:
        if rule:
            self.report(rule, node)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        for default in (*node.args.defaults, *filter(None, node.args.kw_defaults)):
            self.visit(default)
        outer, self.scope = self.scope, self.scope_of(node, self.scope)
        self.visit(node.body)
        self.scope = outer

    def visit_comprehension_of(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> None:
        outer = self.scope
        inner = comprehension_scope(node, outer)
        for i, loop in enumerate(node.generators):
            self.scope = outer if i == 0 else inner
            self.visit(loop.iter)
            self.scope = inner
            for test in loop.ifs:
                self.visit(test)
        for part in (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,):
            self.visit(part)
        self.scope = outer

    visit_ListComp = visit_SetComp = visit_GeneratorExp = visit_DictComp = visit_comprehension_of
