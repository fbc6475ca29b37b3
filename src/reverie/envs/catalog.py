"""All tasks by name, without importing a simulator; unknown names meet the nearest known one."""

from dataclasses import dataclass

from reverie.envs import gym_ids, registry
from reverie.envs.base import EnvError
from reverie.part.errors import did_you_mean

GYM_EXAMPLES = {
    "CartPole-v1": "balance a pole; 4 numbers, 2 actions",
    "Acrobot-v1": "swing a two-link arm up; 6 numbers, 3 actions",
    "MountainCar-v0": "rock a car up a hill; 2 numbers, 3 actions",
    "Pendulum-v1": "swing a pendulum up; 3 numbers, 1 continuous action",
}
"""Some Gymnasium ids to start with; any installed id works."""


@dataclass(frozen=True)
class Task:
    """One row of the list of tasks."""

    name: str
    suite: str
    meaning: str


def tasks() -> list[Task]:
    """All listed tasks, suite by suite. Gymnasium ids are examples; any installed one works."""
    rows = [Task(f"gym:{id}", "gym", text) for id, text in GYM_EXAMPLES.items()]
    for suite, about in registry.every().items():
        rows += [Task(f"{suite}_{name}", suite, about.meaning_of(name)) for name in about.names()]
    return rows


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
    suite, name = registry.split(task)
    known: list[str] = []
    if suite:
        about = registry.row(suite)
        name = about.aliases.get(name, name)
        names = {*about.names(), *about.unlisted()}
        if name and (name in names or about.open):
            return suite, name
        known = [f"{suite}_{other}" for other in sorted(names)]
    if not known and (id := gym_ids.meant(task)):
        raise EnvError(f"Unknown task {task!r}. It looks like an id of Gymnasium: write gym:{id}.")
    hint = did_you_mean(task, known or [row.name for row in tasks()])
    raise EnvError(
        f"Unknown task {task!r}.{hint} Tasks are written gym:ID or "
        f"SUITE_NAME with the suites {', '.join(registry.names())}; `reverie tasks` lists them."
    )
