"""Values of one function at fixed points: an interpolation through them has the derivative of a polynomial exactly.

Nothing there becomes small, and no step is taken. Honest helpers are called at constants as well: the function must be
called at the answer's own arguments, too, and give something other than it was given.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograder.by_hand.values import Number, is_finite

_ENOUGH, _MOST = 3, 64


class Points:
    def __init__(self) -> None:
        self._fixed: dict[Any, set[tuple[Any, ...]]] = {}
        self._at_the_arguments: set[Any] = set()

    def fixed(self, function: Any, args: Sequence[Any], result: Any, answers: Sequence[Any]) -> bool:
        """Whether enough points of `function` are known with this call; `answers` are the arguments of the answer."""
        own = {a.whole for a in answers if isinstance(a, Number)}
        if len(args) != len(answers) or not own or not isinstance(result, Number | int | float | list):
            return False
        places = [None if isinstance(a, Number) and a.whole in own else _constants(a) for a in args]
        if not any(places):
            if {a.whole for a in args if isinstance(a, Number)} == own:
                self._at_the_arguments.add(function)
        elif [] not in places and result not in args:
            rows = zip(*(p * _MOST if p and len(p) == 1 else p or [None] * _MOST for p in places), strict=False)
            self._fixed.setdefault(function, set()).update(rows)
        return function in self._at_the_arguments and len(self._fixed.get(function, ())) >= _ENOUGH


def _constants(value: Any) -> list[Any]:
    """The constants that it is, or is made of; none if one of its entries is no constant."""
    entries = [v.exact if isinstance(v, Number) else v for v in (value if isinstance(value, list) else [value])]
    return entries[:_MOST] if all(map(is_finite, entries)) else []
