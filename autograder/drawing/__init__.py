"""The picture of a forward pass and of its adjoints, as SVG."""
