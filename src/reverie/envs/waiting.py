"""Waiting for a thread of our own, without silence: once a minute it is said what for."""

import logging
from concurrent.futures import Future
from typing import Any

MINUTE = 60.0

log = logging.getLogger("reverie.envs")


def result_of(future: Future, what: str, *, every: float = MINUTE) -> Any:
    """The result of `future`, or what it raised; a message after each `every` seconds of waiting.

    `what` completes the sentence "Waiting for ...".
    """
    minutes = 0
    while True:
        try:
            return future.result(every)
        except TimeoutError:
            if future.done():  # it raised that itself
                return future.result()
            minutes += 1
            log.warning("Waiting for %s for %.0f seconds now.", what, minutes * every)
