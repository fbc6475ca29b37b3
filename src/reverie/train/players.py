"""Who plays an evaluation: its environments, and which episodes each of them plays."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from reverie.config.schema import Config
from reverie.envs.make import maker
from reverie.envs.vector import Vector
from reverie.train import sequence


def eval_envs(
    config: Config,
    source: str | Callable,
    *,
    num: int,
    seed: int,
    first_index: int,
    first_seed: int = 0,
    log_file: Path | None = None,
) -> Vector:
    """Environments for evaluation; their episodes are the same at every evaluation, and they are
    watched over as those of the training are.

    `source` is a task's name, or the callable that makes its environment. They are told the numbers
    from `first_index` on, and play the episodes of those from `first_seed` on.
    """
    return Vector(
        maker(source, config.env, render=True, split="eval"),
        num=num,
        seed=seed,
        stream="eval",
        first_index=first_index,
        first_seed=first_seed,
        parallel=config.env.parallel,
        backend=config.env.backend,
        workers=config.env.workers,
        timeout=config.env.timeout,
        restarts=config.env.restarts,
        log_file=log_file,
    )


def by_explorer(config: Config) -> bool:
    """Whether evaluations watch the explorer instead of the task's actor."""
    return config.explore.evaluated


def envs_of(config: Config) -> int:
    """Environments of each evaluation of a run."""
    return max(1, min(config.train.eval_envs, config.train.eval_episodes))


def first_index(config: Config, task: str, envs: int) -> int:
    """The number that the first of `envs` environments is told which play one of a run's tasks:
    those of the training come before, and those of the tasks before it."""
    return config.env.num + envs * sequence.evaluated(config).index(task)


def shares(episodes: int, envs: int) -> list[np.ndarray]:
    """The episodes that each environment plays, by their numbers in an evaluation."""
    return np.array_split(np.arange(episodes), envs)
