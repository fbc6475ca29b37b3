"""The one error of this station."""


class ReplayError(ValueError):
    """Replay cannot do this: the message says what was found, what was expected, what to do."""
