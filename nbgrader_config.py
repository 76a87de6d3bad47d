"""The course's nbgrader configuration; nbgrader reads it in the folder where its commands are run."""

import os

from autograder.terminal.plain import plainly

c = get_config()  # noqa: F821  (nbgrader puts it there)
here = os.path.dirname(os.path.abspath(__file__))

# nbgrader's commands say in a few lines what an instructor needs, and every error in one sentence with the next step;
# --debug shows all that nbgrader says.
plainly(c)

c.CourseDirectory.root = here
c.CourseDirectory.course_id = "derivatives"

# Where released and submitted work is exchanged: beside the course unless you say otherwise. On a shared machine use
# one folder that everybody can reach, and give it nbgrader's permissions: docs/instructors.md.
c.Exchange.root = os.environ.get("NBGRADER_EXCHANGE", os.path.join(here, "exchange"))

# Handing in, releasing and fetching are whole or nothing; collecting copies regular files of the student, never a link.
# And the exchange need not be writable for everybody, as on a hub of deploy/hub.
if os.name == "posix":  # nbgrader has no exchange on Windows
    c.ExchangeFactory.collect = "autograder.exchange.Collect"
    c.ExchangeFactory.fetch_assignment = "autograder.exchange.Fetch"
    c.ExchangeFactory.fetch_feedback = "autograder.exchange.FetchFeedback"
    c.ExchangeFactory.list = "autograder.exchange.List"
    c.ExchangeFactory.release_assignment = "autograder.exchange.Release"
    c.ExchangeFactory.release_feedback = "autograder.exchange.ReleaseFeedback"
    c.ExchangeFactory.submit = "autograder.exchange.Submit"

# A cell may take a minute when it is validated. (A call of a student's function within a check has a limit of its own,
# of 5 seconds.)
c.Execute.timeout = 60
# Of the kernel that validates, errors alone; it would warn that its messages on this machine are not encrypted.
c.Execute.extra_arguments = ["--IPKernelApp.log_level=40"]

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
# The plain command fills the gradebook, also where release/ is there already, and names what it changes in release/.
c.GenerateAssignment.exporter_class = "autograder.release.exporter.ReleaseExporter"
# nbgrader's own list, after a check that the questions are finished and that the tests can be run without the student's
# names.
c.GenerateAssignment.preprocessors = [
    "autograder.authoring.generate.RefuseUnfinished",
    "nbgrader.preprocessors.IncludeHeaderFooter",
    "autograder.rooms.RefuseBorrowing",
    "nbgrader.preprocessors.InstantiateTests",
    "autograder.rooms.TryTests",
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

# Feedback pages: a table of verdicts and points, then a section a question. The source of hidden tests is never shown;
# the second line keeps it so for whoever changes the first.
c.GenerateFeedback.exporter_class = "autograder.feedback.FeedbackPage"
c.GenerateFeedback.preprocessors = ["autograder.feedback.HideHiddenTests"]

# The formgrader's page: formulas that need no network, and pictures without nbgrader's red frame.
c.HTMLExporter.preprocessors = ["autograder.feedback.grading.GradingStyle"]
c.HTMLExporter.filters = {"markdown2html": "autograder.feedback.grading.markdown"}

# `nbgrader export --to grades.csv` writes proper CSV with a column a question, as `autograder grades ps1` does.
c.ExportApp.plugin_class = "autograder.gradebook.export.Grades"
