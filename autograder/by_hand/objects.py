"""Functions, classes and objects of the notebook: what a call runs, what an attribute is."""

from __future__ import annotations

import ast
import builtins
import operator
import sys
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from autograder.by_hand.arithmetic import truth
from autograder.by_hand.points import Points
from autograder.by_hand.reading import UNDEFINED, Reading
from autograder.by_hand.rules import ATTRIBUTES
from autograder.by_hand.values import (
    Array,
    Bound,
    Choice,
    Class,
    Function,
    Instance,
    Number,
    PackageName,
    Scope,
    constant,
    either,
    generic,
    is_plain,
    options,
    shape_of,
)

_DEEPEST, _MOST_GUESSES = 40, 3
LONGEST_PATH = 300
"""Characters of a package's dotted name: each step on it looks at all of it."""
_GIVEN = {n: n for n in ("torch", "numpy", "math")} | {"np": "numpy", "display": "IPython", "get_ipython": "IPython"}
_EPSILONS = {"eps", "epsilon", "tiny", "resolution", "smallest_normal"}
_VIEWS = {"data", "T", "mT", "H", "flat"}


class Objects(Reading):
    """`guesses` counts the branches around that may not be taken: recursion that only guesses goes on for is cut."""

    def __init__(self) -> None:
        super().__init__()
        self.files: dict[str, Scope] = {}
        self.own: set[str] = set()
        """Attributes that objects of the student have."""
        self.classes: list[Class] = []
        self.patched: dict[str, Any] = {}
        """What the student put into a package."""
        self.points = Points()
        self.guesses = 0
        self.left_out = False
        """Some cells were not read: a name that no other defines may be theirs."""

    @abstractmethod
    def evaluate(self, node: ast.expr, scope: Scope, used: bool = True) -> Any: ...

    @abstractmethod
    def run(self, body: Sequence[ast.stmt], scope: Scope) -> str: ...

    @abstractmethod
    def library(self, path: str, args: list[Any], named: dict[str, Any]) -> Any: ...

    @abstractmethod
    def method(self, base: Any, name: str, args: list[Any]) -> Any: ...

    def call(self, function: Any, args: list[Any], named: dict[str, Any]) -> Any:
        self.spend()
        if not isinstance(function, Choice | PackageName):
            self.report(self.findings_of(function))
        match function:
            case Choice(values=values):
                return either(self.call(one, args, named) for one in values)
            case Bound(function=str(name), first=(base,)):
                return self.owing(self.method(base, name, args), function.owed)
            case Bound():
                return self.call(function.function, [*function.first, *args], {**function.named, **named})
            case Function():
                return self.enter(function, args, named)
            case Class(meta=Class() as meta) if isinstance(maker := meta.find("__call__"), Function):
                made = self.enter(maker, [function, *args], named)
                return either([self.instantiate(function, args, named), made])
            case Class():
                return self.instantiate(function, args, named)
            case PackageName():
                return self.library(function.path, args, named)
            case Instance():
                method = function.of.find("__call__") or function.of.find("forward")
                if isinstance(method, Function):
                    return self.enter(method, [function, *args], named)
            case Number() if "__wrapped__" in function.members:  # what a package made of a function may call it
                entries = [Array(a) if type(a) is list else a for a in args]
                made = self.call(function.members["__wrapped__"], entries, named)
                return either([generic("call", function, *args), made])
        return generic("call", function, *args, *named.values())

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
        scope, a = function.scope.inside(function), function.node.args
        names = [p.arg for p in (*a.posonlyargs, *a.args)]
        takes = dict.fromkeys((*names, *(k.arg for k in a.kwonlyargs)))
        scope.names.update({name: generic(("argument", name)) for name in takes})
        scope.names.update(function.defaults)
        scope.names.update(zip(names, args, strict=False))
        scope.names.update({k: v for k, v in named.items() if k in takes})
        if a.vararg:
            scope.names[a.vararg.arg] = tuple(args[len(names) :])
        if a.kwarg:
            scope.names[a.kwarg.arg] = {k: v for k, v in named.items() if k not in takes}
        before = self.at
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
        if self.answering and self.active and self.points.fixed(function.node, args, result, self.active[0][2]):
            result = self.broken("fixed-points", result)
        whole = isinstance(result, Number) and args
        return replace(result, call=(function.node, *args), terms={}) if whole else result

    def instantiate(self, kind: Class, args: list[Any], named: dict[str, Any]) -> Instance:
        made = Instance(kind)
        if self.answering:  # who calls these is not seen
            hidden = bool(kind.packages)
            methods = {n: m for n, m in kind.members.items() if isinstance(m, Function)}
            unseen = {m: None for n, m in methods.items() if n.startswith("__") or hidden}
            self.waiting.update({m: None for m in unseen if m not in self.called})
        start = kind.find("__init__")
        if isinstance(start, Function):
            self.enter(start, [made, *args], named)
            return made
        made.members.update({f: self.copied(v) for f in kind.fields if (v := kind.find(f)) is not None})
        made.members.update({**dict(zip(kind.fields, args, strict=False)), **named})
        if args and isinstance(args[0], dict) and not kind.fields:
            made.members.update(args[0])
        if isinstance(after := kind.find("__post_init__"), Function):
            self.enter(after, [made], {})
        return made

    def enum_member(self, kind: Class, name: str, value: Any) -> Any:
        """What Enum makes of `name = value` in its body: an object of the class; a method stays one."""
        if isinstance(value, Function | Class):
            return value
        made = Instance(kind, {"name": name, "value": value})
        if isinstance(start := kind.find("__init__"), Function):
            self.enter(start, [made, *(value if isinstance(value, tuple) else (value,))], {})
        return made

    def copied(self, value: Any) -> Any:
        """As `copy.deepcopy` does it, so that what is done to the copy is not done to what was copied."""
        self.spend()
        if isinstance(value, list | tuple):
            return type(value)(self.copied(v) for v in value)
        if isinstance(value, dict):
            return {k: self.copied(v) for k, v in value.items()}
        if isinstance(value, Instance):
            return Instance(value.of, self.copied(value.members))
        return replace(value, members={}) if isinstance(value, Number) else value

    def arguments_for(self, function: Function, certain: bool = False) -> list[Any]:
        """Arguments for a call that is not seen; `certain` for the answer's, which are tensors."""
        args = function.node.args
        names = [a.arg for a in (*args.posonlyargs, *args.args) if a.arg not in function.defaults]
        names += [f"{args.vararg.arg} {n}" for n in range(3)] if args.vararg else []
        return [generic(("argument", name), certain=certain) for name in names]

    def load(self, name: str, scope: Scope) -> Any:
        home = scope.home(name)
        if home:
            return home.names[name]
        for star in reversed(scope.top.stars):
            loaded = sys.modules.get(star)
            if loaded is None or hasattr(loaded, name):
                return PackageName(f"{star}.{name}")
        if hasattr(builtins, name) or name == "__builtins__":
            return PackageName(f"builtins.{name}")
        if name in _GIVEN:
            return PackageName(_GIVEN[name])
        return self.broken("too-long", generic(name)) if self.left_out else PackageName(UNDEFINED + name)

    def attribute(self, base: Any, name: str) -> Any:
        match base:
            case Choice(values=values):
                return either(self.attribute(one, name) for one in values)
            case Scope():
                return self.load(name, base)
            case PackageName(path=path) if len(path) + len(name) > LONGEST_PATH:
                return self.broken("too-long", generic("attribute"))
            case PackageName(path=path):
                if name in ("user_ns", "user_global_ns") and path.startswith("IPython"):
                    return self.at[1].top.names
                value = constant(sys.float_info.epsilon) if name in _EPSILONS else PackageName(f"{path}.{name}")
                return self.files.get(f"{path}.{name}") or self.patched.get(f"{path}.{name}", value)
            case Function() | Number() | Instance() if name in base.members:
                return base.members[name]
            case Function() | Class() | Instance() if name == "__dict__":
                return base.members
            case Instance() if name == "__class__":
                return base.of
            case Instance() | Class():
                return self._member(base, name)
        return self._unknown_attribute(base, name)

    def _member(self, base: Instance | Class, name: str) -> Any:
        kind = base.of if isinstance(base, Instance) else base
        value = kind.find(name)
        if isinstance(value, Function) and value.kind == "classmethod":
            return Bound(value, (kind,))
        if isinstance(value, Function) and isinstance(base, Instance) and value.kind != "staticmethod":
            bound = Bound(value, (base,))
            return self.call(bound, [], {}) if value.kind in ("property", "cached_property") else bound
        if isinstance(value, Instance) and isinstance(getter := value.of.find("__get__"), Function):
            return self.enter(getter, [value, base, kind], {})
        if value is not None or name in kind.members:
            return value
        if isinstance(base, Instance) and isinstance(other := kind.find("__getattr__"), Function):
            return self.enter(other, [base, name], {})
        if name == "apply" and isinstance(forward := kind.find("forward"), Function):
            return Bound(forward, (generic("context"),), owed=kind.owed)
        if any(path.startswith("torch") for path in kind.packages) or name.startswith("__"):
            return self._unknown_attribute(base, name)
        return Bound(name, (base,))

    def _unknown_attribute(self, base: Any, name: str) -> Any:
        if name in _EPSILONS:
            return constant(sys.float_info.epsilon)
        if isinstance(base, Number) and isinstance(added := self.patched.get(f"torch.Tensor.{name}"), Function):
            return Bound(added, (base,))
        if name in _VIEWS and isinstance(base, Number | list):
            return base
        if name == "shape" and isinstance(base, Array):
            return tuple(shape_of(base))
        if name in ("real", "imag") and isinstance(base, Number | list):
            return self.method(base, name, [])
        certain = not isinstance(base, Number) or base.certain
        if not certain:
            for kind in self.classes:
                if isinstance(method := kind.members.get(name), Function):
                    self.use(method)
        rule = ATTRIBUTES.get(name, "") if certain or name not in self.own else ""
        return Bound(name, (base,), owed=frozenset((self.finding(rule),)) if rule else frozenset())

    def set_attribute(self, base: Any, name: str, value: Any) -> None:
        for one in options(base):
            if isinstance(one, PackageName):
                self.patched[f"{one.path}.{name}"] = value
            elif isinstance(one, Scope):
                one.names[name] = value
            elif isinstance(one, Number) and name in _VIEWS and isinstance(value, Number):
                one.whole, one.half = value.whole, value.half
            elif isinstance(one, Number) and value is None:
                one.members.pop(name, None)  # from here on torch may fill it
            elif isinstance(one, Number | Instance | Class | Function):
                one.members[name] = value
                self.own.add(name)

    def is_instance(self, value: Any, kind: Any) -> bool | None:
        """Whether a value is of a class; None if that is not known."""
        if isinstance(kind, tuple):
            every = [self.is_instance(value, k) for k in kind]
            return True if True in every else None if None in every else False
        if isinstance(kind, Class):
            related = value.of.order if isinstance(value, Instance) else []
            return None if isinstance(value, Choice) or not _is_known(value) else kind in related
        real = getattr(builtins, kind.path.removeprefix("builtins."), None) if isinstance(kind, PackageName) else None
        if isinstance(real, type) and (is_plain(value) or type(value) in (list, tuple, dict, set, range)):
            return isinstance(value, real)
        if real in (str, list, tuple, dict, set) and _is_known(value):
            return False if not isinstance(value, Instance) else kind.path in value.of.packages
        return None


def _is_known(value: Any) -> bool:
    return (
        isinstance(value, Instance | Function | Class) or truth(value) is not None or getattr(value, "certain", False)
    )
