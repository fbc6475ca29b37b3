"""What a sweep says when it cannot begin or go on."""


class SweepError(Exception):
    """The message says what was found and what to do."""
