"""What a student wrote is read and cleaned within limits of time and memory, and the next notebook all the same."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from autograder.at_home.notebook import UnreadableNotebook
from autograder.rooms.scribe import Scribe, TooCostly
from autograder.sandbox.limits import MB


@pytest.fixture
def scribe() -> Iterator[Scribe]:
    made = Scribe()
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


def test_it_has_ended_when_it_is_closed(good: str) -> None:
    made = Scribe()
    process = made._process
    _source(made, good)
    made.close()
    assert process.poll() is not None


def _in_a_fork(scribe: Scribe, work: Callable[[], bool]) -> bool:
    """Whether `work` holds in a forked process that has inherited the scribe, as a grader does from its station."""
    child = os.fork()
    if not child:
        status = 1
        try:
            scribe.inherit()
            status = int(not work())
        finally:
            os._exit(status)
    scribe.leave()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_process_that_was_inherited_is_used_and_ends_with_who_has_it(good: str) -> None:
    scribe = Scribe()
    first = scribe._process
    assert first is not None

    def work() -> bool:
        same = _source(scribe, good) == "x = 'δ'" and scribe._process is first
        scribe.close()
        return same

    assert _in_a_fork(scribe, work)
    assert os.waitstatus_to_exitcode(os.waitpid(first.pid, 0)[1]) == -signal.SIGKILL


def test_one_that_was_inherited_and_is_killed_is_started_again(good: str) -> None:
    scribe = Scribe()
    first = scribe._process
    assert first is not None

    def work() -> bool:
        os.kill(first.pid, signal.SIGKILL)
        again = _source(scribe, good) == "x = 'δ'" and scribe._process is not first
        scribe.close()
        return again

    assert _in_a_fork(scribe, work)
    assert os.waitstatus_to_exitcode(os.waitpid(first.pid, 0)[1]) == -signal.SIGKILL


def test_one_that_was_inherited_and_takes_too_long_is_told_and_another_goes_on(good: str) -> None:
    scribe = Scribe(seconds=2)

    def work() -> bool:
        slow = [{"outputs": [{"data": {"text/markdown": "<b>" + "\\\\[ " * 150 + "\\[ " * 6000}}]}] * 400
        try:
            scribe.clean(slow, "/")
        except TooCostly:
            told = True
        else:
            told = False
        read = _source(scribe, good) == "x = 'δ'"
        scribe.close()
        return told and read

    assert _in_a_fork(scribe, work)
