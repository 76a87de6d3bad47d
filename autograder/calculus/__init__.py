"""The derivative itself: the forward pass as a graph, torch's reference, and the points at which both are compared.

    graph      a forward pass, read from its source     reference  values, adjoints and scales by torch.autograd
    admission  what is refused, and where kinks are     points     the test points that a seed gives

Nothing here knows of students or notebooks.
"""
