"""What the tests of `autograder grade` share: a class with every kind of hand-in, and its gradebook row by row."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat

from autograder.sandbox.processes import descendants
from tests.rooms.course import Course, Submission
from tests.rooms.test_run import ENOUGH, command_of

LONG = "\nc.Engine.cell_seconds = 3000\nc.Engine.submission_seconds = 3000\n"
QUERIES = {
    "student": "SELECT * FROM student",
    "submission": "SELECT student_id, timestamp, extension FROM submitted_assignment",
    "notebook": "SELECT s.student_id, n.name, sn.flagged, sn.late_submission_penalty FROM submitted_notebook sn "
    "JOIN submitted_assignment s ON s.id = sn.assignment_id JOIN notebook n ON n.id = sn.notebook_id",
    "grade": "SELECT s.student_id, n.name, c.name, g.auto_score, g.manual_score, g.extra_credit, g.needs_manual_grade "
    "FROM grade g JOIN submitted_notebook sn ON sn.id = g.notebook_id JOIN submitted_assignment s "
    "ON s.id = sn.assignment_id JOIN notebook n ON n.id = sn.notebook_id JOIN base_cell c ON c.id = g.cell_id",
    "comment": "SELECT s.student_id, n.name, c.name, g.auto_comment, g.manual_comment "
    "FROM comment g JOIN submitted_notebook sn ON sn.id = g.notebook_id JOIN submitted_assignment s "
    "ON s.id = sn.assignment_id JOIN notebook n ON n.id = sn.notebook_id JOIN base_cell c ON c.id = g.cell_id",
}


def rows(root: Path) -> dict[str, list[tuple[Any, ...]]]:
    """All that the gradebook has of students, without the ids that are drawn by chance."""
    with contextlib.closing(sqlite3.connect(root / "gradebook.db")) as book:
        return {kind: sorted(book.execute(query), key=repr) for kind, query in QUERIES.items()}


def folders(root: Path) -> dict[str, tuple[int, bytes]]:
    """The mode and bytes of each graded file; ids of cells that the grader has drawn are left out."""
    found = {}
    for path in sorted((root / "autograded").rglob("*")):
        content = path.read_bytes() if path.is_file() else b""
        if path.suffix == ".ipynb":
            content = re.sub(rb'"id": "[0-9a-f]{8}"', b'"id": ""', content)
        found[str(path.relative_to(root))] = path.stat().st_mode, content
    return found


def copied(course: Course, to: Path) -> Course:
    """The same course, with what was handed in, in another folder."""
    shutil.copytree(course.root, to, symlinks=True, dirs_exist_ok=True)
    made = object.__new__(Course)
    made.__dict__.update(course.__dict__, root=to)
    return made


def grade(course: Course, *options: str, on: Callable[[subprocess.Popen[str]], None] | None = None) -> tuple[int, str]:
    """The exit status and what was said of `autograder grade ps1`; `on` is called while it runs."""
    with grading(course, *options) as run:
        if on:
            on(run)
        said, _ = run.communicate(timeout=ENOUGH)
        return run.returncode, said


@contextlib.contextmanager
def grading(course: Course, *options: str) -> Iterator[subprocess.Popen[str]]:
    """`autograder grade ps1` while it runs; it is ended at the end."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    run = subprocess.Popen(
        [sys.executable, "-m", "autograder", "grade", "ps1", *options],
        cwd=course.root,
        env={**os.environ, "PATH": path, "PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield run
    finally:
        run.kill()
        run.wait()


def in_place(course: Course, *students: str) -> bool:
    return all((course.root / "autograded" / name / "ps1").is_dir() for name in students)


def children(process: int, what: str) -> list[int]:
    """The processes right below another one, started by any of its threads, whose command has this in it."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{process}/task").iterdir():
            found += map(int, (task / "children").read_text().split())
    return [child for child in found if what in command_of(child)]


def files_of(process: int) -> list[str]:
    """What a process has open."""
    found = []
    with contextlib.suppress(OSError):
        for number in os.listdir(f"/proc/{process}/fd"):
            with contextlib.suppress(OSError):
                found.append(os.readlink(f"/proc/{process}/fd/{number}"))
    return found


def every_kind(root: Path, config: str = "") -> Course:
    """A class with right and wrong answers, damaged and missing files, late work, files, and what a person must see."""
    course = Course(root, "\nc.LateSubmissionPlugin.penalty_method = 'zero'\n" + config)
    course.run("db", "assignment", "add", "ps1", "--duedate", "2026-01-01 12:00:00 UTC")
    for name in ("ada", "bela", "chen"):
        course.hand_in(name, Submission())
    course.hand_in("right", Submission(answers=dict(course._right)))
    course.hand_in("machine", Submission(answers={"q2": _machine(course._right["q2"])}))
    course.hand_in("late", Submission())
    course.hand_in("files", Submission(scratch="print(open('data/note.txt').read())", files=_note))
    course.hand_in("stops", Submission(scratch="import os\nos._exit(1)"))
    cut = course.hand_in("cut", Submission()) / "problems.ipynb"
    cut.write_bytes(cut.read_bytes()[:3000])
    renamed = course.hand_in("renamed", Submission())
    (renamed / "problems.ipynb").rename(renamed / "problems (1).ipynb")
    lost = course.hand_in("lost", Submission()) / "problems.ipynb"
    notebook = nbformat.read(lost, as_version=4)
    notebook.cells = [c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") not in ("q2", "q3")]
    nbformat.write(notebook, lost)
    empty = course.root / "submitted" / "empty" / "ps1"
    empty.mkdir(parents=True)
    (empty / "answers.txt").write_text("by hand")
    shutil.copytree(course.root / "submitted" / "ada", course.root / "submitted" / "st*r")
    for folder in (course.root / "submitted").iterdir():
        when = "2026-01-02" if folder.name == "late" else "2025-12-31"
        (folder / "ps1" / "timestamp.txt").write_text(f"{when} 12:00:00 UTC")
    return course


def _note(folder: Path) -> None:
    (folder / "data").mkdir()
    (folder / "data" / "note.txt").write_text("a note")


def _machine(right: str) -> str:
    """An answer that lets torch differentiate."""
    head = right.splitlines()[0]
    name, arguments = head.removeprefix("def ").rstrip(":").split("(")
    leaves = [leaf.strip() for leaf in arguments.rstrip(")").split(",")]
    question = name.removeprefix("grad_")
    lines = [f"    {leaf} = {leaf}.clone().requires_grad_()" for leaf in leaves]
    call = f"{question}({', '.join(leaves)})"
    return "\n".join([head, *lines, f"    y = {call}", "    y.backward()", f"    return y, {leaves[0]}.grad"])


def graders(run: subprocess.Popen[str]) -> list[int]:
    """The graders of a run: below the station, which is forked from the command."""
    return [grader for station in stations(run) for grader in children(station, "autograder")]


def stations(run: subprocess.Popen[str]) -> list[int]:
    """It has the command line of the run, because it is forked from it."""
    return [p for p in children(run.pid, "autograder") if not re.search("forkserver|desk", command_of(p))]


def below(run: subprocess.Popen[str], what: str) -> list[int]:
    return [p for p in descendants(run.pid) if what in command_of(p)]


def summary(file: Path) -> Any:
    return json.loads(file.read_text())


def go(course: Course, student: str) -> None:
    """Lets the student's first cell end, which waits for this file."""
    (course.root / "submitted" / student / "ps1" / "go.txt").touch()


def forget(course: Course) -> None:
    """Removes all graded work, and what `go` has made."""
    shutil.rmtree(course.root / "autograded", ignore_errors=True)
    for file in (course.root / "submitted").glob("*/ps1/go.txt"):
        file.unlink()
