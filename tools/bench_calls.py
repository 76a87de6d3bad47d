"""What a call across the wire takes: a test in the examiner's room calls what a submission defines in the student's.

Prints a table in markdown, from one grading run with nbgrader's own command.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

ROOT = Path(__file__).parent.parent
ANSWER = """\
import numpy as np
def f(n):
    return n * n
def same(xs):
    return xs
class Counter:
    def __init__(self):
        self.n = 0
    def up(self):
        self.n += 1
"""
CALLS = {
    "a function, with an integer": "f(3)",
    "a function, with a list of 1,000 numbers, which it returns": "same(numbers)",
    "a function, with an array of 800 kB, whose square it returns": "f(array)",
    "a method": "counter.up()",
    "an attribute": "counter.n",
}
TEST = """\
import json, statistics, time
import numpy as np
numbers, array, counter = [k / 7 for k in range(1000)], np.zeros(100_000), Counter()
found = {{}}
for words, call in {calls!r}.items():
    times = []
    for _ in range({times}):
        begun = time.perf_counter()
        eval(call)
        times.append(1000 * (time.perf_counter() - begun))
    found[words] = statistics.median(times), max(times)
print(json.dumps(found))
"""
TIMES = 200


def cell(name: str, source: str, points: float | None = None) -> NotebookNode:
    marks = {"grade_id": name, "grade": points is not None, "locked": points is not None, "solution": points is None}
    worth = {"points": points} if points is not None else {}
    kind = {"schema_version": 3, "cell_type": "code", "task": False}
    return new_code_cell(source, metadata={"nbgrader": {**kind, **marks, **worth}})


def nbgrader(root: Path, command: str) -> None:
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", command, "ps1"],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(done.stdout + done.stderr)


def measured(root: Path) -> dict[str, tuple[float, float]]:
    """Median and longest time of each kind of call, in ms."""
    shutil.copy(ROOT / "nbgrader_config.py", root)
    (root / "source" / "ps1").mkdir(parents=True)
    test = TEST.format(calls=CALLS, times=TIMES)
    cells = [cell("answer", f"### BEGIN SOLUTION\n{ANSWER}\n### END SOLUTION"), cell("test", test, 1)]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": kernel}), root / "source" / "ps1" / "hw.ipynb")
    nbgrader(root, "generate_assignment")
    shutil.copytree(root / "source", root / "submitted" / "ada")
    nbgrader(root, "autograde")
    graded = nbformat.read(root / "autograded" / "ada" / "ps1" / "hw.ipynb", as_version=4)
    outputs = [o for c in graded.cells if c.metadata.nbgrader.grade_id == "test" for o in c.outputs]
    if [o.output_type for o in outputs] != ["stream"]:
        sys.exit(f"The test did not pass: {outputs}")
    found: dict[str, tuple[float, float]] = json.loads(outputs[0].text)
    return found


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="bench-") as root:
        found = measured(Path(root))
    print(f"{TIMES} calls of each kind; {os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}.\n")
    print("| what a test asks of the student's room | ms, median | ms, longest |\n|---|---|---|")
    for words, (median, longest) in found.items():
        print(f"| {words} | {median:.2f} | {longest:.1f} |")


if __name__ == "__main__":
    main()
