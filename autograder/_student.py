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
import linecache
import logging
import os
import random
import re
import signal
import sys
import threading
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from types import FrameType, TracebackType
from typing import Any

import numpy as np
import torch

from autograder import _calculus
from autograder._answers import describe, results_of
from autograder._byhand_watch import Watch
from autograder._seam import SECONDS, Answer, Fault, Missing, Number, Reply, Request, Student

MOST_PRINTED = 2000
_MOST_TEXT = 300
_MOST_SOURCE = 100_000


class KernelStudent:
    """The student whose functions live in this process: in the notebook's own namespace."""

    def __init__(self, namespace: Mapping[str, Any] | None = None) -> None:
        self._namespace = namespace

    @property
    def namespace(self) -> Mapping[str, Any]:
        if self._namespace is not None:
            return self._namespace
        shell = _shell()
        return shell.user_ns if shell else vars(sys.modules["__main__"])

    def ask(self, request: Request) -> Reply:
        fault = _failed_cells.get(request.function)
        function = self.namespace.get(request.function)
        if fault or function is None:
            return Reply(missing=Missing(fault, self._near(request.function)))
        if not callable(function):
            return Reply(missing=Missing(not_a_function=type(function).__name__[:_MOST_TEXT]))
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
            cells=tuple(c for c in self.namespace.get("In", ()) if isinstance(c, str)),
            modules=_modules_beside(),
            seen=watch.findings,
            reassigned=reassigned,
        )

    def _near(self, wanted: str) -> tuple[str, ...]:
        functions = [n for n, v in self.namespace.items() if inspect.isfunction(v) and not n.startswith("_")]
        return tuple(difflib.get_close_matches(wanted, functions, n=2, cutoff=0.6))


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
    leaves = _calculus.tensors(point)
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
        return Answer(fault=fault_of(error))
    return Answer(results, single, seen)


def _modules_beside() -> dict[str, str]:
    """The student's own modules: imported from files in the notebook's folder."""
    here = os.getcwd() + os.sep
    found: dict[str, str] = {}
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and file.startswith(here) and _own(file):
            with contextlib.suppress(OSError, UnicodeDecodeError), open(file, encoding="utf-8") as text:
                found[name] = text.read(_MOST_SOURCE)
    return found


def _own(file: str) -> bool:
    return "site-packages" not in file and not file.startswith(_PACKAGE)


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


def fault_of(error: BaseException) -> Fault:
    """An exception as data, with the line of the student's own cell where it happened."""
    kind = type(error)
    base = next((c for c in kind.__mro__ if c.__module__ == "builtins"), Exception)
    try:
        text = str(error)[:_MOST_TEXT]
    except BaseException:
        text = ""
    if isinstance(error, SyntaxError):
        source = error.text if isinstance(error.text, str) else ""
        return Fault(
            kind.__name__, base.__name__, str(error.msg)[:_MOST_TEXT], error.lineno, source.strip()[:_MOST_TEXT]
        )
    line, source = _own_line(error.__traceback__)
    name = getattr(error, "name", None) if isinstance(error, NameError) else None
    return Fault(
        kind.__name__[:60], base.__name__, text, line, source, name if isinstance(name, str) else "", line is not None
    )


def _own_line(trace: TracebackType | None) -> tuple[int | None, str]:
    """The innermost frame that is the student's: a notebook cell, or a file beside the notebook."""
    found: tuple[int | None, str] = None, ""
    here = os.getcwd() + os.sep
    while trace:
        file = trace.tb_frame.f_code.co_filename
        cell = not os.path.exists(file) and not file.startswith("<frozen")
        if cell or (file.startswith(here) and _own(file)):
            found = trace.tb_lineno, linecache.getline(file, trace.tb_lineno).strip()[:_MOST_TEXT]
        trace = trace.tb_next
    return found


_PACKAGE = os.path.dirname(os.path.abspath(__file__))


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
    with _calculus.clean_torch():
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


# Cells that failed, by the function that they should have defined.
_failed_cells: dict[str, Fault] = {}
_DEFINES = re.compile(r"^\s*(?:async\s+)?def\s+(grad_\w+)", re.MULTILINE)


def _shell() -> Any:
    """The running IPython shell, or None; IPython is not imported for it."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython else None


def _after_cell(result: Any) -> None:
    error = result.error_before_exec or result.error_in_exec
    for name in _DEFINES.findall(result.info.raw_cell or ""):
        _failed_cells.pop(name, None)
        if error is not None:
            _failed_cells[name] = fault_of(error)


def watch_cells() -> None:
    """From now on, remember why a cell that should define `grad_qN` failed. Does nothing outside IPython."""
    shell = _shell()
    if shell and _after_cell not in shell.events.callbacks["post_run_cell"]:
        shell.events.register("post_run_cell", _after_cell)
