"""What crosses is data: whatever a hostile worker sends is either exactly a reply, or refused by one error."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.by_hand.rules import Finding, Outcome
from autograder.student.protocol import Answer, Fault, Missing, Number, Reply, Request
from autograder.workers import wire
from autograder.workers.errors import BadMessage

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
    except BadMessage:
        pass


@settings(max_examples=300)
@given(json_values)
def test_any_json_is_refused_or_a_reply(data: object) -> None:
    try:
        assert type(wire.decode(Reply, data)) is Reply
    except BadMessage:
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
    except BadMessage:
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
    with pytest.raises(BadMessage):
        wire.unpack(line)


def test_a_line_of_too_many_lists_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(BadMessage, match="more than 600000 lists"):
        wire.unpack(b'{"a": [' + b"[]," * wire.MOST_LISTS + b"[]]}", 1 << 25)


@pytest.mark.parametrize(
    "number", ["1.5", "0x1p99999", "nan(1)", " 0x1p+0", "__import__", "٣", 1.5, True, None, [], "0x" + "f" * 60]
)
def test_only_hexadecimal_text_is_a_number(number: object) -> None:
    with pytest.raises(BadMessage):
        wire.decode(Number, {"kind": "number", "type": "float", "value": number, "shape": []})


def test_a_plain_number_is_one_short_text() -> None:
    plain, shape = Number("number", "torch.Tensor", 1.5), Number("shape", "list", shape=(3,))
    assert wire.encode(Answer((plain, shape)))["results"] == ["torch.Tensor 0x1.8000000000000p+0", wire.encode(shape)]
    assert wire.decode(Number, "a b 0x1.8p+0") == Number("number", "a b", 1.5)


@pytest.mark.parametrize(
    "text", ["", "float", "float ", "float 1.5", "float 0x1p+0 ", "x" * wire.MOST_TEXT + "x 0x1p+0"]
)
def test_a_text_that_is_no_plain_number_is_refused(text: str) -> None:
    with pytest.raises(BadMessage):
        wire.decode(Number, text)


def test_half_a_surrogate_pair_does_not_arrive() -> None:
    fault = wire.decode(Fault, {**wire.encode(Fault("E", "E", "")), "text": "\ud800"})
    assert fault.text.encode() == b"?"
