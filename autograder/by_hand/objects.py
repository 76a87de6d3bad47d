"""Functions, classes and objects of the notebook: what a call runs, what a name, an attribute or an entry is."""

from __future__ import annotations

import ast
import builtins
import operator
import sys
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from autograder.by_hand.library import Library
from autograder.by_hand.reading import UNDEFINED
from autograder.by_hand.rules import ATTRIBUTES, words
from autograder.by_hand.values import (
    BUILT_IN,
    NOTHING,
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
    known,
    method_of,
    options,
)

_DEEPEST, _MOST_GUESSES = 40, 3
_GIVEN = {n: n for n in ("torch", "numpy", "math")} | {"np": "numpy"}
_GIVEN |= {n: f"IPython.{n}" for n in ("display", "get_ipython")}
_EPSILONS, _VIEWS = words("eps epsilon tiny resolution smallest_normal"), words("data T mT H flat")


class Objects(Library):
    @abstractmethod
    def evaluate(self, node: ast.expr, scope: Scope, used: bool = True) -> Any: ...

    @abstractmethod
    def run(self, body: Sequence[ast.stmt], scope: Scope) -> str: ...

    def bring(self, s: ast.Import | ast.ImportFrom, scope: Scope) -> None:
        module = getattr(s, "module", None) or ""
        for a in s.names:
            if isinstance(s, ast.Import):
                path = a.name if a.asname else a.name.split(".")[0]
                scope.put(a.asname or path, self.module(path))
            elif a.name == "*":
                scope.top.stars.append(module)
                scope.names.update(self.files[module].names if module in self.files else {})
            else:
                value = self.files.get(f"{module}.{a.name}") or self.attribute(self.module(module), a.name)
                scope.put(a.asname or a.name, value)

    def define(self, s: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, scope: Scope) -> None:
        decorators = [self.evaluate(d, scope) for d in s.decorator_list]
        made: Any
        if isinstance(s, ast.ClassDef):
            made = self.new_class({}, [self.evaluate(b, scope) for b in s.bases])
            made.owed = NOTHING.union(*map(self.findings_of, made.bases))
            inner = scope.inside(made)
            self.run(s.body, inner)
            made.members.update(inner.names)
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
        scope.put(s.name, made)

    def function(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, scope: Scope) -> Function:
        a = node.args
        pairs = [*zip(reversed([*a.posonlyargs, *a.args]), reversed(a.defaults), strict=False)]
        pairs += [(k, d) for k, d in zip(a.kwonlyargs, a.kw_defaults, strict=True) if d]
        defaults = {arg.arg: self.evaluate(d, scope) for arg, d in pairs}
        for hint in [arg.annotation for arg in (*a.posonlyargs, *a.args, *a.kwonlyargs) if arg.annotation]:
            self.evaluate(hint, scope, used=False)  # Python runs it, too
        return Function(node, scope, defaults, NOTHING.union(*map(self.findings_of, defaults.values())))

    def call(self, function: Any, args: list[Any], named: dict[str, Any]) -> Any:
        self.spend()
        if not isinstance(function, Choice | PackageName):
            self.report(self.findings_of(function))
        match function:
            case Choice(values=values):
                return either(self.call(one, args, named) for one in values)
            case PackageName(path=path):
                return self.library(path, args, named)
            case Bound(function=str(name), first=(base,)):
                return self.owing(self.method(base, name, args), function.owed)
            case Bound():
                return self.call(function.function, [*function.first, *args], {**function.named, **named})
            case Function():
                return self.enter(function, args, named)
            case Class():
                return self.instantiate(function, args, named)
            case Instance() if method := method_of(function, "__call__") or method_of(function, "forward"):
                return self.enter(method, [function, *args], named)
        made = generic("call", function, *args, *named.values())
        if isinstance(function, Number) and (wrapped := function.members.get("__wrapped__")):
            arrays = [Array(a) if type(a) is list else a for a in args]  # a package may call it, entry by entry
            return either([made, self.call(wrapped, arrays, named)])
        return made

    def enter(self, function: Function, args: list[Any], named: dict[str, Any]) -> Any:
        self.spend(3)
        self.called.add(function)
        self.waiting.pop(function, None)
        before_it = [(guesses, given) for one, guesses, given in self.active if one is function]
        endless = any(len(given) == len(args) and all(map(operator.is_, given, args)) for _, given in before_it)
        if endless or len({guesses for guesses, _ in before_it} | {self.guesses}) > _MOST_GUESSES:
            return generic("deep", *args)
        if len(self.active) > _DEEPEST:
            return self.broken("too-long", generic("deep", *args))
        scope, a, before = function.scope.inside(function), function.node.args, self.at
        names = [p.arg for p in (*a.posonlyargs, *a.args)]
        takes = dict.fromkeys((*names, *(k.arg for k in a.kwonlyargs)))
        scope.names.update({name: generic(("argument", name)) for name in takes} | function.defaults)
        scope.names.update(zip(names, args, strict=False))
        scope.names.update({k: v for k, v in named.items() if k in takes})
        if a.vararg:
            scope.names[a.vararg.arg] = tuple(args[len(names) :])
        if a.kwarg:
            scope.names[a.kwarg.arg] = {k: v for k, v in named.items() if k not in takes}
        self.active.append((function, self.guesses, args))
        try:
            if isinstance(function.node, ast.Lambda):
                result = self.evaluate(function.node.body, scope)
            else:
                self.run(function.node.body, scope)
                result = list(scope.yielded) if scope.yielded else either(scope.returned or [None])
        finally:
            self.active.pop()
        self.at = before
        return replace(result, call=(function.node, *args), terms={}) if isinstance(result, Number) and args else result

    def instantiate(self, kind: Class, args: list[Any], named: dict[str, Any]) -> Instance:
        made = Instance(kind)
        for name, method in kind.members.items() if self.answering else ():
            unseen = isinstance(method, Function) and method not in self.called
            if unseen and (name.startswith("__") or kind.packages):  # who calls these is not seen
                self.waiting[method] = None
        if start := method_of(made, "__init__"):
            self.enter(start, [made, *args], named)
            return made
        made.members.update({f: self.copied(v) for f in kind.fields if (v := kind.find(f)) is not None})
        made.members.update({**dict(zip(kind.fields, args, strict=False)), **named})
        return made

    def arguments_for(self, function: Function, certain: bool = False) -> list[Any]:
        """Arguments for a call that is not seen; `certain` for the answer's, which are tensors."""
        args = function.node.args
        names = [a.arg for a in (*args.posonlyargs, *args.args) if a.arg not in function.defaults]
        names += [f"{args.vararg.arg} {n}" for n in range(3)] if args.vararg else []
        return [generic(("argument", name), certain=certain) for name in names]

    def load(self, name: str, scope: Scope) -> Any:
        if home := scope.home(name):
            return home.names[name]
        for star in reversed(scope.top.stars):
            if star not in sys.modules or hasattr(sys.modules[star], name):
                return PackageName(f"{star}.{name}")
        if hasattr(builtins, name) or name == "__builtins__":
            return PackageName(f"builtins.{name}")
        if name in _GIVEN:
            return PackageName(_GIVEN[name])
        return self.broken("too-long", generic(name)) if self.left_out else PackageName(UNDEFINED + name)

    def attribute(self, base: Any, name: str) -> Any:  # noqa: PLR0912 - one branch a kind of value
        match base:
            case Choice(values=values):
                return either(self.attribute(one, name) for one in values)
            case Scope():
                return self.load(name, base)
            case PackageName(path=path):
                if name in ("user_ns", "user_global_ns") and path.startswith("IPython"):
                    return self.at[1].top.names
                longer = f"{path}.{name}"
                value = constant(sys.float_info.epsilon) if name in _EPSILONS else PackageName(longer)
                return self.files.get(longer) or self.patched.get(longer, value)
            case Function() | Number() | Instance() if name in base.members:
                return base.members[name]
            case Number() | Bound() if name in _EPSILONS:
                return constant(sys.float_info.epsilon)
            case Instance(of=kind) | (Class() as kind):
                value = kind.find(name)
                if isinstance(value, Function) and value.kind == "classmethod":
                    return Bound(value, (kind,))
                if (method := method_of(base, name)) and method.kind != "staticmethod":
                    bound = Bound(method, (base,))
                    return self.call(bound, [], {}) if method.kind in ("property", "cached_property") else bound
                if kind.has(name):
                    return value
                if other := method_of(base, "__getattr__"):
                    return self.enter(other, [base, name], {})
                if not name.startswith("__") and not any(path.startswith("torch") for path in kind.packages):
                    return Bound(name, (base,))
        if name in _VIEWS and isinstance(base, Number | list):
            return base
        if name in ("real", "imag") and isinstance(base, Number | list):
            return self.method(base, name, [])
        own = isinstance(base, Number) and not base.certain and name in self.own
        return Bound(name, (base,), owed=self.finding("" if own else ATTRIBUTES.get(name, "")))

    def set_attribute(self, base: Any, name: str, value: Any) -> None:
        for one in options(base):
            if isinstance(one, PackageName):
                self.patched[f"{one.path}.{name}"] = value
            elif isinstance(one, Number) and name in _VIEWS and isinstance(value, Number):
                one.whole, one.half = value.whole, value.half
            elif isinstance(one, Number) and value is None:
                one.members.pop(name, None)  # from here on torch may fill it
            elif isinstance(one, Number | Instance | Class | Function):
                one.members[name] = value
                self.own.add(name)

    def subscript(self, base: Any, key: Any) -> Any:
        key = known(key)
        if isinstance(base, PackageName):
            if base.path != "sys.modules" and not base.path.endswith(".__dict__"):
                return self.owing(generic(base.path, key), self.findings_of(base))
            if isinstance(key, str):
                return self.module(base.path.removesuffix("sys.modules").removesuffix("__dict__") + key)
            return self.broken("hidden", generic("entry"))
        if isinstance(base, Namespace) and not isinstance(key, str):
            return self.broken("hidden", generic("entry"))
        if method := method_of(base, "__getitem__"):
            return self.enter(method, [base, key], {})
        if isinstance(base, Instance):
            base = [*base.members.values()] if base.of.fields else base.members
        if isinstance(base, BUILT_IN) and not isinstance(base, set):
            try:
                value = base[key]
                return Array(value) if isinstance(base, Array) and isinstance(key, slice) else value
            except (TypeError, KeyError, IndexError, ValueError):
                entries = [*islice(base.values() if isinstance(base, dict) else base, 500)]
            if isinstance(key, tuple) and len(key) == 2 and isinstance(base, Array):
                return self.subscript(self.subscript(base, key[0]), key[1])
            return either(entries or [generic("entry")])
        return generic(("entry", repr(key) if is_plain(key) else ""), base, *([key] if isinstance(key, Number) else []))

    def put(self, held: Any, key: Any, value: Any) -> None:
        """`held[key] = value`."""
        key, held = known(key), held.members if isinstance(held, Instance) else held
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
