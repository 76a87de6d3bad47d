"""What `nbgrader generate_assignment` writes from source/ to release/, and new seeds for the hidden tests in source/.

nbgrader_config.py names `autograder.release.exporter.ReleaseExporter`.
"""
