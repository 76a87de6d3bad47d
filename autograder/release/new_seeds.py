"""`autograder seeds` and `make seeds`: draws new seeds for the hidden tests, in all notebooks of the source or in none.

Grades depend on the seeds. If students were graded already, new seeds would treat later students differently, so
nothing is changed without `--force`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from autograder import seeds
from autograder.gradebook import reading
from autograder.release import regrade
from autograder.terminal import tell

GRADED = (
    "{assignment} was graded with the present seeds (submissions: {count}). With new ones the same answers can earn "
    "other marks. Nothing was changed. If you will grade everybody again, say so: make seeds FORCE=1, or "
    "autograder seeds --force; then `nbgrader generate_assignment {assignment}` and "
    "`nbgrader autograde {assignment} --force`."
)
NO_SOURCE = "there is no folder {folder}. Run the command in the folder that holds nbgrader_config.py."
NO_NOTEBOOKS = "{folder} holds no notebook. Correct the assignment's name; {source} has {known}."
NO_SEEDS = (
    "no hidden test in {folder} has a seed. Seeds stand between ### BEGIN HIDDEN TESTS and ### END HIDDEN TESTS, as in "
    'q1.grade(points=8, seed="…").'
)


def new_seeds(wanted: Sequence[str], force: bool = False) -> int:
    """Draws new seeds for the assignments `wanted` (default: all); prints what was changed and what to run next.

    Returns 0; SeedError if students were graded (without `force`) or there is no seed to replace.
    """
    coursedir = reading.course_here()
    source = Path(coursedir.format_path(coursedir.source_directory, ".", "."))
    if not source.is_dir():
        raise seeds.SeedError(NO_SOURCE.format(folder=_short(source)))
    known = sorted(f.name for f in source.iterdir() if any(f.glob("*.ipynb")))
    for name in wanted:
        if name not in known:
            others = ", ".join(known) or "none"
            raise seeds.SeedError(
                NO_NOTEBOOKS.format(folder=_short(source / name), source=_short(source), known=others)
            )
    assignments = list(dict.fromkeys(wanted)) or known
    if not force:
        for name in assignments:
            if count := regrade.graded(coursedir.db_url, name):
                raise seeds.SeedError(GRADED.format(assignment=name, count=count))
    tell("Drawing seeds, and trying each against the known mistakes ...")
    files = [_short(file) for name in assignments for file in sorted((source / name).glob("*.ipynb"))]
    drawn = [seeds.draw(file, _fits(file)) for file in files]
    changed = [d for d in drawn if d.count]
    if not changed:
        raise seeds.SeedError(NO_SEEDS.format(folder=", ".join(str(_short(source / n)) for n in assignments) or source))
    seeds.save(changed)
    for one in changed:
        tell(f"{_short(one.path)}: new seeds for {one.count} hidden test{'s' * (one.count != 1)}")
    tell("The students' notebooks stay as they are. Next, so that the gradebook has the new tests:")
    for name in dict.fromkeys(one.path.parent.name for one in changed):
        tell(f"  nbgrader generate_assignment {name}")
    tell("From now on the source folder is secret: keep it where no student can read it.")
    return 0


def _fits(file: Path) -> Callable[[str, str], bool]:
    """A function that says whether, for a question of `file`, a seed's points expose every known mistake."""
    made: dict[str, Any] | None = None

    def fits(question: str, seed: str) -> bool:
        nonlocal made
        from autograder.authoring import notebook
        from autograder.authoring.inspection import Inspection

        if made is None:
            made = notebook.questions(notebook.read(file))
        return question not in made or not Inspection(made[question], seed).undetected

    return fits


def _short(path: Path) -> Path:
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
