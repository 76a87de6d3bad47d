"""Watching: what runs while the answer is called is seen, and what torch does of itself is not told."""

from __future__ import annotations

import dataclasses
import re
import sys
import warnings
from types import FrameType
from typing import Any

import numpy as np
import pytest
import torch

from autograder.by_hand.rules import Finding
from autograder.by_hand.watch import Watch
from tests.by_hand.cases import BOTH, HONEST, QUESTION, cells, marked
from tests.conftest import QUESTIONS, run_source
from tests.verdict.test_accept import FORMS, corpus

POINT = 0.75


def watched(sources: list[str], function: str = "grad_q5", *arguments: Any, given: Any = None) -> tuple[Finding, ...]:
    """What the watcher sees of one call, as the seam would make it."""
    namespace: dict[str, Any] = {"__name__": "__main__", **(given or {})}
    for source in sources:
        run_source(source, namespace)
    return watch_call(namespace[function], *(arguments or (torch.tensor(POINT, dtype=torch.float64),)))


def watch_call(function: Any, *arguments: Any) -> tuple[Finding, ...]:
    watch = Watch(watch_call.__code__)

    def callback(frame: FrameType, event: str, arg: Any) -> None:
        watch.event(frame, event, arg)

    before = sys.getprofile()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as the seam does
        try:
            sys.setprofile(callback)
            function(*arguments)
        finally:
            sys.setprofile(before)
    return watch.findings


@pytest.mark.parametrize("what", BOTH)
def test_watching_finds_the_machine_at_the_same_line(what: str) -> None:
    rule, sources = BOTH[what]
    if "sympy" in what:
        pytest.importorskip("sympy")
    findings = watched(sources)
    seen = {(f.rule, f.source) for f in findings}
    text = sources[marked(sources)[0]].split("\n")[marked(sources)[1] - 1].strip()
    # Where a machine is only named at the mark, it runs elsewhere.
    elsewhere = what in ("backward without brackets", "a default argument", "vjp", "a partial")
    assert any(r == rule and (elsewhere or s == text) for r, s in seen), findings


@pytest.mark.parametrize("what", [what for what in QUESTION if "forward pass" not in what])
def test_the_courses_own_questions_are_machines(what: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("builtins.print", lambda *_, **__: None)
        try:
            findings = watched(QUESTION[what])
        except Exception:
            return
    assert "question" in {f.rule for f in findings}


def test_watching_finds_what_the_source_does_not_show() -> None:
    """The machine comes from an object that no cell defines."""
    x = torch.tensor(2.0, requires_grad=True)
    tools = {"given": {"tool": torch.autograd.grad}}
    findings = watched(["def grad_q5(x):\n    return tool(x * x, x)"], "grad_q5", x, **tools)
    assert [(f.rule, f.line) for f in findings] == [("autograd", 2)]


def test_a_machine_called_by_the_grader_itself_is_found() -> None:
    assert "functional" in {f.rule for f in watched(cells("grad_q5 = torch.func.grad_and_value(f)"))}


@pytest.mark.parametrize(("name", "form"), FORMS)
def test_the_accept_corpus_is_not_accused(name: str, form: str) -> None:
    for dtype in (torch.float64, torch.float32):
        point = [torch.tensor(v, dtype=dtype) for v in QUESTIONS[name].at.values()]
        assert watch_call(corpus(name)[form], *point) == ()


@pytest.mark.parametrize("what", HONEST)
def test_honest_work_is_not_accused(what: str) -> None:
    runnable = [s for s in HONEST[what] if not re.search(r"^[%!]|^await|^import asyncio", s) and not s.endswith("= (")]
    if not any(s.startswith(("%", "await")) for s in HONEST[what][:-1]):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("builtins.print", lambda *_, **__: None)
            assert watched(runnable[: 1 + max(i for i, s in enumerate(runnable) if "def grad_q5" in s)]) == ()


def test_what_torch_and_the_library_do_of_themselves_is_not_reported() -> None:
    def ordinary(x: torch.Tensor) -> tuple[Any, Any]:
        import collections
        import fractions  # an import runs code of its own

        dataclasses.make_dataclass("D", ["a"])
        collections.namedtuple("N", "a b")  # it uses exec and frames inside
        with torch.no_grad(), torch.autograd.set_detect_anomaly(False):
            y = torch.nn.functional.softplus(torch.stack([x, x]).sum())
        torch.vmap(lambda t: t * 2)(torch.ones(3))
        return np.linalg.norm([float(y), fractions.Fraction(1, 3)]), np.unwrap([1.0, 2.0])

    assert watch_call(ordinary, torch.tensor(1.0)) == ()


def test_watching_costs_little() -> None:
    """A million events would take seconds; an answer makes some hundred."""
    watch, calls = Watch(test_watching_costs_little.__code__), []

    def callback(frame: FrameType, event: str, arg: Any) -> None:
        calls.append(event)
        watch.event(frame, event, arg)

    sys.setprofile(callback)
    try:
        corpus("q6")["seed"](*(torch.tensor(v) for v in QUESTIONS["q6"].at.values()))
    finally:
        sys.setprofile(None)
    assert len(calls) < 500
