"""`nbgrader autograde ps1` under stock nbgrader and in two rooms, in turn, on the same class: seconds and memory.

Prints a table in markdown. The grades of both must be the same; if they are not, it says where and exits with 1. The
student with an endless loop is timed apart: both wait for the same five seconds, twice.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tools import example_course  # noqa: E402
from tools.sample_class import hand_in, students  # noqa: E402  (a script must put the repository on sys.path first)

STOCK = """
c = get_config()
c.CourseDirectory.course_id = "derivatives"
c.CourseDirectory.root = {root!r}
c.Execute.timeout = 60
"""
SLOW = {"gus"}


@dataclass
class Run:
    """Measurements of one grading run, in seconds and MB."""

    seconds: float = 0.0
    before_first: float = 0.0
    each: dict[str, float] = field(default_factory=dict)
    memory: list[tuple[int, int]] = field(default_factory=list)
    """(submissions begun, MB of all processes) every half second."""
    marks: dict[str, list[float]] = field(default_factory=dict)


def make(root: Path, config: str, copies: int, example: bool = False) -> None:
    """Makes a course in `root`, generates its release and hands in the sample class `copies` times."""
    if example:
        (root / "nbgrader_config.py").write_text(config)
        example_course.copy_source(root)
        nbgrader(root, "generate_assignment", "ps1")
        example_course.hand_in(root, copies)
        return
    shutil.copytree(ROOT / "source", root / "source", ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    (root / "nbgrader_config.py").write_text(config)
    nbgrader(root, "generate_assignment", "ps1")
    for name, answers in students().items():
        for copy in range(1 if name in SLOW else copies):
            hand_in(root / "release" / "ps1", answers, root / "submitted" / f"{name}-{copy}" / "ps1")


def nbgrader(root: Path, *arguments: str) -> subprocess.Popen[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    process = subprocess.Popen(
        [sys.executable, "-m", "nbgrader", *arguments],
        cwd=root,
        env={**os.environ, "PATH": path, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if arguments[0] != "autograde":
        said, _ = process.communicate()
        if process.returncode:
            sys.exit(said)
    return process


def grade(root: Path, look: float = 0.5) -> Run:
    """Grades everything; a submission lasts from one line that names a student to the next such line.

    Stock nbgrader names a student when it begins, the course's own report when it has ended. The memory is looked at
    every `look` seconds.
    """
    run, begun = Run(), time.monotonic()
    process = nbgrader(root, "autograde", "ps1")
    done = threading.Event()
    watcher = threading.Thread(target=_watch, args=(process.pid, run, done, look))
    watcher.start()
    student, since, said = "", begun, []
    assert process.stdout
    for line in process.stdout:
        said.append(line)
        found = re.search(r"Creating/updating student with ID '([^']+)'", line)
        if found:
            now = time.monotonic()
            if student:
                run.each[student] = now - since
            else:
                run.before_first = now - begun
            student, since = found[1], now
        elif line.startswith("Grading "):
            since = time.monotonic()
            run.before_first = since - begun
        elif ended := re.match(r" *\d+/\d+  (\S+)", line):
            now = time.monotonic()
            run.each[ended[1]], since = now - since, now
    code = process.wait()
    if student:
        run.each[student] = time.monotonic() - since
    run.seconds = time.monotonic() - begun
    done.set()
    watcher.join()
    if code not in (0, 3):  # 3: everybody is graded, and a person should look at some submissions
        sys.exit("".join(said[-40:]))
    run.marks = marks(root)
    return run


def _watch(process: int, run: Run, done: threading.Event, every: float) -> None:
    """Records the memory of all processes of the run every so many seconds; shared pages are counted once (PSS)."""
    while not done.wait(every):
        total = 0
        for at in [process, *_descendants(process)]:
            try:
                found = re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{at}/smaps_rollup").read_text(), re.MULTILINE)
            except OSError:
                continue
            total += int(found[1]) if found else 0
        run.memory.append((len(run.each), total >> 10))


def _descendants(process: int) -> list[int]:
    found, todo = [], [process]
    while todo:
        at = todo.pop()
        try:
            for task in Path(f"/proc/{at}/task").iterdir():
                todo += map(int, (task / "children").read_text().split())
        except OSError:
            continue
        found.append(at)
    return found[1:]


def marks(root: Path) -> dict[str, list[float]]:
    """The points of each student's graded cells, in the order of the cells' names."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{root}/gradebook.db") as gradebook:
        return {
            s.student.id: [g.score for g in sorted((g for n in s.notebooks for g in n.grades), key=lambda g: g.name)]
            for s in gradebook.assignment_submissions("ps1")
        }


