"""What an examiner's worker asks the grader for, and what it does itself."""

from __future__ import annotations

import re
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from autograder.by_hand.rules import found
from autograder.sandbox.limits import MB, Limits
from autograder.sandbox.visible import clean_environment, readable
from autograder.student.protocol import Reply, Request
from autograder.workers import wire
from autograder.workers.client import CallBack, Cell
from autograder.workers.launcher import Launcher

LIMITS = Limits(readable=readable(), memory=1024 * MB, processes=40, written=32 * MB)
READS = """
from autograder.by_hand.apart import read_apart
from autograder.student.kernel import current_student
from autograder.student.protocol import Request
told = current_student().ask(Request("grad_q1", (), (), (), {}))
other = ("def grad_q1(x):\\n    exec('1')\\n    return x, x",)
[[f.rule for f in read_apart(cells, "grad_q1", {})] for cells in (told.cells, other, told.cells)]
"""


class Grader:
    """Answers without a student, and finds whatever it is asked for too long."""

    def __init__(self) -> None:
        self.read_for: list[str] = []

    def ask(self, request: Request) -> Reply:
        return Reply(cells=("a = 1", "b = 2"))

    def read(self, function: str) -> list[dict[str, Any]]:
        self.read_for.append(function)
        return [asdict(found("too-long", 2, "b = 2", 1))]

    def lend(self, order: dict[str, Any], call_back: CallBack) -> dict[str, Any]:
        raise AssertionError


def test_the_grader_reads_the_cells_that_it_has_told_and_the_examiner_all_others(tmp_path: Path) -> None:
    launcher, grader = Launcher(), Grader()
    try:
        examiner = launcher.start(wire.EXAMINER, LIMITS, clean_environment(), files=str(tmp_path))
        (output,) = examiner.run_cell(Cell(READS, 1), 60, grader)
        examiner.close()
    finally:
        launcher.close()
    assert output.data["text/plain"] == "[['too-long'], ['hidden', 'replaced'], ['too-long']]"
    assert grader.read_for == ["grad_q1", "grad_q1"]


def test_outputs_that_are_longer_than_is_kept_are_replaced_by_a_line_that_says_so(tmp_path: Path) -> None:
    launcher = Launcher()
    try:
        worker = launcher.start(wire.EXAMINER, replace(LIMITS, printed=1000), clean_environment(), files=str(tmp_path))
        (long,), (short,) = (worker.run_cell(Cell(f"'x' * {length}", 1), 60) for length in (9000, 900))
        worker.close()
    finally:
        launcher.close()
    assert re.fullmatch(r"The outputs of this cell are too large .*: 9\d+ bytes, and at most 6000 are\.", long.text)
    assert long.name == "stderr"
    assert short.data["text/plain"] == repr("x" * 900)
