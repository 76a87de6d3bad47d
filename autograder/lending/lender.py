"""The student's end: what the notebook's names hold is lent, data as copies, all else by a number (a *handle*).

An order names a handle and what to do with it: call it, look up an attribute, add to it. Whatever that does happens
here, where it prints unheard and within seconds; what comes of it goes back as data, or as another handle. It never
raises.
"""

from __future__ import annotations

import collections
import collections.abc
import contextlib
import inspect
import operator
import os
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from autograder.lending.arguments import changeable
from autograder.lending.coder import Coder
from autograder.lending.errors import Malformed, NotData
from autograder.lending.kinds import MOST_BASES, TYPES, Json
from autograder.lending.plain import plain_data, plain_type
from autograder.lending.reader import Reader
from autograder.lending.specials import EXCEPTIONS, SPECIALS
from autograder.student.call import TooLong, captured, limited
from autograder.student.faults import fault_of

LOST = "the notebook was run again since it was made, because a cell or a call had to be stopped"
MOST_HANDLES = 100_000
_MOST_TEXT = 4000
_MOST_NAMES = 200


class Lender:
    """`namespace` is the notebook's; `call_back` calls a function of the examiner's, which was given as an argument."""

    def __init__(self, namespace: Mapping[str, Any], call_back: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        self._namespace, self._call_back = namespace, call_back
        self.loan = os.urandom(8).hex()
        """Handles are of this loan alone: another process of the same room has other objects under the numbers."""
        self._things: list[Any] = []
        self._numbers: dict[int, int] = {}
        self._theirs: dict[int, Any] = {}
        """Functions of the examiner's by their number, so that the same one is the same here."""

    def answer(self, order: Mapping[str, Any]) -> dict[str, Any]:
        if order["do"] == "names":
            held = [name for name in order["names"] if name in self._namespace]
            return {"loan": self.loan, "names": {name: self._lent(self._namespace[name]) for name in held}}
        if order["loan"] != self.loan:
            return {"cannot": LOST}
        try:
            read = Reader(self._given)
            args = read.items(order["args"])
            named = {name: read.read(value) for name, value in order.get("named", {}).items()}
            given = [*args, *named.values()]
            before = self._plain(given)
            kept = {id(value): number for number, value in enumerate(changeable(given))}
            with captured(), limited():
                value = self._do(order, args, named)
            reply = {"value": Coder(self._handle, kept).encode(value)}
            after = self._plain(given) if before is not None else None
            if after is not None and after != before:
                reply["changed"] = Coder(self._handle, kept).items(given)
            return reply
        except NotData as error:
            return {"cannot": str(error)[:_MOST_TEXT]}
        except BaseException as error:
            return {"raised": self._raised(error)}

    def _lent(self, value: Any) -> Json:
        if inspect.ismodule(value):  # what it holds may judge; a cell of the course's imports its own
            return ["cannot", "it is a module"]
        try:
            return Coder(self._handle).encode(value)
        except NotData as error:
            return ["cannot", str(error)[:_MOST_TEXT]]
        except BaseException as error:  # an object of the student's, or no memory for another copy
            return ["cannot", f"{type(error).__name__} when it was copied"[:_MOST_TEXT]]

    def _do(self, order: Mapping[str, Any], args: list[Any], named: dict[str, Any]) -> Any:
        thing, name = self._things[order["of"]], order["name"]
        match order["do"]:
            case "call":
                return thing(*args, **named)
            case "method":
                return getattr(thing, name)(*args, **named)
            case "special":
                ask = _OPERATORS.get(name) or getattr(type(thing), name)
                return ask(thing, *args, **named)
            case "get":
                return self._attribute(thing, name)
            case "set":
                return setattr(thing, name, args[0])
            case "delete":
                return delattr(thing, name)
            case "dir":
                return [str(name) for name in dir(thing)]
        raise Malformed(f"no order {order['do']}")

    def _plain(self, values: list[Any]) -> list[Json] | None:
        """The values as data to compare, if any of them can change; None also of one that holds itself now."""
        if changeable(values):
            with contextlib.suppress(NotData):
                return Coder(lambda thing: ["thing", id(thing)]).items(values)
        return None

    def _attribute(self, thing: Any, name: str) -> Any:
        value = getattr(thing, name)
        # A method is a new object at each look: it is told by the object's number and its name, and needs no handle.
        if inspect.ismethod(value) and value.__self__ is thing and value.__name__ == name:
            return _Method(thing, name, value)
        return value

    def _given(self, data: list[Json]) -> Any:
        match data:
            case ["theirs", int(number)]:
                return self._things[number]
            case ["global", str(module), str(name)]:
                return getattr(import_module(module), name)
            case ["ours", int(number), str(name)]:
                return self._theirs.setdefault(number, self._function(number, name))
        raise Malformed("an argument that has no form of data")

    def _function(self, number: int, name: str) -> Callable[..., Any]:
        def given(*args: Any, **named: Any) -> Any:
            coder = Coder(self._handle)
            order = {"of": number, "args": coder.items(args), "named": {n: coder.encode(v) for n, v in named.items()}}
            reply = self._call_back(order)
            if "raised" in reply:
                kind, text = reply["raised"]
                raise EXCEPTIONS.get(kind, RuntimeError)(text)
            return Reader(self._given).read(reply["value"])

        given.__name__ = given.__qualname__ = name
        return given

    def _handle(self, thing: Any) -> Json:
        if isinstance(thing, _Method):
            return [
                "method",
                self._handle(thing.of),
                thing.name,
                _text(thing.method.__doc__),
                self._signature(thing.method),
            ]
        if isinstance(thing, type) and EXCEPTIONS.get(name := thing.__name__) is thing:
            return ["exception", name]
        for number, function in self._theirs.items():
            if function is thing:
                return ["ours", number]
        known = self._numbers.get(id(thing))
        if known is not None:
            return ["theirs", known]
        if len(self._things) >= MOST_HANDLES:
            raise NotData(f"more than {MOST_HANDLES} objects")
        number = self._numbers[id(thing)] = len(self._things)
        self._things.append(thing)  # and so it lives on, and its id is nobody else's
        return ["theirs", number, self._description(thing)]

    def _description(self, thing: Any) -> Json:
        if inspect.isroutine(thing):
            name = _text(getattr(thing, "__name__", "")) or "function"
            return ["function", name, _text(getattr(thing, "__doc__", None)), self._signature(thing)]
        if isinstance(thing, type):
            own = [base for base in thing.__bases__ if base not in _ROOTS][:MOST_BASES]
            bases = Coder(self._handle).items(own)
            raised = next((base.__name__ for base in thing.__mro__ if EXCEPTIONS.get(base.__name__) is base), "")
            specials = [name for name in (*SPECIALS, *_shadows(thing)) if _defines(thing, name)]
            specials += [name for name, kinds in _CONTENTS.items() if issubclass(thing, kinds)]
            about = [_text(thing.__name__), _text(thing.__doc__), self._signature(thing)]
            return ["class", *about, raised, specials, *bases]
        data = [] if plain_type(type(thing)) is None else [Coder(self._handle).encode(plain_data(thing))]
        return ["instance", self._handle(type(thing)), *data]

    def _signature(self, thing: Any) -> Json:
        """A list a parameter: name, kind, and in a list of its own the default; None where there is no signature."""
        try:
            parameters = list(inspect.signature(thing).parameters.values())[:_MOST_NAMES]
        except (TypeError, ValueError):
            return None
        return [
            [_text(p.name), int(p.kind), [] if p.default is p.empty else [self._lent(p.default)]] for p in parameters
        ]

    def _raised(self, error: BaseException) -> Json:
        """Class, nearest built-in class, arguments where they are data, text, and where in the student's cell."""
        kind = type(error)
        if kind is TooLong:
            return {"base": "TimeoutError", "text": _text(str(error)), "stopped": True}
        base = next((base.__name__ for base in kind.__mro__ if EXCEPTIONS.get(base.__name__) is base), "RuntimeError")
        raised: dict[str, Any] = {"base": base}
        try:
            told = fault_of(error, in_call=True)
            raised.update(text=_text(str(error)), line=told.line, source=_text(told.source))
            raised["args"] = self._lent(list(error.args))
            kept = [(name, value) for name, value in vars(error).items() if type(name) is str]
            raised["attributes"] = {_text(name): self._lent(value) for name, value in kept[:_MOST_NAMES]}
            if EXCEPTIONS.get(kind.__name__) is not kind:
                raised["own"] = self._lent(kind)
        except BaseException:  # its text, or its class, is the student's own code
            raised.setdefault("text", "")
        return raised


class _Method:
    """A method, on its way to the examiner."""

    def __init__(self, of: Any, name: str, method: Any) -> None:
        self.of, self.name, self.method = of, name, method


_ROOTS = frozenset((object, *EXCEPTIONS.values(), *(kind for kind in TYPES.values() if plain_type(kind) is not kind)))
"""Bases of which a stand-in knows nothing: of a subclass of list everything is asked."""


def _text(value: Any) -> str:
    return value[:_MOST_TEXT] if type(value) is str else ""


_OPERATORS: dict[str, Callable[..., Any]] = {"__getitem__": operator.getitem, "__len__": len, "__iter__": iter}
"""Of a class these may be its own (`Stack[int]`) or its metaclass's (`Color["RED"]`)."""


_CONTENTS: dict[str, tuple[type, ...]] = {
    "list": (list, collections.UserList),
    "dict": (collections.abc.Mapping,),
    "set": (collections.abc.Set,),
}
"""Objects that are equal to a plain one of the same contents. A frozenset is plain data, whatever its class adds."""


def _shadows(kind: type) -> list[str]:
    """Public names that a plain type has: `count` may be a field of a named tuple."""
    return [name for name in dir(plain_type(kind) or object) if not name.startswith("_")]


def _defines(kind: type, name: str) -> bool:
    """Whether a class has this special method, and neither from `object` nor from a plain type."""
    found, plain = getattr(kind, name, None), plain_type(kind) or object
    return found is not None and found not in (getattr(object, name, None), getattr(plain, name, None))
