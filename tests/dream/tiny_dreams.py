"""Environments of a dozen steps for runs of seconds, and the runs."""

from concurrent.futures import Future
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from tiny_runs import learn

from reverie.dream import model
from reverie.dream.inspector import Inspector
from reverie.dream.reality import World
from reverie.train import chosen, stranger
from reverie.train.compiling import Compiled
from reverie.train.learner import Learner


class Lamp(gymnasium.Env):
    """A spot that moves over 16x16 pixels by three actions; its column is the reward."""

    observation_space = gymnasium.spaces.Dict(
        {
            "image": gymnasium.spaces.Box(0, 255, (16, 16, 3), np.uint8),
            "place": gymnasium.spaces.Box(-20, 20, (2,), np.float32),
        }
    )
    action_space = gymnasium.spaces.Discrete(3)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.place, self.left = int(self.np_random.integers(0, 16)), 20
        return self.seen(), {}

    def step(self, action):
        self.place = (self.place + int(action) - 1) % 16
        self.left -= 1
        reward = self.place / 15
        return self.seen(), reward, self.place == 15 and self.left < 10, self.left == 0, {}

    def seen(self):
        image = np.zeros((16, 16, 3), np.uint8)
        image[4:12, self.place] = 255
        return {"image": image, "place": np.array([self.place, self.left], np.float32)}


class Arm(gymnasium.Env):
    """Two numbers that follow three numbers; it draws itself."""

    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012
    observation_space = gymnasium.spaces.Box(-9, 9, (2,), np.float32)
    action_space = gymnasium.spaces.Box(-2, 2, (3,), np.float32)
    render_mode = "rgb_array"

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.at, self.left = self.np_random.uniform(-1, 1, 2).astype(np.float32), 18
        return self.at.copy(), {}

    def step(self, action):
        self.at = np.clip(self.at + action[:2] / 4, -9, 9).astype(np.float32)
        self.left -= 1
        return self.at.copy(), float(-np.abs(self.at).sum()), False, self.left == 0, {}

    def render(self):
        return np.full((300, 200, 3), int(100 + 10 * self.at[0]), np.uint8)


CHANGES: dict[str, Any] = {
    "steps": 200,
    "train.eval_episodes": 0,
    "train.report_every": 0,
    "train.ratio": 1e-6,
    "world.reward.outscale": 1.0,
    "behavior.critic.outscale": 1.0,
    "behavior.actor.outscale": 1.0,
}
"""No update, so that nothing of it must be compiled: the networks say what they were born with."""
PICTURES = {"world.encoder.stack": "patch", "world.encoder.mults": (2,)}
BLIND = {"world.objective": "nothing", "explore": "plan2explore", "explore.heads": 2}


class NoProgram:
    """What stands for the update."""

    def memory_analysis(self):
        return None


def uncompiled(learner: Learner, rows: Any) -> Future:
    """In place of `Learner.compile_beside`."""
    future = Future()
    future.set_result(Compiled(NoProgram(), 0, 0.0))
    return future


def run_of(make_env: Any, folder: Path, changes: dict[str, Any]) -> Path:
    """A run without updates: on pictures and numbers, or on numbers without a decoder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Learner, "compile_beside", uncompiled)
        return learn(make_env, folder, CHANGES | changes)


def opened(run: Path, make_env: Any = None) -> Inspector:
    """The inspector of a run."""
    config, _ = stranger.read(run, {"device.kind": "cpu", "env.parallel": False})
    loaded = model.load(run, config, chosen.choose(run))
    specs = loaded.agent.obs_specs, loaded.agent.action_specs
    return Inspector(run, loaded, World(config, specs, make_env=make_env))
