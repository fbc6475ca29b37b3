"""Minecraft through MineRL: diamond, wood and climbing with one flat choice of actions.

Untested against the simulator: no registry offers one that runs. The rules here (actions,
stickiness, rewards) are tested against a stand-in with MineRL's observations.
Source: DreamerV3's environment settings (Hafner et al. 2023, arXiv:2301.04104).
"""

from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np

from reverie.envs.base import Split
from reverie.envs.options import EnvConfig

CAMERA = 15
"""Degrees that the view turns by an action."""
PITCH = 60
"""Degrees up or down beyond which the view does not turn."""

NOOP: Mapping[str, Any] = {
    **dict.fromkeys(("forward", "back", "left", "right", "attack", "sprint", "jump", "sneak"), 0),
    "camera": (0, 0),
    **dict.fromkeys(("craft", "nearbyCraft", "nearbySmelt", "place", "equip"), "none"),
}
"""MineRL's action that does nothing."""

BASIC: tuple[Mapping[str, Any], ...] = (
    {},
    {"attack": 1},
    *({"camera": turn} for turn in ((-CAMERA, 0), (CAMERA, 0), (0, -CAMERA), (0, CAMERA))),
    *({name: 1} for name in ("forward", "back", "left", "right")),
    {"jump": 1, "forward": 1},
    {"place": "dirt"},
)
"""Twelve actions of every task: nothing, attack, look, walk, jump, place dirt."""

DIAMOND: tuple[Mapping[str, Any], ...] = (
    *BASIC,
    *({"craft": item} for item in ("planks", "stick", "crafting_table")),
    {"place": "crafting_table"},
    *({"nearbyCraft": f"{kind}_pickaxe"} for kind in ("wooden", "stone", "iron")),
    *({"equip": f"{kind}_pickaxe"} for kind in ("stone", "wooden", "iron")),
    {"nearbyCraft": "furnace"},
    {"place": "furnace"},
    {"nearbySmelt": "iron_ingot"},
)
"""Twenty-five: with crafting, placing, equipping and smelting on the way to a diamond."""

MILESTONES = (
    *("log", "planks", "stick", "crafting_table", "wooden_pickaxe", "cobblestone"),
    *("stone_pickaxe", "iron_ore", "furnace", "iron_ingot", "iron_pickaxe", "diamond"),
)
"""Items that pay 1 when an episode first holds one."""
HEALTH = 0.01
"""Reward for a change of health by its whole range."""
LOGGED = ("log", "cobblestone", "iron_ingot", "diamond")
"""Items whose number is shown to people."""


class Hands:
    """From the agent's choice to MineRL's action: what is held on for a while, and the pitch."""

    def __init__(self, choices: tuple[Mapping[str, Any], ...], *, attack: int, jump: int):
        """`attack` and `jump`: steps for which these are held; 0: just the one."""
        self._choices, self._hold = choices, {"attack": attack, "jump": jump}
        self.reset()

    def reset(self) -> None:
        """Nothing is held and the view is level."""
        self._left, self._pitch = {"attack": 0, "jump": 0}, 0

    def act(self, choice: int) -> dict[str, Any]:
        """MineRL's action of a choice."""
        action = {**NOOP, **self._choices[choice]}
        if self._holds("attack", action):
            action |= {"attack": 1, "jump": 0}
        if self._holds("jump", action):
            action |= {"jump": 1, "forward": 1}
        pitch, yaw = action["camera"]
        if pitch and abs(self._pitch + pitch) > PITCH:
            action["camera"] = (0, yaw)
        self._pitch += action["camera"][0]
        return action

    def _holds(self, name: str, action: dict[str, Any]) -> bool:
        if action[name] and self._hold[name]:
            self._left[name] = self._hold[name]
        held = self._left[name] > 0
        self._left[name] = max(0, self._left[name] - 1)
        return held


class Rewards:
    """What an episode pays: milestones, every log, or height; and always changes of health."""

    def __init__(self, task: str):
        self._task = task

    def reset(self, state: Mapping[str, Any]) -> None:
        """The first state of an episode; what it holds pays nothing."""
        self._had = {item: state["items"].get(item, 0) for item in MILESTONES}
        self._before = state

    def __call__(self, state: Mapping[str, Any]) -> float:
        """Reward of arriving in `state` (`items`, `health` in [0, 1], `height` in blocks)."""
        total = HEALTH * (state["health"] - self._before["health"])
        if self._task == "diamond":
            for item in MILESTONES:
                count = state["items"].get(item, 0)
                total += float(self._had[item] == 0 and count > 0)
                self._had[item] = max(self._had[item], count)
        elif self._task == "wood":
            gained = state["items"].get("log", 0) - self._before["items"].get("log", 0)
            total += max(0, gained)
        else:
            total += state["height"] - self._before["height"]
        self._before = state
        return float(total)


