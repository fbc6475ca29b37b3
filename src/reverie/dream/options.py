"""The options of `reverie dream`."""

from dataclasses import dataclass
from typing import Literal

from tyro.conf import Positional, UseAppendAction

from reverie.part.checks import Checker


@dataclass(frozen=True)
class DreamOptions:
    """Open a trained run's world model in the browser: look at its dreams, and play in them."""

    run: Positional[str]
    """Run folder."""
    port: int = 8765
    """Port of the page; where it is in use, the next one that is free. 0: any."""
    host: str = "127.0.0.1"
    """Address to listen at. Where others than this machine can reach it, the page's address holds
    a token without which nothing is answered."""
    checkpoint: str = "newest"
    """Whose weights dream: newest, best where the run keeps one, or the STEP of one."""
    device: Literal["auto", "cpu", "gpu", "tpu"] = "auto"
    """Device that computes; auto: the best that JAX finds."""
    allow: UseAppendAction[tuple[str, ...]] = ()
    """A module that the run's task may import besides Reverie's and Gymnasium's own: its code runs
    here. May be given several times. Settings of your machine and env.kwargs are written as for
    eval, such as --env.timeout 300."""
    env: tuple[str, ...] = ()
    """MODULE:FUNCTION that makes the environment of a run that was trained on a callable; of a
    sequence of tasks, all of them."""

    def __post_init__(self):
        check = Checker(self, "")
        check.at_least(0, "port")
        check.require(self.port <= 65_535, "port", "at most 65535")
        check.require(bool(self.host), "host", "an address, such as 127.0.0.1")
