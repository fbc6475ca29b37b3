"""What a new run starts from: nothing, or the weights of another run."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reverie.part.errors import ConfigError, suggest

TAKES = ("all", "world", "without_actor")

FLAGS = {
    "init": "Run folder, or checkpoint in it, whose weights a new run starts from; only its arrays "
    "are read, and only once.",
    "init_take": "What is taken from there: all, world (the world model), without_actor.",
}
"""Flags of `reverie train` that say so, with their meaning."""


@dataclass(frozen=True)
class Start:
    """Another run, and what is taken of its weights."""

    run: Path
    take: str = "all"

    def told(self) -> dict[str, str]:
        """What config.json and sentences call it."""
        return {"run": str(self.run), "take": self.take}


def start_of(run: Any, take: Any = None) -> Start | None:
    """What `init` and `init_take` mean; None where neither is given.

    Raises ConfigError for an unknown word, or the second without the first.
    """
    if take is not None and take not in TAKES:
        raise ConfigError(f"there is no init_take {take!r}; {suggest(str(take), TAKES)}")
    if run is None or run == "":
        if take is not None:
            raise ConfigError(
                "init_take says what is taken from another run: name that run with --init RUN."
            )
        return None
    if not isinstance(run, str | os.PathLike):
        raise ConfigError(f"init takes the folder of a run, found {run!r}.")
    if "://" in os.fspath(run):
        raise ConfigError(
            f"init takes the folder of a run on this machine, found {os.fspath(run)!r}: copy that "
            "run here first."
        )
    return Start(Path(run).expanduser().absolute(), take or "all")
