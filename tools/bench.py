"""`make bench`: prints a table of timings on this machine. Machines differ, so compare ratios."""

from __future__ import annotations

import contextlib
import io
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))


def median(runs: int, measure: Callable[[], float]) -> tuple[float, float]:
    """The median and the largest of `runs` measurements, in ms."""
    times = [measure() for _ in range(runs)]
    return statistics.median(times), max(times)


def clock(work: Callable[[], object]) -> Callable[[], float]:
    """A function that runs `work` without its output and returns the ms that it took."""

    def measure() -> float:
        start = time.perf_counter()
        with contextlib.redirect_stdout(io.StringIO()):
            work()
        return 1000 * (time.perf_counter() - start)

    return measure


def import_beside_torch() -> float:
    """ms to import `question` in a process that has imported torch."""
    begin, end = "import time, torch; t = time.perf_counter()", "print(1000 * (time.perf_counter() - t))"
    code = f"{begin}; from autograder import question; {end}"
    return float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)


def notebook_beyond_torch() -> float:
    """ms to run problems.ipynb in a real kernel, from the end of its first cell, which imports torch."""
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(ROOT / "source" / "ps1" / "problems.ipynb", as_version=4)
    notebook.cells.insert(0, nbformat.v4.new_code_cell("import torch"))
    with tempfile.TemporaryDirectory() as scratch:
        NotebookClient(notebook, timeout=120, resources={"metadata": {"path": scratch}}).execute()
    import datetime as dt

    def when(cell: nbformat.NotebookNode, key: str) -> dt.datetime:
        return dt.datetime.fromisoformat(cell.metadata.execution[key].replace("Z", "+00:00"))

    code = [c for c in notebook.cells if c.cell_type == "code"]
    return 1000 * (when(code[-1], "shell.execute_reply") - when(code[0], "shell.execute_reply")).total_seconds()


def readings() -> list[tuple[str, Callable[[], object]]]:
    """The reader of the by-hand guard: on the sample class, on honest work, and on what was written to hold it up."""
    from autograder.by_hand.interpreter import read
    from tests.by_hand.cases import HONEST, sample
    from tests.by_hand.further import HONEST as FURTHER
    from tests.by_hand.hostile import HOSTILE

    def slowest(programs: dict[str, list[str]]) -> Callable[[], object]:
        def time_of(cells: list[str]) -> float:
            return min(clock(lambda: read(cells, "grad_q5"))() for _ in range(3))

        chosen = max(programs.values(), key=time_of)
        return lambda: read(chosen, "grad_q5")

    return [
        ("by hand: reading one answer of the sample class", lambda: read(sample("ada"), "grad_q5")),
        (f"by hand: the slowest of {len(HONEST) + len(FURTHER)} honest answers", slowest({**HONEST, **FURTHER})),
        (f"by hand: the slowest of {len(HOSTILE)} programs written to hold it up", slowest(HOSTILE)),
    ]


def main() -> None:
    from tests.conftest import NAMES, QUESTIONS, Class
    from tools.sample_class import cells, students

    rows = [
        ("`from autograder import question` beside torch", "100", median(7, import_beside_torch)),
        ("problems.ipynb, top to bottom, beyond importing torch", "3000", median(3, notebook_beyond_torch)),
    ]
    student = Class()
    student.run("def sig(x):\n    return torch.sigmoid(x)\n")
    answers = dict(cells(students()["ada"]))
    for name in NAMES:
        question = QUESTIONS[name]
        student.run(answers[name])
        seeds = iter(range(10**6))
        rows.append((f"`{name}.check()`", "30", median(30, clock(lambda q=question: student.check(q)))))
        rows.append(
            (
                f"`{name}.grade(8, seed)`",
                "50",
                median(30, clock(lambda q=question, s=seeds: student.grade(q, 8, next(s)))),
            )
        )
    rows += [(what, "500", median(5, clock(work))) for what, work in readings()]
    print("| what | wanted, ms | median, ms | worst, ms |\n|---|---|---|---|")
    for what, wanted, (middle, worst) in rows:
        print(f"| {what} | {wanted} | {middle:.1f} | {worst:.1f} |")


if __name__ == "__main__":
    main()