class Minecraft(gymnasium.Env):
    """One task over a MineRL environment (old gym: `reset()` and a four-tuple).

    Shown are `image`, `inventory` and its greatest values of the episode, `equipped` one-hot,
    `health`, `hunger` and `breath` as shares. What the simulator ends is a true end; the limit of
    36000 steps is the preset's and a truncation. The seed goes to the simulator, which does not
    repeat an episode exactly. An error that the simulator reports raises RuntimeError, so that the
    environment is replaced and its episode is never spliced.
    """

    def __init__(self, task: str, simulator: Any, config: EnvConfig, *, break_speed: float):
        self._env, self._rewards = simulator, Rewards(task)
        sticky = 30 if break_speed == 1.0 else 0
        choices = DIAMOND if task == "diamond" else BASIC
        self._hands = Hands(choices, attack=sticky, jump=10)
        shown = simulator.observation_space
        self._items = sorted(item for item in shown["inventory"].spaces if item != "log2")
        self._tools = [str(tool) for tool in shown["equipped_items"]["mainhand"]["type"].values]
        self._most = np.zeros(len(self._items), np.float32)
        count = gymnasium.spaces.Box(0.0, np.inf, (len(self._items),), np.float32)
        share = gymnasium.spaces.Box(0.0, np.inf, (1,), np.float32)
        self.observation_space = gymnasium.spaces.Dict(
            {
                "image": gymnasium.spaces.Box(0, 255, (config.size, config.size, 3), np.uint8),
                "inventory": count,
                "inventory_max": count,
                "equipped": gymnasium.spaces.Box(0.0, 1.0, (len(self._tools),), np.float32),
                **dict.fromkeys(("health", "hunger", "breath"), share),
                **{f"log/{item}": gymnasium.spaces.Box(0.0, np.inf, ()) for item in LOGGED},
            }
        )
        self.action_space = gymnasium.spaces.Discrete(len(choices))

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        """First observation and an empty info."""
        self._env.seed(seed)
        native = self._env.reset()
        self._hands.reset()
        self._most[:] = 0.0
        self._rewards.reset(state_of(native))
        return self._show(native), {}

    def step(self, action: int):
        """Observation, reward, the simulator's end, False, its info."""
        native, _, over, info = self._env.step(self._hands.act(int(action)))
        if "error" in info:
            raise RuntimeError(f"Minecraft reports: {info['error']}")
        return self._show(native), self._rewards(state_of(native)), bool(over), False, info

    def _show(self, native: Mapping[str, Any]) -> dict[str, Any]:
        items, life = state_of(native)["items"], native["life_stats"]
        inventory = np.array([items[item] for item in self._items], np.float32)
        self._most = np.maximum(self._most, inventory)
        equipped = np.zeros(len(self._tools), np.float32)
        equipped[self._tools.index(str(native["equipped_items"]["mainhand"]["type"]))] = 1.0
        return {
            "image": np.asarray(native["pov"], np.uint8),
            "inventory": inventory,
            "inventory_max": self._most.copy(),
            "equipped": equipped,
            "health": np.array([life["life"] / 20], np.float32),
            "hunger": np.array([life["food"] / 20], np.float32),
            "breath": np.array([life["air"] / 300], np.float32),
            **{f"log/{item}": np.float32(items.get(item, 0)) for item in LOGGED},
        }

    def close(self) -> None:
        """End the simulator."""
        self._env.close()


def state_of(native: Mapping[str, Any]) -> dict[str, Any]:
    """What rewards depend on; the two kinds of logs count as one."""
    items = {name: float(count) for name, count in native["inventory"].items()}
    items["log"] = items.get("log", 0.0) + items.pop("log2", 0.0)
    place = native.get("location_stats", {})
    return {
        "items": items,
        "health": float(native["life_stats"]["life"]) / 20,
        "height": float(place.get("ypos", 0.0)),
    }


def build(name: str, config: EnvConfig, split: Split, /, **kwargs: Any) -> gymnasium.Env:
    """diamond, wood or climb by MineRL; hunt_cow by MineDojo (see `minedojo.py`).

    `kwargs` may hold `break_speed` (100: blocks break a hundred times faster; 1 is the game's own
    speed, with attacks held for 30 steps instead).
    """
    if name == "hunt_cow":
        from reverie.envs.unpackaged.minedojo import build as build_hunt

        return build_hunt(config, **kwargs)
    from reverie.envs.unpackaged.minerl_spec import make_simulator

    speed = float(kwargs.pop("break_speed", 100.0))
    simulator = make_simulator(config.size, speed, **kwargs)
    return Minecraft(name, simulator, config, break_speed=speed)
