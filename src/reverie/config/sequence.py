"""A sequence of tasks: its options, and the named sequences. Data only.

The agent is never told which task it is in. Source of the published sequences: Continual-Dreamer
(arXiv:2211.15944), section 5, and its scripts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from reverie.part.checks import Checker


@dataclass(frozen=True)
class SequenceConfig:
    """Tasks that one run learns one after the other (`reverie continual`)."""

    tasks: tuple[str, ...] = ()
    """Tasks in the order of learning; they share their spaces. Empty: `task` alone."""
    steps: tuple[int, ...] = ()
    """Environment steps of each task, or one number for all of them."""
    tests: tuple[str, ...] = ()
    """Tasks that are evaluated along with those, and never learned."""
    passes: int = 1
    """How often the whole sequence is gone through."""
    reset_optimizer: bool = False
    """Forget the optimiser's moments at every switch, as the published code happens to do."""

    def __post_init__(self):
        check = Checker(self, "sequence.")
        check.at_least(1, "passes")
        rule = "positive numbers of environment steps"
        check.require(all(count > 0 for count in self.steps), "steps", rule)
        if self.tasks:
            rule = f"one number, or one for each of the {len(self.tasks)} sequence.tasks"
            check.require(len(self.steps) in (1, len(self.tasks)), "steps", rule)
        else:
            check.require(not self.steps, "steps", "empty while sequence.tasks is empty")
            check.require(not self.tests, "tests", "empty while sequence.tasks is empty")

    @property
    def spans(self) -> tuple[int, ...]:
        """Environment steps of every visit to a task, all passes, in order."""
        each = self.steps * len(self.tasks) if len(self.steps) == 1 else self.steps
        return each * self.passes

    @property
    def total(self) -> int:
        """Environment steps of the whole sequence."""
        each = self.steps * len(self.tasks) if len(self.steps) == 1 else self.steps
        return sum(each) * self.passes


@dataclass(frozen=True)
class TaskSequence:
    """A named sequence: what `reverie continual NAME` runs."""

    name: str
    doc: str
    tasks: tuple[str, ...]
    steps: int
    tests: tuple[str, ...] = ()
    edits: Mapping[str, Any] = field(default_factory=dict)


PROTOCOL = {
    "env.num": 1,
    "env.limit": 100,
    "env.size": 64,
    "train.ratio": 80,
    "train.eval_episodes": 10,
    "train.log_every": 1_000,
}
"""What the published sequences share: episodes cut at 100 steps, an update of 16 x 50 rows every 10
steps. Evaluation is ours: whole episodes of every task (published: 1,000 steps split over them)."""

_SMALL = {
    "env.num": 4,
    "env.limit": 50,
    "env.size": 48,
    "env.view": "full",
    "train.eval_episodes": 10,
}

_ROOMS = ("minihack_room_random_15x15", "minihack_room_trap_15x15")
_RIVERS = ("minihack_river_narrow", "minihack_river_monster")


def _table(*rows: TaskSequence) -> dict[str, TaskSequence]:
    return {row.name: row for row in rows}


SEQUENCES = _table(
    TaskSequence(
        "minigrid3",
        "Three MiniGrid tasks, 0.75M steps each, from the agent's 7x7 view; what the paper calls "
        "DoorKey-9x9 is the 8x8 level, as its code registers it.",
        ("minigrid_doorkey_8x8", "minigrid_lavacrossings9n1", "minigrid_simplecrossings9n1"),
        750_000,
        edits={**PROTOCOL, "env.view": "partial", "train.eval_every": 10_000},
    ),
    TaskSequence(
        "minihack4",
        "Four MiniHack tasks, 1M steps each.",
        (*_ROOMS, *_RIVERS),
        1_000_000,
        edits={**PROTOCOL, "train.eval_every": 50_000},
    ),
    TaskSequence(
        "minihack8",
        "Eight MiniHack tasks, 1M steps each.",
        (
            "minihack_room_random_15x15",
            "minihack_room_monster_15x15",
            "minihack_room_trap_15x15",
            "minihack_room_ultimate_15x15",
            "minihack_river_narrow",
            "minihack_river",
            "minihack_river_monster",
            "minihack_hidenseek",
        ),
        1_000_000,
        edits={**PROTOCOL, "train.eval_every": 50_000},
    ),
    TaskSequence(
        "fourrooms_interference",
        "Two FourRooms tasks of one layout and start, 1M steps each: only the goal moves. Layout "
        "and cells are ours (the paper names none); time-outs are terminal, as they were there.",
        ("minigrid_cd_fourrooms_a", "minigrid_cd_fourrooms_b"),
        1_000_000,
        edits={**PROTOCOL, "env.view": "partial", "train.eval_every": 10_000},
    ),
    TaskSequence(
        "fourrooms_procedural",
        "FourRooms anew every episode, 1M steps, evaluated on the two fixed tasks of "
        "fourrooms_interference, which are never learned.",
        ("minigrid_cd_fourrooms",),
        1_000_000,
        ("minigrid_cd_fourrooms_a", "minigrid_cd_fourrooms_b"),
        {**PROTOCOL, "env.view": "partial", "train.eval_every": 10_000},
    ),
    TaskSequence(
        "grid3",
        "Ours, for a laptop: three small MiniGrid rooms seen whole, in an hour rather than days.",
        ("minigrid_empty_5x5", "minigrid_lavagaps5", "minigrid_doorkey_5x5"),
        10_000,
        edits={**_SMALL, "train.eval_every": 2_500},
    ),
    TaskSequence(
        "corners",
        "Ours, the smallest interference: one room, the goal in another corner in each of three "
        "tasks; half an hour on a laptop with --preset demo (benchmarks/continual).",
        ("minigrid_corner_nw", "minigrid_corner_se", "minigrid_corner_ne"),
        3_000,
        edits={**_SMALL, "env.num": 8, "train.eval_every": 500},
    ),
)
"""The sequences by name."""
