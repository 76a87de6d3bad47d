"""A reply about hidden points carries no text that could tell one, and every text that tells a student what is wrong."""

from __future__ import annotations

import pytest

from autograder.by_hand.rules import Finding, Outcome
from autograder.student.protocol import FIXED_TEXTS, Answer, Fault, Missing, Number, Reply, Request
from autograder.workers import redaction

HIDDEN = Request("grad_q1", ("a",), ({"a": 0.328125},), ("a", "z"), {}, False)
CELLS = ["def grad_q1(a):\n    return helper(a)  # line"]


def _heard(reply: Reply, request: Request = HIDDEN) -> str:
    return repr(redaction.redact(reply, request, CELLS))


@pytest.mark.parametrize(
    "reply",
    [
        Reply((Answer(fault=Fault("AT_0328125", "AT", "a = 0.328125", 328125000, "a = 0.328125", "a0328125")),)),
        Reply((Answer(fault=Fault("ValueError", "ValueError", "0.328125")),)),
        Reply((Answer((Number("other", "at0328125"),), True),)),
        Reply((Answer((Number("shape", "list", shape=(328125, 328125, 328125)),), True),)),
        Reply((Answer(named={"at0328125": Number("none", "x")}),)),
        Reply(missing=Missing(near=("at0328125",))),
        Reply(missing=Missing(not_a_function="at0328125")),
        Reply(missing=Missing(Fault("SyntaxError", "SyntaxError", "0.328125", 1, "0.328125"))),
        Reply(printed="0.328125"),
        Reply(shifted=Finding(Outcome.FORBIDDEN, "at0328125", 328125000, "return 0.328125", 328125)),
    ],
)
def test_no_text_in_a_reply_carries_a_hidden_point(reply: Reply) -> None:
    assert "328125" not in _heard(reply)


def test_the_students_own_line_and_a_builtin_exception_are_heard_at_hidden_points() -> None:
    heard = _heard(Reply((Answer(fault=Fault("ValueError", "ValueError", "secret", 2, "return helper(a)  # line")),)))
    assert "ValueError" in heard
    assert "return helper(a)  # line" in heard
    assert "secret" not in heard


def test_a_fixed_sentence_of_pythons_or_torchs_is_heard_and_none_with_a_word_more() -> None:
    for text in FIXED_TEXTS:
        assert repr(text) in _heard(Reply((Answer(fault=Fault("TypeError", "TypeError", text)),)))
        for more in (f"{text} 0.328125", f"0.328125{text}", text.upper()):
            heard = _heard(Reply((Answer(fault=Fault("TypeError", "TypeError", more)),)))
            assert more not in heard


def test_what_stands_for_a_number_is_heard_by_its_kind() -> None:
    for kind in ("ellipsis", "function", "builtin_function_or_method", "method", "numpy.ufunc"):
        assert repr(kind) in _heard(Reply((Answer((Number("other", kind),)),)))


def test_at_the_visible_point_everything_is_heard() -> None:
    request = Request("grad_q1", ("a",), ({"a": 2.0},), (), {}, True)
    assert "my own words" in _heard(Reply((Answer(fault=Fault("Mine", "ValueError", "my own words")),)), request)
