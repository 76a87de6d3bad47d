"""Where an answer is right is told by a sign only if that sign tells all points apart."""

from __future__ import annotations

import pytest

from autograder.verdict.cases import sign_that_decides

VALUES = [{"x": x, "v": v} for x, v in [(1, -2), (2, 3), (-1, -1), (-2, 4), (3, -5), (-3, 6)]]


@pytest.mark.parametrize(
    ("right", "expected"),
    [
        ([False, True, False, True, False, True], ("v", True)),
        ([True, False, True, False, True, False], ("v", False)),
        ([True, True, False, False, True, False], ("x", True)),
        ([True, True, True, False, False, False], None),
        ([False] * 6, None),
        ([True] * 6, None),
        ([True, False, False, False, False, False], None),
    ],
)
def test_one_sign_decides_or_none_is_told(right: list[bool], expected: tuple[str, bool] | None) -> None:
    assert sign_that_decides(right, VALUES) == expected


def test_a_value_that_is_zero_has_no_sign() -> None:
    values = [{"a": float(max(0, at["v"]))} for at in VALUES]
    assert sign_that_decides([at["v"] > 0 for at in VALUES], values) is None
