"""The student who answers in this process: the functions of the notebook's own kernel.

`check` and `grade` ask a `Student` (protocol.py) and get data back. At home and in JupyterLab it is `KernelStudent`.
When submissions are graded, the tests run in another process, where `answering` puts a student that asks this one.
"""

from __future__ import annotations

import difflib
import inspect
import linecache
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import CodeType
from typing import Any

from autograder.by_hand.cells import magic_of
from autograder.by_hand.rules import found
from autograder.by_hand.watch import Watch
from autograder.student import cells, originals, shown
from autograder.student.call import assigned_again, call, captured, limited, own_state
from autograder.student.faults import MOST_TEXT, modules_beside
from autograder.student.protocol import Answer, Missing, Reply, Request, Student


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
        first = ""
        watch = Watch(call.__code__)
        with own_state(self.namespace, request.given), captured() as printed, limited():
            for point in request.points:
                answers.append(call(function, request, point, watch))
                if len(answers) == 1:
                    first = printed.text()
                if answers[-1].fault:
                    break
        reassigned = assigned_again(function, request.nodes)
        typed, beside = self._cells(), modules_beside()
        elsewhere = (
            (found("replaced"),) if typed and self._is_another(function, request.function, typed, beside) else ()
        )
        return Reply(
            tuple(answers),
            printed=first if request.show else "",
            cells=typed,
            modules=beside,
            seen=(*watch.findings, *elsewhere),
            shifted=watch.shifted,
            later_fault=stopped.fault if stopped else None,
            reassigned=reassigned,
        )

    def _is_another(self, function: Any, name: str, typed: tuple[str, ...], beside: Mapping[str, str]) -> bool:
        """Whether something else answers than the cells show, or computes with something else than torch."""
        other, names = shown.others(function, name, self.namespace, typed)
        return bool(other or originals.replaced(names)) or _is_elsewhere(function, name, (*typed, *beside.values()))

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


def _is_elsewhere(function: Any, name: str, texts: tuple[str, ...]) -> bool:
    """Whether the code of a function begins in a line that no cell and no file beside the notebook has.

    False where that cannot be told: a callable object, or a cell whose magic keeps no lines (`%%time`, `%%prun`).
    """
    try:
        code = getattr(inspect.unwrap(function), "__code__", None)
    except ValueError:
        return True
    if not isinstance(code, CodeType):
        return False
    line = linecache.getline(code.co_filename, code.co_firstlineno).strip()
    if not line:
        return not any(magic_of(text) and name in text for text in texts)
    return not any(line == other.strip() for text in texts for other in text.splitlines())


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
