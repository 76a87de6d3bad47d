"""`make demo`: a class handed in and graded with nbgrader's own commands, in a scratch course under demo/."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sample_class import about, hand_in, students

ROOT = Path(__file__).parent.parent
STEPS = 6


class Course:
    """A scratch course folder and the commands run in it; what they print goes to nbgrader.log."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "nbgrader.log"

    def nbgrader(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "nbgrader", *arguments]
        # nbgrader looks for `alembic` on PATH, which is there only when the environment is activated.
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environment = {**os.environ, "PATH": path, "NBGRADER_EXCHANGE": str(self.folder / "exchange")}
        with self.log.open("a") as log:
            print("$ nbgrader", *arguments, file=log, flush=True)
            code = subprocess.call(command, cwd=self.folder, env=environment, stdout=log, stderr=subprocess.STDOUT)
        if code:
            tail = "\n".join("    " + line for line in self.log.read_text().splitlines()[-15:])
            sys.exit(
                f"\n`nbgrader {' '.join(arguments)}` ended with exit code {code}. Its last lines:\n{tail}\n"
                f"The whole log: {self.log}\nRun the command yourself in {self.folder} to look closer."
            )


@contextmanager
def step(number: int, words: str, done: Path | None = None, of: int = 0) -> Iterator[None]:
    """Says what is going on and how long it took; with `done`, counts the folders that appear in it."""
    start = time.monotonic()
    finished = threading.Event()
    live = sys.stdout.isatty()

    def show(end: str = "") -> None:
        count = f" {len(list(done.glob('*/ps1/problems.*')))} of {of}" if done else ""
        seconds = f" ({time.monotonic() - start:.0f} s)" if end or live else ""
        print(f"\r[{number}/{STEPS}] {words}{count}{seconds}", end=end, flush=True)

    def tick() -> None:
        while not finished.wait(0.5):
            show()

    if live:
        threading.Thread(target=tick, daemon=True).start()
    try:
        yield
    finally:
        finished.set()
        show("\n")


def table(course: Path, names: dict[str, Path]) -> str:
    """The grades as the gradebook holds them, a line a student."""
    from nbgrader.api import Gradebook

    lines = [f"{'student':<8}" + "".join(f"{f'q{n}':>6}" for n in range(1, 7)) + f"{'total':>8}   what the student did"]
    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        for name, answers in names.items():
            grades = gradebook.find_submission("ps1", name).notebooks
            marks = {g.name: g.score for notebook in grades for g in notebook.grades}
            by_question = [marks[f"q{n}-check"] + marks[f"q{n}-hidden"] for n in range(1, 7)]
            row = "".join(f"{mark:>6.3g}" for mark in by_question)
            lines.append(f"{name:<8}{row}{sum(by_question):>8.3g}   {about(answers)}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--course", type=Path, default=ROOT / "demo", help="scratch folder, made anew (default: demo/)")
    folder = parser.parse_args().course.resolve()
    marker = folder / "nbgrader.log"
    if folder.exists() and any(folder.iterdir()) and not marker.exists():
        sys.exit(f"{folder} holds something that is not a demo course. Name another folder with --course.")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    course, names = Course(folder), students()
    marker.touch()
    with step(1, "a scratch course with the source notebooks"):
        shutil.copytree(ROOT / "source", folder / "source", ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
        shutil.copy(ROOT / "nbgrader_config.py", folder)
    with step(2, "the release, without solutions: nbgrader generate_assignment ps1"):
        course.nbgrader("generate_assignment", "ps1")
    with step(3, f"a class of {len(names)} hands in"):
        for name, answers in names.items():
            hand_in(folder / "release" / "ps1", answers, folder / "submitted" / name / "ps1")
    with step(4, "grading: nbgrader autograde ps1:", folder / "autograded", len(names)):
        course.nbgrader("autograde", "ps1")
    with step(5, "feedback: nbgrader generate_feedback ps1:", folder / "feedback", len(names)):
        course.nbgrader("generate_feedback", "ps1")
    with step(6, "grades: nbgrader export"):
        course.nbgrader("export", "--to", str(folder / "grades.csv"))
    print("\n" + table(folder, names))
    print(
        f"\nOpen in a browser:  {folder / 'feedback' / 'chen' / 'ps1' / 'problems.html'}\n"
        f"Grades:             {folder / 'grades.csv'}\n"
        f"What students get:  {folder / 'release' / 'ps1'}"
    )


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("\nStopped. `make demo` starts afresh.")
