"""The examiner's end: what one submission lends, under its names: copies of data, and stand-ins for all else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from autograder.lending import arguments, own, stand_ins
from autograder.lending.coder import Coder
from autograder.lending.errors import CannotBeHad, Malformed, NotData
from autograder.lending.kinds import MOST_BASES, Json
from autograder.lending.reader import Reader, text, whole
from autograder.lending.specials import CHANGES, EXCEPTIONS, FAMILIES, JUDGING
from autograder.lending.stand_ins import Absent

Order = dict[str, Any]
Ask = Callable[[Order, Callable[[Order], Order]], Order]

CANNOT = "{what} cannot be had here: {why}."
NO_FORM = "the room where the answer runs did not keep to the form"
NOT_SENT = "{what} cannot be given an argument here: {why}."
_MOST_TOLD = 400


class Loan:
    """`ask` sends an order to the student's room and returns its reply. Meanwhile that room may call the functions that
    were given to it, by the second argument of `ask`.
    """

    def __init__(self, ask: Ask) -> None:
        self._ask_room = ask
        self._allowed: frozenset[tuple[str, str]] | None = frozenset()
        self.asked: set[tuple[str, str]] = set()
        """The pairs (class, special method) of `JUDGING` that this cell has asked."""
        self._number = ""
        self._bound: dict[str, tuple[list[Json], Any]] = {}
        """The record that a name had when it was bound, in a list because it may be None, and to what it was bound."""
        self._changing = False
        self.kept = False
        """Whether an argument was kept as it was, although the function has changed it."""
        self._known: dict[int, Any] = {}
        self._bound_as: dict[int, set[str]] = {}
        """The names to which stand-ins were bound, by their handles."""
        self._ours: list[Callable[..., Any]] = []

    def begin(self, wanted: Mapping[str, Any], namespace: dict[str, Any], changing: bool = False) -> list[str]:
        """Binds the `names` to what they hold in the student's room, and returns those that are bound.

        A name that holds what it held the last time is left as the tests have left it since, and one that has gone
        there goes here as well. `asked` are the pairs that may be asked. Where it is None the course's own solution is
        tried: all may, and a name that the course has given as well is borrowed only if it is one of `rebound`, or
        data that has changed. What students' cells import (`imports`) is never borrowed, because it may judge. With
        `changing`, functions may change their arguments.
        """
        tried = wanted["asked"] is None
        self._allowed = None if tried else frozenset((kind, name) for kind, name in wanted["asked"])
        self._changing, self.kept = changing, False
        self.asked = set()
        mine = own.imported(wanted["imports"], namespace)
        names = [name for name in wanted["names"] if not tried or name not in mine or name in wanted["rebound"]]
        reply = self._ask({"do": "names", "names": names})
        lent, number = reply.get("names"), reply.get("loan")
        if type(lent) is not dict or type(number) is not str:
            lent, number = {name: ["cannot", NO_FORM] for name in names}, ""
        if number != self._number:
            self._known.clear()
            self._bound_as.clear()
        if number != self._number or changing:  # the test runs again, with new copies
            self._bound.clear()
        self._number = number
        for name in names:
            seen, value = self._bound.get(name, (None, namespace))
            ours = name in namespace and namespace[name] is not value
            if name not in lent:
                if not ours and self._bound.pop(name, None) is not None:
                    namespace.pop(name, None)
                continue
            record = lent[name]
            now = [record[:2] if type(record) is list and record[:1] == ["theirs"] else record]
            given = tried and ours and name not in wanted["rebound"] and not own.differs(namespace[name], record)
            if seen != now and not given:
                namespace[name] = self._named(name, record)
                self._bound[name] = now, namespace[name]
                match record:
                    case ["theirs", int(handle), *_]:
                        self._bound_as.setdefault(handle, set()).add(name)
        return [name for name in names if name in self._bound]

    def do(
        self, order: str, handle: int, name: str = "", args: Any = (), named: Mapping[str, Any] | None = None
    ) -> Any:
        """What comes of an order, or the exception that it has raised. `CannotBeHad` if it has no form of data."""
        called = not name or name == "__call__"
        known = getattr(self._known.get(handle), "__name__", "the call")
        labels = self._bound_as.get(handle, {known}) if called else {name}
        label = min(labels)
        message: Order = {"do": order, "loan": self._number, "of": handle, "name": name, "label": label}
        try:
            coder = Coder(self._given)
            message["args"] = coder.items(args)
            message["named"] = {key: coder.encode(value) for key, value in (named or {}).items()}
        except NotData as error:
            raise CannotBeHad(NOT_SENT.format(what=label, why=error)) from None
        reply = self._ask(message)
        what = f"What {label} gives"
        try:
            if "raised" in reply:
                raised = self._error(reply["raised"])
                ends = isinstance(raised, StopIteration | StopAsyncIteration)
                if ends and not (
                    order == "special" and name in ("__next__", "__anext__")
                ):  # it would end a loop of the test's
                    raised = stand_ins.error(RuntimeError, None, f"{label} raised StopIteration", None, "")
            elif "cannot" in reply:
                raise CannotBeHad(CANNOT.format(what=what, why=text(reply["cannot"])))
            else:
                if "value" not in reply:
                    raise Malformed("no reply")
                given = arguments.changeable([*args, *(named or {}).values()])
                return self._read_back(reply, given, labels)
        except (Malformed, RecursionError):
            raise CannotBeHad(CANNOT.format(what=what, why=NO_FORM)) from None
        raise raised

    def _read_back(self, reply: Order, given: list[Any], function: set[str]) -> Any:
        """What a call gives; where that, or what it has changed, is one of the objects `given`, it is this very object.

        Where the function must not change them (it may be known by several names), they stay, and copies are returned.
        """
        changed = reply.get("changed")
        if changed is not None and type(changed) is not list:
            raise Malformed("no arguments")
        allowed = not changed or self._changing or all(self.may(name, CHANGES) for name in function)
        self.kept |= not allowed

        def other(data: list[Json]) -> Any:
            match data:
                case ["kept", number, content]:
                    own = given[_index(number, len(given))]
                    if not changed:
                        return own
                    now = reader.read(content)
                    if allowed:
                        arguments.become(own, now)
                    return own if allowed else now
            return self._stand_in(data)

        reader = Reader(other)
        try:
            if changed and allowed:
                reader.items(changed)
            return reader.read(reply["value"])
        except (TypeError, ValueError):
            raise Malformed("no change of an argument") from None

    def may(self, what: str, name: str) -> bool:
        """Whether this may be asked of it: whether the course's own solution was asked the same."""
        if self._allowed is not None and (what, name) not in self._allowed:
            return False
        self.asked.add((what, name))
        return True

    def special(self, thing: Any, name: str, args: Any, named: Any = None) -> Any:
        """What a special method of a student's object gives; NotImplemented where it must not be asked.

        Methods of a family may stand for each other: a class has one of them, another class another.
        """
        other = stand_ins.operand(args[0]) if args else ("",)
        may = [self.may(type(thing).__name__, FAMILIES.get(name, name) + kind) for kind in other]
        handle = stand_ins.handle_of(thing)
        if (name in JUDGING and not any(may)) or handle is None:
            return NotImplemented
        return self.do("special", handle, name, args, named)

    def called_back(self, call: Order) -> Order:
        """Calls a function that was given to the student's as an argument; what it gives or raises, as data."""
        try:
            named = call.get("named", {})
            if type(named) is not dict:
                raise Malformed("no names")
            args = Reader(self._stand_in).items(call.get("args", []))
            function = self._ours[_index(call.get("of"), len(self._ours))]
            value = function(*args, **{text(key): self._read(value) for key, value in named.items()})
            return {"value": Coder(self._given).encode(value)}
        except BaseException as error:  # an exit as well: the student's room waits for a reply
            kind = next(base.__name__ for base in type(error).__mro__ if EXCEPTIONS.get(base.__name__) is base)
            return {"raised": [kind, str(error)[:_MOST_TOLD]]}

    def _ask(self, order: Order) -> Order:
        return self._ask_room(order, self.called_back)

    def _read(self, data: Json) -> Any:
        return Reader(self._stand_in).read(data)

    def _named(self, name: str, data: Json) -> Any:
        try:
            if type(data) is list and data[:1] == ["cannot"]:
                return Absent(CANNOT.format(what=name, why=text(data[1])))
            return self._read(data)
        except (Malformed, IndexError, RecursionError):
            return Absent(CANNOT.format(what=name, why=NO_FORM))

    def _given(self, value: Any) -> Json:
        """Writes what is no data of the examiner's: stand-ins by their handle, functions to be called back."""
        handle = stand_ins.handle_of(value)
        if handle is not None:
            return ["theirs", handle]
        if callable(value):
            if found := own.name_of(value):
                return ["global", *found]
            if not isinstance(value, type):
                if not any(known is value for known in self._ours):
                    self._ours.append(value)
                number = next(at for at, known in enumerate(self._ours) if known is value)
                return ["ours", number, str(getattr(value, "__name__", "function"))[:100]]
        raise NotData(f"it is of type {type(value).__name__}")

    def _stand_in(self, data: list[Json]) -> Any:
        """Reads what `Lender` has written of what is no data."""
        try:
            return self._known_or_made(data)
        except (TypeError, ValueError, KeyError, IndexError, AttributeError, RecursionError):
            # no description, bases that do not go together, two parameters of one name, a NUL in a name
            raise Malformed("a value that has no form of data") from None

    def _known_or_made(self, data: list[Json]) -> Any:
        match data:
            case ["ours", number]:
                return self._ours[_index(number, len(self._ours))]
            case ["exception", str(name)]:
                return EXCEPTIONS[name]
            case ["method", list(of), str(name), str(doc), signature]:
                owner = stand_ins.handle_of(self._stand_in(of))
                if owner is None:
                    raise Malformed("a method of nothing")

                def ask(args: Any, named: Any) -> Any:
                    return self.do("method", owner, name, args, named)

                return stand_ins.function(name, doc, stand_ins.signature(signature, self._read), ask)
            case ["theirs", int(number), *about]:
                if number not in self._known:
                    self._known[number] = self._made(number, *about)
                return self._known[number]
        raise Malformed("a value that has no form of data")

    def _made(self, handle: int, about: Json) -> Any:
        match about:
            case ["function", str(name), str(doc), signature]:
                return stand_ins.function(
                    name,
                    doc,
                    stand_ins.signature(signature, self._read),
                    lambda args, named: self.do("call", handle, "", args, named),
                    handle,
                )
            case ["class", str(name), str(doc), signature, str(raised), list(specials), *bases] if (
                len(bases) <= MOST_BASES
            ):
                above = tuple(base for base in map(self._read, bases) if isinstance(base, type))
                if raised:
                    return stand_ins.exception(name, raised, above)
                made = stand_ins.class_(name, doc, specials, above)
                return stand_ins.owned(made, self, handle, stand_ins.signature(signature, self._read))
            case ["instance", list(of), *data]:
                return stand_ins.instance(self._stand_in(of), self, handle, *map(self._read, data))
        raise ValueError(about)

    def _error(self, raised: Json) -> BaseException:
        if type(raised) is not dict:
            raise Malformed("no exception")
        kind: Any = EXCEPTIONS.get(text(raised.get("base")), RuntimeError)
        if raised.get("own") is not None:
            theirs = self._read(raised["own"])
            kind = theirs if isinstance(theirs, type) and issubclass(theirs, kind) else kind
        args = raised.get("args")
        given = self._read(args) if type(args) is list and args[:1] in (["list"], ["floats"]) else None
        kept = raised.get("attributes", {})
        if type(kept) is not dict:
            raise Malformed("no attributes")
        attributes = {
            name: self._named(name, value)
            for name, value in kept.items()
            if name not in _OWN and not stand_ins.is_hook(name)
        }
        line = raised.get("line")
        source = text(raised.get("source", ""))
        made = stand_ins.error(kind, given, text(raised.get("text")), line if type(line) is int else None, source)
        vars(made).update(attributes)
        return made


_OWN = frozenset(dir(BaseException))
"""Attributes that an exception of the student's must not hide."""


def _index(data: Json, size: int) -> int:
    if not 0 <= whole(data) < size:
        raise Malformed("a number of nothing")
    return int(data)
