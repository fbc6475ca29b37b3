"""What a sweep says when it cannot begin or go on."""

from reverie.folder.errors import RunError


class SweepError(RunError):
    """The message says what was found and what to do."""


class SearchError(SweepError):
    """A search that no further trial can help; its trials are ended."""
