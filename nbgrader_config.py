"""The course's nbgrader configuration; nbgrader reads it in the folder where its commands are run."""

import os

c = get_config()  # noqa: F821  (nbgrader puts it there)
here = os.path.dirname(os.path.abspath(__file__))

c.CourseDirectory.root = here
c.CourseDirectory.course_id = "derivatives"

# Where released and submitted work is exchanged: beside the course unless you say otherwise. On a shared machine use
# one folder that everybody can reach, and give it nbgrader's permissions: docs/instructors.md.
c.Exchange.root = os.environ.get("NBGRADER_EXCHANGE", os.path.join(here, "exchange"))

# Handing in, releasing and fetching are whole or nothing; collecting copies regular files of the student, never a link.
if os.name == "posix":  # nbgrader has no exchange on Windows
    c.ExchangeFactory.collect = "autograder.exchange.Collect"
    c.ExchangeFactory.fetch_assignment = "autograder.exchange.Fetch"
    c.ExchangeFactory.release_assignment = "autograder.exchange.Release"
    c.ExchangeFactory.release_feedback = "autograder.exchange.ReleaseFeedback"
    c.ExchangeFactory.submit = "autograder.exchange.Submit"

# A cell may take a minute when it is validated. (A call of a student's function within a check has a limit of its own,
# of 5 seconds.)
c.Execute.timeout = 60

# Grading in two rooms: a submission's code runs in a locked process of its own, the tests in another. docs/security.md
# says what that protects. The limits are options of Engine: cell_seconds, submission_seconds, memory, processes,
# written, printed. Where student code cannot be isolated grading refuses, unless you write c.Engine.unsafe = True.
c.Autograde.exporter_class = "autograder.rooms.TwoRooms"
c.Autograde.sanitize_preprocessors = [
    "nbgrader.preprocessors.ClearOutput",
    "autograder.rooms.Restore",
]
c.Autograde.autograde_preprocessors = [
    "autograder.rooms.Engine",
    "autograder.by_hand_list.ListFindings",
    "nbgrader.preprocessors.IgnorePattern",
    "nbgrader.preprocessors.LimitOutput",
    "autograder.rooms.SaveGrades",
    "autograder.rooms.Sanitise",
]
# nbgrader's own list, after a check that the questions are finished and that the tests can be run without the student's
# names.
c.GenerateAssignment.preprocessors = [
    "autograder.authoring.generate.RefuseUnfinished",
    "autograder.rooms.RefuseBorrowing",
    "nbgrader.preprocessors.IncludeHeaderFooter",
    "nbgrader.preprocessors.InstantiateTests",
    "nbgrader.preprocessors.LockCells",
    "nbgrader.preprocessors.ClearSolutions",
    "nbgrader.preprocessors.ClearOutput",
    "nbgrader.preprocessors.CheckCellMetadata",
    "nbgrader.preprocessors.ComputeChecksums",
    "nbgrader.preprocessors.SaveCells",
    "nbgrader.preprocessors.ClearHiddenTests",
    "nbgrader.preprocessors.ClearMarkScheme",
    "nbgrader.preprocessors.ComputeChecksums",
    "nbgrader.preprocessors.CheckCellMetadata",
]

# Feedback pages without the hidden tests' source: the verdicts stay, the points and the seed do not.
c.GenerateFeedback.preprocessors = [
    "nbgrader.preprocessors.GetGrades",
    "autograder.feedback.HideHiddenTests",
    "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor",
]
