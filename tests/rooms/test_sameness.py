"""Two rooms change nobody's grade: the corpora earn what they earn in a plain process, also by the formgrader's button."""

from __future__ import annotations

import contextlib
import inspect
import io
import json
import os
import re
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder import CheckFailed
from tests.conftest import CELLS, NAMES, QUESTIONS, Class
from tests.rooms.course import Course, Submission
from tests.verdict.test_accept import corpus
from tests.verdict.test_reject import SLIPS

pytestmark = pytest.mark.course

IMPORTS = "import math\nimport numpy as np\nfrom functools import reduce\n"
SEEDS = {name: re.findall(r'seed="(\w+)"', CELLS[f"{name}-hidden"])[0] for name in NAMES}


def source_of(name: str, form: str) -> str:
    """A form of the accept corpus as the answer cell of its question."""
    text = inspect.getsource(corpus(name)[form])
    return re.sub(rf"^def {form}\(", f"def grad_{name}(", text)


def slipped(name: str, slip: str) -> str:
    """A classic slip as an answer cell: the seed's answer with its result spoilt."""
    head, _, last = source_of(name, "seed").rstrip().rpartition("\n")
    return f"{head}\n    F, T = {last.strip().removeprefix('return ')}\n    return F, {SLIPS[name][slip]}\n"


def class_of(answers: dict[str, list[str]], prefix: str) -> dict[str, dict[str, str]]:
    """As many students as the longest list; the n-th takes the n-th answer of each question, as far as there is one."""
    longest = max(map(len, answers.values()))
    return {f"{prefix}{n}": {q: a[n % len(a)] for q, a in answers.items()} for n in range(longest)}


STUDENTS = {
    **class_of({q: [source_of(q, form) for form in corpus(q)] for q in NAMES}, "form"),
    **class_of({q: [slipped(q, slip) for slip in SLIPS[q]] for q in NAMES}, "slip"),
}


def in_one_process(answers: dict[str, str]) -> list[float]:
    """What the same cells earn when the grader and they share a process."""
    student, marks = Class(), []
    student.run(IMPORTS)
    student.run("def sig(x):\n    return torch.sigmoid(x)\n")
    for name, source in answers.items():
        student.run(source)
        with contextlib.redirect_stdout(io.StringIO()):
            try:
                student.check(QUESTIONS[name])
                seen = 2.0
            except CheckFailed:
                seen = 0.0
            marks.append(seen + student.grade(QUESTIONS[name], 8, SEEDS[name]))
    return marks


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    made = Course(tmp_path_factory.mktemp("sameness"))
    for name, answers in STUDENTS.items():
        made.hand_in(name, Submission(scratch=IMPORTS, answers=answers))
    made.run("autograde", "ps1")
    return made


@pytest.mark.parametrize("name", STUDENTS)
def test_a_corpus_earns_in_two_rooms_what_it_earns_in_one(course: Course, name: str) -> None:
    marks = course.marks(name)
    assert marks == pytest.approx(in_one_process(STUDENTS[name]))
    if name.startswith("form"):
        assert marks == [10] * 6


@contextlib.contextmanager
def formgrader(root: Path) -> Iterator[tuple[str, str]]:
    """nbgrader's formgrader in a real Jupyter server for this course: its address and token."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    runtime = {"JUPYTER_RUNTIME_DIR": str(root / "runtime"), "JUPYTER_CONFIG_DIR": str(root / "config")}
    command = [sys.executable, "-m", "jupyter", "lab", "--no-browser", f"--port={port}", "--allow-root"]
    server = subprocess.Popen(
        [*command, f"--IdentityProvider.token={token}", "--ServerApp.ip=127.0.0.1"],
        cwd=root,
        env={**os.environ, "PATH": path, **runtime, "NBGRADER_EXCHANGE": str(root / "exchange")},
        stdout=subprocess.DEVNULL,
        stderr=(root / "server.log").open("w"),
    )
    try:
        address = f"http://127.0.0.1:{port}"
        for _ in range(120):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{address}/api", timeout=2).close()
                break
            assert server.poll() is None, (root / "server.log").read_text()[-2000:]
            time.sleep(0.5)
        yield address, token
    finally:
        server.terminate()
        server.wait(30)


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # the log of the server, closed with it
def test_the_formgraders_button_grades_in_two_rooms(course: Course) -> None:
    attack = "import torch\ntorch.allclose = lambda *a, **k: True\n"
    course.hand_in("button", Submission(scratch=attack))
    with formgrader(course.root) as (address, token):
        request = urllib.request.Request(
            f"{address}/formgrader/api/submission/ps1/button/autograde",
            method="POST",
            headers={"Authorization": f"token {token}"},
        )
        with urllib.request.urlopen(request, timeout=180) as reply:
            said = json.load(reply)
        page = urllib.request.Request(
            f"{address}/formgrader/gradebook/ps1/problems", headers={"Authorization": f"token {token}"}
        )
        with urllib.request.urlopen(page, timeout=60) as shown:
            assert shown.status == 200
    assert said["success"], said["log"]
    assert "Student code is isolated by" in said["log"] or "namespaces" in said["log"] or "Landlock" in said["log"]
    assert course.marks("button") == [10, 0, 0, 0, 0, 0]
