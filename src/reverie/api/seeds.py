"""Several seeds of one run, each in a folder of its own: together or one after another."""

import dataclasses
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from reverie.api.ending import finish, shown, tell_next
from reverie.api.following import Following
from reverie.config.schema import Config
from reverie.folder.address import below
from reverie.folder.run_folder import logdir_of
from reverie.machine import cluster
from reverie.report import closing
from reverie.watch import terminal

if TYPE_CHECKING:
    from reverie.train.group.train import Outcome

Learn = Callable[[Config], Path]


def configs_of(config: Config, seeds: Sequence[int]) -> list[Config]:
    """One configuration a seed; their folders lie below `logdir`, where it is given."""

    def of(seed: int) -> Config:
        logdir = below(config.logdir, f"seed-{seed}") if config.logdir else ""
        return dataclasses.replace(config, seed=seed, logdir=logdir)

    return [of(seed) for seed in seeds]


class Scores:
    """How seeds ended: told of each, and mean and spread of all.

    `told`: whether their returns are said where no progress is shown.
    """

    def __init__(self, *, told: bool):
        self._told = told
        self._ended: list[tuple[Config, Path, float]] = []  # and the return
        self.failed = 0

    def take_in(self, config: Config, logdir: Path, error: Exception | None) -> None:
        """Say how the run of a seed ended; one that is finished gets its page."""
        name = f"seed {config.seed}"
        if error is not None:
            self.failed += 1
            _tell(name, error)
            return
        finish(config, logdir, name)
        found = closing.score(logdir)
        self._say(config, f"{name}: return {found.value:.6g} {found.meaning}")
        self._ended.append((config, logdir, found.value))

    def tell(self, following: Following) -> None:
        """Say what they amount to, and what can be done with them."""
        if not self._ended:
            return
        config, folders = self._ended[0][0], [logdir for _, logdir, _ in self._ended]
        failed = f", {self.failed} failed" if self.failed else ""
        returns = [value for _, _, value in self._ended]
        self._say(config, f"seeds: {closing.summary(returns)}{failed}")
        tell_next(config, following(folders))

    def _say(self, config: Config, sentence: str) -> None:
        if self._told or shown(config):
            terminal.say(f"{sentence}\n")


def learn_all(configs: Sequence[Config], learn: Learn, following: Following) -> int:
    """Runs or resumes them one after another; says of each how it ended, and mean and spread.

    Where one fails its sentence is told and the next one begins. Returns the number that failed.
    A signal ends them all: Stopped is passed on.
    """
    scores = Scores(told=True)
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
        scores.tell(following)
    return scores.failed


def tell_all(outcomes: Sequence["Outcome"], following: Following, *, told: bool) -> int:
    """Says how seeds ended that were learned together; the number that failed. `told` as `Scores`
    has it."""
    scores = Scores(told=told)
    for config, logdir, error in outcomes:
        scores.take_in(config, logdir, error)
    scores.tell(following)
    return scores.failed


def _tell(name: str, error: Exception) -> None:
    """The sentence of an error that Reverie foresees; the traceback of any other."""
    if type(error).__module__.split(".")[0] != "reverie":
        terminal.mutter("".join(traceback.format_exception(error)))
    terminal.complain(f"{name} failed: {error}")
