"""All tasks by name, without importing a simulator; unknown names meet the nearest known one."""

import functools as ft
from collections.abc import Sequence
from dataclasses import dataclass

from reverie.envs import names
from reverie.envs.base import EnvError, did_you_mean
from reverie.envs.probes import PROBES

SUITES = ("gym", "atari", "atari100k", "dmc", "minigrid", "probe")
"""Suites in the order in which they are listed."""

GYM_EXAMPLES = {
    "CartPole-v1": "balance a pole; 4 numbers, 2 actions",
    "Acrobot-v1": "swing a two-link arm up; 6 numbers, 3 actions",
    "MountainCar-v0": "rock a car up a hill; 2 numbers, 3 actions",
    "Pendulum-v1": "swing a pendulum up; 3 numbers, 1 continuous action",
}
"""Some Gymnasium ids to start with; any installed id works."""


ALIASES = {("atari", "james_bond"): "jamesbond", ("dmc", "cup_catch"): "ball_in_cup_catch"}
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
    rows += _rows("atari", names.ATARI_GAMES, "Atari game, 200M protocol: sticky, 18 actions")
    rows += _rows("atari100k", names.ATARI100K_GAMES, "Atari game, 100k protocol: needed actions")
    for name in names.DMC_TASKS:
        domain, task = split_dmc(name)
        rows.append(Task(f"dmc_{name}", "dmc", f"DM Control: {domain}, {task}".replace("_", " ")))
    rows += [
        Task(f"minigrid_{name}", "minigrid", f"grid world {id}, as pictures")
        for name, id in minigrid_ids().items()
    ]
    rows += [Task(f"probe_{name}", "probe", probe.meaning) for name, probe in PROBES.items()]
    return rows


def _rows(suite: str, known: Sequence[str], meaning: str) -> list[Task]:
    return [Task(f"{suite}_{name}", suite, meaning) for name in known]


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
    if suite in SUITES[1:] and name in _known(suite):
        return suite, name
    known = [row.name for row in tasks()]
    if suite in SUITES[1:]:
        known = [f"{suite}_{other}" for other in _known(suite)]
    raise EnvError(
        f"Unknown task {task!r}.{did_you_mean(task, known)} Tasks are written gym:ID or "
        f"SUITE_NAME with the suites {', '.join(SUITES[1:])}; `reverie tasks` lists them."
    )


@ft.cache
def _known(suite: str) -> frozenset[str]:
    match suite:
        case "atari" | "atari100k":
            return frozenset(names.ATARI_GAMES)
        case "dmc":
            return frozenset(names.DMC_TASKS)
        case "minigrid":
            return frozenset(minigrid_ids())
        case "probe":
            return frozenset(PROBES)
    return frozenset()


@ft.cache
def minigrid_ids() -> dict[str, str]:
    """Our name -> Gymnasium id, for MiniGrid and BabyAI.

    The name is the id in lower case with "_" for "-", without `MiniGrid-` and `-v0`; BabyAI names
    begin with `babyai_`, and versions other than 0 keep their `_v1`.
    """
    pairs = [("", "MiniGrid-", stem) for stem in names.MINIGRID_IDS]
    pairs += [("babyai_", "BabyAI-", stem) for stem in names.BABYAI_IDS]
    return {
        ours + stem.lower().replace("-", "_"): theirs + stem + ("" if _versioned(stem) else "-v0")
        for ours, theirs, stem in pairs
    }


def _versioned(stem: str) -> bool:
    return stem[-3:-1] == "-v" and stem[-1].isdigit()


def split_dmc(name: str) -> tuple[str, str]:
    """DM Control's domain and task: ("ball_in_cup", "catch") of "ball_in_cup_catch"."""
    for domain in ("ball_in_cup", "point_mass", "humanoid_CMU"):
        if name.startswith(domain + "_"):
            return domain, name.removeprefix(domain + "_")
    domain, _, task = name.partition("_")
    return domain, task
