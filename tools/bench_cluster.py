"""A class graded on a Dask cluster of one worker, then of two, in turn: what a second machine brings.

Each worker has one thread and is held to a processor of its own, as to a machine of one; the scheduler and the command
may use all. Prints a table in markdown.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tests.batch.cluster import Cluster, cluster  # noqa: E402  (a script must put the repository on sys.path first)
from tools import bench_class  # noqa: E402


def start(made: Cluster, processors: list[int]) -> None:
    """A worker on each of the processors."""
    every = os.sched_getaffinity(0)
    for processor in processors:
        os.sched_setaffinity(0, {processor})  # what is started now inherits it
        made.add(1, threads=1)
    os.sched_setaffinity(0, every)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--number", type=int, default=60, help="submissions (default: 60)")
    parser.add_argument("--rounds", type=int, default=2, help="runs of each, in turn (default: 2)")
    options = parser.parse_args()
    processors = sorted(os.sched_getaffinity(0))[:2]
    found: dict[int, list[bench_class.Graded]] = {1: [], 2: []}
    scratch = Path(tempfile.mkdtemp(prefix="bench-"))
    try:
        for number in range(options.rounds):
            for workers, runs in found.items():
                root = scratch / f"course{number}{workers}"
                root.mkdir()
                bench_class.make(root, (ROOT / "nbgrader_config.py").read_text(), options.number)
                with cluster(scratch / f"cluster{number}{workers}", workers=0) as made:
                    start(made, processors[:workers])
                    runs.append(bench_class.grade(root, "--scheduler", made.address))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    report(found)
    marks = [run.marks for runs in found.values() for run in runs]
    if any(one != marks[0] for one in marks):
        sys.exit("Different grades.")


def report(found: dict[int, list[bench_class.Graded]]) -> None:
    print("| workers | seconds per submission | of each run | times one worker | seconds before the first grade |")
    print("|---|---|---|---|---|")
    one = 0.0
    for workers, runs in found.items():
        each = statistics.median(run.each for run in runs)
        one = one or each
        first = statistics.median(run.times[0] for run in runs)
        of_each = ", ".join(f"{run.each:.3f}" for run in runs)
        print(f"| {workers} | {each:.3f} | {of_each} | {one / each:.2f} | {first:.1f} |")
    print(f"\n{os.cpu_count()} processors; load average at the end {os.getloadavg()[0]:.1f}. Trust the ratios.")


if __name__ == "__main__":
    main()
