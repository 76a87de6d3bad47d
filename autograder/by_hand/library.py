"""What functions of packages and methods of numbers, texts and lists give, as far as it matters here.

Everything else is some function of its arguments: smooth, and no difference quotient by itself.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable
from typing import Any

from autograder.by_hand.arithmetic import ALIASES, ELEMENTARY, applied, combined, truth
from autograder.by_hand.objects import Objects
from autograder.by_hand.reading import UNDEFINED
from autograder.by_hand.values import (
    STEP,
    Array,
    Bound,
    Choice,
    Class,
    Function,
    Instance,
    Namespace,
    Number,
    PackageName,
    as_number,
    constant,
    either,
    generic,
    is_finite,
    is_plain,
    numbers_in,
    options,
)

MOST_TURNS = 10
_MOST_ENTRIES = 64
_SAME = set(
    "item float numpy cpu to tolist squeeze unsqueeze requires_grad_ contiguous type astype view reshape ravel flatten "
    "float64 float32 double Decimal Fraction int round clone detach copy deepcopy Variable ravel".split()
)
_ARRAYS = set("tensor as_tensor from_numpy asarray array stack cat concatenate hstack vstack atleast_1d".split())
_FOLDS = {"sum": "add", "fsum": "add", "mean": "add", "average": "add", "prod": "mult"}
_PAIRS = set("dot inner vdot matmul tensordot convolve correlate conv1d sumprod".split())
_CALLABLE_AGAIN = set("vmap vectorize lru_cache cache wraps jit njit compile staticmethod frompyfunc".split())
_KINDS_BY_NAMES = ("collections.namedtuple", "typing.NamedTuple", "dataclasses.make_dataclass")
_NATIVE: dict[type, set[str]] = {
    list: set("append extend insert pop reverse clear index count copy remove".split()),
    dict: set("get keys values items update setdefault pop clear copy".split()),
    set: set("add update discard clear copy".split()),
    tuple: set("index count".split()),
    str: set("split strip lstrip rstrip lower upper startswith endswith removeprefix removesuffix".split()),
}
_OPERATORS_OF_NUMPY = {"add": "add", "sub": "sub", "mul": "mult", "div": "div", "pow": "pow"}
_LOOKS = set("print isinstance issubclass type id repr hasattr callable len display".split())


class Library(Objects):
    def __init__(self) -> None:
        super().__init__()
        self.saved: list[Any] = []
        """What was written into files, which may be read again."""

    def only_looks(self, function: Any) -> bool:
        """Whether it only looks at its arguments: `print(x.grad)` takes no derivative from anywhere."""
        return isinstance(function, PackageName) and function.path.rpartition(".")[2] in _LOOKS

    def library(self, path: str, args: list[Any], named: dict[str, Any]) -> Any:
        name = path.rpartition(".")[2]
        value = self._of_python(path, args, named)
        if value is not None:
            return value
        owed = self.findings_of(PackageName(path))
        if path.startswith(UNDEFINED):
            owed = frozenset((self.finding("undefined"),))
        if not self.only_looks(PackageName(path)):
            owed = owed.union(*(self.findings_of(a) for a in (*args, *named.values())))
        if path == "autograder.question":
            value = PackageName("autograder.question()")
        elif name in ("partial", "partialmethod") and args:
            value = Bound(args[0], tuple(args[1:]), named)
        elif name.startswith(("save", "dump")):
            self.saved += args
        elif name.startswith(("load", "genfromtxt", "fromfile", "memmap")) and self.saved:
            value = either(n for v in self.saved for n in (v if isinstance(v, list) else [v]))
        elif name in _CALLABLE_AGAIN and args and isinstance(args[0], Function | Bound):
            value = args[0]
        elif isinstance(made := self._numeric(name, args, named), Number) or made is not None:
            value = made
        else:
            numeric = path.split(".")[0] in ("torch", "numpy", "math", "cmath")
            value = generic(path, *args, *named.values(), certain=numeric or None)
        self.report(owed)
        return self.owing(value, owed) if not (args and value is args[0]) else value

    def method(self, base: Any, name: str, args: list[Any], named: dict[str, Any]) -> Any:
        self.spend()
        for kind, names in _NATIVE.items():
            if isinstance(base, kind) and not isinstance(base, Array) and name in names:
                return self._native(base, name, args)
        if name.endswith("_") and name[:-1] in ALIASES and isinstance(base, Number):
            made = self.operation(ALIASES[name[:-1]], base, args[0]) if args else base
            if isinstance(made, Number):  # `x.add_(h)` changes the tensor itself
                base.whole, base.half, base.exact = made.whole, made.half, made.exact
            return base
        made = self._numeric(name, [base, *args], named)
        return generic(name, base, *args, *named.values()) if made is None else made

    def _native(self, base: Any, name: str, args: list[Any]) -> Any:
        if isinstance(base, Namespace) and args and not is_plain(args[0]) and name in ("get", "pop"):
            return self.broken("hidden", generic("entry"))
        args = [a.exact if isinstance(a, Number) and a.exact is not None and name != "append" else a for a in args]
        self.spend(1 + (len(base) // 8 if isinstance(base, list | dict) else 0))
        try:
            made = getattr(base, name)(*args)
        except (TypeError, ValueError, KeyError, IndexError, AttributeError):
            made = either([*base.values()] or [None]) if isinstance(base, dict) else generic(name, base, *args)
        if name in ("get", "pop") and isinstance(base, dict) and args and isinstance(args[0], Number | Choice):
            made = either([*base.values(), *args[1:]] or [None])
        if isinstance(base, list | dict) and len(base) > 40 * _MOST_ENTRIES:
            self.spend(len(base))
        return [*made] if isinstance(made, type({}.values()) | type({}.items()) | type({}.keys())) else made

    # Python's own functions, which are looked into because they call, or find by name

    def _of_python(self, path: str, args: list[Any], named: dict[str, Any]) -> Any:  # noqa: PLR0912 - one a function
        first = args[0] if args else None
        match path.removeprefix("builtins."), args:
            case "getattr", [_, str(name), *rest]:
                missing = isinstance(first, Instance) and rest and name not in first.members and not first.of.find(name)
                return rest[0] if missing else either(self.attribute(one, name) for one in options(first))
            case "getattr", [Instance() as made, *_] if not made.of.packages:
                return either(list(made.members.values()) or [generic("attribute")])
            case "setattr", [_, str(name), value]:
                self.set_attribute(first, name, value)
                return generic("nothing")
            case "__import__" | "importlib.import_module", [str(name), *_]:
                whole = path.endswith("import_module")
                return self.files.get(name) or PackageName(name if whole else name.split(".")[0])
            case ("IPython" | "IPython.get_ipython"), []:
                return PackageName("IPython.shell")
            case "sys.modules.get", [str(name), *_]:
                return PackageName(name)
            case "globals", _:
                return self.at[1].top.names
            case "vars" | "locals", []:
                return self.at[1].names
            case "vars", [_]:
                return self.attribute(first, "__dict__")
            case "super", _:
                owner = next((s.owner for f, *_ in self.active[-1:] if (s := f.scope)), None)
                me = next(iter(self.at[1].names.values()), None)
                if isinstance(owner, Class) and isinstance(me, Instance):
                    return Instance(Class({}, owner.bases), me.members)
            case "type", [Instance() as made]:
                return made.of
            case "type", [str(), tuple() as bases, dict() as members]:
                return self._new_class(members, list(bases), [])
            case "types.SimpleNamespace" | "argparse.Namespace", _:
                return Instance(self._new_class({}, [], []), dict(named))
            case ("collections.namedtuple" | "typing.NamedTuple" | "dataclasses.make_dataclass"), [str(), fields, *_]:
                texts = fields.replace(",", " ").split() if isinstance(fields, str) else self.iterate(fields)
                names = [t[0] if isinstance(t, list | tuple) and t else t for t in texts]
                return self._new_class({}, [PackageName("builtins.tuple")], [n for n in names if isinstance(n, str)])
            case "dataclasses.field", _:
                value = named.get("default")
                return self.call(named["default_factory"], [], {}) if "default_factory" in named else value
            case "isinstance", [value, kind]:
                known = self.is_instance(value, kind)
                return generic("isinstance", certain=True) if known is None else known
            case "len", [str() | list() | tuple() | dict() | range()]:
                return len(args[0])
            case "range", _ if all(isinstance(a, int) for a in args) and 0 < len(args) < 4 and 0 not in args[2:]:
                return range(*args)
            case ("list" | "tuple" | "iter" | "reversed" | "sorted" | "collections.deque" | "itertools.chain"), [_, *_]:
                entries = [v for a in args for v in self.iterate(a, _MOST_ENTRIES)]
                entries = entries[::-1] if path.endswith("reversed") else entries
                return tuple(entries) if path.endswith("tuple") else entries
            case ("list" | "dict" | "set" | "collections.defaultdict" | "collections.OrderedDict" | "collections.deque"), []:
                return [] if path.endswith(("list", "deque")) else set() if path.endswith("set") else dict(named)
            case "dict", [given]:
                pairs = given.items() if isinstance(given, dict) else self.iterate(given, _MOST_ENTRIES)
                return {**dict(p for p in pairs if isinstance(p, list | tuple) and len(p) == 2 and is_plain(p[0])), **named}
            case "next", [list() as values, *_] if values:
                return values.pop(0)
            case ("max" | "min"), [_, *_] if "key" in named:
                return either([v for a in args for v in self.iterate(a)] or [None])
            case ("max" | "min"), [_, _, *_]:
                return either(args)
            case ("zip" | "itertools.product"), _:
                return [*map(tuple, zip(*(self.iterate(a, _MOST_ENTRIES) for a in args), strict=False))]
            case "enumerate", [_, *start]:
                return [*enumerate(self.iterate(first, _MOST_ENTRIES), *[s for s in start if isinstance(s, int)])]
            case "filter", [_, _]:
                return self.iterate(args[1])
            case _, [Function() | Bound() | Choice() | PackageName() as function, _, *_] if path.endswith("map"):
                return [self.call(function, list(row), {}) for row in zip(*map(self.iterate, args[1:]), strict=False)]
            case "functools.reduce", [function, _, *_]:
                total, *rest = [*args[2:], *self.iterate(args[1])] or [generic("nothing")]
                for value in rest:
                    total = self.call(function, [total, value], {})
                return total
            case ("operator.attrgetter" | "operator.methodcaller"), [_, *_]:
                known = [n for text in args[:1] if isinstance(text, str) for n in text.split(".")]
                found = [self.attribute(generic("object"), n) for n in known or ["__getattribute__"]]
                return self.owing(Bound("getter", ()), frozenset().union(*map(self.findings_of, found)))
            case ("Fraction" | "fractions.Fraction" | "complex" | "torch.complex"), [_, _]:
                other = self.operation("mult", args[1], 1j) if path.endswith("complex") else args[1]
                return self.operation("add" if path.endswith("complex") else "div", first, other)
        return None

    def _new_class(self, members: dict[str, Any], bases: list[Any], fields: list[str]) -> Class:
        made = Class(members, bases, fields)
        self.spend(len(made.order))
        self.own.update(members, fields)
        self.classes.append(made)
        return made

    # Numbers

    def _numeric(self, name: str, args: list[Any], named: dict[str, Any]) -> Any:  # noqa: PLR0912 - one a function
        first = args[0] if args else None
        if isinstance(first, Bound | PackageName):
            first = self.as_operand(first)
        if name in _SAME and args:
            text = isinstance(first, str) and len(first) < 40
            return self.copied(first) if not text else self._number_in(first)
        if name in _ARRAYS and args:
            return self._as_array(first) if isinstance(first, list | tuple) else self.copied(first)
        if name in ("linspace", "arange"):
            return self._spaced(name, args)
        if name in ("zeros", "ones", "zeros_like", "ones_like") and isinstance(first, int | list):
            count = first if isinstance(first, int) else len(first)
            return Array([0.0 if name.startswith("zeros") else 1.0] * max(0, min(count, MOST_TURNS)))
        if name == "where" and len(args) == 3:
            return either(args[1:])
        if name in ("ulp", "spacing", "nextafter"):
            return constant(2.2e-16)
        if name in ("imag", "phase", "angle", "view_as_real") and args:
            return self.imaginary(first, name)
        if name == "real" and args:
            return Array(first) if isinstance(first, list) else self._real(first)
        if name in ("diff", "ediff1d") and isinstance(first, list):
            return Array(self.operation("sub", b, a) for a, b in zip(first, first[1:], strict=False))
        if name in _FOLDS and isinstance(first, list | tuple | range):
            return self._folded(name, self.iterate(first, _MOST_ENTRIES))
        if name in _PAIRS and len(args) > 1 and all(isinstance(a, list | tuple) for a in args[:2]):
            rows = zip(self._flat(first), self._flat(args[1]), strict=False)
            return self._folded("sum", [self.operation("mult", a, b) for a, b in rows])
        if name in ALIASES and len(args) == 2:
            return self.operation(ALIASES[name], first, args[1])
        if name in ELEMENTARY and isinstance(first, Number | int | float | complex):
            return applied(name, first if isinstance(first, Number) else as_number(first))
        if self._on_a_grid(args):
            return self.broken("differences", generic(name, *args))
        if isinstance(first, list) and first and all(isinstance(v, Number | list) or is_finite(v) for v in first):
            return Array(self.method(v, name, args[1:], named) for v in first[:_MOST_ENTRIES])
        return None

    def operation(self, name: str, a: Any, b: Any) -> Any:
        """`a` op `b`, by the student's own methods, entry by entry, or as numbers."""
        self.spend()
        for kind in (Choice, Array):
            if isinstance(a, kind) or isinstance(b, kind):
                return self._by_entries(name, a, b, kind)
        if isinstance(a, list) != isinstance(b, list) and isinstance(b if isinstance(a, list) else a, Number):
            return self._by_entries(name, Array(a) if isinstance(a, list) else a, Array(b) if isinstance(b, list) else b, Array)
        dunder = {"mult": "mul", "div": "truediv", "matmult": "matmul", "bitor": "or", "bitand": "and"}.get(name, name)
        for one, other, mark in ((a, b, "__"), (b, a, "__r")):
            if isinstance(one, Instance) and isinstance(method := one.of.find(f"{mark}{dunder}__"), Function):
                return self.enter(method, [one, other], {})
        a, b = self.as_operand(a), self.as_operand(b)
        value, rule = combined(name, a, b)
        if isinstance(value, list | tuple | str):
            self.spend(len(value) // 8)
        return self.broken(rule, value)

    def _by_entries(self, name: str, a: Any, b: Any, kind: Callable[..., Any]) -> Any:
        if name == "matmult" and isinstance(a, Array) and isinstance(b, Array):
            return self._numeric("dot", [a, b], {})
        lists = [list(options(v)) if kind is Choice else v if isinstance(v, list) else [v] for v in (a, b)]
        count = 0 if not all(lists) else max(map(len, lists))
        made = [self.operation(name, *(v[i % len(v)] for v in lists)) for i in range(min(count, _MOST_ENTRIES))]
        return either(made or [generic("empty")]) if kind is Choice else Array(made)

    def as_operand(self, value: Any) -> Any:
        if isinstance(value, PackageName):
            known = getattr(math, value.path.rpartition(".")[2], None)
            return known if isinstance(known, float) else generic(value.path, certain=True)
        if isinstance(value, Bound) and isinstance(value.function, str):
            made = generic(value.function, *value.first)
            made.owed |= value.owed
            return made
        return value

    def _folded(self, name: str, values: list[Any]) -> Any:
        total = values[0] if values else 0
        for value in values[1:]:
            total = self.operation(_FOLDS[name], total, value)
        return self.operation("div", total, len(values)) if name in ("mean", "average") and values else total

    def _number_in(self, text: str) -> Any:
        try:
            return constant(float(text))
        except ValueError:
            return generic(text, certain=True)

    def _spaced(self, name: str, args: list[Any]) -> Any:
        plain = [a for a in args if isinstance(a, int)]
        if name == "arange" and len(plain) == len(args):
            return Array(list(range(*args[:3]))[:MOST_TURNS] if 0 not in args[2:] else [])
        if name == "arange" or len(args) < 2:
            return None
        count = args[2] if len(args) > 2 and isinstance(args[2], int) else MOST_TURNS
        parts = min(max(count, 2), MOST_TURNS) - 1
        wide = self.operation("sub", args[1], args[0])
        return Array(self.operation("add", args[0], self.operation("mult", wide, n / parts or 0)) for n in range(parts + 1))

    def _real(self, value: Any) -> Any:
        if not isinstance(value, Number) or abs(value.whole.imag) < 1e-12:
            return value
        made = Number(complex(value.whole.real), complex(value.half.real), certain=True, owed=value.owed)
        return self.broken("imaginary", made)

    def imaginary(self, value: Any, name: str) -> Any:
        """An imaginary part; a derivative, where it comes from a small imaginary step."""
        for n in numbers_in(value)[:1]:
            whole, half = (z.imag if name == "imag" else math.atan2(z.imag, z.real) for z in (n.whole, n.half))
            part = Number(complex(whole), complex(half), certain=True, owed=n.owed)
            turn = Number(*(complex(abs(z.imag / z.real) if z.real else 1) for z in (n.whole, n.half)))
            turned = 0 < abs(turn.whole) <= STEP and turn.shrinks < 0.75
            return self.broken("complex-step" if turned else "imaginary", part)
        return self.broken("imaginary", generic("imag", value))

    def _on_a_grid(self, args: list[Any]) -> bool:
        """Whether points that come together with the steps, and values that do so too, are handed to one function."""
        rows = [self._flat(a) for a in args if isinstance(a, list | tuple) and len(a) > 1]
        return len(rows) > 1 and sum(map(self._comes_together, rows[:3])) > 1

    def _comes_together(self, row: list[Any]) -> bool:
        numbers = [v if isinstance(v, Number) else as_number(v) for v in row if isinstance(v, Number) or is_finite(v)]
        pairs = [combined("sub", a, b)[0] for a, b in zip(numbers, numbers[1:], strict=False)]
        return bool(pairs) and all(isinstance(p, Number) and p.whole and p.shrinks < 0.75 for p in pairs)

    def iterate(self, value: Any, most: int = MOST_TURNS) -> list[Any]:
        """The values that a loop takes, as far as known; after many, one that stands for all others."""
        if isinstance(value, Instance) and isinstance(method := value.of.find("__iter__"), Function):
            value = self.call(Bound(method, (value,)), [], {})
        if isinstance(value, Instance) and value.of.fields:
            value = [*value.members.values()]
        if isinstance(value, str | list | tuple | dict | set | range):
            few = [v for v, _ in zip(value, range(most), strict=False)]
            self.spend(len(few) // 4)
            if len(value) <= most:
                return few
            rest = [v for v, _ in zip(reversed([*value][most:]), range(1000), strict=False)] if not isinstance(value, range) else []
            return [*few, either(rest) if rest and not isinstance(value, str) else generic("turn", certain=True)]
        line = getattr(self.at[0], "lineno", 0)
        return [generic(("turn", n, line), value) for n in (1, 2)]

    def _as_array(self, values: Any) -> Array:
        self.spend(len(values))
        return Array(self._as_array(v) if isinstance(v, list | tuple) else v for v in values)

    def _flat(self, values: Any) -> list[Any]:
        self.spend(len(values))
        return [n for v in values for n in (self._flat(v) if isinstance(v, list | tuple) else [v])]
