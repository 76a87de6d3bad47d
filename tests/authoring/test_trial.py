"""An author hears at how many seeds a question gives no points; where that is most of them, it is refused."""

from __future__ import annotations

import pytest

from autograder.authoring.questions import read
from autograder.authoring.report import report
from autograder.authoring.trial import SEEDS, fault, trial
from autograder.authoring.unfinished import problems
from tests.authoring.notebooks import replaced, six
from tests.calculus.test_points import UNLIKELY
from tests.conftest import QUESTIONS, make_question

SELDOM = UNLIKELY.replace("8)", "16)")


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_seed_of_the_courses_questions_is_good(name: str) -> None:
    tried = trial(QUESTIONS[name])
    assert (tried.failed, tried.words(), fault(QUESTIONS[name])) == (0, "", "")


def test_some_bad_seeds_are_a_note_and_most_bad_seeds_a_fault() -> None:
    some, most = make_question(UNLIKELY), make_question(SELDOM)
    tried = trial(some)
    assert 0 < tried.failed <= SEEDS / 2
    assert fault(some) == ""
    assert tried.words().startswith(
        f"{tried.failed} of {SEEDS} seeds that were tried give no good test points, so they are drawn again with the "
        "next number. The first of them: the domain x in [-0.015625, 8.0], y in [0.5, 2.0] gives only "
    )
    tried = trial(most)
    assert tried.failed > SEEDS / 2
    assert (
        f"{tried.failed} of {SEEDS} seeds that were tried give no good test points, so the question cannot be used."
        in (fault(most))
    )
    assert fault(most).endswith("Choose a domain that reaches further on both sides, or one with `x` on one side only.")


def test_most_bad_seeds_are_refused_by_inspect() -> None:
    notebook = six()
    replaced("q1-forward", '"a": (-3, 3)', '"a": (-0.015625, 16)')(notebook)
    found = read(notebook)
    lines, good = report(found.made["q1"], found, notebook, None)
    assert not good
    assert any(line.startswith("  Change: ") and "seeds that were tried" in line for line in lines)


def test_no_seed_is_refused_before_release() -> None:
    notebook = six()
    replaced("q1-forward", '"a": (-3, 3)', '"a": (-0.015625, 40)')(notebook)
    assert any(text.startswith("q1-forward: ") and "test points" in text for text in problems(notebook))
