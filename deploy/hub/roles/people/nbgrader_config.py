"""nbgrader for people's own servers: one exchange, and in it the courses that are theirs."""

import os

c = get_config()  # noqa: F821  (nbgrader puts it there)
c.Exchange.root = os.environ["NBGRADER_EXCHANGE"]
c.Exchange.path_includes_course = True  # home/COURSE/ps1: two courses may both have a ps1
c.ExchangeFactory.fetch_assignment = "autograder.exchange.Fetch"  # whole or nothing, also when a disk is full
c.ExchangeFactory.fetch_feedback = "autograder.exchange.FetchFeedback"  # this and the next: the exchange is root's
c.ExchangeFactory.list = "autograder.exchange.List"
c.ExchangeFactory.submit = "autograder.exchange.Submit"
c.Authenticator.plugin_class = "nbgrader.auth.JupyterHubAuthPlugin"  # asks the hub which courses these are
c.Execute.timeout = 120  # seconds a cell when Validate runs it: a class validates at once, and torch takes its time

if "COURSEHUB_DEMO" in os.environ:
    # All people of the demo are one Linux account, by whose name nbgrader would take them for one student.
    c.CourseDirectory.student_id = os.environ["JUPYTERHUB_USER"]
