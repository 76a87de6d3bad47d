"""Where an answer is right and where it is wrong: told as the sign of one name, if that sign tells them apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

FEWEST = 3
"""Points that must be right, and as many wrong: fewer may fall on two sides by chance."""


def sign_that_decides(right: Sequence[bool], values: Sequence[Mapping[str, float]]) -> tuple[str, bool] | None:
    """A name of the forward pass and True if the answer is right where it is positive, False if where it is negative.

    `values` holds the values of all names at each point.
    """
    if not FEWEST <= sum(right) <= len(right) - FEWEST:
        return None
    for name in values[0]:
        numbers = [at[name] for at in values]
        for positive in (True, False):
            if all(
                (number > 0) == (fine == positive) and number != 0 for number, fine in zip(numbers, right, strict=True)
            ):
                return name, positive
    return None
