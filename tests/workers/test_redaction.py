"""A reply about hidden points carries no text that could tell one, and every text that tells a student what is wrong."""

from __future__ import annotations

import dataclasses

import pytest

from autograder.by_hand.rules import MOST_FINDINGS, Finding, Outcome
from autograder.student.protocol import FIXED_TEXTS, Answer, Fault, Missing, Number, Reply, Request
from autograder.workers import redaction

HIDDEN = Request("grad_q1", ("a",), ({"a": 0.328125},), ("a", "z"), {}, False)
CELLS = ["def grad_q1(a):\n    return helper(a)  # line"]


SHOWN = Request("grad_q1", ("a",), ({"a": 2.0},), ("a", "z"), {}, True)


def _heard(reply: Reply, request: Request = HIDDEN, known: Reply | None = None) -> str:
    return repr(redaction.redact(reply, request, CELLS, known))


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


def test_the_line_of_an_exception_is_heard_at_hidden_points_where_it_was_told_at_known_ones() -> None:
    told = Fault("Mine", "ValueError", "my own words", 2, "return helper(a)  # line", within="grad_q1")
    known = redaction.redact(Reply((Answer(fault=told),)), SHOWN, CELLS)
    other = Fault("At328125", "ValueError", "at 0.328125", 328125, "0.328125", "at328125")
    assert _heard(Reply((Answer(fault=other),)), known=known) == _heard(Reply((Answer(fault=told),)), known=known)
    assert "return helper(a)  # line" in _heard(Reply((Answer(fault=other),)), known=known)
    assert "line=None" in _heard(Reply((Answer(fault=other),)))
    assert "line=None" in _heard(Reply((Answer(fault=Fault("KeyError", "KeyError", "", 2)),)), known=known)


def test_why_a_function_is_missing_is_what_was_told_at_known_points() -> None:
    known = redaction.redact(Reply(missing=Missing(near=("grad_q",))), SHOWN, CELLS)
    assert "near=('grad_q',)" in _heard(Reply(missing=Missing(not_a_function="at328125")), known=known)
    assert "missing=None" in _heard(Reply((Answer(),)), known=known)


def test_of_a_finding_at_hidden_points_only_its_outcome_is_heard_beside_those_of_known_points() -> None:
    seen = Finding(Outcome.FORBIDDEN, "autograd", 3, "f.backward()")
    forged = Finding(Outcome.LISTED, "hook", 328125, "0.328125")  # `hook` is forbidden, whatever it says
    known = redaction.redact(Reply(seen=(seen,)), SHOWN, CELLS)
    assert redaction.redact(Reply(seen=(forged,) * 9), HIDDEN, CELLS, known).seen == (seen,)
    assert [f.rule for f in redaction.redact(Reply(seen=(forged, seen)), HIDDEN, CELLS).seen] == ["seen"]
    assert redaction.redact(Reply(), HIDDEN, CELLS, known).seen == ()


@pytest.mark.parametrize("request_", [SHOWN, HIDDEN])
def test_what_is_long_is_cut_and_what_is_many_is_counted_on_entry(request_: Request) -> None:
    long = Finding(Outcome.LISTED, "outside", 3, "x" * 140_000)
    many = tuple(dataclasses.replace(long, line=n) for n in range(1, 4000))
    fault = Fault("x" * 10**5, "ValueError", "x" * 10**5, 3, "x" * 10**5, "x" * 10**5, within="x" * 10**5)
    heard = redaction.redact(Reply((Answer(fault=fault),), seen=many, shifted=long), request_, CELLS)
    assert len(heard.seen) <= MOST_FINDINGS
    assert len(repr(heard)) < 300 * (MOST_FINDINGS + 10)


def test_one_derivative_cannot_be_called_by_a_name_that_is_chosen_at_a_hidden_point() -> None:
    number = Number("number", "float", 1.0)
    spellings = ["dzda", "dz_da", "dz_by_da"]
    known = redaction.redact(Reply((Answer(named=dict.fromkeys(spellings, number)),)), SHOWN, CELLS)
    for name in spellings:
        heard = redaction.redact(Reply((Answer(named={name: number}),)), HIDDEN, CELLS, known)
        assert list(heard.answers[0].named) == ["dzda"]
    assert redaction.redact(Reply((Answer(named={"dz_over_da": number}),)), HIDDEN, CELLS, known).answers[0].named == {}
    cells = ["dz_da = 1", "dzda = 2"]
    heard = redaction.redact(Reply((Answer(named={"dzda": number, "dzbyda": number}),)), HIDDEN, cells)
    assert list(heard.answers[0].named) == ["dz_da"]


def test_a_fixed_sentence_of_pythons_or_torchs_is_heard_and_none_with_a_word_more() -> None:
    for text in FIXED_TEXTS:
        assert repr(text) in _heard(Reply((Answer(fault=Fault("TypeError", "TypeError", text)),)))
        for more in (f"{text} 0.328125", f"0.328125{text}", text.upper()):
            heard = _heard(Reply((Answer(fault=Fault("TypeError", "TypeError", more)),)))
            assert more not in heard


def test_what_stands_for_a_number_is_heard_by_its_kind() -> None:
    for kind in ("ellipsis", "function", "builtin_function_or_method", "method", "numpy.ufunc"):
        heard = _heard(Reply((Answer((Number("other", kind),), True),)))
        assert ("'ellipsis'" if kind == "ellipsis" else "'function'") in heard
    for kind in ("at328125", "torch.at328", "Tensor", "str"):
        assert "'object'" in _heard(Reply((Answer((Number("other", kind),), True),)))


def test_at_the_visible_point_everything_is_heard() -> None:
    assert "my own words" in _heard(Reply((Answer(fault=Fault("Mine", "ValueError", "my own words")),)), SHOWN)


def test_of_a_notebook_of_any_size_the_grader_reads_as_much_as_a_student_writes() -> None:
    """The names of 40 MB took the grading process 23 seconds, for each question."""
    named = Reply((Answer(named={"dzda": Number("number", "float", 1.0)}),))
    assert redaction.redact(named, HIDDEN, ["#" * 2_000_000, "dzda = 1"]).answers[0].named
    assert not redaction.redact(named, HIDDEN, ["dzda = 1", "#" * 2_000_000]).answers[0].named
