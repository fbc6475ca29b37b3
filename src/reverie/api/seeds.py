"""Several seeds of one run, each in a folder of its own: together or one after another."""

import dataclasses
import shlex
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from reverie.config.schema import Config
from reverie.folder.address import below
from reverie.folder.errors import RunError
from reverie.folder.mirror import deliver
from reverie.folder.run_folder import logdir_of
from reverie.machine import cluster
from reverie.report import closing
from reverie.watch import terminal

Learn = Callable[[Config], Path]


def configs_of(config: Config, seeds: Sequence[int]) -> list[Config]:
    """One configuration a seed; their folders lie below `logdir`, where it is given."""

    def of(seed: int) -> Config:
        logdir = below(config.logdir, f"seed-{seed}") if config.logdir else ""
        return dataclasses.replace(config, seed=seed, logdir=logdir)

    return [of(seed) for seed in seeds]


class Scores:
    """How seeds ended: told of each, and mean and spread of all."""

    def __init__(self):
        self._scores: list[float] = []
        self._folders: list[str] = []
        self.failed = 0

    def take_in(self, config: Config, logdir: Path, error: Exception | None) -> None:
        """Say how the run of a seed ended."""
        name = f"seed {config.seed}"
        if error is not None:
            self.failed += 1
            _tell(name, error)
            return
        found = closing.score(logdir)
        terminal.say(f"{closing.finish(logdir).page}\n")
        try:
            deliver(config.logdir, logdir)
        except RunError as late:
            self.failed += 1
            _tell(name, late)
            return
        terminal.say(f"{name}: return {found.value:.6g} {found.meaning}\n")
        self._scores.append(found.value)
        self._folders.append(closing.near(logdir))

    def tell(self) -> None:
        """Say what they amount to."""
        failed = f", {self.failed} failed" if self.failed else ""
        terminal.say(f"seeds: {closing.summary(self._scores)}{failed}\n")
        if len(self._folders) > 1:
            terminal.say(f"next:\n  reverie compare {shlex.join(self._folders)}\n")


def learn_all(configs: Sequence[Config], learn: Learn) -> int:
    """Runs or resumes them one after another; says of each how it ended, and mean and spread.

    Where one fails its sentence is told and the next one begins. Returns the number that failed.
    A signal ends them all: Stopped is passed on.
    """
    scores = Scores()
    for config in configs:
        logdir, failure = logdir_of(config), None
        terminal.say(f"seed {config.seed}: {closing.near(logdir)}\n")
        try:
            logdir = learn(config)
        except Exception as error:
            failure = error
        if cluster.follows():  # of several processes the first one tells
            scores.failed += failure is not None
        else:
            scores.take_in(config, logdir, failure)
    if not cluster.follows():
        scores.tell()
    return scores.failed


def tell_all(outcomes: Sequence[tuple[Config, Path, Exception | None]]) -> int:
    """Says how seeds ended that were learned together; the number that failed."""
    scores = Scores()
    for config, logdir, error in outcomes:
        scores.take_in(config, logdir, error)
    scores.tell()
    return scores.failed


def _tell(name: str, error: Exception) -> None:
    """The sentence of an error that Reverie foresees; the traceback of any other."""
    if type(error).__module__.split(".")[0] != "reverie":
        terminal.mutter("".join(traceback.format_exception(error)))
    terminal.complain(f"{name} failed: {error}")
