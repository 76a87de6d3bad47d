"""Data crosses whole, in its exact type; whatever else arrives is refused by one error, and runs nothing."""

from __future__ import annotations

import collections
import datetime
import json
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.lending.coder import Coder
from autograder.lending.errors import Malformed, NotData
from autograder.lending.kinds import TYPES
from autograder.lending.reader import _READ, Reader

DATA = [
    *(None, True, 1, -3, 2**200, -(2**70), 1.5, -0.0, float("nan"), float("inf"), 1j, "δ", "\ud800", b"ab"),
    [-0.0, float("nan"), *(k / 7 for k in range(9))],
    *(bytearray(b"x"), [1, [2, (3, {4})]], {"a": {1: 2}, (1, 2): None}, {1, "a"}, frozenset({1}), range(1, 9, 2)),
    *(slice(1, None, 2), Fraction(1, 3), Decimal("1.5E+3"), Decimal("NaN"), Decimal("0E-10"), Ellipsis, int),
    *(datetime.date(2020, 1, 2), datetime.datetime(2020, 1, 2, 3, 4, 5, 6), datetime.timedelta(-1, 2, 3)),
    *(datetime.datetime(2020, 1, 2, tzinfo=datetime.UTC), datetime.time(1, 2), np.ndarray),
    *(collections.OrderedDict(b=1, a=2), collections.Counter("aab"), collections.defaultdict(list, {1: [2]})),
    *(collections.deque([1, 2], maxlen=3), np.arange(6.0).reshape(2, 3), np.array(["a", "bc"]), np.array(3.0)),
    *(np.array([1, None, [2]], dtype=object), np.float32(1.5), np.int64(3), np.bool_(True), np.zeros((0, 3))),
    *(np.array(["2020-01-01"], "datetime64[D]"), np.str_("x"), np.arange(4).astype(">i4"), np.array([1j])),
    *(torch.tensor([1.0, 2.0], requires_grad=True), torch.tensor(3), torch.ones(2, 2, dtype=torch.bfloat16)),
    *(torch.zeros(0, 3), torch.nn.Parameter(torch.ones(2)), torch.Size([1, 2]), torch.float32),
    *(pandas.Series([1, 2], name="a"), pandas.Series(["a", None]), pandas.Series(["a", "b", "a"], dtype="category")),
    pandas.DataFrame({"a": [1, 2], "b": ["x", "y"], "c": [1.5, None]}, index=["r", "s"]),
    *(pandas.DataFrame([[1, 2], [3, 4]], columns=["a", "a"]), pandas.DataFrame(), pandas.NA, pandas.NaT),
    *(pandas.Series([1, None], dtype="Int64"), pandas.Timestamp("2020-01-01"), pandas.Index([1.5, 2], name="i")),
    pandas.MultiIndex.from_tuples([(1, 2), (3, 4)], names=["a", "b"]),
    *(np.ones((1, 2)).view(np.matrix), pandas.date_range("2020-01-01", periods=3, freq="D", name="d")),
    *(
        pandas.date_range("2020-03-28", periods=3, tz="Europe/Berlin"),
        pandas.period_range("2020-01", periods=3, freq="M"),
    ),
    *(pandas.interval_range(0, 3), pandas.Series(pandas.cut([1, 2, 3], 2)), pandas.to_timedelta([1, 2], unit="h")),
    *(
        pandas.Timestamp("2020-01-01", tz="UTC"),
        pandas.Timedelta("1h"),
        pandas.Period("2020-01"),
        pandas.Interval(0, 1),
    ),
    pandas.DataFrame({"k": [1, 2, 1], "x": [1.0, 2.0, 3.0]}).groupby("k").agg(["mean", "sum"]),
]


def refuse(thing: Any) -> Any:
    raise NotData(type(thing).__name__)


def refuse_data(data: Any) -> Any:
    raise Malformed("no data")


def crossed(value: Any) -> Any:
    return Reader(refuse_data).read(json.loads(json.dumps(Coder(refuse).encode(value))))


@pytest.mark.parametrize("value", DATA, ids=[f"{type(value).__name__}-{at}" for at, value in enumerate(DATA)])
def test_data_crosses_whole_and_in_its_exact_type(value: Any) -> None:
    there = crossed(value)
    assert type(there) is type(value)
    assert repr(there) == repr(value)


