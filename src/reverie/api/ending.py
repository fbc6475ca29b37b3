"""The end of a run, the same whichever way it was begun: page, troubles, and what comes next."""

from collections.abc import Sequence
from pathlib import Path

from reverie.api.following import Following
from reverie.config.schema import Config
from reverie.machine import cluster
from reverie.report import closing
from reverie.watch import terminal


def end(config: Config, logdir: Path, following: Following) -> None:
    """Write the page of a finished run, and tell of its end.

    Of several processes that learned it the first one does.
    """
    if not cluster.follows():
        finish(config, logdir)
        tell_next(config, following([logdir]))


def finish(config: Config, logdir: Path, name: str = "") -> None:
    """Write the page of a finished run; tell where it is and what the run's metrics show.

    `name`: which of several runs it is. Only what failed is told where no progress is shown.
    """
    finished, who = closing.finish(logdir, config.logdir), f"{name}: " if name else ""
    if finished.failed:
        terminal.complain(f"{who}{finished.failed}")
    if shown(config):
        terminal.say("".join(f"- {who}{sentence}\n" for sentence in finished.troubles))
    if shown(config) and finished.page is not None:
        terminal.say(f"report: {closing.near(finished.page)}\n")


def tell_next(config: Config, lines: Sequence[str]) -> None:
    """Say what can be done now, where progress is shown."""
    if shown(config) and lines:
        terminal.say("".join(f"{line}\n" for line in ("next:", *(f"  {line}" for line in lines))))


def shown(config: Config) -> bool:
    """Whether the user wants to read of the progress of a run, and of its end."""
    return config.log.progress != "none"
