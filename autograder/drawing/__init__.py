"""Draws a computation graph with its values and adjoints as SVG: `layout`, `elements`, `svg`, `picture`."""
