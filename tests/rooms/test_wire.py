"""What crosses is data: whatever a hostile room sends is either exactly a reply, or refused by one error."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.by_hand.rules import Finding, Outcome
from autograder.student.protocol import FIXED_TEXTS, Answer, Fault, Missing, Number, Reply, Request
from autograder.workers import redaction, wire

numbers = st.builds(
    Number,
    st.sampled_from(["number", "none", "text", "shape", "complex", "other"]),
    st.text(max_size=20),
    st.floats(allow_nan=False),
    st.lists(st.integers(0, 99), max_size=4).map(tuple),
)
faults = st.builds(Fault, st.text(max_size=9), st.text(max_size=9), st.text(max_size=9), st.none() | st.integers(0, 99))
answers = st.builds(
    Answer,
    st.lists(numbers, max_size=3).map(tuple),
    st.booleans(),
    st.dictionaries(st.text(max_size=5), numbers),
    st.none() | faults,
)
findings = st.builds(Finding, st.sampled_from(Outcome), st.text(max_size=9), st.none() | st.integers(0, 99))
replies = st.builds(
    Reply,
    st.lists(answers, max_size=3).map(tuple),
    st.none() | st.builds(Missing, st.none() | faults),
    shifted=st.none() | findings,
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def _across(reply: Reply) -> Reply:
    return wire.decode(Reply, wire.unpack(wire.pack({"reply": wire.encode(reply)}))["reply"])


@given(replies)
def test_a_reply_arrives_as_it_was_sent(reply: Reply) -> None:
    assert _across(reply) == reply


@pytest.mark.parametrize("value", [0.1, -0.0, math.inf, -math.inf, 5e-324, 1.7976931348623157e308, math.nan])
def test_numbers_cross_bit_by_bit(value: float) -> None:
    (answer,) = _across(Reply((Answer((Number("number", "float", value),)),))).answers
    assert repr(answer.results[0].value) == repr(value)


def test_a_request_crosses_with_the_names_of_what_is_given_and_not_the_things() -> None:
    request = Request("grad_q1", ("a",), ({"a": 1.5},), ("dzda",), {"torch": math}, True)
    arrived = wire.decode(Request, wire.encode(request))
    assert arrived == Request("grad_q1", ("a",), ({"a": 1.5},), ("dzda",), {"torch": None}, True)


@settings(max_examples=300)
@given(st.binary(max_size=200))
def test_any_bytes_are_refused_or_an_object(line: bytes) -> None:
    try:
        assert type(wire.unpack(line)) is dict
    except wire.Refused:
        pass


@settings(max_examples=300)
@given(json_values)
def test_any_json_is_refused_or_a_reply(data: object) -> None:
    try:
        assert type(wire.decode(Reply, data)) is Reply
    except wire.Refused:
        pass


@settings(max_examples=300)
@given(replies, st.data())
def test_a_reply_with_one_value_replaced_is_refused_or_a_reply(reply: Reply, data: st.DataObject) -> None:
    sent = wire.encode(reply)
    at, path = sent, []
    while isinstance(at, dict | list) and at:
        key = data.draw(st.sampled_from(sorted(at) if isinstance(at, dict) else range(len(at))))
        path.append((at, key))
        at = at[key]
        if data.draw(st.booleans()):
            break
    if path:
        path[-1][0][path[-1][1]] = data.draw(json_values)
    try:
        assert type(wire.decode(Reply, sent)) is Reply
    except wire.Refused:
        pass


@pytest.mark.parametrize(
    "line",
    [
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b"[1]",
        b"",
        b"\xff",
        b'{"a": "' + b"x" * wire.MOST_BYTES + b'"}',
    ],
)
def test_hostile_lines_are_refused(line: bytes) -> None:
    with pytest.raises(wire.Refused):
        wire.unpack(line)


@pytest.mark.parametrize(
    "number", ["1.5", "0x1p99999", "nan(1)", " 0x1p+0", "__import__", "٣", 1.5, True, None, [], "0x" + "f" * 60]
)
def test_only_hexadecimal_text_is_a_number(number: object) -> None:
    with pytest.raises(wire.Refused):
        wire.decode(Number, {"kind": "number", "type": "float", "value": number, "shape": []})


def test_half_a_surrogate_pair_does_not_arrive() -> None:
    fault = wire.decode(Fault, {**wire.encode(Fault("E", "E", "")), "text": "\ud800"})
    assert fault.text.encode() == b"?"


HIDDEN = Request("grad_q1", ("a",), ({"a": 0.328125},), ("dzda",), {}, False)
CELLS = ["def grad_q1(a):\n    return helper(a)  # line"]


def _heard(reply: Reply, request: Request = HIDDEN) -> str:
    return repr(redaction.seal(reply, request, CELLS))


@pytest.mark.parametrize(
    "reply",
    [
        Reply((Answer(fault=Fault("AT_0328125", "AT", "a = 0.328125", 328125000, "a = 0.328125", "a0328125")),)),
        Reply((Answer(fault=Fault("ValueError", "ValueError", "0.328125")),)),
        Reply((Answer((Number("other", "at0328125"),), True),)),
        Reply((Answer((Number("shape", "list", shape=(328125, 328125, 328125)),), True),)),
        Reply((Answer(adjoints={"at0328125": Number("none", "x")}),)),
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
