"""Every honest form earns full marks: six equal forms a question, in both precisions, as tensors and numbers."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import io
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
import torch

from autograder import Question
from tests.conftest import NAMES, QUESTIONS, Class


def corpus(name: str) -> dict[str, Callable[..., Any]]:
    module: ModuleType = importlib.import_module(f"tests.corpus.{name}")
    functions = inspect.getmembers(module, inspect.isfunction)
    return {n: f for n, f in functions if f.__module__ == module.__name__ and n != "sig"}


FORMS = [(name, form) for name in NAMES for form in corpus(name)]


def as_given(form: Callable[..., Any]) -> Callable[..., Any]:
    return form


def in_float32(form: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *args: form(*(a.to(torch.float32) for a in args))


def as_numbers(form: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *args: tuple(float(r) for r in form(*args))


def as_float32_tensors(form: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *args: [torch.tensor(float(r), dtype=torch.float32) for r in form(*args)]


@pytest.mark.parametrize("way", [as_given, in_float32, as_numbers, as_float32_tensors])
@pytest.mark.parametrize(("name", "form"), FORMS)
def test_an_equal_form_earns_full_marks(
    name: str,
    form: str,
    way: Callable[..., Any],
    student: Class,
    capsys: pytest.CaptureFixture[str],
    record_property: Callable[[str, object], None],
) -> None:
    answer = way(corpus(name)[form])
    for seed in ("a", "b", "c"):
        verdict = student.verdict(QUESTIONS[name], answer, seed)
        assert verdict.right, verdict.text
    student.check(QUESTIONS[name])
    assert "is right at" in capsys.readouterr().out
    record_property("tally", (name, "forms accepted", 1, 1))


@pytest.mark.parametrize("name", NAMES)
def test_there_are_at_least_six_forms_a_question(name: str) -> None:
    assert len(corpus(name)) >= 6


def test_arguments_in_another_order_are_bound_by_their_names(student: Class) -> None:
    seed = corpus("q6")["seed"]
    assert student.verdict(QUESTIONS["q6"], lambda z, y, x: seed(x, y, z)).right


def test_the_reference_itself_is_accepted_at_every_seed(question: Question, student: Class) -> None:
    truth = corpus(question.name)["seed"]
    with contextlib.redirect_stdout(io.StringIO()):
        student.namespace[f"grad_{question.name}"] = truth
        assert [student.grade(question, 8, seed) for seed in range(20)] == [8.0] * 20
