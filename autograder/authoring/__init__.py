"""What authors' commands do: write a question's cells, keep them up to date, and refuse what must not be released.

`cells` words what follows from a forward pass, `questions` reads questions out of a notebook, `refresh` brings a
notebook up to date, `unfinished` finds what must be mended before a release, `generate` refuses it in nbgrader.
"""
