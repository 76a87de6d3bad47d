"""`autograder inspect | head -1`: when whoever reads has seen enough, a command ends without a traceback."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

_P = ParamSpec("_P")
CLOSED = 141
"""What a shell says of a program whose reader has gone: 128 + SIGPIPE."""


def survives_closed_pipe(main: Callable[_P, int]) -> Callable[_P, int]:
    """Everything is written out within `main`, `--help` too, so that nothing is left to fail when Python ends."""

    @wraps(main)
    def survives(*arguments: _P.args, **options: _P.kwargs) -> int:
        try:
            try:
                return main(*arguments, **options)
            finally:
                sys.stdout.flush()
        except BrokenPipeError:
            with open(os.devnull, "w") as nowhere:
                os.dup2(nowhere.fileno(), sys.stdout.fileno())
            return CLOSED

    return survives
