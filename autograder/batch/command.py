"""`autograder grade`: nbgrader's own command and configuration, with the exporter that grades a whole class."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from autograder.errors import AutograderError
from autograder.workers.launchers import started_ahead

NO_COURSE = (
    "{folder} is not the folder of a course: run the command where the course's nbgrader_config.py is (its "
    "c.Autograde.exporter_class says how student code is locked in)."
)


def grade(assignment: str, settings: dict[str, dict[str, Any]], more: Sequence[str] = ()) -> int:
    """Grades an assignment with the options `settings`, by class, and `more` of nbgrader's. Returns the exit status.

    AutograderError if this is not the folder of a course.
    """
    if settings.get("WholeClass", {}).get("scheduler") or not os.path.exists("nbgrader_config.py"):
        return _grade(assignment, settings, more)
    with started_ahead():  # while nbgrader is imported and the configuration read
        return _grade(assignment, settings, more)


def _grade(assignment: str, settings: dict[str, dict[str, Any]], more: Sequence[str]) -> int:
    from nbgrader.apps import AutogradeApp
    from traitlets.config import Config

    # A singleton, as nbgrader itself makes it, because nbgrader_config.py looks for it.
    app = AutogradeApp.instance()
    try:
        app.initialize([assignment, *more])
        if "exporter_class" not in app.config.Autograde:
            raise AutograderError(NO_COURSE.format(folder=os.getcwd()))
        ours = {"Autograde": {"exporter_class": "autograder.batch.whole_class.WholeClass"}}
        # After nbgrader_config.py was read, because the command line counts more.
        app.update_config(Config({**ours, **settings}))
        app.start()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    finally:
        AutogradeApp.clear_instance()
    return 0
