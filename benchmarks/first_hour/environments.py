"""Three environments of one's own, as a stranger brings them: names for `MODULE:FUNCTION`.

mixed   a dictionary of a picture, numbers and a class; two actions at once; 20 steps.
maze    a T-maze: the cue is shown at the start only, the choice comes 20 steps later.
scaled  numbers of unequal scale, an action in [-3, 7]; 50 steps.
"""

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces


class Mixed(gymnasium.Env):
    """What is right is told by all of the observation: half of the reward by the picture, half by
    the class and the sign of the first number. 20 is the best return; who sees the picture only
    gets 12.5, random play 5.8."""

    observation_space = spaces.Dict(
        {
            "picture": spaces.Box(0, 255, (40, 56, 3), np.uint8),
            "numbers": spaces.Box(-np.inf, np.inf, (3,), np.float32),
            "kind": spaces.Discrete(4),
        }
    )
    action_space = spaces.MultiDiscrete([3, 4])
    steps = 20

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None):
        super().reset(seed=seed)
        self.left = self.steps
        return self._look(), {}

    def step(self, action: np.ndarray):
        reward = 0.5 * (action[0] == self.third) + 0.5 * (action[1] == self.answer)
        self.left -= 1
        return self._look(), float(reward), False, self.left == 0, {}

    def _look(self) -> dict[str, Any]:
        self.third = int(self.np_random.integers(3))
        kind = int(self.np_random.integers(4))
        numbers = self.np_random.uniform(-1, 1, 3).astype(np.float32)
        self.answer = (kind + (numbers[0] > 0)) % 4
        picture = np.full((40, 56, 3), 40, np.uint8)
        left, top = 2 + 18 * self.third, int(self.np_random.integers(28))
        picture[top : top + 12, left : left + 14] = (220, 180, 60)
        return {"picture": picture, "numbers": numbers, "kind": kind}


class Maze(gymnasium.Env):
    """A corridor of 20 cells; the first shows +1 or -1, the last asks for the same turn.

    Actions: 0 forward, 1 up, 2 down. Right turn 1, wrong turn 0, a turn elsewhere -0.1 and no move.
    Observation: the cue (first cell only), whether this is the junction, a number that means
    nothing. 1 is the best return; without memory 0.5."""

    observation_space = spaces.Box(-1.0, 1.0, (3,), np.float32)
    action_space = spaces.Discrete(3)
    length = 20

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None):
        super().reset(seed=seed)
        self.place, self.time = 0, 0
        self.cue = int(self.np_random.choice((-1, 1)))
        return self._look(), {}

    def step(self, action: int):
        self.time += 1
        reward, done = 0.0, False
        if self.place == self.length:
            done = action != 0
            reward = float(done and (action == 1) == (self.cue == 1))
        elif action == 0:
            self.place += 1
        else:
            reward = -0.1
        return self._look(), reward, done, self.time >= 3 * self.length and not done, {}

    def _look(self) -> np.ndarray:
        cue = self.cue if self.place == 0 else 0
        noise = self.np_random.uniform(-1, 1)
        return np.array([cue, self.place == self.length, noise], np.float32)


class Scaled(gymnasium.Env):
    """Follow a target: 1 a step where the action is on it, nothing from a distance of 2 on.

    Actions lie in [-3, 7]. The target is observed in thousands, its speed in thousandths. The best
    return is near 50, random play about 10."""

    observation_space = spaces.Box(-np.inf, np.inf, (2,), np.float32)
    action_space = spaces.Box(-3.0, 7.0, (1,), np.float32)
    steps = 50

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None):
        super().reset(seed=seed)
        self.time = 0
        self.target = float(self.np_random.uniform(-3, 7))
        self.speed = float(self.np_random.uniform(-0.3, 0.3))
        return self._look(), {}

    def step(self, action: np.ndarray):
        reward = max(0.0, 1 - abs(float(action[0]) - self.target) / 2)
        self.target += self.speed
        if not -3 < self.target < 7:
            self.speed = -self.speed
            self.target = float(np.clip(self.target, -3, 7))
        self.time += 1
        return self._look(), reward, False, self.time == self.steps, {}

    def _look(self) -> np.ndarray:
        return np.array([1e3 * self.target, 1e-3 * self.speed], np.float32)


def mixed() -> gymnasium.Env:
    return Mixed()


def maze() -> gymnasium.Env:
    return Maze()


def scaled() -> gymnasium.Env:
    return Scaled()
