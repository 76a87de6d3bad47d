"""The derivative itself: the forward pass as a graph, torch's reference, and the points at which both are compared."""
