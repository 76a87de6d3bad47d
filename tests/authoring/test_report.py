"""`autograder inspect` says what is good, what to change and how; and asks for nothing that cannot help."""

from __future__ import annotations

from typing import Any

from autograder.authoring.inspection import Inspection, words
from autograder.authoring.questions import Questions, read
from autograder.authoring.report import report
from tests.authoring.notebooks import find, replaced, six
from tests.conftest import make_question

CLAMPED = """
@question(wrt="x", at={"x": 0.5}, domain={"x": (0.25, 2)})
def q7(x):
    a = x * 3
    b = a + torch.relu(x - 9) * 0.5
    return b
"""
SMALL = """
@question(wrt="x", at={"x": 0.5}, domain={"x": (0.25, 2)})
def q7(x):
    a = torch.sin(x)
    b = 1e7 * x
    c = a + b
    return c
"""
ALWAYS_ZERO = """
@question(wrt="x", at={"x": 0.5}, domain={"x": (0.25, 2)})
def q7(x):
    a = x - x
    b = torch.sin(a)
    c = b + x * x
    return c
"""


def said(source: str) -> tuple[str, bool]:
    made = make_question(source)
    lines, good = report(made, Questions({"q7": made}, {"q7": source}), six(), None)
    return " ".join(" ".join(lines).split()), good


def test_a_good_question_needs_no_change() -> None:
    notebook = six()
    found = read(notebook)
    lines, good = report(found.made["q6"], found, notebook, None)
    text = " ".join(" ".join(lines).split())
    assert good
    assert "Change" not in text
    assert "To do" not in text
    assert "An answer has 5 links, from the output backwards: dfde, dfdd, dfdc, dfdb, dfdy." in text
    assert "Good: your own solution earns full marks at these points." in text
    assert all(len(line) <= 100 for line in lines)


def test_what_is_left_to_write_is_to_do() -> None:
    notebook = six()
    replaced("q6", "dfdb = dfdc * -a / b**2", "dfdb = dfdc * a / b**2")(notebook)
    replaced("q6-statement", "**Points:** 10", "**Points:** 11")(notebook)
    found = read(notebook)
    text = " ".join(" ".join(report(found.made["q6"], found, notebook, None)[0]).split())
    assert "To do: your own solution does not earn full marks: dfdy is not right" in text
    assert "To do: q6-statement: not up to date; run `autograder refresh q6`." in text
    find(notebook, "q6").source = "x = 1"
    found = read(notebook)
    text = " ".join(" ".join(report(found.made["q6"], found, notebook, None)[0]).split())
    assert "To do: the cell must hold `def grad_q6(x, y, z):`" in text


def remedies(source: str) -> dict[str, Any]:
    inspection = Inspection(make_question(source), "inspect")
    return {words(inspection.question, slip): inspection.remedies[slip] for slip in inspection.undetected}


def test_a_share_too_small_to_be_seen_is_not_mended_by_a_wider_domain() -> None:
    found = remedies(SMALL)
    assert "dcda has the wrong sign" in found
    assert not any(remedy.domain or remedy.other_points for remedy in found.values())
    text, good = said(SMALL)
    assert not good
    assert "No domain shows it, because its share of the derivative is too small: at most 2e-07 of the whole." in text
    assert "wider domain" not in text


def test_a_slip_that_no_domain_can_show_is_no_mistake_and_nothing_to_do() -> None:
    inspection = Inspection(make_question(ALWAYS_ZERO), "inspect")
    assert inspection.undetected == []
    assert "dcdb has the wrong sign" in [words(inspection.question, slip) for slip in inspection.same_everywhere]
    text, good = said(ALWAYS_ZERO)
    assert good
    assert (
        "these slips are no mistakes here, because they give the true derivative everywhere (nothing to do): " in text
    )


def test_a_domain_that_is_too_narrow_is_told_with_one_that_is_not() -> None:
    narrow = CLAMPED.replace("torch.relu(x - 9) * 0.5", "0.001 * torch.exp(4 * x - 12)").replace(
        "(0.25, 2)", "(0.25, 1.5)"
    )
    found = remedies(narrow)
    assert any(remedy.domain for remedy in found.values())
    text, good = said(narrow)
    assert not good
    assert "Change: an answer in which dbda" in text or "Change: an answer in which dbdx" in text
    assert "A wider domain shows it, for example x between" in text
