"""What `nbgrader generate_assignment` writes from source/ to release/. Files that it replaces are kept and named.

nbgrader_config.py names `autograder.release.exporter.ReleaseExporter`.
"""
