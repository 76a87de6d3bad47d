"""Who looks whether an answer is by hand: this process, or where a class is graded another one with limits.

Steps bound what the reader does itself. What Python does in one step (parsing, comparing, hashing) may still take hours
or all memory for a text that is made for it, and would cost the examiner. So an examiner has somebody else read. A
student's room reads itself: a text can only harm the room that it is of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from autograder.by_hand.interpreter import read
from autograder.by_hand.rules import Finding

Reader = Callable[[Sequence[str], str, Mapping[str, str]], tuple[Finding, ...]]
_reader: ContextVar[Reader | None] = ContextVar("reader", default=None)


def read_apart(cells: Sequence[str], function: str, modules: Mapping[str, str]) -> tuple[Finding, ...]:
    """As `interpreter.read`; by the reader of `reading`, if there is one."""
    return (_reader.get() or read)(cells, function, modules)


@contextmanager
def reading(reader: Reader) -> Iterator[None]:
    """While this lasts, `reader` reads."""
    before = _reader.set(reader)
    try:
        yield
    finally:
        _reader.reset(before)
