"""DM Control: proprioception, pictures, or both; suite and manipulation tasks."""

from typing import Any, Protocol

import gymnasium
import numpy as np

from reverie.envs.base import Split
from reverie.envs.gym import default_gl
from reverie.envs.options import EnvConfig

RENDER_SIDE = 240
"""Side of the pictures for people, pixels."""
CAMERAS = {"quadruped": 2}
"""Camera of a domain where camera 0 does not show the agent."""
MANIP = "manip_"
"""First part of the names of the manipulation tasks."""


class Scene(Protocol):
    """What happens around a task: how an episode begins, and what is done to its pictures."""

    def begin(self, env: Any, seed: int) -> None:
        """Prepare the dm_control environment `env` for the episode of `seed`, before its reset."""
        ...

    def paint(self, picture: np.ndarray) -> np.ndarray:
        """What is shown instead of a rendered picture (side, side, 3) uint8."""
        ...

    def advance(self) -> None:
        """One observation has been shown."""
        ...


class Plain:
    """DM Control as it is: an episode begins by seeding the task's random state."""

    def begin(self, env: Any, seed: int) -> None:
        """Seed the task. What it draws while it is *loaded* (`lqr`) came from seed 0."""
        env.task.random.seed(seed)

    def paint(self, picture: np.ndarray) -> np.ndarray:
        """The picture itself."""
        return picture

    def advance(self) -> None:
        """Nothing moves by itself."""


class ControlTask(gymnasium.Env):
    """One dm_control environment. Reads `observe`, `size` and `repeat`.

    A discount of 0 is a true end, every other end the time limit of the task. An episode follows
    from its seed and its actions (`Scene.begin`).
    Nothing is drawn on the screen unless pictures are observed or `render` is called.

    Args:
        env: a dm_env environment with `physics`.
        camera: index of the camera.
    """

    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012

    def __init__(self, env: Any, config: EnvConfig, *, camera: int, scene: Scene):
        self._env, self._config, self._camera, self._scene = env, config, camera, scene
        self._vectors = {}
        if config.observe != "vision":
            specs = self._env.observation_spec()
            self._vectors = {key: s.shape for key, s in specs.items() if 0 not in s.shape}
        parts: dict[str, gymnasium.Space] = {
            key: gymnasium.spaces.Box(-np.inf, np.inf, shape or (1,), np.float64)
            for key, shape in self._vectors.items()
        }
        if config.observe != "proprio":
            parts["image"] = gymnasium.spaces.Box(0, 255, (config.size, config.size, 3), np.uint8)
        self.observation_space = gymnasium.spaces.Dict(parts)
        action = self._env.action_spec()
        low, high = (np.broadcast_to(b, action.shape) for b in (action.minimum, action.maximum))
        self.action_space = gymnasium.spaces.Box(low, high, dtype=np.float64)
        self.render_mode = "rgb_array"

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        """First observation and an empty info."""
        self._scene.begin(self._env, 0 if seed is None else seed)
        return self._observe(self._env.reset()), {}

    def step(self, action: np.ndarray):
        """Observation, reward summed over `repeat` control steps, true end, time limit, info."""
        total = 0.0
        for _ in range(self._config.repeat):
            moment = self._env.step(action)
            total += moment.reward
            if moment.last():
                break
        ended = moment.last() and moment.discount == 0.0
        return self._observe(moment), total, ended, moment.last() and not ended, {}

    def _observe(self, moment: Any) -> dict[str, np.ndarray]:
        shown = {
            key: np.asarray(moment.observation[key]).reshape(shape or (1,))
            for key, shape in self._vectors.items()
        }
        if self._config.observe != "proprio":
            shown["image"] = self._draw(self._config.size)
        self._scene.advance()
        return shown

    def _draw(self, side: int) -> np.ndarray:
        picture = self._env.physics.render(side, side, camera_id=self._camera)
        return self._scene.paint(picture)

    def render(self) -> np.ndarray:
        """A picture for people, uint8 (240, 240, 3)."""
        return self._draw(RENDER_SIDE)

    def close(self) -> None:
        """Free the physics and its render context, in the thread that drew."""
        self._env.physics.free()  # the suite's own close leaves it to the garbage collection
        self._env.close()


def camera_of(domain: str, config: EnvConfig) -> int:
    """The camera that is asked for, or the one that shows the domain's agent."""
    return config.camera if config.camera >= 0 else CAMERAS.get(domain, 0)


def load(domain: str, task: str, **task_kwargs: Any) -> Any:
    """The suite's environment. Raises ImportError without dm_control, TypeError for kwargs."""
    default_gl()
    from dm_control import suite

    return suite.load(domain, task, task_kwargs={"random": 0, **task_kwargs})


def split_task(name: str) -> tuple[str, str]:
    """DM Control's domain and task: ("ball_in_cup", "catch") of "ball_in_cup_catch"."""
    for domain in ("ball_in_cup", "point_mass", "humanoid_CMU"):
        if name.startswith(domain + "_"):
            return domain, name.removeprefix(domain + "_")
    domain, _, task = name.partition("_")
    return domain, task


def build(name: str, config: EnvConfig, split: Split, /, **kwargs: Any) -> gymnasium.Env:
    """The environment of `dmc_NAME`: a suite task, or a manipulation task as `manip_…`."""
    if name.startswith(MANIP):
        from reverie.envs.manip import build as build_manip

        return build_manip(name.removeprefix(MANIP), config, split, **kwargs)
    domain, task = split_task(name)
    env = load(domain, task, **kwargs)
    return ControlTask(env, config, camera=camera_of(domain, config), scene=Plain())
