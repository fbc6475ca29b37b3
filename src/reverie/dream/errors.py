"""What goes wrong in the inspector."""


class DreamError(ValueError):
    """A request that cannot be answered: the message says what was found and what to do."""
