"""Returns that a curve is held against: random play, a human, what counts as solved."""

from collections.abc import Sequence
from typing import NamedTuple

import gymnasium

from reverie.report.atari import SUITE, game_of
from reverie.report.atari_scores import GAMES
from reverie.report.groups import task_of
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
    """What is known of the task of all runs; nothing where they have several."""
    tasks = {task_of(run) for run in runs}
    return levels_of(tasks.pop()) if len(tasks) == 1 else ()


def levels_of(task: str) -> tuple[Level, ...]:
    """Known returns of a task.

    Of Atari's games the scores of random play and of a human (those of Atari100k), of Crafter the
    same, of DM Control the largest return there is, of tasks of Gymnasium the return from which
    their authors call them solved. Nothing of a task's own is imported.
    """
    if game := game_of(task, ATARI):
        return _people(GAMES[game].random, GAMES[game].human)
    if task == "crafter_reward":
        return _people(*CRAFTER)
    if bounds := bounds_of(task):
        return (Level("highest possible", bounds[1]),)
    spec = gymnasium.registry.get(task.removeprefix("gym:")) if task.startswith("gym:") else None
    if spec is None or spec.reward_threshold is None:
        return ()
    return (Level("solved", float(spec.reward_threshold)),)


def _people(random: float, human: float) -> tuple[Level, ...]:
    return (Level("random play", random), Level("human", human))
