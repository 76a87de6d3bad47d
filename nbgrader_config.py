"""The course's nbgrader configuration; nbgrader reads it in the folder where its commands are run."""

import os

c = get_config()  # noqa: F821  (nbgrader puts it there)
here = os.path.dirname(os.path.abspath(__file__))

c.CourseDirectory.root = here
c.CourseDirectory.course_id = "derivatives"

# Where released and submitted work is exchanged: beside the course unless you say otherwise. On a shared machine use
# one folder that everybody can reach, and give it nbgrader's permissions: docs/instructors.md.
c.Exchange.root = os.environ.get("NBGRADER_EXCHANGE", os.path.join(here, "exchange"))

# A cell may take a minute. (A call of a student's function within a check has a limit of its own, of 5 seconds.)
c.Execute.timeout = 60

# What nbgrader does with a submission, and after the notebook was run: the list of answers that may not be by hand.
c.Autograde.autograde_preprocessors = [
    "nbgrader.preprocessors.Execute",
    "autograder.by_hand_list.ListFindings",
    "nbgrader.preprocessors.IgnorePattern",
    "nbconvert.preprocessors.ClearMetadataPreprocessor",
    "nbgrader.preprocessors.LimitOutput",
    "nbgrader.preprocessors.SaveAutoGrades",
    "nbgrader.preprocessors.AssignLatePenalties",
    "nbgrader.preprocessors.CheckCellMetadata",
]

# Feedback pages without the hidden tests' source: the verdicts stay, the points and the seed do not.
c.GenerateFeedback.preprocessors = [
    "nbgrader.preprocessors.GetGrades",
    "autograder.feedback.HideHiddenTests",
    "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor",
]
