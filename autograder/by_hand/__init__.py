"""By hand: whether an answer was derived, or taken from a machine that differentiates."""
