"""A command of nbgrader's in a folder that is no course says so, before it looks for anything or makes a gradebook.

The environment's own nbgrader_config.py comes here, because a course's is not read in the wrong folder. It does
nothing else: what other courses do with this environment is theirs.
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
    """Called by the environment's file `this`, which is not what makes a folder a course."""
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
    """Whether any file but this one, wherever it is installed, configures nbgrader here."""
    folders = [os.getcwd(), app.coursedir.root, *app.config_file_paths]
    files = [os.path.join(folder, f"{app.config_file_name}.py") for folder in folders]
    if app.config_file:
        files.append(f"{app.config_file}.py")
    return any(os.path.exists(file) and not filecmp.cmp(file, this, shallow=False) for file in files)
