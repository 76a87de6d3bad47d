"""A reading in a child ends in time and with little memory, whatever Python does in one step."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from autograder.by_hand.apart import read_apart
from autograder.by_hand.interpreter import read
from tests.by_hand.cases import BOTH, answer, cells
from tests.by_hand.hostile import HOSTILE
from tests.conftest import ROOT

RUNS = """
import json, os, resource, sys, time
from autograder.by_hand import apart, interpreter
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
{wrong}
began = time.process_time()
found = apart.read_apart(json.loads({cells!r}), "grad_q5", {{}}, seconds=1)
of_it, of_its = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([[f.rule for f in found], of_its.ru_utime + of_its.ru_stime, (of_its.ru_maxrss - before) >> 10]))
"""
ENDLESS = "apart.read = lambda *a: hash((lambda t: [t := (t, t) for _ in range(60)][-1])(()))"
"""A step of Python's own that never ends, and sees no signal."""
LARGE = "apart.read = lambda *a: bytearray(8 << 30)"
DIES = "apart.read = lambda *a: os.abort()"


def run(wrong: str = "", sources: list[str] | None = None) -> tuple[list[str], float, int]:
    """The rules that were found, seconds of processor time, and MB of memory more than before, all of the child."""
    code = RUNS.format(wrong=wrong, cells=json.dumps(sources or cells(answer("return x, x"))))
    environment = {"NBGRADER_EXECUTION": "autograde", "PATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    rules, seconds, memory = json.loads(done.stdout)
    return rules, seconds, memory


@pytest.mark.parametrize("wrong", [ENDLESS, LARGE, DIES])
def test_what_exceeds_its_limits_or_ends_is_listed_as_too_long(wrong: str) -> None:
    rules, seconds, memory = run(wrong)
    assert rules == ["too-long"]
    assert (0.9 if wrong == ENDLESS else 0) < seconds < 3
    assert memory < 600


def test_a_child_finds_what_the_reader_finds() -> None:
    for name in ("backward", "vjp"):
        rules, _, _ = run(sources=BOTH[name][1])
        assert rules == [finding.rule for finding in read(BOTH[name][1], "grad_q5")]
        assert rules


FORKS = """
import json, os, time
from autograder.by_hand import apart
texts = json.loads({cells!r})
ask = lambda: [f.rule for f in apart.read_apart(texts, "grad_q5", {{}}, seconds=1)]
child = lambda: apart._known[0]._child
first, one = ask(), child()
again, same = ask(), child() == one
apart.read, real = lambda *a: os.abort(), apart.read
apart._known[0].end()
ended = ask()  # a new child, which dies
apart.read = real
after, new = ask(), child() != one
if not (forked := os.fork()):  # as an examiner is from one that has read before
    os._exit(0 if ask() == first and apart._known[0].owner == os.getpid() else 1)
status = os.waitpid(forked, 0)[1]
last, kept = ask(), child()
print(json.dumps([first, again, same, ended, after, new, status, last, kept]))
"""


def test_one_child_reads_after_the_other_and_a_fork_of_its_maker_has_its_own() -> None:
    code = FORKS.format(cells=json.dumps(BOTH["backward"][1]))
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"NBGRADER_EXECUTION": "autograde", "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    first, again, same, ended, after, new, status, last, child = json.loads(done.stdout)
    rules = [finding.rule for finding in read(BOTH["backward"][1], "grad_q5")]
    assert first == again == after == last == rules
    assert (same, new, status) == (True, True, 0)
    assert ended == ["too-long"]
    end = time.monotonic() + 60
    while Path(f"/proc/{child}").exists():  # it ends with its maker
        assert time.monotonic() < end
        time.sleep(0.02)


def test_outside_a_graded_run_the_reading_is_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    assert read_apart(BOTH["backward"][1], "grad_q5", {}) == read(BOTH["backward"][1], "grad_q5")


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_program_takes_the_reader_itself_no_more_than_some_seconds(what: str) -> None:
    began = time.process_time()
    read(HOSTILE[what], "grad_q5")
    assert time.process_time() - began < 3
