"""The seam between the grader and whoever answers: *a student*.

A student, asked for a list of points, answers for each with data (`Answer`), or says why there is no such function
(`Missing`). `check` and `grade` know nothing else about who answers: here it is a function in the same kernel; when
grading without trust it is another process.
"""

from __future__ import annotations

import contextlib
import difflib
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
from contextvars import ContextVar
from types import FrameType
from typing import Any

import numpy as np
import torch

from autograder.by_hand.watch import Watch
from autograder.calculus import reference
from autograder.student import cells
from autograder.student.answers import describe, results_of
from autograder.student.faults import MOST_TEXT, fault_of, own
from autograder.student.protocol import SECONDS, Answer, Missing, Number, Reply, Request, Student

MOST_PRINTED = 2000
_MOST_SOURCE = 100_000


class KernelStudent:
    """The student whose functions live in this process: in the notebook's own namespace."""

    def __init__(self, namespace: Mapping[str, Any] | None = None) -> None:
        self._namespace = namespace

    @property
    def namespace(self) -> Mapping[str, Any]:
        if self._namespace is not None:
            return self._namespace
        shell = cells.shell()
        return shell.user_ns if shell else vars(sys.modules["__main__"])

    def ask(self, request: Request) -> Reply:
        stopped = cells.stopped(request.function, self.namespace)
        function = self.namespace.get(request.function)
        if stopped and not stopped.defined:
            older = function is not None
            return Reply(missing=Missing(stopped.fault, older=older, magic=stopped.magic), cells=self._cells())
        if function is None:
            return Reply(missing=Missing(near=self._near(request.function)))
        if not callable(function):
            return Reply(missing=Missing(not_a_function=type(function).__name__[:MOST_TEXT]))
        answers: list[Answer] = []
        watch = Watch(_call.__code__)
        with _own_state(self.namespace, request.given), _captured() as printed, _limited():
            for point in request.points:
                answers.append(_call(function, request, point, watch))
                if answers[-1].fault:
                    break
        reassigned = _assigned_again(function, request.adjoints)
        return Reply(
            tuple(answers),
            printed=printed.text() if request.show else "",
            cells=self._cells(),
            modules=_modules_beside(),
            seen=watch.findings,
            shifted=watch.shifted,
            later_fault=stopped.fault if stopped else None,
            reassigned=reassigned,
        )

    def _near(self, wanted: str) -> tuple[str, ...]:
        """A function whose name comes near and is not what another question asks for."""
        others = cells.of_other_questions(wanted)
        functions = [n for n, v in self.namespace.items() if inspect.isfunction(v) and not n.startswith("_")]
        return tuple(difflib.get_close_matches(wanted, [n for n in functions if n not in others], n=1, cutoff=0.6))

    def _cells(self) -> tuple[str, ...]:
        """The cells as they were typed; `In` holds them as IPython reads them."""
        shell = cells.shell()
        typed = self.namespace.get("In", ())
        if shell and self.namespace is shell.user_ns:
            typed = getattr(shell.history_manager, "input_hist_raw", typed)
        return tuple(c for c in typed if isinstance(c, str))


_student: ContextVar[Student | None] = ContextVar("student", default=None)


def current_student() -> Student:
    """Who answers now: the one of `answering`, else the functions of this kernel."""
    return _student.get() or KernelStudent()


@contextmanager
def answering(student: Student) -> Iterator[None]:
    """While this lasts, `student` answers what `check` and `grade` ask."""
    before = _student.set(student)
    try:
        yield
    finally:
        _student.reset(before)


class TooLong(BaseException):
    """The request ran out of time; not an Exception, so that a student's `except Exception` does not swallow it."""


def _call(function: Callable[..., Any], request: Request, point: Mapping[str, float], watch: Watch) -> Answer:
    leaves = reference.tensors(point)
    args, named = _bind(function, request.arguments, leaves)
    seen: dict[str, Number] = {}
    code = getattr(inspect.unwrap(function), "__code__", None)

    def at_return(frame: FrameType, event: str, arg: Any) -> None:
        watch.event(frame, event, arg)
        if event == "return" and frame.f_code is code:
            seen.clear()
            seen.update((n, describe(v)) for n, v in frame.f_locals.items() if n in request.adjoints)

    profiler = sys.getprofile()
    try:
        sys.setprofile(at_return)
        try:
            returned = function(*args, **named)
        finally:
            sys.setprofile(profiler)
        if inspect.iscoroutine(returned):
            returned.close()
        results, single = results_of(returned)
    except BaseException as error:  # SystemExit and KeyboardInterrupt included: the grader goes on
        return Answer(fault=fault_of(error, in_call=True))
    return Answer(results, single, seen)


def _modules_beside() -> dict[str, str]:
    """The student's own modules: imported from files in the notebook's folder."""
    here = os.getcwd() + os.sep
    found: dict[str, str] = {}
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and file.startswith(here) and own(file):
            with contextlib.suppress(OSError, UnicodeDecodeError), open(file, encoding="utf-8") as text:
                found[name] = text.read(_MOST_SOURCE)
    return found


def _assigned_again(function: Callable[..., Any], names: Sequence[str]) -> tuple[str, ...]:
    code = getattr(inspect.unwrap(function), "__code__", None)
    if code is None:
        return ()
    stores = Counter(i.argval for i in dis.get_instructions(code) if i.opname.startswith(("STORE_FAST", "STORE_DEREF")))
    return tuple(n for n in names if stores[n] > 1)


def _bind(
    function: Callable[..., Any], arguments: Sequence[str], leaves: Mapping[str, torch.Tensor]
) -> tuple[list[torch.Tensor], dict[str, torch.Tensor]]:
    """By position, as the seed calls; by name where the student only wrote the same names in another order."""
    try:
        names = list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        names = []
    if names != list(arguments) and sorted(names) == sorted(arguments):
        return [], dict(leaves)
    return [leaves[n] for n in arguments], {}


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


@contextmanager
def _captured() -> Iterator[_Printed]:
    """Standard output, standard error, warnings and log messages of the student's code go here, not into the cell."""
    printed = _Printed()
    level = logging.root.manager.disable
    # The streams themselves as well as their names: a log handler may hold the old object.
    streams = {id(s): s for s in (sys.stdout, sys.stderr) if s is not None}.values()
    with contextlib.ExitStack() as stack:
        stack.callback(logging.disable, level)
        logging.disable(logging.CRITICAL)
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
def _own_state(namespace: Mapping[str, Any], given: Mapping[str, Any]) -> Iterator[None]:
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


@contextmanager
def _limited() -> Iterator[None]:
    """Ends an endless call when nbgrader runs the notebook; needs POSIX signals and the main thread."""
    graded = os.environ.get("NBGRADER_EXECUTION") in ("autograde", "validate")
    if not graded or not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(*_: object) -> None:
        raise TooLong(f"no answer within {SECONDS:g} seconds")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
