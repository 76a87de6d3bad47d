"""Reading a student's name for a derivative: `dfde`, `de_dd`, `df_by_dx`, `DE_DD`, `grad_a` …

A name says of which node it is the derivative and by which, as far as spelling goes. Whether `dp_dq` is the adjoint,
the local derivative of p's line or the total derivative of p by q is for the numbers to say (`verdict.quantities`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import lru_cache

MOST_NAMES, LONGEST = 64, 60
"""Names of one function that are looked at, and the characters of one."""
_OVER = ("d", "by", "byd", "over", "overd", "wrt", "wrtd")
_OF_A_NODE = ("d{}", "g{}", "grad{}", "{}grad", "{}bar", "bar{}", "adj{}", "{}adj", "adjoint{}", "{}adjoint", "delta{}")
_LOSSES = ("l", "loss", "j")
"""As in `dL_da`: the output, where no node is called so."""
_D = str.maketrans({"∂": "d", "δ": "d", "𝜕": "d", "_": None})

Reading = tuple[str, str]
"""(of, by): the names of two nodes; `of` is "" where the name says only by which."""


class Spelling:
    """How derivatives between these leaves and nodes, the output last, may be spelled."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = frozenset(names)
        self._as_written, self._in_any_case = _table(names, str), _table(names, str.casefold)
        self._known = lru_cache(maxsize=4 * MOST_NAMES)(self._readings)  # the same names at each point

    def readings(self, name: str) -> tuple[Reading, ...]:
        """What `name` may say; nothing for the name of a node, or one that says nothing. Upper and lower case differ
        only where nodes do by nothing else.
        """
        return () if len(name) > LONGEST else self._known(name)

    def _readings(self, name: str) -> tuple[Reading, ...]:
        if name in self._names:
            return ()
        plain = name.replace("partial", "d").translate(_D)
        return self._as_written.get(plain) or self._in_any_case.get(plain.casefold()) or ()


@lru_cache(maxsize=64)
def spelling(names: tuple[str, ...]) -> Spelling:
    """The same for every point and every submission: made once."""
    return Spelling(names)


def _table(names: Sequence[str], case: Callable[[str], str]) -> dict[str, tuple[Reading, ...]]:
    pairs: dict[str, dict[Reading, None]] = defaultdict(dict)
    bare: dict[str, dict[Reading, None]] = defaultdict(dict)
    spelled = {name: case(name.translate(_D)) for name in names}
    losses = {*_LOSSES} - {s.casefold() for s in spelled.values()}
    for by, b in spelled.items():
        for form in _OF_A_NODE:
            bare[form.format(b)]["", by] = None
        for of, p in spelled.items():
            for over in _OVER:
                if of != by or of == names[-1]:
                    pairs[f"d{p}{over}{b}"][of, by] = None
        for loss in losses:
            pairs[f"d{loss}d{b}"].setdefault((names[-1], by))
    return {name: tuple(found) for name, found in {**bare, **pairs}.items()}
