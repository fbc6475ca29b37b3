"""Environments with one ailment each, for the doctor."""

import os

import gymnasium
import numpy as np
from gymnasium import spaces


class Patient(gymnasium.Env):
    """Healthy unless `ailment` names what is wrong; ends after 3 to 9 steps by its seed."""

    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012

    def __init__(self, ailment=""):
        self.ailment = ailment
        self.observation_space = spaces.Dict(
            {
                "numbers": spaces.Box(-1.0, 1.0, (3,), np.float32),
                "picture": spaces.Box(0, 255, (50, 70, 3), np.uint8),
                "kind": spaces.Discrete(3),
            }
        )
        self.action_space = spaces.MultiDiscrete([3, 2])
        self.render_mode = "rgb_array"
        self.closed = False

    def reset(self, *, seed=None, options=None):
        if self.ailment != "deaf":
            super().reset(seed=seed)
        self.count, self.length = 0, 5 if self.ailment == "limit" else self._draw()
        answer = self.show(), {}
        return answer[0] if self.ailment == "old reset" else answer

    def _draw(self):
        if self.ailment == "global":
            return int(np.random.randint(3, 10))  # noqa: NPY002
        return int(self.np_random.integers(3, 10))

    def show(self):
        numbers = self.np_random.uniform(-1, 1, 3).astype(np.float32)
        if self.ailment == "global":
            numbers = np.random.uniform(-1, 1, 3).astype(np.float32)  # noqa: NPY002
        if self.ailment == "process":
            numbers[0] = (os.getpid() % 1000) / 1000
        if self.ailment == "bounds":
            numbers = numbers * 5
        if self.ailment == "faint":
            numbers = numbers * np.float32([1, 1e-3, 1])
        if self.ailment == "dtype":
            numbers = numbers.astype(np.float64)
        if self.ailment == "nan" and self.count == 2:
            numbers[1] = np.nan
        if self.ailment == "shape":
            numbers = numbers[None]
        shown = {
            "numbers": numbers,
            "picture": np.full((50, 70, 3), 20 * (self.count % 12), np.uint8),
            "kind": self.count % (4 if self.ailment == "classes" else 3),
        }
        if self.ailment == "missing":
            del shown["kind"]
        if self.ailment == "frozen":
            shown["picture"][:] = 7
        return shown

    def step(self, action):
        if self.ailment == "corner" and tuple(action) == (2, 1) and self.count == 0:
            raise RuntimeError("the corner bites")
        self.count += 1
        over = self.count >= self.length and self.ailment != "endless"
        reward = 0.0 if self.ailment == "unpaid" else 0.1 * float(action[0]) - 0.1
        if self.ailment == "array reward":
            reward = np.array([reward])
        answer = self.show(), reward, over, False, {}
        if self.ailment == "old step":
            return answer[0], reward, over, {}
        if self.ailment == "flags":
            return *answer[:3], 0, {}
        return (*answer[:4], None) if self.ailment == "info" else answer

    def render(self):
        if self.ailment == "blind":
            raise OSError("no screen")
        return np.full((40, 60, 3), self.count, np.uint8)

    def close(self):
        if self.ailment == "close" and self.closed:
            raise RuntimeError("closed already")
        self.closed = True


def healthy():
    return Patient()


def old_fashioned():
    """An environment of a package of its own, with another reset."""

    class Old(Patient):
        def reset(self):
            return super().reset()

    return Old()
