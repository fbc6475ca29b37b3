"""What goes wrong with a run as a whole, and what stops it from outside."""

import signal


class RunError(Exception):
    """A run that cannot start or go on: the message says what was found and what to do."""


class Damaged(RunError):
    """A file of a run folder that does not hold what was written into it."""


class Diverged(RunError):
    """The learner's numbers are not finite any more, or absurd."""


class Stopped(KeyboardInterrupt):
    """A signal ended the run: the message says what is saved and how to go on.

    A KeyboardInterrupt, so that `except Exception` does not take it for a failure.

    Args:
        signum: number of the signal.
        how: the rest of "stopped by SIGINT ...".
    """

    def __init__(self, signum: int, how: str):
        name = signal.Signals(signum).name
        super().__init__(f"stopped by {name} {how}; the same command resumes.")
        self.exit_code = 128 + signum
        """What a shell expects of a process that this signal ended."""
