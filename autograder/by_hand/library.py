"""What functions and methods make of descriptions: Python's own, packages', and those of numbers, texts and lists.

A function that is not known here is some function of its arguments: smooth, and no difference quotient by itself.
"""

from __future__ import annotations

import builtins
from abc import abstractmethod
from dataclasses import replace
from itertools import islice, pairwise
from typing import Any

from autograder.by_hand.arithmetic import ALIASES, ELEMENTARY, applied, combined, come_together, number_in, part, truth
from autograder.by_hand.reading import MOST_ENTRIES, UNDEFINED, Reading
from autograder.by_hand.rules import words
from autograder.by_hand.values import (
    BUILT_IN,
    NOTHING,
    Array,
    Bound,
    Choice,
    Class,
    Function,
    Instance,
    Number,
    PackageName,
    constant,
    either,
    generic,
    is_finite,
    is_plain,
    known,
    method_of,
    options,
)

MOST_TURNS, _LONG = 8, 2_500
LOOKS = words("print isinstance issubclass type id repr hasattr callable len display")
_NUMERIC_PACKAGES = ("torch.", "numpy.", "math.", "cmath.")
_SAME = words(
    "item float numpy cpu to tolist squeeze unsqueeze requires_grad_ contiguous type astype view reshape ravel int "
    "flatten float64 float32 double Decimal Fraction round clone detach copy deepcopy Variable"
)
_ARRAYS = words("tensor as_tensor from_numpy asarray array stack cat concatenate hstack vstack atleast_1d")
_FOLDS = {"sum": "add", "fsum": "add", "mean": "add", "average": "add", "prod": "mult"}
_PAIRS = words("dot inner vdot matmul tensordot convolve correlate conv1d sumprod")
_METHODS = {"mult": "mul", "div": "truediv", "matmult": "matmul", "bitor": "or", "bitand": "and"}
_NATIVE = words(
    "append extend insert pop reverse clear index count copy remove get keys values items update setdefault add "
    "discard split strip lstrip rstrip lower upper startswith endswith removeprefix removesuffix"
)


