"""`make demo`: a class handed in and graded with nbgrader's own commands, in a scratch course under demo/."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sample_class import ANSWERS, about, hand_in, students

ROOT = Path(__file__).parent.parent
STEPS = 7


class Course:
    """A scratch course folder, in which commands are run; their output goes to nbgrader.log."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "nbgrader.log"

    def nbgrader(self, *arguments: str) -> None:
        # Status 3: everybody is graded, and a person should look at some submissions.
        self.run("nbgrader", *arguments, well=(0, 3) if arguments[0] == "autograde" else (0,))

    def run(self, program: str, *arguments: str, well: tuple[int, ...] = (0,)) -> None:
        """Runs `python -m program`; after another exit status than `well`, ends the demo with its last lines."""
        command = [sys.executable, "-m", program, *arguments]
        # nbgrader looks for `alembic` on PATH, where it is only if the environment is activated.
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environment = {**os.environ, "PATH": path, "NBGRADER_EXCHANGE": str(self.folder / "exchange")}
        with self.log.open("a") as log:
            print(f"$ {program}", *arguments, file=log, flush=True)
            code = subprocess.call(command, cwd=self.folder, env=environment, stdout=log, stderr=subprocess.STDOUT)
        if code not in well:
            tail = "\n".join("    " + line for line in self.log.read_text().splitlines()[-15:])
            sys.exit(
                f"\n`{program} {' '.join(arguments)}` ended with exit code {code}. Its last lines:\n{tail}\n"
                f"The whole log: {self.log}\nRun the command yourself in {self.folder} to look closer."
            )


@contextmanager
def step(number: int, words: str, done: Path | None = None, of: int = 0) -> Iterator[None]:
    """Prints a step and its duration; with `done`, also how many of the expected pages are in that folder."""
    start = time.monotonic()
    finished = threading.Event()
    live = sys.stdout.isatty()

    def count() -> str:
        return f" {len(list(done.glob('*/ps1/problems.*')))} of {of}" if done else ""

    def tick() -> None:
        while not finished.wait(0.5):
            print(f"\r{words}{count()} ({time.monotonic() - start:.0f} s)", end="", flush=True)

    words = f"[{number}/{STEPS}] {words}"
    print(words, end="", flush=True)
    if live:
        threading.Thread(target=tick, daemon=True).start()
    try:
        yield
    finally:
        finished.set()
        # On a terminal the whole line is printed again; in a log only its end.
        print(f"{chr(13) + words if live else ''}{count()} ({time.monotonic() - start:.0f} s)", flush=True)


def table(course: Path, answers: dict[str, Path]) -> str:
    """The grades in the gradebook, a line for each student."""
    from autograder.gradebook import grades, reading

    with reading.opened(f"sqlite:///{course}/gradebook.db", "ps1") as session:
        made = grades.table(session, reading.find(session, "ps1"))
    questions = [c for c in made.columns if re.fullmatch(r"q\d+", c)]
    lines = ["student " + "".join(f"{q:>7}" for q in questions) + f"{'total':>8}   what the student did"]
    for row in made.rows:
        name = str(row["student_id"])
        marks = "".join(f"{row[q]:>7.2f}" for q in questions)
        lines.append(f"{name:<8}{marks}{row['score']:>8.2f}   {about(answers[name])}")
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
    with step(4, "their names: autograder roster roster.csv"):
        shutil.copy(ANSWERS / "roster.csv", folder)
        course.run("autograder", "roster", "roster.csv")
    with step(5, "grading: nbgrader autograde ps1:", folder / "autograded", len(names)):
        course.nbgrader("autograde", "ps1")
    with step(6, "feedback: nbgrader generate_feedback ps1:", folder / "feedback", len(names)):
        course.nbgrader("generate_feedback", "ps1")
    with step(7, "grades: nbgrader export --to grades.csv"):
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
