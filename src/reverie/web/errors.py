"""What a server answers in its own way."""


class Gone(ValueError):
    """A request for what the server does not have any more: the message says what to do."""
