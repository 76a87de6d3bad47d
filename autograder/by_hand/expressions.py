"""Expressions: what each gives, from the names around it to the value that it is."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from itertools import combinations, islice
from typing import Any

from autograder.by_hand.arithmetic import combined, compared, truth
from autograder.by_hand.library import Library
from autograder.by_hand.numeric import MOST_ENTRIES
from autograder.by_hand.objects import LONGEST_PATH
from autograder.by_hand.values import (
    NOTHING,
    Array,
    Choice,
    Class,
    Function,
    Instance,
    Namespace,
    Number,
    PackageName,
    Scope,
    as_number,
    constant,
    either,
    generic,
    is_plain,
    options,
)

_PRODUCTS = frozenset(("mm", "bmm", "matmul", "einsum", "chain_matmul", "multi_dot"))


class Expressions(Library):
    def __init__(self) -> None:
        super().__init__()
        self.given: set[float] = set()
        """Constants of forward passes: they belong to the problem, and are no steps."""

    def evaluate(self, node: ast.expr, scope: Scope, used: bool = True) -> Any:
        """What `node` may be. Not `used`: it is only looked at, or a longer name follows that is judged itself."""
        self.spend()
        outer, self.at = self.at, (node, scope)
        value = self._evaluate(node, scope)
        if used:
            self.use(value)
        self.at = outer
        return value

    def _evaluate(self, node: ast.expr, scope: Scope) -> Any:  # noqa: PLR0912, PLR0915 - one branch an expression
        match node:
            case ast.Constant(value=value):
                held = constant(value, self.given) if is_plain(value) else generic(repr(value)[:40])
                if isinstance(value, complex):
                    return self.broken("imaginary", as_number(held) if isinstance(held, complex) else held)
                return held
            case ast.Name(id=name):
                return self.load(name, scope)
            case ast.Attribute(value=inner, attr=name):
                return self.attribute(self.evaluate(inner, scope, used=False), name)
            case ast.Call():
                return self._call(node, scope)
            case ast.BinOp(left=left, op=op, right=right):
                a, b = self.evaluate(left, scope), self.evaluate(right, scope)
                if isinstance(op, ast.MatMult):
                    self._look_at_product([left, right], [a, b])
                return self.operation(operator_name(op), a, b)
            case ast.UnaryOp(op=ast.Not(), operand=inner):
                known = truth(self.evaluate(inner, scope))
                return generic("not", certain=True) if known is None else not known
            case ast.UnaryOp(op=op, operand=inner):
                value = self.evaluate(inner, scope)
                return self.operation("mult", -1, value) if isinstance(op, ast.USub) else value
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                looks = isinstance(op, ast.Is | ast.IsNot | ast.In | ast.NotIn)
                outer, self.comparing = self.comparing, len(self.active)
                a, b = self.evaluate(left, scope, not looks), self.evaluate(right, scope, not looks)
                self.comparing = outer
                if isinstance(a, Number) and isinstance(b, Number) and type(op) in (ast.Lt, ast.LtE, ast.Gt, ast.GtE):
                    self.decide(a, b, combined("sub", a, b)[0])
                known = compared(type(op).__name__, a, b)
                return self.verdict_on(generic("compare", a, b, certain=True)) if known is None else known
            case ast.BoolOp(op=op, values=values):
                return self._bool_op(isinstance(op, ast.Or), values, scope)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                known = truth(self.evaluate(test, scope))
                arms = [body, orelse] if known is None else [body if known else orelse]
                self.guesses += known is None
                value = either(self.evaluate(arm, scope) for arm in arms)
                self.guesses -= known is None
                return value
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
                for key, one in zip(keys, values, strict=True):
                    held = self.evaluate(one, scope)
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
                value = self.as_operand(self.evaluate(inner, scope, used=False))
                if isinstance(value, Instance) and isinstance(method := value.of.find("__format__"), Function):
                    return self.enter(method, [value, self.evaluate(node.format_spec or ast.Constant(""), scope)], {})
                return value if isinstance(value, str) and not node.format_spec else generic("text", value)
            case ast.NamedExpr(target=target, value=inner):
                value = self.evaluate(inner, scope)
                self.store(target, value, scope)
                return value
            case ast.Yield(value=inner) | ast.YieldFrom(value=inner) if inner:
                value = self.evaluate(inner, scope)
                scope.yielded += self.iterate(value) if isinstance(node, ast.YieldFrom) else [value]
                return value
            case ast.Await(value=inner) | ast.Starred(value=inner):
                return self.evaluate(inner, scope)
        return generic(type(node).__name__, *(self.evaluate(n, scope) for n in expressions(node)))

    def _look_at_product(self, factors: Sequence[ast.expr], values: Sequence[Any]) -> None:
        """A matrix times itself: powers of [[x, 1], [0, x]] have the derivatives of the powers of x beside them."""
        names = [set(_factors(factor)) for factor in factors]
        if any(a & b for a, b in combinations(names, 2)) or any(a is b for a, b in combinations(values, 2)):
            self.report((self.finding("matrices"),))

    def _call(self, node: ast.Call, scope: Scope) -> Any:
        function = self.evaluate(node.func, scope, used=False)
        looks, outer = self.only_looks(function), self.comparing
        compares = self.compares(function)
        self.comparing = len(self.active) if compares else outer
        args = self._spread(node.args, scope, not looks)
        if isinstance(function, PackageName) and function.path.rpartition(".")[2] in _PRODUCTS:
            self._look_at_product(node.args, args)
        if looks and compares:
            held = NOTHING.union(*map(self.findings_of, args))
            self.report(f for f in held if f.rule == "grad" and f.cell == scope.cell)
        named: dict[str, Any] = {}
        for k in node.keywords:
            value = self.evaluate(k.value, scope)
            named.update({k.arg: value} if k.arg else value if isinstance(value, dict) else {})
        value = self.call(function, args, {k: v for k, v in named.items() if isinstance(k, str)})
        self.comparing = outer
        return self.verdict_on(value) if compares else value

    def _bool_op(self, stops_at: bool, values: list[ast.expr], scope: Scope) -> Any:
        made, guesses = [], self.guesses
        for node in values:
            made.append(self.evaluate(node, scope))
            known = truth(made[-1])
            if known is stops_at:
                break
            if known is not None and node is not values[-1]:
                made.pop()
            self.guesses += known is None
        self.guesses = guesses
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
        for hint in [arg.annotation for arg in (*positional, *node.args.kwonlyargs) if arg.annotation]:
            self.evaluate(hint, scope, used=False)  # Python runs it, too
        return Function(node, scope, defaults, NOTHING.union(*map(self.findings_of, defaults.values())))

    def subscript(self, base: Any, key: Any) -> Any:
        key = key.exact if isinstance(key, Number) and key.exact is not None else key
        if isinstance(base, PackageName):
            if isinstance(key, str) and len(base.path) + len(key) > LONGEST_PATH:
                return self.broken("too-long", generic("entry"))
            inside = base.path == "sys.modules" or base.path.endswith(".__dict__")
            if inside and isinstance(key, str):
                return self.files.get(key) or PackageName(
                    base.path.removesuffix("sys.modules").removesuffix("__dict__") + key
                )
            made = generic(base.path, key)
            return self.broken("hidden", made) if inside else self.owing(made, self.findings_of(base))
        if isinstance(base, Namespace) and not isinstance(key, str):
            return self.broken("hidden", generic("entry"))
        if isinstance(base, Class) and isinstance(method := base.find("__class_getitem__"), Function):
            return self.enter(method, [base, key], {})
        if isinstance(base, Instance):
            if isinstance(method := base.of.find("__getitem__"), Function):
                return self.enter(method, [base, key], {})
            missing = base.of.find("__missing__")
            if isinstance(missing, Function) and not (is_plain(key) and key in base.members):
                return self.enter(missing, [base, key], {})
            base = [*base.members.values()] if base.of.fields else base.members
        if isinstance(base, str | list | tuple | dict | range):
            self.spend_on(key)
            try:
                value = base[key]
                return Array(value) if isinstance(base, Array) and isinstance(key, slice) else value
            except (TypeError, KeyError, IndexError, ValueError):
                entries = [*islice(base.values() if isinstance(base, dict) else base, 500)]
            if isinstance(key, tuple) and key and isinstance(base, Array):
                return self.subscript(self.subscript(base, key[0]), key[1:] if len(key) > 2 else key[-1])
            return either(entries or [generic("entry")])
        if isinstance(base, Number) and "__wrapped__" in base.members:  # a layer among those of `nn.ModuleDict`
            return base.members["__wrapped__"]
        place = repr(key) if is_plain(key) else ""
        entry = generic(("entry", place), base, *([key] if isinstance(key, Number) else []))
        return self.owing(entry, self.findings_of(base))

    def store(self, target: ast.expr, value: Any, scope: Scope) -> None:
        match target:
            case ast.Name(id=name):
                scope.elsewhere.get(name, scope).names[name] = value
            case ast.Starred(value=inner):
                self.store(inner, value, scope)
            case ast.Tuple(elts=elts) | ast.List(elts=elts):
                parts = self.iterate(value, MOST_ENTRIES) if not isinstance(value, Number | Choice) else None
                star = next((i for i, part in enumerate(elts) if isinstance(part, ast.Starred)), None)
                if parts is not None and star is not None and len(parts) >= len(elts) - 1:
                    end = star + 1 + len(parts) - len(elts)
                    parts[star:end] = [parts[star:end]]
                for i, part in enumerate(elts):
                    known = parts is not None and i < len(parts)
                    one = parts[i] if parts and known else either(self.subscript(v, i) for v in options(value))
                    self.store(part, one, scope)
            case ast.Attribute(value=inner, attr=name):
                self.set_attribute(self.evaluate(inner, scope, used=False), name, value)
            case ast.Subscript(value=inner, slice=part):
                key = self.evaluate(part, scope)
                for held in options(self.evaluate(inner, scope, used=False)):
                    self._put(held, key, value)

    def _put(self, held: Any, key: Any, value: Any) -> None:
        key = key.exact if isinstance(key, Number) and key.exact is not None else key
        held = held.members if isinstance(held, Instance) else held
        self.spend_on(key)
        try:
            if isinstance(held, dict) or (isinstance(held, list) and isinstance(key, int | slice)):
                held[key] = value[:500] if isinstance(value, range) and isinstance(key, slice) else value
            elif isinstance(held, list):  # somewhere in it
                held[:] = [value] * len(held)
            elif isinstance(held, Number) and isinstance(value, Number):
                held.owed |= value.owed
        except (TypeError, IndexError, ValueError):
            if isinstance(held, dict):
                held[id(value)] = value


def operator_name(op: ast.operator) -> str:
    return type(op).__name__.lower()


def expressions(node: ast.AST) -> list[ast.expr]:
    return [n for n in ast.iter_child_nodes(node) if isinstance(n, ast.expr)]


def _factors(node: ast.expr) -> Iterator[str]:
    """The names in an expression, but for those of packages and objects of which something is taken."""
    if isinstance(node, ast.Name):
        yield node.id
    for inner in expressions(node) if not isinstance(node, ast.Attribute) else ():
        yield from _factors(inner)
