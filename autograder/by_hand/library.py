"""Functions of Python and of packages that call what they are given, find things by name, or make classes."""

from __future__ import annotations

from itertools import accumulate, islice, pairwise
from typing import Any

from autograder.by_hand.numeric import MOST_ENTRIES, Numeric
from autograder.by_hand.reading import UNDEFINED
from autograder.by_hand.rules import words
from autograder.by_hand.values import (
    NOTHING,
    Bound,
    Choice,
    Class,
    Findings,
    Function,
    Instance,
    Number,
    PackageName,
    either,
    generic,
    is_finite,
    is_plain,
    options,
)

_CALLABLE_AGAIN = set(words("lru_cache cache update_wrapper jit njit compile staticmethod"))
_LOOKS = set(words("print isinstance issubclass type id repr hasattr callable len display"))
_COMPARES = set(words("print display allclose isclose equal assert_close assert_allclose"))
_POLYNOMIALS = set(words("poly1d Polynomial"))
_UNKNOWN = object()
_NUMERIC_PACKAGES = ("torch.", "numpy.", "math.", "cmath.")


class Library(Numeric):
    def __init__(self) -> None:
        super().__init__()
        self.saved: list[Any] = []
        """What was written into files, which may be read again."""

    def only_looks(self, function: Any) -> bool:
        """Whether it only looks at its arguments: `print(x.grad)` takes no derivative from anywhere."""
        return isinstance(function, PackageName) and function.path.rpartition(".")[2] in _LOOKS

    def compares(self, function: Any) -> bool:
        """Whether it only prints or compares what it is given."""
        return isinstance(function, PackageName) and function.path.rpartition(".")[2] in _COMPARES

    def library(self, path: str, args: list[Any], named: dict[str, Any]) -> Any:
        """What a call of `path` gives, which owes what speaks against calling it."""
        name, short = path.rpartition(".")[2], path.removeprefix("builtins.")
        for known in (self._by_name, self._calls_or_lists):
            value = known(short, args, named)
            if value is not _UNKNOWN:
                return value
        value = None
        owed = self.findings_of(PackageName(path))
        if path.startswith(UNDEFINED):
            owed = frozenset((self.finding("undefined"),))
        if not self.only_looks(PackageName(path)):
            owed = owed.union(*(self.findings_of(a) for a in (*args, *named.values())))
        owed |= self._polynomial_of(name, args)
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
        else:
            value = self.numeric(name, args)
        if value is None:
            certain = path.startswith(_NUMERIC_PACKAGES) or None
            given = [*args, *named.values()]
            value = generic(path, *map(self.as_operand, given), certain=certain)
            for kind in (v for v in given if isinstance(v, Class)):  # a package makes an object of it and calls that
                self.instantiate(kind, [], {})
            every = [
                v for g in given for v in ([*g.values()] if isinstance(g, dict) else g if isinstance(g, list) else [g])
            ]
            layers = [v for v in every if isinstance(v, Instance) and v.of.packages and v.of.find("forward")]
            wrapped = [*(v for v in every if isinstance(v, Function | Bound)), *layers]
            value.members.update({"__wrapped__": either(wrapped)} if wrapped else {})
        self.report(owed)
        return self.owing(value, owed) if not args or value is not args[0] else value

    def _polynomial_of(self, name: str, args: list[Any]) -> Findings:
        """What speaks against a polynomial whose coefficients are no constants: its powers hold derivatives."""
        rows = [a for a in args[:1] if isinstance(a, list | tuple)] if name in _POLYNOMIALS else []
        computed = any(isinstance(part, Number) and part.exact is None for row in rows for part in row)
        return frozenset((self.finding("matrices"),)) if computed else NOTHING

    def decide(self, *values: Any) -> None:
        """What is chosen by a difference that a step made is a finite difference, though nothing is divided."""
        if any(isinstance(one, Number) and one.cancels for value in values for one in options(value)):
            self.report((self.finding("difference-like"),))

    def _by_name(self, path: str, args: list[Any], named: dict[str, Any]) -> Any:  # noqa: PLR0912 - one a function
        first = args[0] if args else None
        match path, args:
            case "getattr", [_, str(name), *rest]:
                missing = isinstance(first, Instance) and rest and name not in first.members and not first.of.find(name)
                return rest[0] if missing else either(self.attribute(one, name) for one in options(first))
            case "getattr", [Instance() as made, *_] if not made.of.packages:
                return either([*made.members.values()] or [generic("attribute")])
            case "setattr", [_, str(name), value]:
                self.set_attribute(first, name, value)
                return generic("nothing")
            case (("__import__" | "importlib.import_module"), [str(name), *_]):
                whole = path.endswith("import_module")
                return self.files.get(name) or PackageName(name if whole else name.split(".")[0])
            case "sys.modules.get", [str(name), *_]:
                return PackageName(name)
            case (("IPython" | "IPython.get_ipython"), []):
                return PackageName("IPython.shell")
            case "globals", []:
                return self.at[1].top.names
            case (("vars" | "locals"), []):
                return self.at[1].names
            case "vars", [_]:
                return self.attribute(first, "__dict__")
            case "functools.wraps", _:
                return PackageName("functools.update_wrapper")
            case "super", _:
                owner = self.active[-1][0].scope.owner if self.active else None
                me = next(iter(self.at[1].names.values()), None)
                if isinstance(owner, Class) and isinstance(me, Instance):
                    return Instance(Class({}, owner.bases), me.members)
            case "type", [Instance() as made]:
                return made.of
            case "type", [str(), tuple() as bases, dict() as members]:
                return self.new_class(members, [*bases])
            case "types.SimpleNamespace", _:
                return Instance(self.new_class({}, []), dict(named))
            case (("collections.namedtuple" | "typing.NamedTuple" | "dataclasses.make_dataclass"), [str(), fields, *_]):
                texts = fields.replace(",", " ").split() if isinstance(fields, str) else self.iterate(fields)
                firsts = [t[0] if isinstance(t, list | tuple) and t else t for t in texts]
                return self.new_class({}, [PackageName("builtins.tuple")], [n for n in firsts if isinstance(n, str)])
            case (("operator.attrgetter" | "operator.methodcaller"), [text, *_]):
                names = text.split(".") if isinstance(text, str) else ["__getattribute__"]
                found = [self.findings_of(self.attribute(generic("object"), n)) for n in names]
                return self.owing(Bound("getter", ()), NOTHING.union(*found))
        return _UNKNOWN

    def _calls_or_lists(self, path: str, args: list[Any], named: dict[str, Any]) -> Any:  # noqa: PLR0912 - one a function
        first = args[0] if args else None
        if path in ("max", "min", "sorted") and "key" in named:
            every = args if len(args) > 1 else self.iterate(first)
            numbers = all(isinstance(v, Number) or is_finite(v) for v in every)  # of numbers, any
            self.decide(self.call(named["key"], [generic("one of", *every) if numbers else either(every)], {}))
        match path, args:
            case "isinstance", [value, kind]:
                known = self.is_instance(value, kind)
                return generic("isinstance", certain=True) if known is None else known
            case "len", [str() | list() | tuple() | dict() | set() | range()]:
                return len(args[0])
            case "range", [*_] if all(isinstance(a, int) for a in args) and 0 < len(args) < 4 and 0 not in args[2:]:
                return range(*args)
            case "dataclasses.field", _:
                given = named.get("default")
                return self.call(named["default_factory"], [], {}) if "default_factory" in named else given
            case (
                ("list" | "tuple" | "iter" | "reversed" | "sorted" | "collections.deque" | "itertools.chain"),
                [_, *_],
            ):
                entries = [v for a in args for v in self.iterate(a, MOST_ENTRIES)]
                return tuple(entries) if path == "tuple" else entries[::-1] if path == "reversed" else entries
            case (("list" | "collections.deque"), []):
                return []
            case "set", []:
                return set()
            case (("dict" | "collections.defaultdict" | "collections.OrderedDict"), _):
                made: dict[Any, Any] = {}
                for given in args:
                    pairs = [*given.items()] if isinstance(given, dict) else self.iterate(given, MOST_ENTRIES)
                    pairs = [p for p in pairs if isinstance(p, list | tuple) and len(p) == 2]
                    made.update({k: v for k, v in pairs if is_plain(k)})
                return {**made, **named}
            case "next", [list() as values, *_] if values:
                return values.pop(0)
            case (("max" | "min"), [_, *_]) if "key" in named or len(args) > 1:
                return either(args if len(args) > 1 else self.iterate(first) or [None])
            case (("zip" | "itertools.product"), _):
                return [*map(tuple, zip(*(self.iterate(a, MOST_ENTRIES) for a in args), strict=False))]
            case "enumerate", [_, *start]:
                entries = self.iterate(first, MOST_ENTRIES)
                return [*enumerate(entries, *[s for s in start if isinstance(s, int)])]
            case "itertools.pairwise", [_]:
                return [*pairwise(self.iterate(first, MOST_ENTRIES))]
            case "itertools.accumulate", [_, *step]:
                entries = [*([named["initial"]] if "initial" in named else []), *self.iterate(first)]
                add = step[0] if step else named.get("func", PackageName("operator.add"))
                return [*accumulate(entries, lambda total, value: self.call(add, [total, value], {}))]
            case "itertools.repeat", [_, int(times)]:
                return [first] * min(times, MOST_ENTRIES)
            case "filter", [_, many]:
                return self.iterate(many)
            case _, [Function() | Bound() | Choice() | PackageName(), _, *_] if path.endswith("map"):
                self.report(self.findings_of(PackageName(path if "." in path else f"builtins.{path}")))
                rows = zip(*(self.iterate(a) for a in args[1:]), strict=False)
                return [self.call(first, [*row], {}) for row in rows]
            case "functools.reduce", [_, many, *start]:
                total, *rest = [*start, *self.iterate(many)] or [generic("nothing")]
                for value in rest:
                    total = self.call(first, [total, value], {})
                return total
            case "pickle.dumps", [_, *_]:
                return Bound("pickled", (first,))
            case "pickle.dump", [_, Number() as file, *_]:
                file.members["pickled"] = first
                return None
            case "pickle.load", [Number() as file] if "pickled" in file.members:
                return file.members["pickled"]
            case "pickle.loads", [Bound(function="pickled", first=(value,))]:
                return value
            case (("fractions.Fraction" | "complex" | "torch.complex"), [_, second]):
                if path.endswith("complex"):
                    whole = self.operation("add", first, self.operation("mult", second, 1j))
                    return self.broken("imaginary", whole)
                return self.operation("div", first, second)
        return _UNKNOWN

    def new_class(self, members: dict[str, Any], bases: list[Any], fields: list[str] | None = None) -> Class:
        made = Class(dict(islice(members.items(), 1_000)), bases, fields or [])
        self.spend(len(made.order))
        self.own.update(made.members, made.fields)
        self.classes.append(made)
        return made