def ordinary(run: Run) -> list[float]:
    """The seconds of each submission without an endless loop."""
    return [seconds for name, seconds in run.each.items() if name.rsplit("-", 1)[0] not in SLOW]


def row(words: str, stock: float, ours: float, form: str = ".2f") -> str:
    return f"| {words} | {stock:{form}} | {ours:{form}} | {stock / ours:.1f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--copies", type=int, default=2, help="how often the class hands in (default: 2)")
    parser.add_argument("--rounds", type=int, default=2, help="runs of each, in turn (default: 2)")
    parser.add_argument("--many", type=int, default=0, help="then this many submissions in two rooms alone, e.g. 1000")
    parser.add_argument("--example", action="store_true", help="nbgrader's example course instead of this one")
    options = parser.parse_args()
    scratch = Path(tempfile.mkdtemp(prefix="bench-"))
    runs: dict[str, list[Run]] = {"stock": [], "ours": []}
    try:
        for number in range(options.rounds):
            for kind, done in runs.items():
                root = scratch / f"{kind}{number}"
                root.mkdir()
                config = STOCK.format(root=str(root)) if kind == "stock" else (ROOT / "nbgrader_config.py").read_text()
                make(root, config, options.copies, options.example)
                done.append(grade(root))
        _report(runs["stock"], runs["ours"])
        if options.many:
            root = scratch / "many"
            root.mkdir()
            make(root, (ROOT / "nbgrader_config.py").read_text(), -(-options.many // (len(students()) - len(SLOW))))
            _report_many(grade(root))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    differing = [n for n, m in runs["stock"][0].marks.items() if runs["ours"][0].marks.get(n) != m]
    if differing:
        sys.exit(f"Different grades: {', '.join(differing)}")


def _report(stock: list[Run], ours: list[Run]) -> None:
    each = [[s for run in kind for s in ordinary(run)] for kind in (stock, ours)]
    slow = [[s for run in kind for n, s in run.each.items() if n.rsplit("-", 1)[0] in SLOW] for kind in (stock, ours)]
    print(f"{len(each[0])} ordinary submissions in {len(stock)} runs of each, in turn; {os.cpu_count()} cores.\n")
    print("| | stock nbgrader | two rooms | ratio |\n|---|---|---|---|")
    print(row("seconds per submission, median", statistics.median(each[0]), statistics.median(each[1])))
    print(row("seconds per submission, slowest", max(each[0]), max(each[1])))
    if all(slow):
        print(row("seconds, the one with an endless loop", *(statistics.median(s) for s in slow)))
    print(row("seconds before the first", *(statistics.median(r.before_first for r in k) for k in (stock, ours))))
    print(
        row(
            "MB at most, all processes (PSS)",
            *(max(mb for r in k for _, mb in r.memory) for k in (stock, ours)),
            form=".0f",
        )
    )
    load = os.getloadavg()[0]
    print(f"\nLoad average at the end: {load:.1f}. Trust the ratios more than the seconds.")


def _report_many(run: Run) -> None:
    times = ordinary(run)
    part = len(times) // 4
    print(f"\n{len(run.each)} submissions in one run: {run.seconds:.0f} s.\n")
    print("| quarter of the run | seconds per submission, median | MB at most (PSS) |\n|---|---|---|")
    for quarter in range(4):
        begun = range(quarter * part, (quarter + 1) * part)
        most = max((mb for at, mb in run.memory if at in begun), default=0)
        print(f"| {quarter + 1} | {statistics.median(times[begun.start : begun.stop]):.2f} | {most} |")


if __name__ == "__main__":
    main()
