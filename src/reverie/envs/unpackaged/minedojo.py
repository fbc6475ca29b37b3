"""Hunting a cow in MineDojo. Untested against the simulator: no registry offers one that runs.

Source: HarmonyDream's Minecraft task (Ma et al. 2024, arXiv:2310.00344), which took the reward from
MineCLIP's (Fan et al. 2022, arXiv:2206.08853).
"""

import contextlib
import os
import time
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np

from reverie.envs.options import EnvConfig
from reverie.envs.pictures import resize
from reverie.envs.solved import Solved

SUCCESS, HIT, NEARER = 200.0, 5.0, 1.0
"""Reward of the kill, of a hit, and of each block that the cow has come nearer."""
LIMIT = 500
"""Steps of an episode."""
SIDE = 256
"""Side of the simulator's own picture, pixels."""
HARD_RESET = 5
"""Episodes in one world before a new one is made."""
PATIENCE = 60
"""A reset that failed waits 0 ... 59 seconds before the simulator is made anew."""
FUNCTIONS = (0, 1, 3)
"""MineDojo's functional actions: none, use, attack."""
LEVEL = 12
"""The bin of MineDojo's camera that turns nothing; a bin more or less are 15 degrees."""


def native_action(choice: np.ndarray) -> np.ndarray:
    """MineDojo's eight numbers of a choice (5,).

    Forward/back 3; left/right 3; jump/sneak/sprint 4; camera 5 (still, pitch −, pitch +, yaw −,
    yaw +); none/use/attack 3.
    """
    walk, strafe, jump, camera, function = (int(part) for part in choice)
    turn = [LEVEL, LEVEL]
    if camera:
        turn[(camera - 1) // 2] += 1 if camera % 2 == 0 else -1
    return np.array([walk, strafe, jump, *turn, FUNCTIONS[function], 0, 0])


class HuntReward:
    """What hunting pays beside the kill: hits, and coming nearer to a cow in sight."""

    def reset(self, native: Any) -> None:
        """The first observation of an episode."""
        seen = self._nearest(native)
        self._least = np.inf if seen is None else seen
        self._before = 0.0 if seen is None else seen
        self._sword = float(native["inventory"]["cur_durability"][0])

    def __call__(self, native: Any) -> float:
        """Reward of an observation; a hit wears the sword by exactly 1 and lets the cow flee."""
        sword = float(native["inventory"]["cur_durability"][0])
        hit = self._sword - sword == 1.0
        self._sword = sword
        nearer, seen = 0.0, self._nearest(native)
        if seen is not None:
            self._least = min(seen, self._least)
            nearer = max(0.0, self._before - self._least)
            self._before = self._least
        if hit:
            self._least = np.inf
        return HIT * hit + NEARER * nearer

    def _nearest(self, native: Any) -> float | None:
        """Distance of the nearest cow that a ray meets, in blocks; None where none does."""
        rays = native["rays"]
        found = np.asarray(rays["entity_distance"])[np.asarray(rays["entity_name"]) == "cow"]
        return float(found.min()) if found.size else None


class HuntCow(gymnasium.Env):
    """The task over a MineDojo environment that `make_simulator(world_seed)` makes.

    A picture (`size`) is all that is shown. The kill and death are true ends, the limit of 500
    steps a truncation. Before each reset but the first of a world the ground is cleared; after
    `hard_reset` episodes a new world is made. A reset that fails (ports in use) is tried again with
    a new simulator after a pause, as often as it takes.
    """

    def __init__(
        self,
        make_simulator: Callable[[int], Any],
        config: EnvConfig,
        *,
        hard_reset: int = HARD_RESET,
        sleep: Callable[[float], None] = time.sleep,
    ):
        self._make, self._size = make_simulator, config.size
        self._hard_reset, self._sleep = hard_reset, sleep
        self._env: Any = None
        self._episodes, self._steps = 0, 0
        self._reward = HuntReward()
        image = gymnasium.spaces.Box(0, 255, (config.size, config.size, 3), np.uint8)
        self.observation_space = gymnasium.spaces.Dict({"image": image})
        self.action_space = gymnasium.spaces.MultiDiscrete([3, 3, 4, 5, 3])

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        """First observation and an empty info."""
        rng = np.random.default_rng(seed)
        if self._env is None or 0 < self._hard_reset <= self._episodes:
            self._new_world(rng)
        native = self._try_reset(rng)
        self._episodes, self._steps = self._episodes + 1, 0
        self._reward.reset(native)
        return self._show(native), {"success": False}

    def _new_world(self, rng: np.random.Generator) -> None:
        if self._env is not None:
            with contextlib.suppress(Exception):  # it may be what failed
                self._env.close()
        self._env, self._episodes = self._make(int(rng.integers(1_000_000))), 0

    def _try_reset(self, rng: np.random.Generator) -> Any:
        while True:
            try:
                if self._episodes:
                    self._clear()
                return self._env.reset()
            except Exception:  # the simulator raises whatever its process left behind
                self._sleep(float(rng.integers(PATIENCE)))
                self._new_world(rng)

    def _clear(self) -> None:
        core = self._env.unwrapped
        for command in ("/kill @e[type=!player]", "/clear", "/kill @e[type=item]"):
            core.execute_cmd(command)
        core.set_time(6000)
        core.set_weather("clear")

    def step(self, action: np.ndarray):
        """Picture, reward, kill or death, time limit, info with `success`."""
        self._steps += 1
        native, kill, over, _ = self._env.step(native_action(action))
        reward = self._reward(native) + float(kill or 0.0)
        info = {"success": bool(self._env.is_successful)}
        return self._show(native), reward, bool(over), self._steps >= LIMIT and not over, info

    def _show(self, native: Any) -> dict[str, np.ndarray]:
        return {"image": resize(np.ascontiguousarray(native["rgb"].transpose(1, 2, 0)), self._size)}

    def close(self) -> None:
        """End the simulator."""
        if self._env is not None:
            self._env.close()


def make_combat(world_seed: int) -> Any:
    """MineDojo's combat task: a cow among pigs and sheep on sunflower plains, a diamond sword."""
    os.environ.setdefault("MINEDOJO_HEADLESS", "1")
    import minedojo  # pyright: ignore[reportMissingImports]
    from minedojo.sim.inventory import InventoryItem  # pyright: ignore[reportMissingImports]

    reach = int(10 / np.sqrt(2))
    rays = [
        (np.deg2rad(pitch), np.deg2rad(yaw), 9999)
        for pitch in np.linspace(0, 30, 3)
        for yaw in np.linspace(-60, 60, 9)
    ]
    return minedojo.make(
        "Combat",
        target_names=["cow"],
        target_quantities=1,
        reward_weights={"cow": SUCCESS},
        initial_inventory=[InventoryItem(slot=0, name="diamond_sword", variant=None, quantity=1)],
        initial_mobs=["cow", "pig", "sheep"],
        initial_mob_spawn_range_low=(-reach, 1, -reach),
        initial_mob_spawn_range_high=(reach, 1, reach),
        image_size=(SIDE, SIDE),
        world_seed=world_seed,
        specified_biome="sunflower_plains",
        fast_reset=True,
        fast_reset_random_teleport_range=None,
        use_voxel=True,
        use_lidar=True,
        lidar_rays=rays,
    )


def build(config: EnvConfig, **kwargs: Any) -> gymnasium.Env:
    """The task; `kwargs` may hold `hard_reset`, the episodes in one world (1: a new one each)."""
    import minedojo  # noqa: F401  # pyright: ignore[reportMissingImports]

    return Solved(HuntCow(make_combat, config, **kwargs))
