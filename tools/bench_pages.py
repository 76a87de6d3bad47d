"""Feedback pages of one class by stock nbgrader, by `nbgrader generate_feedback` here, and by `autograder feedback`.

In turn, in one run; prints a table in markdown, of medians. All but stock nbgrader must write the same pages; if they
do not, it exits with 1. A page's time is what a class takes longer than one student, so that the start is apart.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tools.bench_grading import STOCK, grade, make  # noqa: E402  (a script must put the repository on sys.path first)

WAYS = {
    "stock nbgrader's own pages": ["nbgrader", "generate_feedback", "ps1", "--force"],
    "`nbgrader generate_feedback`": ["nbgrader", "generate_feedback", "ps1", "--force"],
    "`autograder feedback --jobs 1`": ["autograder", "feedback", "ps1", "--force", "--jobs", "1"],
    "`autograder feedback`": ["autograder", "feedback", "ps1", "--force"],
}
ONE = "ada-0"


def tell_apart(root: Path) -> None:
    """Makes every answer another one: the copies of a student would else be rendered once, and a class has none."""
    for file in sorted(root.glob("autograded/*/ps1/*.ipynb")):
        notebook = nbformat.read(file, as_version=4)
        for cell in notebook.cells:
            about = cell.metadata.get("nbgrader", {"solution": True})
            if about.get("solution") and cell.cell_type == "code":
                cell.source += f"\n# {file.parent.parent.name}"
        file.chmod(0o644)
        nbformat.write(notebook, file)


def run(root: Path, command: list[str]) -> tuple[float, float]:
    """Seconds on the clock and of the processors."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    before, began = os.times(), time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=root,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    seconds, after = time.perf_counter() - began, os.times()
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return seconds, used


def pages(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in root.glob("feedback/*/*/*")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--copies", type=int, default=3, help="how often the sample class has handed in (default: 3)")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each, in turn (default: 3)")
    options = parser.parse_args()
    scratch = Path(tempfile.mkdtemp(prefix="bench-"))
    taken: dict[str, list[tuple[float, float, float, float]]] = {way: [] for way in WAYS}
    made: list[dict[str, bytes]] = []
    try:
        ours, stock = scratch / "ours", scratch / "stock"
        ours.mkdir()
        make(ours, (ROOT / "nbgrader_config.py").read_text(), options.copies)
        grade(ours)
        tell_apart(ours)
        shutil.copytree(ours, stock)
        (stock / "nbgrader_config.py").write_text(STOCK.format(root=str(stock)))
        for _ in range(options.rounds):
            for way, command in WAYS.items():
                root = stock if way.startswith("stock") else ours
                taken[way].append((*run(root, command), *run(root, [*command, f"--student={ONE}"])))
                if root is ours:
                    made.append(pages(root))
        each = len(list(ours.glob("feedback/*/*/*.html")))
        _report(taken, each, len(list(ours.glob(f"feedback/{ONE}/*/*.html"))))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    differing = sorted(name for name in made[0] if any(other.get(name) != made[0][name] for other in made))
    if differing:
        sys.exit(f"Different pages: {', '.join(differing)}")


def _report(taken: dict[str, list[tuple[float, float, float, float]]], every: int, of_one: int) -> None:
    print(f"{every} pages, {os.cpu_count()} cores, {len(next(iter(taken.values())))} runs of each in turn.\n")
    print("| | all pages, s | one student's, s | a page, ms | a page, ms of processor time | ratio |")
    print("|---|---|---|---|---|---|")
    rows = {way: [statistics.median(column) for column in zip(*runs, strict=True)] for way, runs in taken.items()}
    fastest = list(rows.values())[-1]
    for way, (all_, used, one, used_by_one) in rows.items():
        page, processor = (1000 * (x - y) / (every - of_one) for x, y in ((all_, one), (used, used_by_one)))
        ratio = (all_ - one) / (fastest[0] - fastest[2])
        print(f"| {way} | {all_:.1f} | {one:.1f} | {page:.1f} | {processor:.1f} | {ratio:.1f} |")
    print(f"\nLoad average at the end: {os.getloadavg()[0]:.1f}. Trust the ratios more than the seconds.")


if __name__ == "__main__":
    main()
