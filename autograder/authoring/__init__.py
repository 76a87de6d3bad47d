"""For authors of questions: writes a question's cells, updates them, and prevents the release of unfinished ones.

`cells` writes the text that follows from a forward pass, `questions` reads the questions of a notebook, `refresh`
updates a notebook, `unfinished` finds what is left to do before a release, `generate` makes nbgrader refuse until then.
"""
