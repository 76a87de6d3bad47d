"""The picture of a forward pass and of its adjoints, as SVG.

    svg       the picture             layout   where nodes and edges stand
    elements  the parts of an SVG     picture  what IPython shows

Nothing heavy is imported here, and a picture is the same in each process: notebooks that hold one can be compared.
"""
