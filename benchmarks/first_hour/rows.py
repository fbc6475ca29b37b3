"""The rows of the learning table: what is to be reached, and how it is looked at.

Every method is evaluated in the same way: after every `every` environment steps, `episodes`
episodes
by the mode of its policy. A row is reached at the first evaluation at or above `threshold`; there
the run ends.
"""

from typing import NamedTuple


class Row(NamedTuple):
    """One environment of the table."""

    task: str  # as `reverie train` takes it
    threshold: float  # mean return that counts as learned
    steps: int  # of Reverie at most
    every: int  # environment steps between two evaluations
    episodes: int = 10  # of an evaluation


ROWS = {
    "cartpole": Row("gym:CartPole-v1", 475, 24_000, 1_000),
    "acrobot": Row("gym:Acrobot-v1", -100, 24_000, 1_000),
    "pendulum": Row("gym:Pendulum-v1", -200, 24_000, 1_000),
    "mountain": Row("gym:MountainCarContinuous-v0", 90, 24_000, 2_000),
    "lunar": Row("gym:LunarLander-v3", 200, 60_000, 4_000),
    "lunar_box": Row("gym:LunarLanderContinuous-v3", 200, 60_000, 4_000),
    "frozen": Row("gym:FrozenLake-v1", 0.7, 24_000, 2_000, 100),
    "doorkey": Row("minigrid_doorkey_5x5", 0.9, 40_000, 2_000, 20),
    "breakout": Row("minatar_breakout", 10, 60_000, 4_000),
    "mixed": Row("environments:mixed", 18, 24_000, 1_000),
    "maze": Row("environments:maze", 0.9, 24_000, 1_000, 20),
    "scaled": Row("environments:scaled", 40, 24_000, 1_000),
}
