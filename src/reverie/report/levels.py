"""Returns that a curve is held against: random play, a human, what counts as solved."""

import functools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import gymnasium

from reverie.report.atari import SUITE, game_of
from reverie.report.atari_scores import GAMES
from reverie.report.groups import listed, task_of
from reverie.report.overall import bounds_of
from reverie.report.read import Run

ATARI = (SUITE, "atari_")
CRAFTER = (2.1, 14.3)
"""Mean returns of random play and of human experts; source: arXiv:2109.06780."""


class Level(NamedTuple):
    """A return that is known of a task."""

    name: str
    value: float


def levels(runs: Sequence[Run]) -> tuple[Level, ...]:
    """What is known of the tasks of runs; where it is known of some of them only, it names them."""
    tasks = list(dict.fromkeys(map(task_of, runs)))
    found: dict[Level, list[str]] = {}
    for task in tasks:
        for level in levels_of(task):
            found.setdefault(level, []).append(task)
    return tuple(
        level if len(of) == len(tasks) else Level(f"{level.name} of {listed(of)}", level.value)
        for level, of in found.items()
    )


def levels_of(task: str) -> tuple[Level, ...]:
    """Known returns of a task.

    Of Atari's games the scores of random play and of a human (those of Atari100k), of Crafter the
    same; of other tasks the mean return of uniformly random actions where it was measured
    (`random_returns.json`), of DM Control the largest return there is, of tasks of Gymnasium the
    return from which their authors call them solved. Nothing of a task's own is imported.
    """
    if game := game_of(task, ATARI):
        return _people(GAMES[game].random, GAMES[game].human)
    if task == "crafter_reward":
        return _people(*CRAFTER)
    measured = _measured().get(task)
    low = () if measured is None else (Level("random play", measured),)
    if bounds := bounds_of(task):
        return (*low, Level("highest possible", bounds[1]))
    spec = gymnasium.registry.get(task.removeprefix("gym:")) if task.startswith("gym:") else None
    if spec is None or spec.reward_threshold is None:
        return low
    return (*low, Level("solved", float(spec.reward_threshold)))


@functools.cache
def _measured() -> dict[str, float]:
    """Mean returns of random play by task (`benchmarks/envs/random_returns.py` writes them)."""
    known = json.loads((Path(__file__).parent / "random_returns.json").read_text())
    return {task: told["return"] for task, told in known.items()}


def _people(random: float, human: float) -> tuple[Level, ...]:
    return (Level("random play", random), Level("human", human))
