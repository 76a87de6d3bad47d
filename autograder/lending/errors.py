"""What can go wrong between two rooms."""


class NotData(Exception):
    """What one room wants to say is no data; the text says what it is."""


class Malformed(Exception):
    """What another room has sent is no data, so that room has not kept to the form."""
