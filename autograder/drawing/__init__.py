"""The picture of a forward pass and of its adjoints, as SVG.

svg  the picture     layout  where nodes and edges stand     picture  what IPython shows
"""
