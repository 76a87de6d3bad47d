"""Right, yet not exact: what an answer in float64 shows of how it was computed, from its numbers alone.

Measured: an honest form is within 3e-14 of S, the scale, of autograd's derivative at every hidden point (1e-15 but
where `1 - tanh(d)**2` or the like cancels). A finite
difference is off by 2e-13 to 1e-5 of S. But so are answers with an epsilon in a denominator, a constant such as 3.14159
or a part in float32, and size alone does not tell them apart. Asked again at points 1e-10 apart, they do differ: a
formula changes as smoothly as the derivative does, what went through float32 (or a table) stands still there, and the
quotient of a difference jumps by the rounding of the function's value divided by the step. No test here proves that an
answer is by hand: whoever knows them can hide, by float32 alone. They can only make an answer listed; it is forbidden
where the watcher saw the small step as well.
"""

from __future__ import annotations

import ast
import math
import statistics
import struct
from collections.abc import Iterator, Sequence

from autograder.by_hand.cells import parse
from autograder.calculus.graph import Forward
from autograder.calculus.reference import Reference, clean_torch, differentiate
from autograder.student.protocol import Reply

ON_THE_LIST = "near, not exact: as a finite difference is; off by up to {size:.0e} of its scale"
"""What the instructor's list says in place of a line. No student reads it: a size is a number from hidden points."""
EXACT = 1e-12
"""Of S; thirty times what honest forms differ by."""
SMOOTH = 1e-14
"""Of S; honest forms jump by up to 4e-15, the quotient of a difference with a step of 1e-3 or less by 2e-14 or more."""
_STANDS_STILL = 1e-12
"""Of S; how far the error of what stands still moves meanwhile. A smooth error moves by 1e-14."""
_PLACES, _OFFSETS = 6, tuple(part * 2.0**-32 for part in (0.0, 0.2718, 0.618, 0.9411))
"""As many points as a hidden test, so that it takes as long. float32 holds none but the first of each place."""
_EPSILON, _DIGITS = 1e-4, 5
_IN_FLOAT32 = ("tensor", "as_tensor", "scalar_tensor", "full", "Tensor", "FloatTensor", "float32")


def size(given: Sequence[float], references: Sequence[Reference], wrt: str) -> float:
    """The largest |answer - g|, as a part of S."""
    return max((abs(e) for e in _errors(given, references, wrt)), default=0.0)


def beside(forward: Forward, wrt: str, references: Sequence[Reference]) -> tuple[Reference, ...]:
    """References at a few points beside each of some points: what to ask `movement` about."""
    alive = [r.point for r in references if r.scales[wrt] > 0][:_PLACES]
    with clean_torch():
        return tuple(differentiate(forward, {**p, wrt: p[wrt] + by}) for p in alive for by in _OFFSETS)


def movement(reply: Reply, references: Sequence[Reference], wrt: str) -> tuple[float, float] | None:
    """How far the error jumps between points beside each other, and how far it moves steadily, as parts of S; the
    median over the places. None if the reply has no numbers there: that excuses nothing.
    """
    numbers = [a.results[1] for a in reply.answers if len(a.results) == 2]
    if not references:
        return 0.0, 0.0
    if len(numbers) != len(references) or any(not math.isfinite(n.value) for n in numbers):
        return None
    errors = list(_errors([n.value for n in numbers], references, wrt))
    jumps, moves = [], []
    for at in range(0, len(errors) - len(_OFFSETS) + 1, len(_OFFSETS)):
        place = errors[at : at + len(_OFFSETS)]
        slope, start = statistics.linear_regression(_OFFSETS, place)
        jumps.append(max(abs(e - start - slope * by) for e, by in zip(place, _OFFSETS, strict=True)))
        moves.append(abs(slope * _OFFSETS[-1]))
    return statistics.median(jumps), statistics.median(moves)


def explained(
    given: Sequence[float], references: Sequence[Reference], wrt: str, moves: float, cells: Sequence[str]
) -> bool:
    """Whether what does not jump may be off for an honest reason: float32, or a number that the program holds.

    A program can hold such a number for nothing, and hide so.
    """
    off = [a for a, e in zip(given, _errors(given, references, wrt), strict=True) if abs(e) > EXACT]
    if all(_in_float32(a) for a in off):
        return True
    if moves > _STANDS_STILL:  # float32 in a part of it, or a table: the numbers of a table are short
        return not all(float(f"{a:.13g}") == a for a in off)
    return any(_inexact(node) for cell in cells for node in ast.walk(parse(cell)[0] or ast.Module([], [])))


def _errors(given: Sequence[float], references: Sequence[Reference], wrt: str) -> Iterator[float]:
    for answer, reference in zip(given, references, strict=True):
        scale = reference.scales[wrt]
        yield (answer - reference.adjoints[wrt]) / scale if scale else 0.0


def _in_float32(number: float) -> bool:
    try:
        return bool(struct.unpack("f", struct.pack("f", number))[0] == number)
    except OverflowError:
        return False


def _inexact(node: ast.AST) -> bool:
    """An epsilon, a constant that was cut, or one that float32 rounds: 1e-8, 3.14159, torch.tensor(0.1)."""
    match node:
        case ast.Constant(value=float(number)):
            digits = repr(number).split("e")[0].replace(".", "").strip("0")
            return 0 < number <= _EPSILON or len(digits) >= _DIGITS
        case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)) if name in _IN_FLOAT32:
            numbers = (n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, float))
            return not all(map(_in_float32, numbers))
    return False
