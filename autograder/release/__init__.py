"""From source/ to release/: what `nbgrader generate_assignment` writes, with nothing that was there lost unnamed.

nbgrader_config.py names `autograder.release.exporter.ReleaseExporter`.
"""
