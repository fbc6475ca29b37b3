"""Where trials run: what a back end must do."""

import abc
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reverie.sweeps.errors import SweepError

BACKENDS = ("local", "slurm", "ray")
RUNNER = (sys.executable, "-m", "reverie.sweeps.runner")
"""The program of a trial's process; it takes the sweep folder, the trial's name and the retries."""


class AbstractBackend(abc.ABC):
    """Starts the processes of trials (`runner.py`) and knows whether they may still run.

    What became of a trial its process writes into the sweep folder, which every machine must see
    under the same path.
    """

    interval: float
    """Seconds between two looks at the trials."""
    lasting: bool
    """Whether trials that were started go on without the process of the sweep."""

    @abc.abstractmethod
    def room(self, names: Sequence[str]) -> int:
        """How many more trials may be started while those of `names` are under way."""

    @abc.abstractmethod
    def start(self, names: Sequence[str]) -> None:
        """Start or queue the processes of these trials."""

    @abc.abstractmethod
    def alive(self, name: str) -> bool:
        """Whether the process of a trial that this back end started waits or runs."""

    @abc.abstractmethod
    def withdraw(self, names: Sequence[str]) -> None:
        """Take trials that have not begun out of a queue, where they would need nobody to begin.

        Raises SweepError where the queue keeps them.
        """

    @abc.abstractmethod
    def jobs(self) -> dict[str, str]:
        """What a later process needs to know of trials that last, by name."""

    @abc.abstractmethod
    def close(self) -> None:
        """Let go of what is held; trials that last go on."""


def need(module: str, extra: str, what: str) -> Any:
    """The package that a back end or search borrows. Raises SweepError that says how to install
    it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise SweepError(
            f"{what} needs the package {module}: pip install 'reverie[{extra}]'."
        ) from error


def command(folder: Path, name: str, retries: int, runner: Sequence[str] = RUNNER) -> list[str]:
    """The command of a trial's process."""
    return [*runner, str(folder), name, str(retries)]
