"""What runs while an answer is called, or described, is seen; where its code stands is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from autograder.student.kernel import KernelStudent
from autograder.student.protocol import Reply, Request
from tests.conftest import QUESTIONS, Class

LAZY = """
class Lazy:
    def __init__(self, a):
        self.a = a
    def __float__(self):
        a = self.a.clone().requires_grad_()
        (a * a).backward()
        return float(a.grad)
def grad_q1(a, b):
    {line}
    return a, {result}
"""
PLAIN = "def grad_q1(a, b):\n    return a, b\n"


def _asked(student: Class) -> Reply:
    names = tuple(QUESTIONS["q1"].forward.leaves)
    point = dict.fromkeys(names, 1.5)
    request = Request("grad_q1", names, (point,), ("a", "b", "x", "y", "z"), {}, show=True)
    return KernelStudent(student.namespace).ask(request)


@pytest.mark.parametrize(("line", "result"), [("pass", "Lazy(a)"), ("dzda = Lazy(a)", "b")])
def test_an_object_that_differentiates_when_it_is_asked_for_its_number_is_seen(
    line: str, result: str, student: Class
) -> None:
    student.run(LAZY.format(line=line, result=result))
    assert {f.rule for f in _asked(student).seen} == {"autograd"}


PATCHED = """
real = torch.Tensor.item
def item(self):
    a = torch.tensor(1.5, requires_grad=True)
    (a * a).backward()
    return real(self)
def grad_q1(a, b):
    return a, b
torch.Tensor.item = item
"""


def test_a_method_of_tensors_that_differentiates_when_a_result_is_told_is_seen(student: Class) -> None:
    try:
        student.run(PATCHED)
        assert "autograd" in {f.rule for f in _asked(student).seen}
    finally:
        del torch.Tensor.item


def _by_text(student: Class) -> None:
    exec(PLAIN, student.namespace)


def _by_update(student: Class) -> None:
    space: dict[str, Any] = {}
    exec(PLAIN.replace("a, b\n", "b, a\n"), space)
    student.namespace.update(space)


@pytest.mark.parametrize("how", [_by_text, _by_update])
def test_a_function_that_no_cell_shows_is_told(how: Callable[[Class], None], student: Class) -> None:
    student.run(PLAIN)
    assert _asked(student).seen == ()
    how(student)
    assert {f.rule for f in _asked(student).seen} == {"replaced"}


@pytest.mark.parametrize(
    "cell",
    [
        PLAIN,
        "import functools\n@functools.lru_cache\n" + PLAIN,
        "grad_q1 = lambda a, b: (a, b)",
        "def make():\n    def inner(a, b):\n        return a, b\n    return inner\ngrad_q1 = make()",
        "class Answer:\n    def __call__(self, a, b):\n        return a, b\ngrad_q1 = Answer()",
        "import functools\ndef f(a, b):\n    return a, b\ngrad_q1 = functools.partial(f)",
        "import torch\n@torch.no_grad()\n" + PLAIN,
    ],
)
def test_a_function_that_a_cell_shows_is_not_accused(cell: str, student: Class) -> None:
    student.run(cell)
    assert _asked(student).seen == ()
