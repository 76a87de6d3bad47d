"""The hub of a course: what `jupyterhub_config.py` sets is computed from `course.yaml`."""
