"""Points and sentences become a verdict in words."""

from __future__ import annotations

import re

import pytest

from autograder import messages
from autograder.feedback.grades import Mark
from autograder.feedback.outputs import message
from autograder.feedback.verdicts import CHANGED, Kind, first, judge, without_points


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
    line = messages.EARNED.format(question="q6", earned="3.2", points="8", text="It is\nnot right.\n    x = 1")
    assert without_points(line) == "It is not right.\n    x = 1"
    assert without_points("an ordinary print") is None


def test_what_follows_a_line_of_the_students_own_code_is_prose_again() -> None:
    code = messages.OWN_LINE.format(source="return round(u, 4), dudx")
    text = "It is\nrounded." + code + "\nSteps that your lines\nshow and have right, each: 1 of 2."
    alone = without_points(messages.EARNED.format(question="q5", earned="3.2", points="8", text=text))
    assert alone == "It is rounded." + code + "\nSteps that your lines show and have right, each: 1 of 2."
    assert re.findall("<(p|pre) ", message(alone)) == ["p", "pre", "p"]


@pytest.mark.parametrize("earlier", ["", messages.BY_SIGN.format(name="x", right="positive", wrong="negative")])
@pytest.mark.parametrize("broken", ["", messages.BROKEN.format(adjoint="dfdb", numbers="")])
def test_the_sentence_of_a_wrong_answer_goes_as_far_as_the_reason_and_leaves_out_the_points(
    earlier: str, broken: str
) -> None:
    lost = messages.SLIP["path lost"].format(it="It", consumer="c", node="x", line="c = sin(x)", also="")
    wrong = "dfdx is not right at a hidden test point." + earlier + broken + lost
    share = messages.SHARE.format(right=1, count=2, earned=4, points=8)
    assert first(wrong + share) == wrong
    assert first("A. " * 9) == "A. A. A."
    assert first("a" * 999).endswith("a …")
