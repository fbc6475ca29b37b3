"""Memory Maze: find the target of the asked colour, again and again, in an unknown maze."""

from typing import Any

import gymnasium
import numpy as np

from reverie.envs.base import Split
from reverie.envs.gym import default_gl
from reverie.envs.options import EnvConfig

VARIANTS: dict[str, dict[str, Any]] = {
    "": {"image_only_obs": True},
    "vis": {"image_only_obs": True, "good_visibility": True},
    "extraobs": {"global_observables": True},
    "6cl": {"image_only_obs": True, "randomize_colors": True},
}
"""Second part of a task's name -> arguments of the package, as in its own ids."""


class MemoryMaze(gymnasium.Env):
    """A maze of SIZE x SIZE cells. Reads `size` (pixels of the picture).

    Shows `image`, whose border has the colour of the target that is asked for; `extraobs` adds
    positions and the maze's layout. Six discrete actions at 4 Hz. Reward 1 at the right target,
    then another one is asked for. Never terminal; 1000 to 4000 steps truncate.

    A reset seeds the maze's own generator too (the package seeds it once, when it is built, so
    that its mazes depend on how many came before).
    """

    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012

    def __init__(self, name: str, config: EnvConfig, **kwargs: Any):
        default_gl()
        from memory_maze import tasks

        size, _, variant = name.partition("_")
        makers = {
            "9x9": tasks.memory_maze_9x9,
            "11x11": tasks.memory_maze_11x11,
            "13x13": tasks.memory_maze_13x13,
            "15x15": tasks.memory_maze_15x15,
        }
        options = {"camera_resolution": config.size, "seed": 0, **VARIANTS[variant], **kwargs}
        self._env: Any = makers[size](**options)
        task = self._env.task
        self._colours = list(task._target_colors)
        self._image_only = options.get("image_only_obs", False)
        spec = self._env.observation_spec()
        self._specs = {"image": spec} if self._image_only else spec
        self.observation_space = gymnasium.spaces.Dict(
            {key: _space(part) for key, part in self._specs.items()}
        )
        self.action_space = gymnasium.spaces.Discrete(self._env.action_spec().num_values)
        self.render_mode = "rgb_array"

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        """First observation and an empty info."""
        rng = np.random.RandomState(seed)
        task = self._env.task
        task._target_colors[:] = self._colours
        maze = task._maze_arena._maze
        maze._native_maze = _same_again(maze, rng.randint(1, 2**31 - 1))._native_maze
        self._env.random_state.set_state(rng.get_state())
        return self._show(self._env.reset()), {}

    def step(self, action: int):
        """Observation, 1 at the right target, False, whether the time is over, info."""
        moment = self._env.step(action)
        ended = moment.last() and moment.discount == 0.0
        return self._show(moment), float(moment.reward), ended, moment.last() and not ended, {}

    def _show(self, moment: Any) -> dict[str, np.ndarray]:
        parts = {"image": moment.observation} if self._image_only else moment.observation
        return {key: np.asarray(parts[key]).reshape(_shape(s)) for key, s in self._specs.items()}

    def render(self) -> np.ndarray:
        """What the agent sees, uint8 (240, 240, 3)."""
        return self._env.physics.render(240, 240, camera_id="walker/egocentric")

    def close(self) -> None:
        """Free the simulator."""
        self._env.close()


def _same_again(maze: Any, seed: int) -> Any:
    """A maze with the same arguments and another seed."""
    names = ("height", "width", "max_rooms", "room_min_size", "room_max_size", "max_variations")
    names += ("spawns_per_room", "objects_per_room", "spawn_token", "object_token")
    arguments = {name: vars(maze)[f"_{name}"] for name in names}
    return type(maze)(simplify=True, random_seed=int(seed), **arguments)


def _shape(spec: Any) -> tuple[int, ...]:
    return spec.shape or (1,)


def _space(spec: Any) -> gymnasium.Space:
    if spec.dtype == np.uint8:
        return gymnasium.spaces.Box(0, 255, spec.shape, np.uint8)
    return gymnasium.spaces.Box(-np.inf, np.inf, _shape(spec), np.float64)


def build(name: str, config: EnvConfig, split: Split, /, **kwargs: Any) -> gymnasium.Env:
    """The environment of `memmaze_NAME`."""
    return MemoryMaze(name, config, **kwargs)
