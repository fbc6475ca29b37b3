"""What a callback may ask of its run. It is done when the callback has returned."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from reverie.part.errors import ConfigError

PREFIX = "callback"
"""Of the names under which callbacks log: `callback/NAME/...`."""
_FOLDER = re.compile(r"[A-Za-z_][\w.-]*")


class Control:
    """The run, as far as the callback called `name` may touch it."""

    def __init__(self, name: str):
        self.name = name
        self.clear()

    def clear(self) -> None:
        """Everything that was asked for is done."""
        self.stop_reason: str | None = None
        self.raises: Exception | None = None
        self.scalars: dict[str, int | float] = {}
        self.kept: list[str] = []
        self.notes: list[str] = []

    def stop(self, reason: str = "", *, raises: Exception | None = None) -> None:
        """End the run at the end of this turn: it is saved, and its folder can be resumed.

        Args:
            reason: what is said of it, as half a sentence.
            raises: what `train` raises after saving; None: it returns the run folder as always.
        """
        self.stop_reason, self.raises = str(reason), raises

    def log(self, scalars: Mapping[str, Any]) -> None:
        """Write numbers to metrics.jsonl and all sinks, as `callback/NAME/KEY` at this step.

        Raises ConfigError for a key with a slash, or what is not one number.
        """
        for key, value in scalars.items():
            if not isinstance(key, str) or not key.strip() or "/" in key:
                raise ConfigError(f"log takes names without a slash, found {key!r}.")
            if not isinstance(value, int | float | np.number | np.bool_):
                raise ConfigError(f"log takes numbers, found {key!r}: {value!r}.")
            whole = isinstance(value, int | np.integer | np.bool_)
            number = int(value) if whole else float(value)
            self.scalars[f"{PREFIX}/{self.name}/{key}"] = number

    def keep(self, folder: str) -> None:
        """Save at the end of this turn, and keep that checkpoint in `checkpoints/FOLDER` in place
        of the one before. Raises ConfigError for what cannot name a folder there."""
        if not _FOLDER.fullmatch(folder):
            raise ConfigError(
                f"a kept checkpoint needs a name of letters, digits, _ and - that begins with a "
                f"letter, found {folder!r}."
            )
        self.kept.append(folder)

    def note(self, text: str) -> None:
        """Say a sentence where the run says its own."""
        self.notes.append(str(text))
