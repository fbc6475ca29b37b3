"""What an environment is to the agent, and how it says that something is wrong."""

from typing import Any, Literal, Protocol

import numpy as np

from reverie.records import Specs

Obs = dict[str, np.ndarray]
"""One observation: key -> array of shape `spec.shape` and dtype `spec.dtype`."""
Action = dict[str, np.ndarray]
"""One action: key -> array; continuous ones float32 in [−1, 1], discrete ones int32."""


Split = Literal["train", "eval"]
"""What an environment is made for. Suites that hold something out for evaluation ask for it."""


class EnvError(ValueError):
    """An environment that cannot be made, read or stepped: the message says what to do."""


class Env(Protocol):
    """One environment in the agent's terms.

    An episode is a function of its reset seed and its actions: `reset` must make whatever the
    simulator draws at random follow from `seed` alone. `notices` holds one sentence for every
    conversion that the user might want to know of. `logs` holds what the newest row shows to
    people only (achievements, success, a position): the agent never sees it. `own_spaces` describes
    the environment's own spaces (`space_trees`) under `obs` and `action`; None: its terms are the
    agent's.
    """

    obs_specs: Specs
    action_specs: Specs
    log_specs: Specs
    logs: Obs
    notices: list[str]
    own_spaces: dict[str, Any] | None

    def reset(self, seed: int) -> Obs:
        """The first observation of a new episode; `seed` is a non-negative integer below 2³¹."""
        ...

    def prepare(self, seed: int) -> None:
        """The next reset will most likely be to `seed`: whoever can may begin with it."""
        ...

    def step(self, action: Action) -> tuple[Obs, float, bool, bool]:
        """Observation, reward, `terminal` and `last` after one action of the agent.

        `terminal` says that no future follows, `last` that the episode ends here. A true end is
        both, a time limit only `last`. `terminal` without `last` exists too: a lost life that is
        treated as an end although the game goes on (`EnvConfig.lives` "discount").
        """
        ...

    def render(self) -> np.ndarray | None:
        """A picture for people, uint8 (height, width, 3), or None where there is none."""
        ...

    def close(self) -> None:
        """Free the simulator. The environment is not used afterwards."""
        ...
