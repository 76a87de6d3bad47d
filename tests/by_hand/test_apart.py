"""A reading is done here, or by whoever reads elsewhere; and it takes a bounded time."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import pytest

from autograder.by_hand.apart import read_apart, reading
from autograder.by_hand.interpreter import read
from autograder.by_hand.rules import Finding, found
from tests.by_hand.cases import BOTH
from tests.by_hand.hostile import HOSTILE


def test_another_reader_reads_as_long_as_it_is_there_and_else_this_process() -> None:
    asked = []

    def reader(cells: Sequence[str], function: str, modules: Mapping[str, str]) -> tuple[Finding, ...]:
        asked.append((cells, function, modules))
        return (found("too-long"),)

    with reading(reader):
        assert read_apart(["x = 1"], "grad_q1", {"m": "y = 2"}) == (found("too-long"),)
    assert asked == [(["x = 1"], "grad_q1", {"m": "y = 2"})]
    here = read_apart(BOTH["backward"][1], "grad_q5", {})
    assert here == read(BOTH["backward"][1], "grad_q5")
    assert here


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_program_takes_the_reader_itself_no_more_than_some_seconds(what: str) -> None:
    began = time.process_time()
    read(HOSTILE[what], "grad_q5")
    assert time.process_time() - began < 3
