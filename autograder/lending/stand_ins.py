"""Stand-ins for a student's functions, classes and objects: they ask the student's room, and hold none of its code.

A stand-in is a real function, class or object of the examiner's process, so that `inspect`, `isinstance` and
`except` work with it. All that it knows is a *handle*, by which the student's room finds the thing.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, NoReturn, Protocol

import numpy as np

from autograder.lending.errors import CannotBeHad
from autograder.lending.plain import plain_data, plain_type
from autograder.lending.reader import text, whole
from autograder.lending.specials import EXCEPTIONS, NUMBERS, SPECIALS

_HANDLE, _LOAN, _TEXT, _CONTENTS = "__handle__", "__loan__", "__text__", "__contents__"
_MOST_NOTE = 200


class Asker(Protocol):
    """Asks the student's room (`loan`)."""

    def do(self, order: str, handle: int, name: str = "", args: Any = (), named: Any = None) -> Any: ...

    def special(self, thing: Any, name: str, args: Any, named: Any) -> Any: ...

    def may(self, what: str, name: str) -> bool: ...


def handle_of(value: Any) -> int | None:
    """The handle of a stand-in; None of anything else."""
    if isinstance(value, _Instance) or inspect.isfunction(value):
        return vars(value).get(_HANDLE)
    return _of(value, _HANDLE) if isinstance(value, _Class) else None


def operand(value: Any) -> tuple[str, ...]:
    """By which kinds another operand counts: a stand-in by its class, data by none, and what is both by either."""
    if handle_of(value) is None:
        return ("",)
    kind = f" {type(value).__name__}"
    return (kind,) if plain_type(type(value)) is None else (kind, "")


def function(
    name: str, doc: str, signature: inspect.Signature | None, ask: Callable[[Any, Any], Any], handle: int | None = None
) -> Callable[..., Any]:
    """Stands for a function or a method; `ask` gets the arguments by position and by name."""

    def stand_in(*args: Any, **named: Any) -> Any:
        return ask(args, named)

    stand_in.__name__ = stand_in.__qualname__ = name
    stand_in.__doc__, stand_in.__module__ = doc or None, "__main__"
    if signature is not None:
        vars(stand_in)["__signature__"] = signature
    if handle is not None:
        vars(stand_in)[_HANDLE] = handle
    return stand_in


def signature(parameters: Any, read: Callable[[Any], Any]) -> inspect.Signature | None:
    """The signature of a function as the student's room tells it; `read` reads defaults. `Malformed` if it is none."""
    if parameters is None:
        return None
    made = []
    for name, kind, default in parameters:
        given = inspect.Parameter.empty
        if default and not (type(default[0]) is list and default[0][:1] == ["cannot"]):
            given = read(default[0])
        made.append(inspect.Parameter(text(name), list(inspect._ParameterKind)[whole(kind)], default=given))
    return inspect.Signature(made)


def exception(name: str, base: str, above: tuple[type, ...]) -> type:
    """Stands for an exception class of the student's, so that a test can name it after `except`."""
    above = tuple(one for one in above if issubclass(one, BaseException))
    return type(name, above or (EXCEPTIONS[base],), {"__module__": "__main__", "__str__": _told})


def class_(name: str, doc: str, specials: Iterable[Any], above: tuple[type, ...]) -> type:
    """Stands for a class that has these special methods. `owned` says whose it is."""
    methods: dict[str, Any] = {special: _special(special) for special in SPECIALS if special in specials}
    if "__eq__" in methods:
        methods.setdefault("__hash__", None)  # as Python does it
    above = tuple(base for base in above if issubclass(base, _Instance) or plain_type(base) is base)
    if not any(issubclass(base, _Instance) for base in above):
        above = (*above, _Instance)
    if "__iter__" in methods or "__getitem__" in methods:
        methods["__array__"] = _as_array
    for contents in ("list", "dict", "set"):
        if contents in specials:
            methods[_CONTENTS] = {"list": list, "dict": dict, "set": set}[contents]
    made = _Class(name, above, {"__module__": "__main__", "__doc__": doc or None, **methods})
    if plain := plain_type(made):  # it is its data, and not what its class says
        for own in specials:  # a field or method of the class that its plain type has as well
            if type(own) is str and own[:2] != "__" and hasattr(plain, own):
                type.__setattr__(made, own, property(partial(_attribute, name=own)))
        type.__setattr__(made, "__array__", lambda self, dtype=None, copy=None: np.asarray(plain_data(self), dtype))
    return made


def owned(made: type, loan: Asker, handle: int, signature: inspect.Signature | None) -> type:
    for name, value in ((_HANDLE, handle), (_LOAN, loan), ("__signature__", signature)):
        if value is not None:
            type.__setattr__(made, name, value)
    return made


def instance(kind: type, loan: Asker, handle: int, *data: Any) -> Any:
    """Stands for an object of this class, which is a stand-in itself; `data` is what it holds if that is plain data.

    TypeError if the class is no stand-in, or the data is not of the type that it inherits from.
    """
    plain = plain_type(kind)
    if not issubclass(kind, _Instance) or [type(one) for one in data] != ([plain] if plain else []):
        raise TypeError("not a stand-in for a class")
    made = (plain or object).__new__(kind, *data)
    vars(made)[_HANDLE], vars(made)[_LOAN] = handle, loan
    return made


