"""Python's special methods and exceptions that cross between two rooms, by name."""

from __future__ import annotations

import builtins

_BINARY = (
    *("add", "sub", "mul", "matmul", "truediv", "floordiv", "mod"),
    *("divmod", "pow", "lshift", "rshift", "and", "xor", "or"),
)
NUMBERS = (
    *("__neg__", "__pos__", "__abs__", "__invert__"),
    *("__float__", "__int__", "__index__", "__complex__", "__round__"),
)

JUDGING = (
    *("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__bool__", "__hash__", "__contains__"),
    *NUMBERS,
    *(f"__{side}{name}__" for name in _BINARY for side in ("", "r")),
    *(f"__i{name}__" for name in _BINARY if name != "divmod"),
)
"""Those whose answer may decide a test: an object that is equal to everything must not be asked whether it is. They are
asked only where the course's own solution was asked them, of a class of the same name."""

SPECIALS = (
    *JUDGING,
    *("__len__", "__getitem__", "__setitem__", "__delitem__", "__iter__", "__next__", "__reversed__", "__call__"),
    *("__str__", "__repr__", "__format__", "__enter__", "__exit__"),
)

_FAMILIES = (
    *(("__eq__", "__ne__"), ("__lt__", "__gt__"), ("__le__", "__ge__"), ("__bool__", "__len__")),
    *(("__contains__", "__iter__", "__getitem__"), ("__float__", "__int__", "__index__", "__complex__")),
    *((f"__{name}__", f"__r{name}__", f"__i{name}__") for name in _BINARY),
)
FAMILIES = {name: family[0] for family in _FAMILIES for name in family}
"""Where Python asks one of these and a class has it not, it asks another; each by the first of its family."""
EXCEPTIONS: dict[str, type[BaseException]] = {
    name: kind
    for name, kind in vars(builtins).items()
    if isinstance(kind, type)
    and issubclass(kind, BaseException)
    and not issubclass(kind, BaseExceptionGroup)
    and kind.__name__ == name
}
"""Python's own exceptions, without groups of them."""

CHANGES = "changes its arguments"
"""Stands beside the special methods: of a function, that it changes a list, or an array, that it is given. A test may
compare with what it has given, so that is believed only of functions of which the course's own solution did it.
"""
