"""An nbgrader command that is started outside a course's folder says so, before it makes an empty gradebook there.

The nbgrader_config.py that is installed with this package's environment calls `refuse`, because nbgrader reads that
file in every folder. The file changes nothing else: other courses may use the same environment.
"""

from __future__ import annotations

import filecmp
import os
import sys
from typing import Any

from autograder.terminal import command

NO_COURSE = (
    "There is no nbgrader_config.py in {folder}, so this is not the folder of a course: go to the course's folder (cd) "
    "and run the command there."
)
UNCONFIGURED = "There is no nbgrader_config.py in %s; nbgrader uses its own settings."
INSTRUCTORS = (
    "GenerateAssignmentApp",
    "AutogradeApp",
    "GenerateFeedbackApp",
    "ReleaseAssignmentApp",
    "ReleaseFeedbackApp",
    "CollectApp",
    "ZipCollectApp",
    "ExportApp",
)
STUDENTS = ("FetchAssignmentApp", "FetchFeedbackApp", "SubmitApp", "ListApp")


def refuse(this: str) -> None:
    """Makes the running command check its folder first; `this` is the path of the installed file, which calls it.

    An instructor's command then ends with status 1; a student's command warns and goes on.
    """
    app = command()
    name = type(app).__name__
    if name not in (*INSTRUCTORS, *STUDENTS) or hasattr(app, "_started_here"):
        return
    app._started_here = app.start

    def start() -> None:
        if not _configured(app, this):
            if name in INSTRUCTORS:
                app.log.error("%s", NO_COURSE.format(folder=os.getcwd()))
                sys.exit(1)
            app.log.warning(UNCONFIGURED, os.getcwd())
        app._started_here()

    app.start = start


def _configured(app: Any, this: str) -> bool:
    """Whether nbgrader reads another configuration file than `this` (or a copy of it, installed elsewhere)."""
    folders = [os.getcwd(), app.coursedir.root, *app.config_file_paths]
    files = [os.path.join(folder, f"{app.config_file_name}.py") for folder in folders]
    if app.config_file:
        files.append(f"{app.config_file}.py")
    return any(os.path.exists(file) and not filecmp.cmp(file, this, shallow=False) for file in files)
