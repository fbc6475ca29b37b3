"""ManiSkill 3, one environment at a time. Untested against the simulator: it needs Vulkan."""

from typing import Any

import gymnasium
import numpy as np

from reverie.envs.base import EnvError, Split
from reverie.envs.options import EnvConfig
from reverie.envs.solved import Solved
from reverie.part.errors import did_you_mean


class Skill(gymnasium.Wrapper):
    """A ManiSkill environment with its batch of one taken away and torch turned into numpy.

    The first camera is `image`, other cameras are `image_NAME`; what robot and task show besides
    keeps its names. Success and failure are true ends, the step limit a truncation.
    """

    def __init__(self, env: gymnasium.Env):
        gymnasium.Wrapper.__init__(self, env)
        shown, _ = env.reset(seed=0)
        parts = {key: _space_of(value) for key, value in flatten(shown).items()}
        self.observation_space = gymnasium.spaces.Dict(parts)
        core: Any = env.unwrapped
        self.action_space = core.single_action_space

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        """First observation and an empty info."""
        shown, _ = self.env.reset(seed=seed)
        return flatten(shown), {}

    def step(self, action: Any):
        """Observation, reward, terminated, truncated, info with `success`."""
        shown, reward, ended, cut, info = self.env.step(action[None])
        flags = [bool(to_numpy(flag).reshape(-1)[0]) for flag in (ended, cut)]
        success = bool(to_numpy(info.get("success", False)).reshape(-1)[0])
        value = float(to_numpy(reward).reshape(-1)[0])
        return flatten(shown), value, flags[0], flags[1] and not flags[0], {"success": success}


def to_numpy(value: Any) -> np.ndarray:
    """An array from a tensor of any device, or from a plain value."""
    return np.asarray(value.cpu()) if "cpu" in dir(value) else np.asarray(value)


def flatten(shown: Any) -> dict[str, np.ndarray]:
    """Pictures and numbers of a nested batch of one, by name."""
    cameras = list(shown.get("sensor_data", {}))
    found = {}
    for place, camera in enumerate(cameras):
        name = "image" if place == 0 else f"image_{camera}"
        found[name] = to_numpy(shown["sensor_data"][camera]["rgb"])[0].astype(np.uint8)
    for group in ("agent", "extra"):
        for key, value in shown.get(group, {}).items():
            found[f"{group}_{key}"] = np.atleast_1d(to_numpy(value)[0]).astype(np.float32)
    return found


def _space_of(value: np.ndarray) -> gymnasium.Space:
    if value.dtype == np.uint8:
        return gymnasium.spaces.Box(0, 255, value.shape, np.uint8)
    return gymnasium.spaces.Box(-np.inf, np.inf, value.shape, np.float32)


def build(name: str, config: EnvConfig, split: Split, /, **kwargs: Any) -> gymnasium.Env:
    """A task in ManiSkill's spelling, for example PickCube-v1, seen by cameras of `size` pixels.

    `kwargs` go to the environment (`control_mode`, `sim_backend`, `render_backend`, …).
    """
    import mani_skill.envs  # noqa: F401  # pyright: ignore[reportMissingImports]

    if name not in gymnasium.registry:
        near = did_you_mean(name, gymnasium.registry)
        raise EnvError(f"ManiSkill registers no environment {name!r}.{near}")
    settings = {
        "num_envs": 1,
        "obs_mode": "rgb",
        "sensor_configs": {"width": config.size, "height": config.size},
        **kwargs,
    }
    return Solved(Skill(gymnasium.make(name, disable_env_checker=True, **settings)))
