"""Several seeds of one run: one after another, each in a folder of its own."""

import dataclasses
import shlex
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from reverie.config.schema import Config
from reverie.folder.run_folder import logdir_of
from reverie.report import closing
from reverie.watch import terminal

Learn = Callable[[Config], Path]


def configs_of(config: Config, seeds: Sequence[int]) -> list[Config]:
    """One configuration a seed; their folders lie below `logdir`, where it is given."""

    def of(seed: int) -> Config:
        logdir = str(Path(config.logdir) / f"seed-{seed}") if config.logdir else ""
        return dataclasses.replace(config, seed=seed, logdir=logdir)

    return [of(seed) for seed in seeds]


def learn_all(configs: Sequence[Config], learn: Learn) -> int:
    """Runs or resumes all of them; says of each how it ended, and mean and spread at the end.

    Where one fails its sentence is told and the next one begins. Returns the number that failed.
    A signal ends them all: Stopped is passed on.
    """
    scores, folders = [], []
    for config in configs:
        name = f"seed {config.seed}"
        terminal.say(f"{name}: {closing.near(logdir_of(config))}\n")
        try:
            logdir = learn(config)
        except Exception as error:
            _tell(name, error)
            continue
        found = closing.score(logdir)
        terminal.say(f"{closing.finish(logdir).page}\n")
        terminal.say(f"{name}: return {found.value:.6g} {found.meaning}\n")
        scores.append(found.value)
        folders.append(closing.near(logdir))
    failed = len(configs) - len(folders)
    terminal.say(f"seeds: {closing.summary(scores)}{f', {failed} failed' if failed else ''}\n")
    if len(folders) > 1:
        terminal.say(f"next:\n  reverie compare {shlex.join(folders)}\n")
    return failed


def _tell(name: str, error: Exception) -> None:
    """The sentence of an error that Reverie foresees; the traceback of any other."""
    if type(error).__module__.split(".")[0] != "reverie":
        terminal.mutter("".join(traceback.format_exception(error)))
    terminal.complain(f"{name} failed: {error}")
