"""MiniGrid tasks that are no registered id: what papers ran, and fixed layouts. Data only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Variant:
    """A MiniGrid id with arguments of its own.

    With `paper` it is shown and cut as Continual-Dreamer ran it (arXiv:2211.15944): the agent's
    view alone, drawn with 8 pixels a cell (56x56) and stretched to the size by the nearest pixel;
    episodes are truncated after 100 steps, and a time-out of the environment itself is labelled
    terminal, as old gym labelled it. With `layout` the grid is the one of that seed in every
    episode, and only the agent's direction follows from the episode's seed. `goal` moves the goal
    of such a grid to another cell.
    """

    id: str
    meaning: str
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    paper: bool = False
    layout: int | None = None
    goal: tuple[int, int] | None = None


_START, _GOAL_A, _GOAL_B = (3, 3), (15, 15), (15, 3)
_SAME = "four rooms of layout seed 0, start (3, 3), goal "


def _rooms(goal: tuple[int, int], *, paper: bool) -> Variant:
    ending = ", time-outs terminal as in Continual-Dreamer's interference runs" if paper else ""
    return Variant(
        "MiniGrid-FourRooms-v0",
        f"{_SAME}{goal}{ending}",
        {"agent_pos": _START, "goal_pos": goal},
        paper=paper,
        layout=0,
    )


def _corner(name: str, goal: tuple[int, int]) -> Variant:
    return Variant(
        "MiniGrid-Empty-8x8-v0",
        f"an empty 5x5 room, start in the middle, goal in the {name} corner",
        {"size": 5, "agent_start_pos": (2, 2)},
        layout=0,
        goal=goal,
    )


VARIANTS: Mapping[str, Variant] = {
    "doorkey_9x9": Variant(
        "MiniGrid-DoorKey-8x8-v0", "a true 9x9 DoorKey (no paper's task), 810 steps", {"size": 9}
    ),
    "fourrooms_fixed_a": _rooms(_GOAL_A, paper=False),
    "fourrooms_fixed_b": _rooms(_GOAL_B, paper=False),
    "corner_nw": _corner("upper left", (1, 1)),
    "corner_ne": _corner("upper right", (3, 1)),
    "corner_sw": _corner("lower left", (1, 3)),
    "corner_se": _corner("lower right", (3, 3)),
    "cd_doorkey_9x9": Variant(
        "MiniGrid-DoorKey-8x8-v0",
        "what Continual-Dreamer calls DoorKey-9x9: the 8x8 environment, cut after 100 steps",
        paper=True,
    ),
    "cd_lavacrossings9n1": Variant(
        "MiniGrid-LavaCrossingS9N1-v0", "LavaCrossing as Continual-Dreamer ran it", paper=True
    ),
    "cd_simplecrossings9n1": Variant(
        "MiniGrid-SimpleCrossingS9N1-v0", "SimpleCrossing as Continual-Dreamer ran it", paper=True
    ),
    "cd_fourrooms": Variant(
        "MiniGrid-FourRooms-v0",
        "FourRooms as Continual-Dreamer ran it: time-outs are terminal",
        paper=True,
    ),
    "cd_fourrooms_a": _rooms(_GOAL_A, paper=True),
    "cd_fourrooms_b": _rooms(_GOAL_B, paper=True),
}
"""Our names of these tasks. `cd_` stands for Continual-Dreamer.

The paper's interference runs moved only the goal of FourRooms; its coordinates and layout are not
published, so those of `fourrooms_fixed_*` and `cd_fourrooms_*` are ours. The corners are ours too:
the same interference, small.
"""

PAPER_CAP = 100
"""Steps after which Continual-Dreamer truncates an episode."""
PAPER_TILE = 8
"""Pixels a cell in its pictures."""
