"""What became of a question: its kind in one word, and the words for the student."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from autograder.by_hand.rules import Finding
from autograder.verdict.chain import Chain
from autograder.verdict.credit import share


class Kind(Enum):
    """What became of a question, in one word."""

    RIGHT = "right"
    UNANSWERED = "unanswered"
    MISSING = "missing"
    RAISED = "raised"
    NOT_TWO = "not two results"
    NO_NUMBER = "not a number"
    SWAPPED = "swapped"
    WRONG_VALUE = "wrong value"
    NOT_BY_HAND = "not by hand"
    WRONG_DERIVATIVE = "wrong derivative"


@dataclass(frozen=True)
class Verdict:
    """What the grader says of one question, in a word and in words for the student."""

    kind: Kind
    text: str
    chain: Chain | None = None
    """The links, where the reply was usable and the value right."""
    findings: tuple[Finding, ...] = ()
    """What the by-hand guards point at: one that is forbidden, or those listed for the instructor."""
    own_forward: float = 0.0
    """The part of the points for a derivative that is right for other forward lines than those given."""

    @property
    def right(self) -> bool:
        return self.kind is Kind.RIGHT

    @property
    def credit(self) -> float:
        """The part of the points that is earned: all, or half of them shared over the steps that are shown."""
        if self.right:
            return 1.0
        if self.kind is not Kind.WRONG_DERIVATIVE or self.chain is None:
            return self.own_forward
        right, count = share(self.chain)
        return 0.5 * right / max(count, 1)
