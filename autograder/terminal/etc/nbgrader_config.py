"""Installed as etc/jupyter/nbgrader_config.py of the environment: what nbgrader reads where no course's file is read.

In a folder that is no course, nbgrader looks for files that cannot be there, or makes an empty gradebook in it.
"""

try:
    from autograder.terminal.elsewhere import refuse
except ImportError:  # the folder has another version of the package, which comes first
    pass
else:
    refuse(__file__)
