"""What a student wrote is read and cleaned within limits of time and memory, and the next notebook all the same."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from autograder.at_home.notebook import UnreadableNotebook
from autograder.by_hand.interpreter import read
from autograder.rooms.scribe import Scribe, TooCostly
from autograder.sandbox.limits import MB
from tests.by_hand.cases import BOTH
from tests.conftest import ROOT
from tests.rooms.test_run import ENOUGH, until


@pytest.fixture
def scribe() -> Iterator[Scribe]:
    made = Scribe()
    made.start()
    yield made
    made.close()


@pytest.fixture
def good(tmp_path: Path) -> str:
    nbformat.write(new_notebook(cells=[new_code_cell("x = 'δ'")]), tmp_path / "good.ipynb")
    return str(tmp_path / "good.ipynb")


def _source(scribe: Scribe, path: str) -> str:
    return str(scribe.read(path)[0]["cells"][0]["source"])


def test_a_notebook_is_read_and_what_is_none_is_told(scribe: Scribe, good: str, tmp_path: Path) -> None:
    assert _source(scribe, good) == "x = 'δ'"
    (tmp_path / "bad.ipynb").write_text("{")
    (tmp_path / "link.ipynb").symlink_to(good)
    os.mkfifo(tmp_path / "pipe.ipynb")
    for name, why in (("bad", "line 1 is not JSON"), ("pipe", "it is not a regular file")):
        with pytest.raises(UnreadableNotebook, match=why):
            scribe.read(str(tmp_path / f"{name}.ipynb"))
    for name in ("link", "missing"):
        with pytest.raises(UnreadableNotebook, match="it cannot be opened"):
            scribe.read(str(tmp_path / f"{name}.ipynb"))
    assert _source(scribe, good) == "x = 'δ'"


def test_a_file_of_seventy_megabytes_of_outputs_is_read(scribe: Scribe, tmp_path: Path) -> None:
    cell = new_code_cell("x = 1", outputs=[nbformat.v4.new_output("stream", text="x" * 70_000_000)])
    (tmp_path / "big.ipynb").write_text(json.dumps(new_notebook(cells=[cell])))
    assert _source(scribe, str(tmp_path / "big.ipynb")) == "x = 1"


def test_a_file_that_takes_too_much_memory_ends_nothing_but_itself(good: str, tmp_path: Path) -> None:
    small = Scribe(memory=400 * MB)
    try:
        (tmp_path / "deep.ipynb").write_text("[" + "{}," * 20_000_000 + "{}]")
        with pytest.raises(UnreadableNotebook):
            small.read(str(tmp_path / "deep.ipynb"))
        assert _source(small, good) == "x = 'δ'"
    finally:
        small.close()


def test_what_takes_too_long_to_clean_ends_nothing_but_itself(good: str) -> None:
    quick = Scribe(seconds=3)
    try:
        assert _source(quick, good) == "x = 'δ'"
        slow = "<b>" + "\\\\[ " * 150
        with pytest.raises(TooCostly, match="takes more than 3 seconds or 2048 MB"):
            quick.clean([{"outputs": [{"data": {"text/markdown": slow + "\\[ " * 6000}}]}] * 400, "/")
        assert _source(quick, good) == "x = 'δ'"
    finally:
        quick.close()


def test_a_process_that_is_killed_is_started_again(scribe: Scribe, good: str) -> None:
    for _ in range(2):
        os.kill(scribe._process.pid, signal.SIGKILL)
        assert _source(scribe, good) == "x = 'δ'"


def test_a_process_that_does_not_go_on_is_ended_by_the_clock(good: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograder.rooms.scribe._PATIENCE", 5.0)
    made = Scribe(seconds=1)
    try:
        made.start()
        stopped = made._process
        assert stopped is not None
        os.kill(stopped.pid, signal.SIGSTOP)
        assert _source(made, good) == "x = 'δ'"
        assert made._process is not stopped
    finally:
        made.close()


def test_what_takes_long_holds_up_nobody_else(scribe: Scribe, good: str) -> None:
    _source(scribe, good)
    busy = scribe._process
    assert busy is not None
    os.kill(busy.pid, signal.SIGSTOP)
    with ThreadPoolExecutor(1) as beside:
        long = beside.submit(_source, scribe, good)
        until(lambda: scribe._begun is not None, "the order has begun")
        for _ in range(2):
            assert _source(scribe, good) == "x = 'δ'"
        assert scribe._process is busy
        assert not long.done()
        os.kill(busy.pid, signal.SIGCONT)
        assert long.result(ENOUGH) == "x = 'δ'"
    other = scribe._other
    assert other is not None
    its = other._process
    assert its is not None
    scribe.close()
    assert its.poll() is not None


def test_it_has_ended_when_it_is_closed(good: str) -> None:
    made = Scribe()
    made.start()
    process = made._process
    assert process is not None
    assert _source(made, good) == "x = 'δ'"
    made.close()
    assert process.poll() is not None


def test_what_it_finds_in_an_answer_is_what_the_reader_finds(scribe: Scribe) -> None:
    for name in ("backward", "vjp"):
        found = scribe.by_hand(BOTH[name][1], "grad_q5", {})
        assert found == [asdict(finding) for finding in read(BOTH[name][1], "grad_q5")]
        assert found


FORKED = """
import json, os, resource, signal, sys, time
from dataclasses import asdict
from autograder.by_hand.interpreter import read
from autograder.rooms import desk, scribe
made = scribe.Scribe(seconds=2)
{before}
made.start()
first = made._process
assert type(first) is scribe._Forked
{then}
made.close()
"""


def _forked(before: str, then: str, *texts: object) -> Any:
    """What the last line of `then` prints as JSON, in a process of one thread, from which a scribe is forked."""
    code = FORKED.format(before=before, then=then)
    command = [sys.executable, "-c", code, json.dumps(texts)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return json.loads(done.stdout)


def test_one_that_is_forked_has_nothing_open_of_its_makers_and_outlives_ctrl_c(good: str) -> None:
    then = """
