"""Five tiny environments whose optimum is known, one for each thing that may be broken.

Every one ends after a fixed number of steps with a true end, so returns have exact values.
All randomness follows from the reset seed.
Source: the idea of rejax's diagnostic environments, widened to pictures and world models.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from reverie.envs.base import Split
from reverie.envs.options import EnvConfig

SIDE = 16
"""Side of the probes' pictures, pixels."""


@dataclass(frozen=True)
class Probe:
    """A probe and what is known of it. Returns are undiscounted means over episodes.

    `random` is the return of actions drawn uniformly from the agent's action range. `rewards` are
    the mean rewards of the optimal policy, step by step: the value of the first row under a
    discount γ is Σ γ^t rewards[t].
    """

    env: Callable[..., gymnasium.Env]
    optimal: float
    random: float
    rewards: tuple[float, ...]


def picture(shade: int) -> np.ndarray:
    """A uniform picture (16, 16, 3) uint8."""
    return np.full((SIDE, SIDE, 3), shade, np.uint8)


def _numbers(count: int) -> spaces.Box:
    return spaces.Box(-1.0, 1.0, (count,), np.float32)


def _image() -> spaces.Box:
    return spaces.Box(0, 255, (SIDE, SIDE, 3), np.uint8)


class Constant(gymnasium.Env):
    """Reward 1 at each of 5 steps, whatever is done; one constant number is seen.

    Isolates the reward head, the continue head and the critic: nothing depends on the actor or on
    what is seen. Values count down from 5 with the steps that are left, known by memory alone.
    """

    length = 5

    def __init__(self) -> None:
        self.observation_space, self.action_space = _numbers(1), spaces.Discrete(2)
        self._left = 0

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        """The one observation, zeros (1,)."""
        self._left = self.length
        return np.zeros(1, np.float32), {}

    def step(self, action: int):
        """Zeros (1,), reward 1, the end after five steps."""
        self._left -= 1
        return np.zeros(1, np.float32), 1.0, self._left == 0, False, {}


class Observation(gymnasium.Env):
    """A picture, bright or dark by a fair coin, and the sign of it as reward at each of 4 steps.

    The coin is tossed once an episode: +1 at every step if the pictures are bright, −1 if they are
    dark. A number in `noise` says nothing. Actions change nothing.
    Isolates encoder, reward head and critic: with k steps left the value is ±k, by the picture.
    """

    length = 4

    def __init__(self) -> None:
        self.observation_space = spaces.Dict({"image": _image(), "noise": _numbers(1)})
        self.action_space = spaces.Discrete(3)
        self._left, self._rng, self._bright = 0, np.random.default_rng(0), False

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        """First picture and number."""
        self._rng, self._left = np.random.default_rng(seed), self.length
        self._bright = bool(self._rng.integers(2))
        return self._show(), {}

    def _show(self) -> dict[str, np.ndarray]:
        noise = self._rng.uniform(-1, 1, 1).astype(np.float32)
        return {"image": picture(230 if self._bright else 25), "noise": noise}

    def step(self, action: int):
        """Picture and number, +1 or −1 by the picture, the end after four steps."""
        self._left -= 1
        return self._show(), 1.0 if self._bright else -1.0, self._left == 0, False, {}


class Delay(gymnasium.Env):
    """The first action's first component earns 1 if it is 1, paid at the end of 5 steps.

    What was chosen stays in sight (`chosen`: 0 not yet, 1 wrong, 2 right; `left`: share of steps
    left), so no memory is needed. Action MultiDiscrete [2, 3]; the rest of it changes nothing.
    Isolates the bootstrapped return: the first action's credit travels over five steps.
    """

    length = 5

    def __init__(self) -> None:
        self.observation_space = spaces.Dict({"chosen": spaces.Discrete(3), "left": _numbers(1)})
        self.action_space = spaces.MultiDiscrete([2, 3])
        self._left, self._chosen = 0, 0

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        """Nothing chosen, all steps left."""
        self._left, self._chosen = self.length, 0
        return self._show(), {}

    def _show(self) -> dict[str, Any]:
        left = np.array([self._left / self.length], np.float32)
        return {"chosen": self._chosen, "left": left}

    def step(self, action: np.ndarray):
        """What was chosen, 0 until the end, then 1 for the right choice."""
        if self._chosen == 0:
            self._chosen = 1 + int(action[0])
        self._left -= 1
        done = self._left == 0
        return self._show(), float(done and self._chosen == 2), done, False, {}


class Act(gymnasium.Env):
    """Reward 1 − mean|a − target|/3 at each of 4 steps; a in [−2, 4]², the target is 2.5.

    In the agent's range the target is 0.5 and the reward 1 − mean|a − 0.5|.
    Isolates the continuous actor: reward depends on the action alone, and nothing on the past.
    """

    length = 4
    target = 2.5

    def __init__(self) -> None:
        self.observation_space = _numbers(1)
        self.action_space = spaces.Box(-2.0, 4.0, (2,), np.float32)
        self._left = 0

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        """The one observation, zeros (1,)."""
        self._left = self.length
        return np.zeros(1, np.float32), {}

    def step(self, action: np.ndarray):
        """Zeros (1,), the reward of the action, the end after four steps."""
        self._left -= 1
        reward = 1.0 - float(np.abs(action - self.target).mean()) / 3.0
        return np.zeros(1, np.float32), reward, self._left == 0, False, {}


class Memory(gymnasium.Env):
    """A bright or dark picture, three gray ones, then the answer: +1 if it is right, −1 if not.

    The cue is seen in the first row only; the last of 4 actions must name it (1 bright, 0 dark).
    `left` is the share of steps left. Isolates the recurrent state: the cue must be carried over
    three rows that do not show it.

    A bright cue also takes 1 with the first step and gives it back with the last, a dark one the
    other way round. It changes no return, but says that the cue is worth remembering; where only
    cue and answer together do, a model finds out by chance (in 1,500 to more than 3,000 updates).
    """

    length = 4

    def __init__(self) -> None:
        self.observation_space = spaces.Dict({"image": _image(), "left": _numbers(1)})
        self.action_space = spaces.Discrete(2)
        self._left, self._cue = 0, 0

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        """The cue."""
        self._left, self._cue = self.length, int(np.random.default_rng(seed).integers(2))
        return self._show(230 if self._cue else 25), {}

    def _show(self, shade: int) -> dict[str, np.ndarray]:
        left = np.array([self._left / self.length], np.float32)
        return {"image": picture(shade), "left": left}

    def step(self, action: int):
        """A gray picture; the loan, 0 twice, and at the end the loan back and +1 or −1."""
        self._left -= 1
        done, loan = self._left == 0, 1.0 if self._cue else -1.0
        reward = -loan if self._left == self.length - 1 else 0.0
        if done:
            reward = loan + (1.0 if int(action) == self._cue else -1.0)
        return self._show(128), reward, done, False, {}


PROBES = {
    "constant": Probe(Constant, 5.0, 5.0, (1.0,) * 5),
    "observation": Probe(Observation, 0.0, 0.0, (0.0,) * 4),
    "delay": Probe(Delay, 1.0, 0.5, (0.0,) * 4 + (1.0,)),
    "action": Probe(Act, 4.0, 1.5, (1.0,) * 4),
    "memory": Probe(Memory, 1.0, 0.0, (0.0,) * 3 + (1.0,)),
}
"""The probes by name; tasks are called probe_NAME."""


def build(name: str, config: EnvConfig, split: Split, /, **kwargs: Any) -> gymnasium.Env:
    """The probe of that name; `kwargs` go to its class."""
    return PROBES[name].env(**kwargs)
