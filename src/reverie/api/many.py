"""Several seeds from Python."""

import functools as ft
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from reverie.api.following import calls
from reverie.api.learn import configured
from reverie.api.seeds import configs_of, tell_all
from reverie.callbacks.base import Callback
from reverie.config.start import start_of
from reverie.envs.source import Given
from reverie.folder.errors import RunError
from reverie.part.errors import ConfigError
from reverie.part.values import coerce
from reverie.watch.sink import Sink


def train_seeds(
    task: Given,
    seeds: Sequence[int],
    *,
    callbacks: Callable[[int], Sequence[Callback | Sink]] | None = None,
    init: str | Path | None = None,
    init_take: str | None = None,
    **options: Any,
) -> dict[int, Path]:
    """Learns a task with several seeds in one process, or resumes them; the run folder of each.

    One compiled update and one call of the policy serve all seeds. Each has a run folder of its
    own, as if it had run alone: `seed-N` below `logdir`, where that is given.

    Args:
        task: as `train` takes it.
        seeds: the roots of randomness of the runs.
        callbacks: called with each seed, gives the callbacks and sinks of its run.
        init: run folder, or checkpoint in it, whose weights new runs start from.
        init_take: what is taken from there: all (None), world or without_actor.
        options: the others of `train`, but for `seed` and `from_step`.

    Raises:
        ConfigError, EnvError, ReplayError, RunError: what keeps the seeds from starting; RunError
            too, when all others are done, where a seed failed later. All name the run folder.
    """
    for name in ("seed", "from_step"):
        if name in options:
            raise ConfigError(f"{name} is for one run, and seeds for several: leave it out.")
    chosen = coerce(seeds, tuple[int, ...], "seeds")
    if not chosen or len(set(chosen)) < len(chosen):
        raise ConfigError(f"seeds takes different integers, at least one, found {seeds!r}.")
    config, make_env = configured(task, **options)
    start = start_of(init, init_take)
    from reverie.machine.device import prepare

    prepare(config.device)
    from reverie.train.group.train import train

    outcomes = train(configs_of(config, chosen), make_env, init=start, callbacks=callbacks)
    handed = {} if make_env is None else {config.task: task}
    tell_all(outcomes, ft.partial(calls, config=config, handed=handed), told=False)
    failed = [f"seed {one.config.seed}: {one.error}" for one in outcomes if one.error is not None]
    if failed:
        raise RunError(" ".join(failed))
    return {one.config.seed: one.logdir for one in outcomes}