texts = json.loads(sys.argv[1])
secret = open("/dev/null")
os.kill(first.pid, signal.SIGINT)
title = made.read(texts[0])[0]["cells"][0]["source"]
print(json.dumps([title, sorted(os.listdir(f"/proc/{first.pid}/fd")), os.readlink(f"/proc/{first.pid}/cwd")]))
assert made._process is first
"""
    title, files, folder = _forked("secret = open('/dev/zero')", then, good)
    assert title == "x = 'δ'"
    assert {"0", "1", "2"} <= set(files)
    assert len(files) <= 5  # a copy of its output, and what lists the folder
    assert folder == "/"


@pytest.mark.parametrize(
    "wrong",
    [
        "hash((lambda t: [t := (t, t) for _ in range(60)][-1])(()))",  # a step of Python's that sees no signal
        "bytearray(8 << 30)",
        "os.abort()",
    ],
)
def test_an_answer_that_exceeds_its_limits_or_ends_the_process_is_listed_as_too_long(wrong: str, good: str) -> None:
    before = f"""
desk.read, real, desk.SECONDS_BY_HAND = (lambda *a: {wrong}), desk.read, 1
scribe.Scribe._started = lambda self: scribe._Forked(*self._limits)  # also when it is started again
"""
    then = """
cells, good = json.loads(sys.argv[1])
rules = [row["rule"] for row in made.by_hand(cells, "grad_q5", {})]
used = resource.getrusage(resource.RUSAGE_CHILDREN)
desk.read = real
after = made.by_hand(cells, "grad_q5", {}) == [asdict(f) for f in read(cells, "grad_q5")]
title = made.read(good)[0]["cells"][0]["source"]
print(json.dumps([rules, used.ru_utime + used.ru_stime, used.ru_maxrss >> 10, after, title]))
"""
    rules, seconds, memory, after, title = _forked(before, then, BOTH["backward"][1], good)
    assert rules == ["too-long"]
    assert (0.9 if "hash" in wrong else 0) < seconds < 4
    assert memory < 600
    assert after
    assert title == "x = 'δ'"


def test_one_that_is_forked_ends_with_its_maker() -> None:
    then = """
print(first.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    number = _forked("", then)
    end = time.monotonic() + 60
    while Path(f"/proc/{number}").exists():
        assert time.monotonic() < end
        time.sleep(0.02)
