"""The hub of a course: everything that `jupyterhub_config.py` sets follows from `course.yaml`."""
