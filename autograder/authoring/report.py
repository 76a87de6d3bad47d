"""The report of `autograder inspect`: lines that begin with `Good`, `Change`, `To do` or `Note`."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

import torch

from autograder.authoring import answer, cells
from autograder.authoring.inspection import Inspection, words
from autograder.authoring.questions import Questions
from autograder.authoring.refresh import refresh, seed_of
from autograder.authoring.source import grade_id
from autograder.authoring.trial import trial
from autograder.authoring.unfinished import of_statement
from autograder.calculus import reference
from autograder.calculus.admission import kinks
from autograder.calculus.points import COUNT, KINK_MARGIN, TOLD, Domain, telling
from autograder.questions import Question
from autograder.terminal.words import count
from autograder.verdict.quantities import TOLERANCE
from autograder.verdict.slips import Slip

WIDTH = 100
_MOST = 6


def report(question: Question, found: Questions, notebook: Any, seed: str | None) -> tuple[list[str], bool]:
    """The lines of the report, and whether the question can stay as it is.

    The test points are drawn from `seed`; if it is None, from the seed in the question's hidden cell.
    """
    by_id = {grade_id(c): c for c in notebook.cells}
    seed = seed or seed_of(by_id.get(f"{question.name}-hidden")) or "inspect"
    inspection = Inspection(question, seed)
    tried = trial(question)
    lines = [
        *_graph(question),
        *_points(inspection),
        *(_said("Note" if tried.good else "Change", tried.words()) if tried.failed else ()),
        *_slips(inspection),
        *_cells(question, found, notebook, by_id, seed),
    ]
    return lines, tried.good and not inspection.undetected


def _graph(question: Question) -> Iterator[str]:
    forward, wrt = question.forward, question.wrt
    yield f"{question.name} asks for d({forward.output})/d({wrt}), which students name {forward.adjoint(wrt)}."
    yield "  Its forward pass, one node per line:"
    for line in forward.lines:
        readers = ", ".join(c.name for c in forward.consumers(line.name))
        yield f"    {line.text:<40} {f'used by {readers}' if readers else 'the result'}"
    adjoints = cells.adjoints_of(question)
    count = f"{len(adjoints)} links" if len(adjoints) > 1 else "one link"
    yield from _said("", f"An answer has {count}, from the output backwards: {', '.join(adjoints)}.")


def _points(of: Inspection) -> Iterator[str]:
    q = of.question
    scales = [r.scales[q.wrt] for r in of.references]
    clear = sum(telling(of.references, q.wrt))
    with reference.clean_torch():
        worst = max(
            abs(reference.adjoints(q.forward, r.point, torch.float32)[q.wrt] - r.adjoints[q.wrt]) / s
            for r, s in zip(of.references, scales, strict=True)
            if s
        )
        gaps = [kinks(q.forward, r.point) for r in of.references]
    yield from _said("Good", f"the domain gives {COUNT} test points, with {domain_words(q.domain)}.")
    yield from _said(
        "Good",
        f"honest answers agree there: float32 differs from float64 by at most {worst:.1e} of the derivative's size, "
        f"and an answer may differ by {TOLERANCE:g}.",
    )
    if clear < COUNT:
        yield from _said(
            "Note",
            f"at {COUNT - clear} of the {COUNT} points the derivative is 0, or the paths to {q.wrt} cancel each other "
            f"to less than 1/{1 / TOLD:g}. At the other {clear} they do not, and one such point is enough.",
        )
    for at, column in enumerate(zip(*gaps, strict=True), 1):
        above, nearest = sum(g > 0 for g in column), min(map(abs, column))
        yield from _said(
            "Good",
            f"kink {at} (relu, abs, maximum …) has {above} points on one side and {COUNT - above} on the other, none "
            f"nearer than {nearest:g} (at least {KINK_MARGIN}).",
        )


def _slips(of: Inspection) -> Iterator[str]:
    q = of.question
    shown = len(of.slips) - len(of.undetected)
    yield from _said("Good", f"{shown} of {len(of.slips)} known slips give a wrong derivative at one of these points.")
    for slip in of.undetected:
        yield from _said("Change", f"an answer in which {words(q, slip)} would earn full marks. {_remedy(of, slip)}")
    same = [*of.harmless, *of.same_everywhere]
    if same:
        yield from _said(
            "Note",
            "these slips are no mistakes here, because they give the true derivative everywhere (nothing to do): "
            + _some([words(q, s) for s in same])
            + ".",
        )
    groups = of.indistinguishable()
    if groups:
        yield from _said(
            "Note",
            f"{count(len(groups), 'group')} of slips lead to the same wrong derivative. A student is told which slip "
            "it is only if the answer names its adjoints. For example: "
            + _some([words(q, s) for s in groups[0]])
            + ".",
        )


def _remedy(of: Inspection, slip: Slip) -> str:
    remedy = of.remedies[slip]
    if remedy.other_points:
        return "Other points of the same domain show it: choose another seed in the hidden cell."
    if remedy.domain:
        return f"A wider domain shows it, for example {domain_words(remedy.domain)}: change `domain`."
    return (
        f"No domain shows it, because its share of the derivative is too small: at most {remedy.effect:.0e} of the "
        "whole. Change the numbers in the forward pass so that its shares are of similar size."
    )


def _cells(question: Question, found: Questions, notebook: Any, by_id: dict[str, Any], seed: str) -> Iterator[str]:
    name = question.name
    if f"{name}-statement" in by_id:
        for text in of_statement(name, by_id[f"{name}-statement"].source):
            yield from _said("To do", text)
    if name in by_id:
        source = by_id[name].source
        misfits = list(answer.misfits(source, question, found.namespace))
        wrong = "" if misfits else answer.marks(source, question, found, seed)
        for text in misfits or ([wrong] if wrong else []):
            yield from _said("To do", text.removeprefix(f"{name}: "))
        if not misfits and not wrong:
            yield from _said("Good", "your own solution earns full marks at these points.")
    changes = refresh(notebook, [name], judge=False).changes
    if changes:
        cells_ = ", ".join(dict.fromkeys(change.cell for change in changes))
        yield from _said("To do", f"{cells_}: not up to date; run `autograder refresh {name}`.")


def domain_words(domain: Domain) -> str:
    """`s between -2 and 2, t between 0.5 and 3`."""
    return ", ".join(f"{n} between {lo:g} and {hi:g}" for n, (lo, hi) in domain.items())


def _said(label: str, text: str) -> Iterator[str]:
    first = f"  {label}: " if label else "  "
    yield from textwrap.wrap(
        text, WIDTH, initial_indent=first, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
    )


def _some(texts: Sequence[str]) -> str:
    more = len(texts) - _MOST
    return "; ".join(texts[:_MOST]) + (f"; and {more} more" if more > 0 else "")