def error(kind: Any, args: list[Any] | None, said: str, line: int | None, source: str) -> BaseException:
    """An exception that the student's code has raised, with the line of the answer as a note."""
    try:
        made: BaseException = kind(said) if args is None else kind(*args)
    except Exception:  # one that takes other arguments than it keeps
        made = RuntimeError(said)
    if isinstance(made, SyntaxError):
        made.filename = made.lineno = made.text = None  # IPython would open the file to show the line
    vars(made)[_TEXT] = said
    if line is not None and source:
        made.add_note(f"In the answer, line {line}: {source[:_MOST_NOTE]}")
    return made


def is_theirs(error: object) -> bool:
    """Whether an exception was made by `error`."""
    return isinstance(error, BaseException) and _TEXT in vars(error)


def _told(raised: BaseException) -> str:
    return str(vars(raised)[_TEXT]) if _TEXT in vars(raised) else BaseException.__str__(raised)


def _special(name: str) -> Callable[..., Any]:
    def special(self: Any, *args: Any, **named: Any) -> Any:
        given = vars(self)[_LOAN].special(self, name, args, named)
        return _without(self, name, args) if given is NotImplemented else given

    special.__name__ = name
    return special


def _without(thing: Any, name: str, args: Any) -> Any:
    """What Python does where a class has no such method."""
    if plain := plain_type(type(thing)):
        if name == "__bool__":
            return bool(plain_data(thing))
        if hasattr(plain, name):
            return getattr(plain, name)(thing, *args)
    if getattr(type(thing), _CONTENTS, None) and name in ("__eq__", "__ne__", "__contains__"):
        return getattr(_contents(thing), name)(*map(_contents, args))  # decided by data, not by the object
    if name == "__hash__":
        return object.__hash__(thing)
    if name == "__bool__":
        return True
    if name in NUMBERS:
        raise TypeError(f"a {type(thing).__name__} is no number: it has no {name}")
    if name == "__contains__":
        raise TypeError(f"argument of type {type(thing).__name__!r} is not iterable")
    return NotImplemented


def _contents(value: Any) -> Any:
    """What an object with the contents of a list, a mapping or a set holds, as a plain one; anything else as it is."""
    kind = getattr(type(value), _CONTENTS, None)
    return kind(value) if kind else value


def _of(kind: type, name: str) -> Any:
    return type.__getattribute__(kind, name)


class _Class(type):
    """The class of stand-ins for classes: to call one makes an object in the student's room."""

    def __call__(cls, *args: Any, **named: Any) -> Any:
        return _of(cls, _LOAN).do("call", _of(cls, _HANDLE), "", args, named)

    def __getattr__(cls, name: str) -> Any:
        if is_hook(name):
            raise AttributeError(name)
        return _of(cls, _LOAN).do("get", _of(cls, _HANDLE), name)

    def __getitem__(cls, key: Any) -> Any:
        return _of(cls, _LOAN).do("special", _of(cls, _HANDLE), "__getitem__", [key])

    def __len__(cls) -> int:
        size: int = _of(cls, _LOAN).do("special", _of(cls, _HANDLE), "__len__")
        return size

    def __iter__(cls) -> Any:
        return _of(cls, _LOAN).do("special", _of(cls, _HANDLE), "__iter__")

    def __bool__(cls) -> bool:
        return True

    def __setattr__(cls, name: str, value: Any) -> None:
        _of(cls, _LOAN).do("set", _of(cls, _HANDLE), name, [value])


class _Instance(metaclass=_Class):
    """A stand-in for an object."""

    def __getattr__(self, name: str) -> Any:
        if is_hook(name):
            raise AttributeError(name)
        return _attribute(self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        vars(self)[_LOAN].do("set", vars(self)[_HANDLE], name, [value])

    def __delattr__(self, name: str) -> None:
        vars(self)[_LOAN].do("delete", vars(self)[_HANDLE], name)

    def __dir__(self) -> Iterable[str]:
        found: Iterable[str] = vars(self)[_LOAN].do("dir", vars(self)[_HANDLE])
        return found


def _as_array(thing: Any, dtype: Any = None, copy: Any = None) -> np.ndarray[Any, Any]:
    """Its items. One without any would be close to every number, so that is believed only as of the solution."""
    made = np.asarray(list(thing))
    if not vars(thing)[_LOAN].may(type(thing).__name__, "__array__") and not (made.size and made.dtype.kind in "biufc"):
        raise TypeError(f"a {type(thing).__name__} is no array")
    return made if dtype is None else made.astype(dtype)


def is_hook(name: str) -> bool:
    """Whether Python or IPython looks for this name by itself, to show or to copy a thing (`__deepcopy__`,
    `_repr_html_`, `_render_traceback_`). Of a student's nothing is asked then: it would reach whoever looks at a page.
    """
    return name.startswith("_") and name.endswith("_")


def _attribute(thing: Any, name: str) -> Any:
    return vars(thing)[_LOAN].do("get", vars(thing)[_HANDLE], name)


class Absent:
    """Stands under a name that cannot be had; whatever is done with it says why."""

    def __init__(self, why: str) -> None:
        object.__setattr__(self, "why", why)

    def __getattribute__(self, name: str) -> NoReturn:
        _refuse(self)


def _refuse(absent: Any, *_: Any, **__: Any) -> NoReturn:
    raise CannotBeHad(object.__getattribute__(absent, "why"))


for _name in SPECIALS:
    setattr(Absent, _name, _refuse)
