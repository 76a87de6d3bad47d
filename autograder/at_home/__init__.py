"""For students without a hub: `autograder check` and `autograder pack`. They need the student kit's packages only."""
