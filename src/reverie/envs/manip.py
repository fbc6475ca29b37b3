"""DM Control's manipulation tasks: a Jaco arm that reaches, lifts, places and stacks."""

from typing import Any

import gymnasium
import numpy as np

from reverie.envs.base import Split
from reverie.envs.dmc import ControlTask
from reverie.envs.gym import default_gl
from reverie.envs.options import EnvConfig

CAMERA = "front_close"
"""The camera of the picture observation; it is camera 0 as well."""


SHUFFLED = "_initial_order"
"""A list that the task which reassembles bricks shuffles in place at every reset."""


class Composed:
    """Scene of environments that dm_control's composer builds: their one random state is seeded."""

    def begin(self, env: Any, seed: int) -> None:
        """Everything that the environment draws from here on follows from `seed`."""
        env.random_state.seed(seed)
        order = vars(env.task).get(SHUFFLED)
        if order is not None:  # otherwise the last episode's order would go into this one's
            order.sort()

    def paint(self, picture: np.ndarray) -> np.ndarray:
        """The picture itself."""
        return picture

    def advance(self) -> None:
        """Nothing moves by itself."""


def build(name: str, config: EnvConfig, split: Split, /, **kwargs: Any) -> gymnasium.Env:
    """The environment of a task without `_features` or `_vision`. Reads `observe` and `camera`.

    With pictures the `_vision` form of the task is taken (what the objects do is seen, not told),
    without them the `_features` form. A few tasks have one form only.

    Raises ImportError without dm_control, ValueError for a form that does not exist.
    """
    default_gl()
    from dm_control import manipulation

    form = "features" if config.observe == "proprio" else "vision"
    known = [known for known in manipulation.ALL if known.rpartition("_")[0] == name]
    full = f"{name}_{form}"
    env = manipulation.load(full if full in known else known[0], seed=0, **kwargs)
    observables = env.task.observables
    if CAMERA in observables:  # drawn by the adapter, in the size that is asked for
        observables[CAMERA].enabled = False
        env.reset()
    return ControlTask(env, config, camera=max(config.camera, 0), scene=Composed())
