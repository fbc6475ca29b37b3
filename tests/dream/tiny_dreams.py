"""Environments of a dozen steps for runs of seconds, and the runs."""

import functools as ft
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from made_runs import made_run

from reverie.config.schema import Config
from reverie.dream import model
from reverie.dream.inspector import Inspector
from reverie.dream.reality import World
from reverie.envs.adapter import Adapter
from reverie.envs.vector import Vector
from reverie.replay.rows import is_latent
from reverie.train import chosen, stranger
from reverie.train.collect import row_of
from reverie.train.setup import make_replay


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
        place = np.array([self.place, self.left], np.float32)
        return {"image": self.picture(self.place), "place": place}

    @staticmethod
    def picture(place):
        """The spot in its column."""
        image = np.zeros((16, 16, 3), np.uint8)
        image[4:12, place] = 255
        return image


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


class Dial(gymnasium.Env):
    """Fourteen numbers, of which each moves more than the one before, and a class, which three
    numbers turn; it draws itself."""

    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012
    observation_space = gymnasium.spaces.Dict(
        {
            "at": gymnasium.spaces.Box(-99, 99, (14,), np.float32),
            "side": gymnasium.spaces.Discrete(3),
        }
    )
    action_space = gymnasium.spaces.Box(-2, 2, (3,), np.float32)
    render_mode = "rgb_array"

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.angle, self.left = float(self.np_random.uniform(-1, 1)), 18
        return self.seen(), {}

    def step(self, action):
        self.angle += float(action[0]) / 4
        self.left -= 1
        return self.seen(), -abs(self.angle), False, self.left == 0, {}

    def seen(self):
        at = np.arange(14, dtype=np.float32) * np.float32(self.angle)
        return {"at": at.clip(-99, 99), "side": int(np.sign(self.angle)) + 1}

    def render(self):
        return np.full((60, 40, 3), int(100 + 10 * self.angle) % 256, np.uint8)


class Gears(gymnasium.Env):
    """A number, moved by two classes and a number."""

    observation_space = gymnasium.spaces.Box(-99, 99, (1,), np.float32)
    action_space = gymnasium.spaces.Dict(
        {
            "gear": gymnasium.spaces.MultiDiscrete([2, 3]),
            "turn": gymnasium.spaces.Box(-1, 1, (1,), np.float32),
        }
    )

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.at, self.left = float(self.np_random.uniform(-1, 1)), 18
        return np.array([self.at], np.float32), {}

    def step(self, action):
        self.at += float(action["turn"][0]) * (1 + int(action["gear"].sum()))
        self.left -= 1
        return np.array([self.at], np.float32), -abs(self.at), False, self.left == 0, {}


CHANGES: dict[str, Any] = {
    "steps": 200,
    "train.eval_episodes": 3,
    "train.eval_envs": 2,
    "world.reward.outscale": 1.0,
    "behavior.critic.outscale": 1.0,
    "behavior.actor.outscale": 1.0,
}
"""Heads that say something although they have not learned."""
PICTURES = {"world.encoder.stack": "patch", "world.encoder.mults": (2,)}
BLIND = {"world.objective": "nothing", "explore": "plan2explore", "explore.heads": 2}
TITLE = {
    "run": "<b>lamp</b>",
    "task": "custom:test",
    "agent": "v3",
    "size": "debug",
    "step": 200,
    "parameters": 1000,
    "version": "0",
}
"""What a page says of the run; its name is a stranger's."""
TURNS = 70
"""Rows of each of two environments in the replay."""


def run_of(make_env: Any, folder: Path, changes: dict[str, Any]) -> Path:
    """A run that has learned nothing: on pictures and numbers, or on numbers without a decoder."""
    seen, done = make_env.observation_space, make_env.action_space
    rows = ft.partial(played_at_random, make_env)
    return made_run(
        folder, seen, done, task="custom:test", changes=CHANGES | changes, step=200, rows=rows
    )


def played_at_random(make_env: Any, config: Config, folder: Path) -> dict[str, Any]:
    """A replay of random play, saved into `folder`; its manifest."""
    rng = np.random.default_rng(0)
    with Vector(lambda: Adapter(make_env(), config.env), num=2, seed=0, parallel=False) as envs:
        replay, action = make_replay(config, envs), chosen_at_random(envs, rng)
        for _ in range(TURNS):
            envs.send(action)
            step, action = envs.recv(), chosen_at_random(envs, rng)
            latent = {
                name: np.zeros((2, *column.shape), column.dtype)
                for name, column in replay.columns.items()
                if is_latent(name)
            }
            replay.add(row_of(step, action, latent))
    return replay.save(folder)


def chosen_at_random(envs: Vector, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Any action of two environments."""
    found = {}
    for key, spec in envs.action_specs.items():
        if spec.kind == "discrete":
            most = np.reshape(spec.classes, spec.shape)
            found[key] = rng.integers(0, most, (2, *spec.shape)).astype(np.int32)
        else:
            found[key] = rng.uniform(-1, 1, (2, *spec.shape)).astype(np.float32)
    return found


def opened(run: Path, make_env: Any = None) -> Inspector:
    """The inspector of a run."""
    config, _ = stranger.read(run, {"device.kind": "cpu", "env.parallel": False})
    loaded = model.load(run, config, chosen.choose(run))
    specs = loaded.observations, loaded.actions
    return Inspector(run, loaded, World(config, specs, make_env=make_env))