def test_what_has_crossed_is_a_copy() -> None:
    given = [[1], np.zeros(2), torch.zeros(2)]
    there = crossed(given)
    there[0].append(2)
    there[1][0] = there[2][0] = 9
    assert repr(given) == "[[1], array([0., 0.]), tensor([0., 0.])]"


class Equal(list[Any]):
    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None


class Seven(int):
    pass


class Near(float):
    def __sub__(self, other: Any) -> float:
        return 0.0


class Array(np.ndarray):
    pass


@pytest.mark.parametrize(
    "value",
    [
        Equal(),
        Seven(7),
        Near(1),
        np.zeros(2).view(Array),
        lambda: 1,
        object(),
        collections.UserList(),
        type("int", (int,), {}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_subclass_is_no_data(value: Any) -> None:
    for whole in (value, [value], {"a": value}, (1, (value,))):
        with pytest.raises(NotData):
            crossed(whole)


def test_what_holds_itself_or_is_too_large_is_no_data() -> None:
    loop: list[Any] = []
    loop.append(loop)
    for value in (loop, list(range(400_000)), np.zeros(3_000_000), 1 << 100_000):
        with pytest.raises(NotData):
            crossed(value)


ATOMS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=8)
    | st.sampled_from(
        [
            "0x1p+0",
            "0x3",
            "<f8",
            "|O8",
            "float32",
            "AAAA",
            "1.5",
            "2020-01-01",
            *TYPES,
            "range",
            "plain",
            "one",
            "zoned",
            "interval",
            "multi",
            "numpy",
        ]
    )
)
PARTS = st.recursive(
    ATOMS,
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.tuples(st.sampled_from([*_READ, "Series", "DataFrame", "Index", "theirs", "ours"]), inner, inner).map(list)
        | st.tuples(st.sampled_from([*_READ, "Series", "DataFrame", "Index"]), inner).map(list)
        | st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=12,
)


def test_whatever_arrives_is_data_of_an_exact_type_or_one_error() -> None:
    seen: collections.Counter[str] = collections.Counter()

    @settings(max_examples=600, database=None, derandomize=True)
    @given(PARTS)
    def holds(data: Any) -> None:
        try:
            value = Reader(refuse_data).read(data)
        except Malformed:
            seen["refused"] += 1
            return
        seen["read"] += 1
        module = type(value).__module__.partition(".")[0]
        assert module in ("builtins", "collections", "datetime", "fractions", "decimal", "numpy", "torch", "pandas")

    holds()
    assert seen["read"] > 10
    assert seen["refused"] > 20


@pytest.mark.parametrize(
    "data",
    [
        ["array", "|O8", [1], "AAAAAAAAAAA="],
        ["array", "<f8", [1 << 40], ""],
        ["array", "<f8", [-1], "AAAAAAAAAAA="],
        ["array", "<f8", [0, 1 << 40], ""],
        ["array", "f8,f8", [1], "AAAAAAAAAAA="],
        ["scalar", "|O8", "AAAAAAAAAAA="],
        ["int", "0x" + "f" * 30_000],
        ["range", ["float", "0x1p+0"], 2, 3],
        ["range", ["theirs", 0], 2, 3],
        ["type", "eval"],
        ["name", "exit"],
        ["Decimal", "1" + "0" * 30_000],
        ["set", ["list"]],
        ["dict", 1],
        ["float", "1.0; import os"],
        ["datetime", "now"],
        ["Series", ["nullable", "object", 1], ["Index", "range", 0, 1, 1, None], None],
        ["Series", ["numpy", ["array", "|O8", [1], "AAAAAAAAAAA="]], ["Index", "range", 0, 1, 1, None], None],
        ["DataFrame"],
        ["Index", "one", ["zoned", "../../etc/passwd", ["array", "<M8[D]", [1], "AAAAAAAAAAA="]]],
        ["Index", "one", ["period", "M; import os", ["array", "<i8", [1], "AAAAAAAAAAA="]]],
        ["Index", "Timestamp", "now"],
        ["set", *(["int", hex(n * ((1 << 61) - 1))] for n in range(200))],
        ["dict", *(part for n in range(200) for part in (["complex", float(1000003 * n).hex(), float(-n).hex()], 0))],
        {"a": 1},
        1.5,
        [],
        [1],
    ],
)
def test_a_forged_form_is_refused(data: Any) -> None:
    with pytest.raises(Malformed):
        Reader(refuse_data).read(data)