class Library(Reading):
    @abstractmethod
    def call(self, function: Any, args: list[Any], named: dict[str, Any]) -> Any: ...

    @abstractmethod
    def attribute(self, base: Any, name: str) -> Any: ...

    @abstractmethod
    def set_attribute(self, base: Any, name: str, value: Any) -> None: ...

    @abstractmethod
    def instantiate(self, kind: Class, args: list[Any], named: dict[str, Any]) -> Instance: ...

    @abstractmethod
    def subscript(self, base: Any, key: Any) -> Any: ...

    def module(self, name: str) -> Any:
        return self.files.get(name) or PackageName(name)

    def library(self, path: str, args: list[Any], named: dict[str, Any]) -> Any:
        """What a call of `path` gives, which owes what speaks against calling it."""
        name = path.rpartition(".")[2]
        value = self._python(path, name, args, named)
        if value is not NotImplemented:
            return value
        owed = self.finding("undefined") if path.startswith(UNDEFINED) else self.findings_of(PackageName(path))
        given = [*args, *named.values()]
        if name not in LOOKS:
            owed = owed.union(*map(self.findings_of, given))
        if path == "autograder.question":
            value = PackageName("autograder.question()")
        elif name in ("partial", "partialmethod") and args:
            value = Bound(args[0], tuple(args[1:]), named)
        elif name.startswith(("save", "dump")):
            self.saved += args
        elif name.startswith(("load", "genfromtxt", "fromfile", "memmap")) and self.saved:
            value = either(n for v in self.saved for n in (v if isinstance(v, list) else [v]))
        else:
            value = self.numeric(name, args)
        if value is NotImplemented:
            value = generic(path, *given, certain=path.startswith(_NUMERIC_PACKAGES) or None)
            for kind in (v for v in given if isinstance(v, Class)):  # a package makes an object of it and calls that
                self.instantiate(kind, [], {})
            wrapped = [v for v in given if isinstance(v, Function | Bound)]
            value.members.update({"__wrapped__": either(wrapped)} if wrapped else {})
        self.report(owed)
        return self.owing(value, owed) if not args or value is not args[0] else value

    def _python(self, path: str, name: str, args: list[Any], named: dict[str, Any]) -> Any:  # noqa: PLR0912 - a table
        """Functions that call what they are given, find things by name, or make lists and classes."""
        first = args[0] if args else None
        match name, args:
            case "getattr", [_, str(attribute), *rest]:
                missing = isinstance(first, Instance) and attribute not in first.members and not first.of.has(attribute)
                return rest[0] if rest and missing else self.attribute(first, attribute)
            case "getattr", [Instance() as made, *_] if not made.of.packages:
                return either([*made.members.values()] or [generic("attribute")])
            case "setattr", [_, str(attribute), value]:
                return self.set_attribute(first, attribute, value)
            case (("__import__" | "import_module"), [str(module), *_]):
                return self.module(module if name == "import_module" else module.split(".")[0])
            case "get", [str(module), *_] if path == "sys.modules.get":
                return self.module(module)
            case (("globals" | "vars" | "locals"), []):
                return self.at[1].top.names if name == "globals" else self.at[1].names
            case "get_ipython", []:
                return PackageName("IPython.shell")
            case "super", _ if self.active and isinstance(owner := self.active[-1][0].scope.owner, Class):
                me = next(iter(self.at[1].names.values()), None)
                return Instance(Class({}, owner.bases), getattr(me, "members", {}))
            case "type", [Instance() as made]:
                return made.of
            case "SimpleNamespace", _:
                return Instance(self.new_class({}, []), dict(named))
            case (("namedtuple" | "NamedTuple" | "make_dataclass"), [str(), fields, *_]):
                texts = fields.replace(",", " ").split() if isinstance(fields, str) else self.iterate(fields)
                firsts = [t[0] if isinstance(t, list | tuple) and t else t for t in texts]
                return self.new_class({}, [PackageName("builtins.tuple")], [n for n in firsts if isinstance(n, str)])
            case (("attrgetter" | "methodcaller"), [text, *_]):
                names = text.split(".") if isinstance(text, str) else ["__getattribute__"]
                found = [self.findings_of(self.attribute(generic("object"), n)) for n in names]
                return self.owing(Bound("getter", ()), NOTHING.union(*found))
            case "isinstance", [Instance(of=kind), Class() as wanted]:
                return wanted in kind.order
            case "isinstance", [value, Class()] if truth(value) is not None or getattr(value, "certain", False):
                return False
            case "isinstance", [value, PackageName(path=kind)] if is_plain(value) or type(value) in BUILT_IN:
                real = getattr(builtins, kind.removeprefix("builtins."), None)
                return isinstance(value, real) if isinstance(real, type) else generic("isinstance", certain=True)
            case "isinstance", _:
                return generic("isinstance", certain=True)
            case "len", [value] if isinstance(value, BUILT_IN):
                return len(value)
            case (("range" | "arange"), [int(), *_]) if all(isinstance(a, int) for a in args) and 0 not in args[2:]:
                return range(*args) if name == "range" else Array(islice(range(*args), MOST_TURNS))
            case "field", []:
                return self.call(named["default_factory"], [], {}) if "default_factory" in named else None
            case "set", []:
                return set()
            case (("list" | "tuple" | "iter" | "reversed" | "sorted" | "deque" | "chain"), _):
                entries = [v for a in args for v in self.iterate(a, MOST_ENTRIES)]
                return tuple(entries) if name == "tuple" else entries[::-1] if name == "reversed" else entries
            case (("dict" | "defaultdict" | "OrderedDict"), _):
                pairs = [p for a in args for p in (a.items() if isinstance(a, dict) else self.iterate(a, MOST_ENTRIES))]
                plain = {p[0]: p[1] for p in pairs if isinstance(p, list | tuple) and len(p) == 2 and is_plain(p[0])}
                return plain | named
            case "next", [list() as values, *_] if values:
                return values.pop(0)
            case (("max" | "min"), [_, *_]) if "key" in named or len(args) > 1:
                return either(args if len(args) > 1 else self.iterate(first) or [None])
            case (("zip" | "product"), _):
                return [*zip(*(self.iterate(a, MOST_ENTRIES) for a in args), strict=False)]
            case "enumerate", [_, *start]:
                return [*enumerate(self.iterate(first, MOST_ENTRIES), *[s for s in start if isinstance(s, int)])]
            case _, [Function() | Bound() | Choice() | PackageName(), _, *_] if name.endswith("map"):
                return [self.call(first, [*row], {}) for row in zip(*map(self.iterate, args[1:]), strict=False)]
            case "reduce", [_, many, *start]:
                total, *others = [*start, *self.iterate(many)] or [generic("nothing")]
                for value in others:
                    total = self.call(first, [total, value], {})
                return total
            case "complex", [_, second]:
                return self.broken("imaginary", self.operation("add", first, self.operation("mult", second, 1j)))
            case "dumps", [_, *_] if path == "pickle.dumps":
                return Bound("pickled", (first,))
            case "loads", [Bound(function="pickled", first=(value,))] if path == "pickle.loads":
                return value
            case "Fraction", [_, second]:
                return self.operation("div", first, second)
        return NotImplemented

    def new_class(self, members: dict[str, Any], bases: list[Any], fields: list[str] | None = None) -> Class:
        made = Class(dict(islice(members.items(), 1_000)), bases, fields or [])
        self.spend(len(made.order))
        self.own.update(made.members, made.fields)
        return made

    def operation(self, name: str, a: Any, b: Any) -> Any:
        """`a` op `b`, by the student's own methods, entry by entry, or as numbers."""
        self.spend()
        if isinstance(a, Choice) or isinstance(b, Choice):
            return either(self._by_entries(name, list(options(a)), list(options(b))) or [generic("empty")])
        lists = [isinstance(v, list) for v in (a, b)]
        if any(isinstance(v, Array) for v in (a, b)) or (any(lists) and any(isinstance(v, Number) for v in (a, b))):
            return self.numeric("dot", [a, b]) if name == "matmult" and all(lists) else self._by_entries(name, a, b)
        for one, other, mark in ((a, b, "__"), (b, a, "__r")):
            if method := method_of(one, f"{mark}{_METHODS.get(name, name)}__"):
                return self.call(method, [one, other], {})
        value, rule = combined(name, self.as_operand(a), self.as_operand(b))
        self.spend(len(value) // 8 if isinstance(value, list | tuple | str) else 0)
        return self.broken(rule, value)

    def _by_entries(self, name: str, a: Any, b: Any) -> Any:
        rows = [v if isinstance(v, list) else [v] for v in (a, b)]
        count = min(max(map(len, rows)), MOST_ENTRIES) if all(rows) else 0
        return Array(self.operation(name, *(row[i % len(row)] for row in rows)) for i in range(count))

    def as_operand(self, value: Any) -> Any:
        """`math.pi` as its number, an attribute of something unknown as some number."""
        if isinstance(value, PackageName):
            return generic(value.path, certain=True)
        if isinstance(value, Bound) and isinstance(value.function, str):
            made = generic(value.function, *value.first)
            made.owed |= value.owed
            return made
        return value

    def method(self, base: Any, name: str, args: list[Any]) -> Any:
        """`base.name(*args)` of a number, a text or a list."""
        self.spend()
        name, given = ("pop", [0]) if name == "popleft" else (name, args)
        if (
            isinstance(base, BUILT_IN)
            and not isinstance(base, Array | range)
            and name in _NATIVE
            and hasattr(base, name)
        ):
            if name != "append":
                given = [v[:_LONG] if isinstance(v, range) else known(v) for v in given]
            if isinstance(base, dict) and name in ("get", "pop") and given and not is_plain(given[0]):
                return either([self.subscript(base, given[0]), *given[1:]])
            self.spend(1 + len(base) // 8 if len(base) < _LONG else len(base))
            try:
                made = getattr(base, name)(*given)
            except (TypeError, ValueError, LookupError):
                return generic(name, base, *args)
            return [*made] if name in ("keys", "values", "items") else made
        if name.endswith("_") and name[:-1] in ALIASES and isinstance(base, Number) and args:
            made = self.operation(ALIASES[name[:-1]], base, args[0])
            if isinstance(made, Number):  # `x.add_(h)` changes the tensor itself
                base.whole, base.half, base.exact = made.whole, made.half, made.exact
            return base
        made = self.numeric(name, [base, *args])
        return generic(name, base, *args) if made is NotImplemented else made

    def copied(self, value: Any) -> Any:
        """As `copy.deepcopy` does it, so that what is done to the copy is not done to what was copied."""
        self.spend()
        if isinstance(value, dict):
            return {k: self.copied(v) for k, v in value.items()}
        return replace(value, members={}) if isinstance(value, Number) else value

    def iterate(self, value: Any, most: int = MOST_TURNS) -> list[Any]:
        """The values that a loop takes, as far as known; after many, one that stands for all others."""
        if method := method_of(value, "__iter__"):
            value = self.call(method, [value], {})
        if not isinstance(value, BUILT_IN):
            line = getattr(self.at[0], "lineno", 0)
            return [generic(("turn", n, line), value) for n in (1, 2)]
        few = [*islice(value, most)]
        rest = [*islice(value, most, most + 1_000)] if not isinstance(value, str | range) else []
        self.spend((len(few) + len(rest)) // 4)
        return few if len(value) <= most else [*few, either(rest) if rest else generic("turn", certain=True)]

    def numeric(self, name: str, args: list[Any]) -> Any:  # noqa: PLR0912 - one branch a kind of function
        """What a function or method of numbers gives; NotImplemented if it is not known."""
        if not args:
            return NotImplemented
        first: Any = self.as_operand(args[0])
        rows, plain = isinstance(first, list | tuple), name.strip("_")
        if name in _SAME:
            return number_in(first) if isinstance(first, str) else self.copied(first)
        if name in _ARRAYS:
            return self._as_array(first) if rows else self.copied(first)
        if name == "linspace" and len(args) > 1:
            wide = self.operation("sub", args[1], first)
            steps = [self.operation("mult", wide, n / MOST_TURNS) for n in range(MOST_TURNS + 1)]
            return Array(self.operation("add", first, step) for step in steps)
        if name in ("where", "full", "full_like") and len(args) > 1:
            return either(args[1:3] if name == "where" else args[1:2])
        if name == "einsum" and isinstance(first, str):
            return self.numeric("dot", args[1:])
        if name in ("ulp", "spacing", "nextafter"):
            return constant(2.2e-16)
        if name in ("real", "imag", "phase", "angle", "view_as_real"):
            made, rule = part(name, first)
            return self.broken(rule, made)
        if name in ("diff", "ediff1d") and rows:
            return Array(self.operation("sub", b, a) for a, b in pairwise(first))
        if name in _FOLDS and isinstance(first, list | tuple | range):
            return self._folded(name, self.iterate(first, MOST_ENTRIES))
        if name in _PAIRS and rows and len(args) > 1 and isinstance(args[1], list | tuple):
            pairs = zip(self._flat(first), self._flat(args[1]), strict=False)
            return self._folded("sum", [self.operation("mult", a, b) for a, b in pairs])
        if plain in ALIASES and len(args) == 2:  # `a.__truediv__(b)` too
            return self.operation(ALIASES[plain], first, args[1])
        if name.startswith("__r") and plain[1:] in ALIASES and len(args) == 2:
            return self.operation(ALIASES[plain[1:]], args[1], first)
        if name in ELEMENTARY and (isinstance(first, Number) or is_finite(first)):
            return applied(name, first)
        if sum(come_together(self._flat(a)) for a in args[:3] if isinstance(a, list | tuple)) > 1:
            return self.broken("differences", generic(name, *args))
        if isinstance(first, list) and first and all(isinstance(v, Number | list) or is_finite(v) for v in first):
            return Array(self.method(v, name, args[1:]) for v in first[:MOST_ENTRIES])
        return NotImplemented

    def _folded(self, name: str, values: list[Any]) -> Any:
        total = values[0] if values else 0
        for value in values[1:]:
            total = self.operation(_FOLDS[name], total, value)
        return self.operation("div", total, len(values)) if name in ("mean", "average") and values else total

    def _as_array(self, values: Any) -> Array:
        self.spend(len(values))
        return Array(self._as_array(v) if isinstance(v, list | tuple) else v for v in values)

    def _flat(self, values: Any) -> list[Any]:
        self.spend(len(values))
        return [n for v in values for n in (self._flat(v) if isinstance(v, list | tuple) else [v])]
