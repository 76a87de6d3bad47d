"""What an author writes above a forward pass (`wrt`, `at`, `domain`), as numbers or refused with what to write."""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from autograder.errors import QuestionError

Point = dict[str, float]
Box = dict[str, tuple[float, float]]


def read(name: str, leaves: Sequence[str], wrt: object, at: object, domain: object) -> tuple[Point, Box]:
    """The visible point and the domain of the question `name`, in the order of its arguments."""
    if wrt not in leaves:
        raise QuestionError(f"{name}: wrt={wrt!r} is no argument; choose one of {', '.join(leaves)}.")
    return _point(name, leaves, at), _box(name, leaves, domain)


def number(value: Any) -> float | None:
    """A real number, a tensor or an array of one number as a float; None for anything else."""
    if isinstance(value, torch.Tensor) or type(value).__module__ == "numpy":
        value = value.item() if not value.ndim else None
    if not isinstance(value, numbers.Real):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _point(name: str, leaves: Sequence[str], at: object) -> Point:
    point: Point = {}
    for leaf, value in _by_name(name, leaves, "at", at, "1.5").items():
        coordinate = number(value)
        if coordinate is None:
            raise QuestionError(
                f"{name}: `at` gives {leaf} = {value!r}, but an argument is one number; write one, and make each "
                "number of a vector an argument of its own."
            )
        point[leaf] = coordinate
    if not all(map(math.isfinite, point.values())):
        raise QuestionError(f"{name}: `at` must be finite numbers, but it is {point}.")
    return point


def _box(name: str, leaves: Sequence[str], domain: object) -> Box:
    box: Box = {}
    for leaf, given in _by_name(name, leaves, "domain", domain, "(-2, 2)").items():
        ends = given.tolist() if hasattr(given, "tolist") else given
        found = [number(end) for end in ends] if isinstance(ends, Sequence) else []
        bounds = [end for end in found if end is not None and math.isfinite(end)]
        if len(found) != 2 or len(bounds) != 2:
            raise QuestionError(f"{name}: the domain of {leaf} is {given!r}; write two numbers, (lowest, highest).")
        low, high = bounds
        if not low < high:
            remedy = f"write ({high:g}, {low:g})" if high < low else "the highest must be more than the lowest"
            raise QuestionError(f"{name}: the domain of {leaf} is {given!r}, from {low:g} to {high:g}; {remedy}.")
        box[leaf] = (low, high)
    return box


def _by_name(name: str, leaves: Sequence[str], option: str, given: object, example: str) -> dict[str, Any]:
    """What `option` gives for each argument; QuestionError if it names others."""
    wanted = ", ".join(leaves)
    if not isinstance(given, Mapping):
        shape = ", ".join(f'"{leaf}": {example}' for leaf in leaves)
        raise QuestionError(f"{name}: `{option}` is {given!r}; name each argument, as in {option}={{{shape}}}.")
    if set(given) != set(leaves):
        raise QuestionError(f"{name}: `{option}` names {', '.join(map(str, given)) or 'nothing'}; name {wanted}.")
    return {leaf: given[leaf] for leaf in leaves}
