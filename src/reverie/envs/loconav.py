"""LocoNav: dm_control's ant in a maze, one goal, from joint states or an egocentric picture."""

import re
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np

from reverie.envs.base import EnvError, Split
from reverie.envs.dmc import ControlTask
from reverie.envs.gym import default_gl
from reverie.envs.loconav_maps import COLOURS, MAPS
from reverie.envs.options import EnvConfig
from reverie.part.errors import did_you_mean

CAMERA = 4
"""The ant's egocentric camera."""
SECONDS = 60
"""Length of an episode, simulated time."""
RATE = 50
"""Decisions a second, unless the task's name ends in `_NNhz`."""


class Maze:
    """Scene of a maze: everything random follows from the seed, the choice of places too."""

    def __init__(self, places: np.random.RandomState):
        self._places = places

    def begin(self, env: Any, seed: int) -> None:
        """Seed the composer's random state and that of the maze."""
        env.random_state.seed(seed)
        self._places.seed(seed)

    def paint(self, picture: np.ndarray) -> np.ndarray:
        """The picture itself."""
        return picture

    def advance(self) -> None:
        """Nothing moves by itself."""


class Coverage(gymnasium.Wrapper):
    """Adds `log/coverage`: square metres that the walker's middle has visited this episode."""

    def __init__(self, env: ControlTask, walker: Any, physics: Callable[[], Any]):
        gymnasium.Wrapper.__init__(self, env)
        self._walker, self._physics = walker, physics
        self._visited: set[tuple[int, ...]] = set()
        area = gymnasium.spaces.Box(0, np.inf, (), np.float32)
        space: Any = env.observation_space
        self.observation_space = gymnasium.spaces.Dict({**space.spaces, "log/coverage": area})

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        """First observation and info."""
        observation, info = self.env.reset(seed=seed, options=options)
        self._visited = set()
        return self._count(observation), info

    def step(self, action: Any):
        """Observation, reward, terminated, truncated, info."""
        observation, *rest = self.env.step(action)
        return self._count(observation), *rest

    def _count(self, observation: dict[str, Any]) -> dict[str, Any]:
        place = self._walker.get_pose(self._physics())[0][:2]
        self._visited.add(tuple(np.round(place).astype(int).tolist()))
        return {**observation, "log/coverage": np.float32(len(self._visited))}


def build(name: str, config: EnvConfig, split: Split, /, **kwargs: Any) -> gymnasium.Env:
    """The environment of `loconav_ant_ARENA` or `loconav_ant_ARENA_NNhz`.

    Reads `observe`, `size`, `camera` and `repeat`. Reward 1 at every step from the moment the goal
    is touched until the time is over, as the reference's code computes it; with
    `env.kwargs {"stop_at_goal": true}` the episode ends there, as its text says (a true end).

    Raises EnvError for an unknown walker or arena: the published quadruped's model is no part of
    dm_control.
    """
    arena, rate = _parse(name)
    env, places = _load(arena, rate, **kwargs)
    camera = config.camera if config.camera >= 0 else CAMERA
    task = ControlTask(env, config, camera=camera, scene=Maze(places))
    return Coverage(task, env.task._walker, lambda: env.physics)


def _parse(name: str) -> tuple[str, int]:
    found = re.fullmatch(r"(?:(\w+?)_)?(maze_\w+?|empty)(?:_(\d+)hz)?", name)
    walker, arena, rate = found.groups() if found else ("", name, None)
    if walker != "ant" or arena not in MAPS or rate == "0":
        near = did_you_mean(f"ant_{arena}", [f"ant_{known}" for known in MAPS])
        raise EnvError(
            f"There is no task 'loconav_{name}'.{near} Tasks are ant_ARENA or ant_ARENA_NNhz with "
            f"the arenas {', '.join(MAPS)}; the quadruped's model is no part of dm_control."
        )
    return arena, int(rate or RATE)


def _load(name: str, rate: int, *, stop_at_goal: bool = False) -> tuple[Any, np.random.RandomState]:
    default_gl()
    from dm_control import composer
    from dm_control.locomotion.props import target_sphere
    from dm_control.locomotion.walkers import ant

    arena, places = _arena(name)
    walker: Any = ant.Ant()
    walker.observables.egocentric_camera.enabled = False  # drawn by the adapter, if asked for
    target = target_sphere.TargetSphere(radius=1.2, height_above_ground=0.0)
    task = _task_kind(stop_at_goal)(
        walker=walker,
        maze_arena=arena,
        target=target,
        max_repeats=0 if stop_at_goal else 1,
        randomize_spawn_rotation=True,
        target_reward_scale=1.0,
        aliveness_threshold=-1.0,
        contact_termination=False,
        physics_timestep=min(1 / rate / 4, 0.02),
        control_timestep=1 / rate,
    )
    env = composer.Environment(
        task, time_limit=SECONDS, random_state=0, strip_singleton_obs_buffer_dim=True
    )
    return env, places


def _task_kind(stop_at_goal: bool) -> type:
    from dm_control.locomotion.tasks import random_goal_maze as goals

    class Reached(goals.RepeatSingleGoalMaze):
        """The goal stays reached; the walker is not sent back to the start."""

        def after_step(self, physics, random_state):
            goals.NullGoalMaze.after_step(self, physics, random_state)
            self._rewarded_this_step = self._target.activated
            self._targets_obtained = int(self._target.activated)

        def get_discount(self, physics):
            reached = stop_at_goal and self._target.activated
            return 0.0 if reached else goals.NullGoalMaze.get_discount(self, physics)

    return Reached


def _arena(name: str) -> tuple[Any, np.random.RandomState]:
    import labmaze
    from dm_control.locomotion.arenas import mazes

    places = np.random.RandomState(0)
    layout = "".join(row.replace(".", " ") + "\n" for row in MAPS[name])
    maze = labmaze.FixedMazeWithRandomGoals(
        entity_layer=layout, num_spawns=1, num_objects=1, random_state=places
    )
    walls = {"*": _wall((0.8, 0.8, 0.8))}
    for number, code in enumerate(COLOURS, 1):
        walls[str(number)] = _wall(tuple(byte / 255 for byte in bytes.fromhex(code)))
    arena = mazes.MazeWithTargets(
        maze, xy_scale=1.2, z_height=2.0, aesthetic="default", wall_textures=walls, name="maze"
    )
    return arena, places


def _wall(colour: tuple[float, ...]) -> Any:
    from dm_control import mjcf
    from dm_control.locomotion.arenas import labmaze_textures

    class Flat(labmaze_textures.WallTextures):
        """A wall of one colour."""

        def _build(self, colour):
            self._mjcf_root = root = mjcf.RootElement(model="labmaze_style_01")
            flat = {"type": "2d", "builtin": "flat", "width": 100, "height": 100}
            asset: Any = root.asset
            texture = asset.add("texture", name="wall", rgb1=colour, **flat)
            self._textures = [texture]

    return Flat(colour)
