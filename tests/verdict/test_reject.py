"""Every slip is caught: almost right answers, the six questions' classic mistakes, and results that are no answer."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from autograder import CheckFailed, Question
from autograder.verdict.judge import Kind
from tests.conftest import QUESTIONS, Class
from tests.verdict.test_accept import corpus

TRUTH = {id(question): corpus(name)["seed"] for name, question in QUESTIONS.items()}


def truth(question: Question) -> Any:
    """The seed's answer; looked up without touching the question, which an answer must not use."""
    return TRUTH[id(question)]


@pytest.mark.parametrize("factor", [1 + 1e-4, 1 - 1e-4, -1.0, 2.0, 0.0])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_a_derivative_off_by_one_part_in_ten_thousand_fails(
    question: Question, student: Class, factor: float, dtype: torch.dtype
) -> None:
    def nearly(*args: Any) -> Any:
        value, derivative = truth(question)(*(a.to(dtype) for a in args))
        return value, derivative * factor

    for seed in range(5):
        assert student.verdict(question, nearly, seed).kind is Kind.WRONG_DERIVATIVE


@pytest.mark.parametrize("factor", [1.001, 0.999, -1.0])
def test_the_visible_check_fails_a_derivative_off_by_a_thousandth(
    question: Question, student: Class, factor: float
) -> None:
    """At Q3's visible point float32 itself is off by some 1e-5, so the allowance there is wider than hidden ones."""

    def nearly(*args: Any) -> Any:
        value, derivative = truth(question)(*args)
        return value, derivative * factor

    student.namespace[f"grad_{question.name}"] = nearly
    with pytest.raises(CheckFailed):
        student.check(question)


def test_a_derivative_wrong_at_one_hidden_point_fails(question: Question, student: Class) -> None:
    calls: list[int] = []

    def wrong_once(*args: Any) -> Any:
        calls.append(1)
        value, derivative = truth(question)(*args)
        return value, derivative + (0.01 if len(calls) == 17 else 0)

    assert student.verdict(question, wrong_once).kind is Kind.WRONG_DERIVATIVE


def test_the_right_derivative_of_another_function_earns_nothing(question: Question, student: Class) -> None:
    def shifted(*args: Any) -> Any:
        value, derivative = truth(question)(*args)
        return value + 0.01, derivative

    assert student.verdict(question, shifted).kind is Kind.WRONG_VALUE


def test_swapped_results_are_named_as_such(question: Question, student: Class) -> None:
    assert student.verdict(question, lambda *args: truth(question)(*args)[::-1]).kind is Kind.SWAPPED


SLIPS = {
    "q1": {
        "a road lost": "3 * 10 * a",
        "the other road lost": "torch.tensor(4.0)",
        "power not lowered": "4 + 3 * 10 * a * a",
        "square's 2 dropped": "4 + 3 * 5 * a",
        "by b": "6 + 27 * b * b",
        "factor of z dropped": "2 + 30 * a",
    },
    "q2": {
        "gate left open": "x",
        "gate shut": "0 * x",
        "gate upside down": "x * (w * x + b < 0)",
        "by x": "w * (w * x + b > 0)",
        "by b": "1.0 * (w * x + b > 0)",
        "x as a gate": "x * (x > 0)",
    },
    "q3": {
        "inner derivative lost": "sig(w*x+b) * (1 - sig(w*x+b))",
        "half of the rule": "sig(w*x+b) * x",
        "sign": "-sig(w*x+b) * (1 - sig(w*x+b)) * x",
        "by x": "sig(w*x+b) * (1 - sig(w*x+b)) * w",
        "applied to the value": "sig(sig(w*x+b)) * (1 - sig(sig(w*x+b))) * x",
    },
    "q4": {
        "minus lost": "F * (2*x + 2 + torch.cos(x))",
        "a road lost": "-F * (2*x + 2)",
        "sign of cos": "-F * (2*x + 2 - torch.cos(x))",
        "power not lowered": "-F * (2*x*x + 2 + torch.cos(x))",
        "exp forgotten": "-(2*x + 2 + torch.cos(x))",
        "sin not differentiated": "-F * (2*x + 2 + torch.sin(x))",
    },
    "q5": {
        "power not lowered": "6 + 14*x + 9*x**3 + 32*x**3",
        "exponent not brought down": "6 + 14*x + 3*x**2 + 32*x**3",
        "constant kept": "6 + 14*x + 9*x**2 + 32*x**3 + 3",
        "a term lost": "6 + 14*x + 32*x**3",
        "6x kept": "6*x + 14*x + 9*x**2 + 32*x**3",
    },
    "q6": {
        "minus lost": "-T",
        "quotient turned over": "T * (2*x)**-2 * torch.sin(y)**4",
        "inner derivative lost": "T / torch.cos(y)",
        "sin for cos": "T * torch.tan(y)",
        "square forgotten": "T * torch.sin(y)",
        "z dropped": "T / z",
        "log's 1 dropped": "T * (2*x*z/torch.sin(y) + 1) / (2*x*z/torch.sin(y))",
        "by x": "T * -torch.tan(y) / x",
    },
}
SLIP_CASES = [(name, slip) for name, slips in SLIPS.items() for slip in slips]


