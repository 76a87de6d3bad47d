"""Points and sentences become a verdict in words."""

from __future__ import annotations

import pytest

from autograder import _messages
from autograder.feedback.grades import Mark
from autograder.feedback.verdicts import CHANGED, Kind, judge, without_points


@pytest.mark.parametrize(
    ("earned", "unanswered", "kind", "word"),
    [
        (10.0, False, Kind.RIGHT, "Right"),
        (10.000000001, True, Kind.RIGHT, "Right"),
        (3.2, False, Kind.PARTLY, "Partly right"),
        (3.2, True, Kind.PARTLY, "Partly right"),
        (0.0, False, Kind.WRONG, "Not right"),
        (0.0, True, Kind.UNANSWERED, "Not answered"),
    ],
)
def test_points_have_a_word(earned: float, unanswered: bool, kind: Kind, word: str) -> None:
    verdict = judge([Mark(0, 0), Mark(earned, 10)], unanswered, "It is so.")
    assert (verdict.kind, verdict.word) == (kind, word)
    assert verdict.sentence == ("" if kind is Kind.UNANSWERED else "It is so.")


def test_what_a_person_decides_is_no_matter_of_right_and_wrong() -> None:
    assert judge([Mark(1, 2, by_person=True)], False, by_hand_only=True).word == "Some of the points"
    assert judge([Mark(0, 2, pending=True), Mark(2, 2)], False).word == "Not graded yet"
    assert judge([Mark(2, 2, by_person=True)], False, "0 of 2 points.").sentence == CHANGED


def test_the_line_of_grade_loses_its_points_and_its_hand_made_ends_of_line() -> None:
    line = _messages.EARNED.format(question="q6", earned="3.2", points="8", text="It is\nnot right.\n    x = 1")
    assert without_points(line) == "It is not right.\n    x = 1"
    assert without_points("an ordinary print") is None
