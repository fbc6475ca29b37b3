"""The options of `reverie dream`."""

from dataclasses import dataclass
from typing import Literal

from tyro.conf import Positional, UseAppendAction

from reverie.web.show import HOST, PORT, check_place


@dataclass(frozen=True)
class DreamOptions:
    """Open a trained run's world model in the browser: look at its dreams, and play in them."""

    run: Positional[str]
    """Run folder."""
    port: int = PORT
    """Port of the page; where it is in use, the next one that is free. 0: any."""
    host: str = HOST
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
        check_place(self)