@pytest.mark.parametrize(("name", "slip"), SLIP_CASES)
def test_a_classic_slip_earns_nothing(name: str, slip: str, student: Class) -> None:
    question = QUESTIONS[name]
    arguments = ", ".join(question.forward.leaves)
    formula = eval(f"lambda F, T, {arguments}: {SLIPS[name][slip]}", {"torch": torch, "sig": torch.sigmoid})
    right = truth(question)

    def slipped(*args: Any) -> Any:
        value, derivative = right(*args)
        return value, formula(value, derivative, *args)

    for seed in range(3):
        assert student.verdict(question, slipped, seed).kind is Kind.WRONG_DERIVATIVE


class EqualsEverything:
    def __eq__(self, other: object) -> bool:
        return True

    def __float__(self) -> float:
        return 0.123

    __hash__ = None  # type: ignore[assignment]


class Explodes:
    def __float__(self) -> float:
        raise SystemExit


NO_NUMBERS = {
    "None": (None, Kind.NO_NUMBER),
    "text": ("4 + 30a", Kind.NO_NUMBER),
    "NaN": (math.nan, Kind.NO_NUMBER),
    "infinity": (torch.tensor(math.inf), Kind.NO_NUMBER),
    "a number beyond float": (10**400, Kind.NO_NUMBER),
    "a vector": (torch.ones(3), Kind.NO_NUMBER),
    "a vector of one": (torch.ones(1), Kind.NO_NUMBER),
    "an array": (np.ones((2, 2)), Kind.NO_NUMBER),
    "a list": ([1.0], Kind.NO_NUMBER),
    "complex": (1j, Kind.NO_NUMBER),
    "a function": (math.sin, Kind.NO_NUMBER),
    "a class": (float, Kind.NO_NUMBER),
    "an object that explodes": (Explodes(), Kind.NO_NUMBER),
    "an object that equals everything": (EqualsEverything(), Kind.WRONG_DERIVATIVE),
}


@pytest.mark.parametrize("what", NO_NUMBERS)
def test_what_is_no_right_number_never_passes(what: str, question: Question, student: Class) -> None:
    returned, kind = NO_NUMBERS[what]
    verdict = student.verdict(question, lambda *args: (truth(question)(*args)[0], returned))
    assert verdict.kind is kind


class BreaksWhenLookedInto(tuple):  # type: ignore[type-arg]
    def __getitem__(self, at: object) -> Any:
        return math.nan

    def __iter__(self) -> Any:
        raise TypeError


def test_a_result_that_breaks_when_looked_into_is_no_fault_of_the_call(question: Question, student: Class) -> None:
    verdict = student.verdict(question, lambda *_: BreaksWhenLookedInto((1, 2)))
    assert verdict.kind is Kind.NOT_TWO
    assert "returned one result, but two are expected" in verdict.text
    with pytest.raises(CheckFailed, match=r"returned one result \(BreaksWhenLookedInto\), but two are expected"):
        student.check(question)


@pytest.mark.parametrize("returned", [None, 3.0, (), (1.0,), (1.0, 2.0, 3.0), {}, "ab", torch.ones(3), iter([1, 2])])
def test_anything_but_two_results_is_refused(returned: Any, question: Question, student: Class) -> None:
    assert student.verdict(question, lambda *_: returned).kind is Kind.NOT_TWO
