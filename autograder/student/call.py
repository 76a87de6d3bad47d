"""One call of a student's function: at given numbers, with nothing of it reaching the page, the streams or the clock.

What it prints is kept up to a size, what it changes of torch and of random numbers is put back, and what it raises
comes back as data. In a graded run a call that does not return is ended.
"""

from __future__ import annotations

import contextlib
import dis
import inspect
import io
import logging
import os
import random
import signal
import sys
import threading
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache, partial
from itertools import islice
from types import CodeType, FrameType, FunctionType
from typing import Any

import numpy as np
import torch

from autograder.by_hand.watch import LOUD, Watch
from autograder.calculus import reference
from autograder.calculus.spelling import MOST_NAMES, spelling
from autograder.student.answers import describe, is_plain, results_of
from autograder.student.faults import fault_of
from autograder.student.protocol import SECONDS, Answer, Request

MOST_PRINTED = 2000


class TooLong(BaseException):
    """The request ran out of time; not an Exception, so that a student's `except Exception` does not swallow it."""


def call(function: Callable[..., Any], request: Request, point: Mapping[str, float], watch: Watch) -> Answer:
    leaves = reference.tensors(point)
    args, named = _bind(function, request.arguments, leaves)
    local: dict[str, Any] = {}
    readings = spelling(request.nodes).readings
    code = getattr(inspect.unwrap(function), "__code__", None)

    def at_return(frame: FrameType, event: str, arg: Any) -> None:
        if event == "c_call":
            if arg.__name__ in LOUD:
                watch.event(frame, event, arg)
        elif event == "return":
            if frame.f_code is code:
                local.clear()
                local.update(islice(((n, v) for n, v in frame.f_locals.items() if readings(n)), MOST_NAMES))
        elif event == "call":
            watch.event(frame, event, arg)

    profiler = sys.getprofile()
    try:
        sys.setprofile(at_return)
        try:
            returned = function(*args, **named)
            if inspect.iscoroutine(returned):
                returned.close()
            # An object of the student's may differentiate when it is asked for its number.
            parts = returned if type(returned) in (tuple, list) else (returned,)
            sys.setprofile(None)
            if not is_plain((*parts, *local.values())):
                sys.setprofile(partial(watch.event, shifts=False))
            results, single = results_of(returned)
            seen = {name: describe(value) for name, value in local.items()}
        finally:
            sys.setprofile(profiler)
    except BaseException as error:  # SystemExit and KeyboardInterrupt included: the grader goes on
        return Answer(fault=fault_of(error, in_call=True))
    return Answer(results, single, seen)


def assigned_again(function: Callable[..., Any], nodes: tuple[str, ...]) -> tuple[str, ...]:
    """The names of derivatives between these nodes that the function assigns more than once."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    again = (n for n in _stored_again(code) if spelling(nodes).readings(n)) if isinstance(code, CodeType) else ()
    return tuple(islice(again, MOST_NAMES))


@lru_cache(maxsize=8)
def _stored_again(code: CodeType) -> tuple[str, ...]:
    stores = Counter(i.argval for i in dis.get_instructions(code) if i.opname.startswith(("STORE_FAST", "STORE_DEREF")))
    return tuple(name for name, times in stores.items() if times > 1)


def _bind(
    function: Callable[..., Any], arguments: Sequence[str], leaves: Mapping[str, torch.Tensor]
) -> tuple[list[torch.Tensor], dict[str, torch.Tensor]]:
    """By position, as the seed calls; by name where the student only wrote the same names in another order."""
    names = _arguments_of(function)
    if names != list(arguments) and sorted(names) == sorted(arguments):
        return [], dict(leaves)
    return [leaves[n] for n in arguments], {}


def _arguments_of(function: Callable[..., Any]) -> list[str]:
    if type(function) is FunctionType and not function.__dict__:
        code = function.__code__
        if not code.co_flags & (inspect.CO_VARARGS | inspect.CO_VARKEYWORDS):
            return list(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])
    try:
        return list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return []


class _Printed(io.TextIOBase):
    """Keeps the first characters and counts the rest, so that endless printing costs no memory."""

    def __init__(self) -> None:
        self._kept: list[str] = []
        self._room = MOST_PRINTED
        self._lost = 0

    def write(self, text: str) -> int:
        kept = text[: self._room]
        if kept:
            self._kept.append(kept)
        self._room -= len(kept)
        self._lost += len(text) - len(kept)
        return len(text)

    def text(self) -> str:
        more = f"\n… and {self._lost} more characters\n" if self._lost else ""
        return "".join(self._kept) + more


def _handled(logger: logging.Logger, record: logging.LogRecord) -> None:
    """Nobody sees a log message."""


def _disabled_again(level: int) -> None:
    if logging.root.manager.disable != level:
        logging.disable(level)


@contextmanager
def captured() -> Iterator[_Printed]:
    """Standard output, standard error, warnings and log messages of the student's code go here, not into the cell."""
    printed = _Printed()
    level = logging.root.manager.disable
    # The streams themselves as well as their names: a log handler may hold the old object.
    streams = {id(s): s for s in (sys.stdout, sys.stderr) if s is not None}.values()
    with contextlib.ExitStack() as stack:
        stack.callback(_disabled_again, level)
        # `logging.disable` would look at every logger that there is.
        stack.callback(setattr, logging.Logger, "callHandlers", logging.Logger.callHandlers)
        logging.Logger.callHandlers = _handled  # type: ignore[method-assign,assignment]
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        for stream in streams:
            with contextlib.suppress(AttributeError):  # some streams are C objects whose methods cannot be replaced
                stream.write = printed.write  # type: ignore[method-assign]
                stack.callback(vars(stream).pop, "write", None)
        stack.enter_context(contextlib.redirect_stdout(printed))
        stack.enter_context(contextlib.redirect_stderr(printed))
        yield printed


@contextmanager
def own_state(namespace: Mapping[str, Any], given: Mapping[str, Any]) -> Iterator[None]:
    """torch, the recursion limit and the random state as after import, and the given names present; put back after."""
    state, numpy_state, torch_state = random.getstate(), np.random.get_state(), torch.get_rng_state()
    limit = sys.getrecursionlimit()
    lost = [n for n in given if n not in namespace]
    with reference.clean_torch():
        try:
            if isinstance(namespace, dict):
                namespace.update({n: given[n] for n in lost})
            with contextlib.suppress(RecursionError):
                sys.setrecursionlimit(min(limit, 3000))
            yield
        finally:
            sys.setrecursionlimit(limit)
            random.setstate(state)
            np.random.set_state(numpy_state)
            torch.set_rng_state(torch_state)
            if isinstance(namespace, dict):
                for n in lost:
                    namespace.pop(n, None)


_rings: list[Any] = []
"""The handlers by which the calls end that are made now, one in the other."""


@contextmanager
def limited() -> Iterator[None]:
    """Ends an endless call when nbgrader runs the notebook; needs POSIX signals and the main thread."""
    graded = os.environ.get("NBGRADER_EXECUTION") in ("autograde", "validate")
    if not graded or not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(*_: object) -> None:
        raise TooLong(f"no answer within {SECONDS:g} seconds")

    before = signal.signal(signal.SIGALRM, ring)
    rest: Any = signal.setitimer(signal.ITIMER_REAL, SECONDS)
    # A timer that a cell has set must not end a call. And a cell may have made `setitimer` anything.
    left = rest[0] if before in _rings and type(rest) is tuple else 0
    _rings.append(ring)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, left)  # what is left of a call that this one is made in
        signal.signal(signal.SIGALRM, before)
        _rings.remove(ring)
