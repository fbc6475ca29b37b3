"""What a sweep was asked for, and in what another plan differs from it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from reverie.sweeps import grid
from reverie.sweeps.errors import SweepError
from reverie.sweeps.grid import Trial
from reverie.sweeps.values import Range, Values, of_python

Direction = Literal["maximize", "minimize"]


@dataclass(frozen=True)
class Search:
    """Settings are chosen by Optuna instead of all being tried."""

    metric: str = "eval/return"
    direction: Direction = "maximize"
    trials: int = 20


@dataclass(frozen=True)
class Plan:
    """A grid, or the space of a search."""

    tasks: tuple[str, ...]
    seeds: tuple[int, ...]
    vary: Mapping[str, Values] = field(default_factory=dict)
    options: tuple[str, ...] = ()  # words of `reverie train` that all trials share
    search: Search | None = None
    together: bool = False  # the seeds of a setting are one trial

    def trials(self) -> list[Trial]:
        """Those of the grid; a search makes its own as it goes."""
        if self.search:
            return []
        choices = {key: self.choices(key) for key in self.vary}
        return grid.trials(self.tasks, self.seeds, choices, self.options, together=self.together)

    def choices(self, key: str) -> tuple[str, ...]:
        """The values of a varied option; none where it has a range."""
        found = self.vary[key]
        return found if isinstance(found, tuple) else ()

    def to_json(self) -> dict[str, Any]:
        """As sweep.json has it."""
        return {
            "tasks": list(self.tasks),
            "seeds": list(self.seeds),
            "vary": {
                key: found.text() if isinstance(found, Range) else list(found)
                for key, found in self.vary.items()
            },
            "options": list(self.options),
            "search": vars(self.search) if self.search else None,
            "together": self.together,
        }


def from_json(tree: Mapping[str, Any]) -> Plan:
    """The plan that `to_json` wrote. Raises KeyError, TypeError or ValueError for another tree."""
    return Plan(
        tasks=tuple(str(task) for task in tree["tasks"]),
        seeds=tuple(int(seed) for seed in tree["seeds"]),
        vary=of_python(tree["vary"]),
        options=tuple(str(word) for word in tree["options"]),
        search=Search(**tree["search"]) if tree["search"] else None,
        together=bool(tree.get("together", False)),
    )


def check_same(folder: str, there: Plan, here: Plan) -> None:
    """Raises SweepError naming what differs, where `folder` was made by another plan."""
    told = [*_differences(_named(there), _named(here))]
    if told:
        raise SweepError(
            f"the sweep folder {folder} belongs to another plan: {'; '.join(told)}. Give the same "
            f"words to go on with it, `reverie sweep resume {folder}` without any, or another "
            "--logdir for a new sweep."
        )


def _named(plan: Plan) -> dict[str, str]:
    """The parts of a plan by the names that the user gave them."""
    tree = plan.to_json()
    found = {name: " ".join(map(str, tree[name])) for name in ("tasks", "seeds")}
    for key, values in tree["vary"].items():
        found[f"vary {key}"] = values if isinstance(values, str) else ",".join(values)
    for word in plan.options:
        key, _, value = word.removeprefix("--").partition("=")
        found[key] = value
    found["together"] = str(plan.together).lower()
    found["search"] = "optuna" if plan.search else "none"
    return found | {key: str(value) for key, value in (tree["search"] or {}).items()}


def _differences(there: dict[str, str], here: dict[str, str]):
    for name in dict.fromkeys([*there, *here]):
        if there.get(name) != here.get(name):
            before, now = there.get(name, "not set"), here.get(name, "not set")
            yield f"{name} is {before} there and {now} here"
