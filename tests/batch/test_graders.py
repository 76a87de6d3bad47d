"""What a process does before it forks graders."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
REHEARSAL = """
import json, os
from nbgrader.api import Gradebook
from nbgrader.apps import AutogradeApp
from autograder.batch import rows
from autograder.batch.grader import Grader
from autograder.batch.graders import Graders
from autograder.workers.launchers import Launchers

app = AutogradeApp.instance()
app.initialize(["ps1"])
book = Gradebook("sqlite://", app.coursedir.course_id)
book.add_assignment("ps1")
book.add_notebook("problems", "ps1")
book.add_grade_cell("test", "problems", "ps1", max_score=4, cell_type="code")
book.add_source_cell("test", "problems", "ps1", cell_type="code", source="", checksum="", locked=False)
with book.engine.connect() as connection:
    course = rows.of_course(connection, "ps1")
graders = Graders(app, course, "", Launchers(False, lambda key: []))
said, grade = [], Grader.grade
Grader.grade = lambda self, order, run: said.append(grade(self, order, run))
graders._run.scribe.start()
graders._rehearse("ps1", ["problems"])
graders._run.end()
print(json.dumps(said))
"""


def test_nobodys_submission_goes_all_the_way_through_grading_and_leaves_nothing(tmp_path: Path) -> None:
    """One that failed would save no time, and nobody would see it."""
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
    command = [sys.executable, "-c", REHEARSAL]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    (said,) = json.loads(done.stdout)
    assert [what for what, *_ in said["events"]] == ["note", "done"]
    assert said["events"][0][1:] == ["problems.ipynb could not be read as a notebook: it is empty", "UNREADABLE"]
    assert [row["needs_manual_grade"] for row in said["rows"]["grade"]] == [True]
    assert not said["log"]
    assert [path.name for path in tmp_path.iterdir()] == ["nbgrader_config.py"]
