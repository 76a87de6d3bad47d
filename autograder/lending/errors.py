"""What can go wrong between two rooms."""

from autograder.errors import AutograderError


class NotData(AutograderError):
    """What one room wants to say is no data; the text says what it is."""


class Malformed(AutograderError):
    """What another room has sent is no data, so that room has not kept to the form."""


class CannotBeHad(AutograderError):
    """Something of the student's that has no form of data and no stand-in; the text is a sentence."""
