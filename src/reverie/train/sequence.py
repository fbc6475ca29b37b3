"""Which task a run is at: the visits of a sequence of tasks, in order.

A run of one task is a sequence with one visit. What the agent, the replay and the optimiser hold
goes on unchanged from visit to visit; only the environments change.
"""

import itertools
from collections.abc import Callable, Mapping
from typing import NamedTuple

from reverie.config.schema import Config
from reverie.folder.errors import RunError
from reverie.records import Specs

MakeEnv = Callable | Mapping[str, Callable] | None
"""What makes the environments of tasks that are callables: one, or several by task name."""


class Visit(NamedTuple):
    """A stay at one task."""

    number: int  # from 0, all passes
    task: str
    index: int  # of the task in the sequence; what the replay stores with every row
    end: int  # environment steps of the run at which it is over

    @property
    def stream(self) -> str:
        """Purpose of the environments' seeds: every visit has episodes of its own, and those of the
        first are those of a run on that task alone."""
        return "train" if self.number == 0 else f"train/{self.number}"


def visits(config: Config) -> list[Visit]:
    """All visits of a run, in order."""
    sequence = config.sequence
    if not sequence.tasks:
        return [Visit(0, config.task, 0, config.steps)]
    ends = itertools.accumulate(sequence.spans)
    count = len(sequence.tasks)
    return [
        Visit(number, sequence.tasks[number % count], number % count, end)
        for number, end in enumerate(ends)
    ]


def evaluated(config: Config) -> tuple[str, ...]:
    """The different tasks that a run is evaluated on."""
    sequence = config.sequence
    return tuple(dict.fromkeys((*sequence.tasks, *sequence.tests))) or (config.task,)


def per_task(metric: str, task: str) -> str:
    """The name under which `metric` of one task is logged: a slash in the task's is written _."""
    return f"{metric}/{task.replace('/', '_')}"


def source(task: str, make_env: MakeEnv) -> str | Callable:
    """What makes the environments of `task`: its callable, or its own name."""
    if isinstance(make_env, Mapping):
        return make_env.get(task, task)
    return make_env or task


def check_same_spaces(task: str, here: dict[str, Specs], first: str, there: dict[str, Specs]):
    """Raises RunError where a task's observations or actions are not those of the first task."""
    for side, name in (("obs", "observation"), ("action", "action")):
        for key in sorted(set(there[side]) | set(here[side])):
            old, new = there[side].get(key), here[side].get(key)
            if old != new:
                raise RunError(
                    f"the tasks of a sequence need one observation and action space: {name} "
                    f"{key!r} is {old or 'missing'} in {first} and {new or 'missing'} in {task}. "
                    "Choose tasks of one kind, or hide keys with --env.exclude."
                )
