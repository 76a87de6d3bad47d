"""The progress bar of a run: how many are graded, how many are left, and about how long that takes.

Where the output is no terminal, a line every few seconds says the same.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

from tqdm import tqdm

from autograder.terminal import show

LINE = "{done} of {all} graded, about {left} left"
_SECONDS = 10.0


class Bar:
    """`say` shows a line where there is no bar."""

    def __init__(self, expected: int, say: Callable[[str], None]) -> None:
        self._bar: Any = tqdm(
            total=expected, unit="submission", desc="Grading", dynamic_ncols=True, disable=not sys.stderr.isatty()
        )
        self._expected, self._say = expected, say
        self._done, self._first = 0, 0.0
        self._said = time.monotonic()

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def say(self, line: str) -> None:
        """Shows a line above the bar."""
        if self._bar.disable:
            self._say(line)
        else:
            with tqdm.external_write_mode(file=sys.stdout):
                show(line)

    def step(self) -> None:
        """One more is graded."""
        self._done += 1
        self._bar.update()
        now = time.monotonic()
        self._first = self._first or now  # what comes before it is the start, which is no measure of the rest
        if self._bar.disable and now - self._said > _SECONDS and 1 < self._done < self._expected:
            self._said = now
            left = (now - self._first) / (self._done - 1) * (self._expected - self._done)
            self._say(LINE.format(done=self._done, all=self._expected, left=tqdm.format_interval(left)))
