"""RoboDesk: a robot arm at a desk, 18 tasks of one scene."""

from typing import Any

import gymnasium
import numpy as np

from reverie.envs.base import Split
from reverie.envs.gym import default_gl
from reverie.envs.options import EnvConfig
from reverie.envs.solved import Solved

VECTORS = {
    "qpos_robot": 9,
    "qvel_robot": 9,
    "end_effector": 3,
    "qpos_objects": 26,
    "qvel_objects": 26,
}
"""Numbers that the environment shows."""


class RoboDeskTask(gymnasium.Env):
    """One task. Reads `observe` and `size`.

    Five numbers move the arm's end, turn the wrist and close the gripper. An episode is
    `episode_length` steps long (500) and never terminal. `log/success` follows the package's own
    criterion. The scene is heavy to draw: 3 to 4 pictures a second without a GPU.
    The package's `qpos_objects` holds the objects' velocities (a slip of its own); it is passed on
    as it is.

    Args:
        reward: "dense", "sparse" (1 while solved) or "success" (1 once).
    """

    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012

    def __init__(
        self, name: str, config: EnvConfig, *, reward: str = "dense", episode_length: int = 500
    ):
        default_gl()
        from PIL import Image

        if "ANTIALIAS" not in vars(Image):  # gone since Pillow 10
            Image.ANTIALIAS = Image.Resampling.LANCZOS  # type: ignore[attr-defined]
        import robodesk

        options = {"reward": reward, "episode_length": episode_length, "image_size": config.size}
        self._env: Any = robodesk.RoboDesk(task=name, **options)
        self._draw = self._env.render
        self._name, self._observe = name, config.observe
        parts: dict[str, gymnasium.Space] = {}
        if config.observe != "vision":
            parts = {
                key: gymnasium.spaces.Box(-np.inf, np.inf, (size,), np.float64)
                for key, size in VECTORS.items()
            }
        if config.observe == "proprio":
            self._env.render = lambda **_: None  # it would draw at every step
        else:
            parts["image"] = gymnasium.spaces.Box(0, 255, (config.size, config.size, 3), np.uint8)
        self.observation_space = gymnasium.spaces.Dict(parts)
        self.action_space = gymnasium.spaces.Box(-1.0, 1.0, (5,), np.float32)
        self.render_mode = "rgb_array"

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        """First observation and an empty info. The package draws from numpy's global state."""
        before = np.random.get_state()  # noqa: NPY002
        np.random.seed(seed)  # noqa: NPY002
        try:
            return self._pick(self._env.reset()), {}
        finally:
            np.random.set_state(before)  # noqa: NPY002

    def step(self, action: np.ndarray):
        """Observation, reward, False, whether the time is over, info."""
        shown, reward, done, _ = self._env.step(action)
        success = bool(self._env._get_task_reward(self._name, "success"))
        return self._pick(shown), float(reward), False, bool(done), {"success": success}

    def _pick(self, shown: dict[str, Any]) -> dict[str, np.ndarray]:
        return {key: np.array(shown[key]) for key in self.observation_space.spaces}  # type: ignore[attr-defined]

    def render(self) -> np.ndarray:
        """The desk from above, uint8 (120, 120, 3)."""
        return self._draw(resize=False)

    def close(self) -> None:
        """Free the physics."""
        self._env.physics.free()


def build(
    name: str, config: EnvConfig, split: Split, /, **kwargs: Any
) -> tuple[gymnasium.Env, list[str]]:
    """The environment of `robodesk_NAME`."""
    note = "Observation 'qpos_objects' holds velocities: the package fills it so."
    env = Solved(RoboDeskTask(name, config, **kwargs))
    return env, [note] if config.observe != "vision" else []
