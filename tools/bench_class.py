"""A class graded by stock nbgrader, by `nbgrader autograde` in two rooms and by `autograder grade`, in turn in one run.

Prints a table in markdown: seconds per submission, times as fast as stock, and seconds before the first grade.
The grades must be the same; if they are not, it says where and exits with 1. With --many a large class follows, in
quarters: time must grow with the number of submissions, and memory must not.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import nbformat

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tools import bench_grading  # noqa: E402  (a script must put the repository on sys.path first)
from tools.sample_class import hand_in, students  # noqa: E402

_TICK = 0.02
_LOOK, _NEVER = 3.0, 1e6
"""Seconds between two looks at the memory. A look takes some tenths of a second of a processor, and holds up the
processes that it looks at, so there is none in a run whose time is measured."""


@dataclass
class Graded:
    """One run of `autograder grade`: when each submission was in place, in seconds since the start."""

    times: list[float] = field(default_factory=list)
    memory: list[tuple[int, int]] = field(default_factory=list)
    """(submissions in place, MB of all processes), now and then."""
    marks: dict[str, list[float]] = field(default_factory=dict)

    @property
    def each(self) -> float:
        """Seconds per submission once the first is graded."""
        return (self.times[-1] - self.times[0]) / (len(self.times) - 1)


def make(root: Path, config: str, number: int, changed: bool = False) -> None:
    """A course in which so many have handed in: the sample class without its endless loop, again and again.

    With `changed` each has changed the examples, too.
    """
    bench_grading.make(root, config, 0)
    ordinary = [(n, a) for n, a in students().items() if n not in bench_grading.SLOW]
    shutil.rmtree(root / "submitted", ignore_errors=True)
    for at in range(number):
        name, answers = ordinary[at % len(ordinary)]
        folder = root / "submitted" / f"{name}-{at}" / "ps1"
        hand_in(root / "release" / "ps1", answers, folder)
        if changed:
            examples = nbformat.read(folder / "examples.ipynb", as_version=4)
            examples.cells.append(nbformat.v4.new_code_cell(f"'{name}-{at}'"))
            nbformat.write(examples, folder / "examples.ipynb")


def grade(root: Path, *options: str, look: float = _NEVER) -> Graded:
    found, begun = Graded(), time.monotonic()
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    process = subprocess.Popen(
        [sys.executable, "-m", "autograder", "grade", "ps1", *options],
        cwd=root,
        env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    run, done = bench_grading.Run(), threading.Event()
    watcher = threading.Thread(target=bench_grading._watch, args=(process.pid, run, done, look))
    watcher.start()
    while process.poll() is None:
        now = time.monotonic() - begun
        there = len(os.listdir(root / "autograded")) if (root / "autograded").exists() else 0
        found.times += [now] * (there - len(found.times))
        run.each = dict.fromkeys(map(str, range(there)), 0.0)
        time.sleep(_TICK)
    done.set()
    watcher.join()
    if process.returncode not in (0, 3):
        sys.exit(process.communicate()[0])
    found.memory, found.marks = run.memory, bench_grading.marks(root)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--number", type=int, default=40, help="submissions for autograder grade (default: 40)")
    parser.add_argument("--rounds", type=int, default=2, help="runs of each, in turn (default: 2)")
    parser.add_argument("--many", type=int, default=0, help="then so many submissions, e.g. 2000")
    parser.add_argument("--changed", action="store_true", help="every student has changed the examples, which then run")
    options = parser.parse_args()
    scratch = Path(tempfile.mkdtemp(prefix="bench-"))
    ours = (ROOT / "nbgrader_config.py").read_text()
    plain: dict[str, list[bench_grading.Run]] = {"stock nbgrader": [], "nbgrader autograde, two rooms": []}
    whole: dict[tuple[str, ...], list[Graded]] = {("--jobs", "1"): [], (): []}
    rounds = [*[(str(number), _NEVER) for number in range(options.rounds)], ("memory", _LOOK)]
    try:
        for name, look in rounds:
            for at, runs in enumerate(plain.values()):
                root = scratch / f"plain{at}{name}"
                root.mkdir()
                make(root, ours if at else bench_grading.STOCK.format(root=str(root)), 8, options.changed)
                runs.append(bench_grading.grade(root, look))
            for jobs, graded in whole.items():
                root = scratch / f"whole{len(jobs)}{name}"
                root.mkdir()
                make(root, ours, options.number, options.changed)
                graded.append(grade(root, *jobs, look=look))
        _report(plain, whole)
        if options.many:
            root = scratch / "many"
            root.mkdir()
            make(root, ours, options.many, options.changed)
            _report_many(grade(root, look=_LOOK))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    first = plain["stock nbgrader"][0].marks
    for runs in (*plain.values(), *whole.values()):
        for one in runs:
            if differing := [name for name in first if one.marks[name] != first[name]]:
                sys.exit(f"Different grades: {', '.join(differing)}")


def _report(plain: dict[str, list[bench_grading.Run]], whole: dict[tuple[str, ...], list[Graded]]) -> None:
    print(f"Python {platform.python_version()} of {sys.base_prefix}, ten million additions in {_additions():.2f} s.\n")
    print("| | seconds per submission | times stock | seconds before the first grade | MB at most (PSS) |")
    print("|---|---|---|---|---|")
    stock = 0.0
    for kind, (*runs, last) in plain.items():
        each = statistics.median(s for run in runs for s in bench_grading.ordinary(run))
        stock = stock or each
        first = statistics.median(run.before_first + next(iter(run.each.values())) for run in runs)
        print(f"| {kind} | {each:.3f} | {stock / each:.1f} | {first:.1f} | {_most(last.memory)} |")
    for jobs, (*graded, watched) in whole.items():
        each = statistics.median(one.each for one in graded)
        first = statistics.median(one.times[0] for one in graded)
        name = " ".join(["autograder grade", *jobs])
        print(f"| {name} | {each:.3f} | {stock / each:.1f} | {first:.1f} | {_most(watched.memory)} |")
    print(f"\n{os.cpu_count()} processors; load average at the end {os.getloadavg()[0]:.1f}. Trust the ratios.")


def _most(memory: list[tuple[int, int]]) -> int:
    return max(mb for _, mb in memory)


def _additions() -> float:
    """Seconds for ten million additions, by which interpreters can be compared: how one was compiled matters."""
    begun = time.process_time()
    for at in range(10_000_000):
        at + 1
    return time.process_time() - begun


def _report_many(one: Graded) -> None:
    part = len(one.times) // 4
    print(f"\n{len(one.times)} submissions in one run: {one.times[-1]:.0f} s.\n")
    print("| quarter of the run | seconds per submission | MB at most (PSS) |\n|---|---|---|")
    for quarter in range(4):
        times = one.times[quarter * part : (quarter + 1) * part]
        most = max((mb for at, mb in one.memory if quarter * part <= at < (quarter + 1) * part), default=0)
        print(f"| {quarter + 1} | {(times[-1] - times[0]) / (len(times) - 1):.3f} | {most} |")


if __name__ == "__main__":
    main()
