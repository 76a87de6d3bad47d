"""`nbgrader generate_assignment ps1` where release/ps1 is committed and there is no gradebook: a first-time instructor.

One course for the file, its tests in order: each finds it as the one before has left it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook

from tests import warm
from tests.conftest import GRADED_CELLS, POINTS, ROOT
from tests.rooms.course import find

pytestmark = pytest.mark.course
UNCHANGED = "release/ps1 is unchanged: it is what source/ps1 gives."
IN_GRADEBOOK = f"ps1 is in the gradebook: 2 notebooks, {GRADED_CELLS} cells with points, {POINTS:g} points in all."


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("clone")
    for name in ("source", "release"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    for name in ("nbgrader_config.py", ".gitignore"):
        shutil.copy(ROOT / name, root)
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "course"]):
        subprocess.run(["git", "-c", "user.name=n", "-c", "user.email=e", *command], cwd=root, check=True)
    return root


def _generate(root: Path, *more: str) -> tuple[int, str]:
    """In an environment that is not activated: nothing of it is on PATH."""
    done = subprocess.run(
        [warm.python(), "-m", "nbgrader", "generate_assignment", "ps1", *more],
        cwd=root,
        env={**os.environ, "PATH": os.defpath},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def _status(root: Path) -> str:
    status = ["git", "status", "--porcelain"]
    return subprocess.run(status, cwd=root, capture_output=True, text=True, check=True).stdout


def _points(root: Path) -> float:
    with Gradebook(f"sqlite:///{root}/gradebook.db") as gradebook:
        return float(gradebook.find_assignment("ps1").max_score)


def test_the_plain_command_fills_the_gradebook_and_leaves_the_committed_release_as_it_is(clone: Path) -> None:
    assert _generate(clone) == (0, f"{IN_GRADEBOOK}\n{UNCHANGED}\n")
    assert _points(clone) == POINTS
    assert _status(clone) == ""


def test_again_with_submissions_graded_keeps_the_marks(clone: Path) -> None:
    with Gradebook(f"sqlite:///{clone}/gradebook.db") as gradebook:
        gradebook.add_student("ada")
        with gradebook.db.no_autoflush:
            submission = gradebook.add_submission("ps1", "ada")
        for grade in submission.notebooks[-1].grades:
            grade.auto_score = 1
        gradebook.db.commit()
    assert _generate(clone, "--force") == (0, f"{IN_GRADEBOOK}\n{UNCHANGED}\n")
    with Gradebook(f"sqlite:///{clone}/gradebook.db") as gradebook:
        assert gradebook.find_submission("ps1", "ada").score == GRADED_CELLS


def test_old_marks_under_new_points_are_told_and_a_new_text_is_not(clone: Path) -> None:
    source = clone / "source" / "ps1" / "problems.ipynb"
    notebook = nbformat.read(source, as_version=4)
    next(c for c in notebook.cells if c.cell_type == "markdown").source += "\nA sentence more."
    nbformat.write(notebook, source)
    assert "graded before" not in _generate(clone)[1]
    find(notebook, "q6-hidden").metadata.nbgrader.points = 18
    nbformat.write(notebook, source)
    subprocess.run([sys.executable, "-m", "autograder", "refresh", "q6"], cwd=clone, check=True, capture_output=True)
    told = "1 student was graded before this change: `nbgrader autograde ps1 --force` grades this one again."
    assert _generate(clone)[1].splitlines()[-1] == told
    subprocess.run(["git", "checkout", "-q", "."], cwd=clone, check=True)
    subprocess.run(["git", "clean", "-qfd", "release"], cwd=clone, check=True)


def test_a_cell_that_is_gone_while_there_are_submissions_is_refused_with_the_remedy(clone: Path) -> None:
    source = clone / "source" / "ps1" / "problems.ipynb"
    text = source.read_text()
    notebook = nbformat.reads(text, as_version=4)
    notebook.cells = [c for c in notebook.cells if not c.metadata.get("nbgrader", {}).get("grade_id", "").startswith("q6")]
    nbformat.write(notebook, source)
    status, said = _generate(clone)
    source.write_text(text)
    assert status == 1
    assert len(said.splitlines()) == 1
    assert "ps1 was not generated, and release/ps1 is as it was: submissions of ps1 are in the gradebook" in said
    assert "nbgrader db assignment remove ps1 --force" in said
    assert _status(clone) == ""


def test_what_somebody_wrote_into_the_release_is_named_and_kept(clone: Path) -> None:
    by_hand = clone / "release" / "ps1" / "problems.ipynb"
    notebook = nbformat.read(by_hand, as_version=4)
    notebook.cells[0].source += "\nA hint that was written by hand."
    nbformat.write(notebook, by_hand)
    status, said = _generate(clone)
    assert status == 0
    told = said.splitlines()[1]
    assert told.startswith("release/ps1 has changed: problems.ipynb (changed). What was there before is in release/ps1.")
    kept = clone / told.split(" is in ")[1].rstrip(".") / "problems.ipynb"
    assert "A hint that was written by hand." in kept.read_text()
    assert _status(clone) == f"?? {kept.parent.relative_to(clone)}/\n"


def test_a_release_that_could_not_be_written_whole_is_not_called_as_it_was(clone: Path) -> None:
    """A folder stands where the notebook is first written."""
    (clone / "release" / "ps1" / "problems.ipynb").write_text("{}")
    (clone / "release" / "ps1" / ".problems.ipynb.new").mkdir()
    status, said = _generate(clone)
    assert status == 1
    assert "ps1 was generated, but release/ps1 may not be whole; run the command again once this is mended: " in said
    assert "is as it was" not in said
    (clone / "release" / "ps1" / ".problems.ipynb.new" / "problems.ipynb").unlink()
    (clone / "release" / "ps1" / ".problems.ipynb.new").rmdir()
    assert _generate(clone)[0] == 0
