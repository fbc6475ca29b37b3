"""What goes wrong with a run as a whole."""


class RunError(Exception):
    """A run that cannot start or go on: the message says what was found and what to do."""
