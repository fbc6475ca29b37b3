"""What the classes of an action are called, where a suite's are known. Data only.

Tests compare the lists with the installed simulators where those can tell.
"""

MINIGRID = ("turn left", "turn right", "forward", "pick up", "drop", "toggle", "done")
ATARI = (
    *("no-op", "fire", "up", "right", "left", "down"),
    *("up right", "up left", "down right", "down left", "up fire", "right fire", "left fire"),
    *("down fire", "up right fire", "up left fire", "down right fire", "down left fire"),
)
CRAFTER = (
    *("no-op", "move left", "move right", "move up", "move down", "do", "sleep"),
    *("place stone", "place table", "place furnace", "place plant"),
    *("make wood pickaxe", "make stone pickaxe", "make iron pickaxe"),
    *("make wood sword", "make stone sword", "make iron sword"),
)
BY_SUITE = {
    "minigrid": MINIGRID,
    "babyai": MINIGRID,
    "atari": ATARI,
    "crafter": CRAFTER,
}
"""Of every task of a suite that has so many classes."""

_STEER = ("steer left", "steer right", "gas", "brake")
BY_ID = {
    "CartPole": ("push left", "push right"),
    "MountainCar": ("push left", "no push", "push right"),
    "Acrobot": ("torque left", "no torque", "torque right"),
    "LunarLander": ("no-op", "fire left engine", "fire main engine", "fire right engine"),
    "CarRacing": ("no-op", *_STEER),
    "FrozenLake": ("left", "down", "right", "up"),
    "FrozenLake8x8": ("left", "down", "right", "up"),
    "CliffWalking": ("up", "right", "down", "left"),
    "Taxi": ("down", "up", "right", "left", "pick up", "drop"),
    "Blackjack": ("stick", "hit"),
}
"""Of Gymnasium's own tasks, by their id without `-v` and the version."""


def names_of(task: str, classes: int) -> tuple[str, ...]:
    """The names of the classes of `task`; empty where they are not known, or not so many."""
    if task.startswith("gym:"):
        id = task.removeprefix("gym:").rpartition(":")[2]
        suite = {"MiniGrid": MINIGRID, "BabyAI": MINIGRID}.get(id.partition("-")[0], ())
        found = BY_ID.get(id.rpartition("-v")[0], suite)
    else:
        found = BY_SUITE.get(task.partition("_")[0], ())
    return found if len(found) == classes else ()
