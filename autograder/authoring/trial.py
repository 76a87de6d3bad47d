"""Tries a question at many seeds, so that an author hears of a poor domain and never a student or a class.

A seed that gives no good points is drawn on with the next number (`calculus.points`). That ends soon where most seeds
are good: if half of them are, 20 numbers in a row fail once in a million seeds. A question where fewer are is refused.
"""

from __future__ import annotations

from dataclasses import dataclass

from autograder.errors import QuestionError
from autograder.questions import Question

SEEDS = 24
AT_RELEASE = 4
"""Enough where an assignment is generated, again and again: `new` and `inspect` have tried more."""


@dataclass(frozen=True)
class Trial:
    """How many of some seeds gave no good points, and why the first of them did not."""

    seeds: int
    failed: int = 0
    why: str = ""

    @property
    def good(self) -> bool:
        return 2 * self.failed <= self.seeds

    def words(self) -> str:
        """A sentence for the author; "" if every seed is good."""
        if not self.failed:
            return ""
        then = "so they are drawn again with the next number" if self.good else "so the question cannot be used"
        return f"{self.failed} of {self.seeds} seeds that were tried give no good test points, {then}. {self.why}"


def trial(question: Question, seeds: int = SEEDS) -> Trial:
    failed, why = 0, ""
    for number in range(seeds):
        try:
            question._testbed.draw_once(f"trial {number}")
        except QuestionError as error:
            failed, why = failed + 1, why or f"The first of them: {str(error).removeprefix(f'{question.name}: ')}"
    return Trial(seeds, failed, why)


def fault(question: Question, seeds: int = SEEDS) -> str:
    """Why this question must not be used; "" if it may."""
    tried = trial(question, seeds)
    return "" if tried.good else tried.words()
