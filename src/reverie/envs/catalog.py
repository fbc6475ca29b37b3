"""All tasks by name, without importing a simulator; unknown names meet the nearest known one."""

import functools as ft
from dataclasses import dataclass

from reverie.envs.base import EnvError, did_you_mean
from reverie.envs.suites import MORE_NAMES, SUITES
from reverie.envs.suites import minigrid_ids as minigrid_ids

GYM_EXAMPLES = {
    "CartPole-v1": "balance a pole; 4 numbers, 2 actions",
    "Acrobot-v1": "swing a two-link arm up; 6 numbers, 3 actions",
    "MountainCar-v0": "rock a car up a hill; 2 numbers, 3 actions",
    "Pendulum-v1": "swing a pendulum up; 3 numbers, 1 continuous action",
}
"""Some Gymnasium ids to start with; any installed id works."""


ALIASES = {
    ("atari", "james_bond"): "jamesbond",
    ("dmc", "cup_catch"): "ball_in_cup_catch",
    ("dmcr", "cup_catch"): "ball_in_cup_catch",
    ("dmcbg", "cup_catch"): "ball_in_cup_catch",
}
"""Spellings of other code bases for the same task."""


@dataclass(frozen=True)
class Task:
    """One row of the list of tasks."""

    name: str
    suite: str
    meaning: str


def tasks() -> list[Task]:
    """All listed tasks, suite by suite. Gymnasium ids are examples; any installed one works."""
    rows = [Task(f"gym:{id}", "gym", text) for id, text in GYM_EXAMPLES.items()]
    for suite, about in SUITES.items():
        rows += [Task(f"{suite}_{name}", suite, _meaning(suite, name)) for name in about.names()]
    return rows


def _meaning(suite: str, name: str) -> str:
    row = SUITES[suite]
    return row.special.get(name) or row.meaning.format(name.replace("_", " "))


def suite_of(task: str) -> str:
    """The suite of a task, for example "dmc" of "dmc_walker_walk".

    Raises EnvError with the nearest known task if the name begins with no suite.
    """
    return parse(task)[0]


def parse(task: str) -> tuple[str, str]:
    """Suite and name within it: ("dmc", "walker_walk"), ("gym", "CartPole-v1").

    A Gymnasium id is not looked up here; every other name is checked.

    Raises EnvError with the nearest known task.
    """
    if task.startswith("gym:") and len(task) > len("gym:"):
        return "gym", task.removeprefix("gym:")
    suite, _, name = task.partition("_")
    name = ALIASES.get((suite.removesuffix("100k"), name), name)
    if suite in SUITES and name and (name in _known(suite) or SUITES[suite].open):
        return suite, name
    known = [row.name for row in tasks()]
    if suite in SUITES:
        known = [f"{suite}_{other}" for other in _known(suite)]
    raise EnvError(
        f"Unknown task {task!r}.{did_you_mean(task, known)} Tasks are written gym:ID or "
        f"SUITE_NAME with the suites {', '.join(SUITES)}; `reverie tasks` lists them."
    )


@ft.cache
def _known(suite: str) -> frozenset[str]:
    return frozenset(MORE_NAMES.get(suite, SUITES[suite].names)())
