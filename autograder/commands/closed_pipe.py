"""Ends a command without a traceback if its output is a pipe whose reader has ended, as in `… | head -1`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

_P = ParamSpec("_P")
CLOSED = 141
"""The exit status that shells give to a program killed by SIGPIPE: 128 + 13."""


def survives_closed_pipe(main: Callable[_P, int]) -> Callable[_P, int]:
    """Decorates `main` to return CLOSED on a closed pipe.

    Output is flushed here, also after `--help`: otherwise Python flushes when it exits, and prints the error.
    """

    @wraps(main)
    def survives(*arguments: _P.args, **options: _P.kwargs) -> int:
        try:
            try:
                return main(*arguments, **options)
            finally:
                sys.stdout.flush()
        except BrokenPipeError:
            with open(os.devnull, "w", encoding="utf-8") as nowhere:
                os.dup2(nowhere.fileno(), sys.stdout.fileno())
            return CLOSED

    return survives
