"""nbgrader's steps for a grading run that does not trust student code, behind plain `nbgrader autograde`.

    notebooks        Notebooks: reads and converts a notebook; the `parent` of the steps below
    exporter         TwoRooms: one grading run, from the check that student code can be isolated to the summary
    run              GradingRun: what submissions share: workers, the gradebook's connection, the course's cells
    handed_in        before: links, pipes and unreadable times are taken out of what was handed in
    scribe           Scribe: the process in which what students wrote is read and cleaned, within limits
    desk             what that process does
    cleaning         what of a notebook's texts and outputs is shown, cleaned
    repair           what is certain of a damaged notebook is put right
    names            which file is which notebook, where one was renamed or is missing
    alone            one grading run of an assignment at a time
    unfinished       what a run that was killed has left half-written is made again
    progress         tells the report where the run is, and looks up who was graded before
    reasons          why a person should look at a submission, kept in its graded notebook
    gradebook_lock   waits for a gradebook that another process has locked
    sanitise         makes a text or a picture passive
    pictures         pictures that a text refers to
    course_cells     what the gradebook says of each cell: who runs it, its source, its points

For each submission nbgrader runs the preprocessors that nbgrader_config.py names, in this order:

    restore_cells    Restore: the course's cells are put back as they were released
    recognise        cells of the course that have lost nbgrader's marks
    engine           Engine: the options; runs each cell in its owner's room
    other_language   a notebook that is not Python: refused, or run in one kernel where nothing is isolated
    submission       SubmissionRun: the examiner's room and the student's two, for one submission
    defined_in_tests what of a test a student's cell uses
    save_grades      SaveGrades: marks, comments and penalties, in one transaction
    clean_notebook   Sanitise: nothing that a student wrote can run in a page

Before release:

    self_contained   RefuseBorrowing: a course that cannot be graded in rooms is refused
    tried            TryTests: the instructor's own notebook is graded, so each test is known to work
    written_files    files that students' cells write, which a test can only find there
    ways             how each test gets at what is the student's, as was found out

The rooms themselves are `autograder.workers`. The classes are imported when they are asked for, because other folders
use single modules of this one and need not load torch and nbgrader for that.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    "Engine": "engine",
    "RefuseBorrowing": "self_contained",
    "Restore": "restore_cells",
    "Sanitise": "clean_notebook",
    "TryTests": "tried",
    "SaveGrades": "save_grades",
    "TwoRooms": "exporter",
}
__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
