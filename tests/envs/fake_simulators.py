"""FAKES. Stand-ins for simulators that no registry offers; they show nothing about the real ones.

Each has the calls that the adapter makes and answers with the documented shapes.
"""

import types

import numpy as np
from gymnasium import spaces


class FakeLab:
    """deepmind_lab.Lab: an episode of 10 native frames."""

    def __init__(self, level, observations, config):
        self.level, self.names, self.config = level, observations, config
        self.frame, self.log = 0, []

    def reset(self, seed=None):
        self.frame, self.seed = 0, seed

    def step(self, action, num_steps):
        assert action.dtype == np.intc
        assert action.shape == (7,)
        self.log.append((tuple(int(n) for n in action), num_steps))
        played = min(num_steps, 10 - self.frame)
        self.frame += played
        return float(played)

    def is_running(self):
        return self.frame < 10

    def observations(self):
        assert self.is_running(), "the real one raises after the end"
        side = int(self.config["height"])
        shown = {"RGB_INTERLEAVED": np.full((side, side, 3), self.frame, np.uint8)}
        return shown | ({"INSTR": "Pick the RED ball!"} if "INSTR" in self.names else {})

    def close(self):
        pass


def lab_module():
    return types.SimpleNamespace(Lab=FakeLab)


ITEMS = ("diamond", "log", "log2", "planks", "cobblestone", "iron_ingot", "dirt")


class FakeMineRL:
    """A MineRL environment of old gym: a script of states is shown one after the other."""

    def __init__(self, script, side=64):
        self.script, self.side, self.time, self.actions, self.seeds = script, side, 0, [], []
        tool = types.SimpleNamespace(values=np.array(["air", "stone_pickaxe", "other"]))
        self.observation_space = {
            "inventory": spaces.Dict({name: spaces.Discrete(2304) for name in ITEMS}),
            "equipped_items": {"mainhand": {"type": tool}},
        }

    def seed(self, seed):
        self.seeds.append(seed)

    def _show(self):
        state = {"life": 20, "height": 64.0, "tool": "air", **self.script[self.time]}
        return {
            "pov": np.full((self.side, self.side, 3), self.time, np.uint8),
            "inventory": {name: np.array(state.get(name, 0)) for name in ITEMS},
            "equipped_items": {"mainhand": {"type": state["tool"]}},
            "life_stats": {"life": state["life"], "food": 10, "air": 150},
            "location_stats": {"ypos": state["height"]},
        }

    def reset(self):
        self.time = 0
        return self._show()

    def step(self, action):
        self.time += 1
        self.actions.append(action)
        over = self.time == len(self.script) - 1
        return self._show(), 0.0, over, self.script[self.time].get("info", {})

    def close(self):
        pass


class FakeMineDojo:
    """A MineDojo combat environment: distances to cows and the sword's wear by script."""

    def __init__(self, world_seed, script, log, fail=0):
        self.world_seed, self.script, self.log, self.fail = world_seed, script, log, fail
        self.time, self.is_successful = 0, False
        self.unwrapped = self

    def execute_cmd(self, command):
        self.log.append(command)

    def set_time(self, value):
        self.log.append(f"time {value}")

    def set_weather(self, value):
        self.log.append(f"weather {value}")

    def _show(self):
        cows, sword = self.script[min(self.time, len(self.script) - 1)]
        names = np.array(["pig", *["cow"] * len(cows), "null"])
        return {
            "rgb": np.full((3, 256, 256), self.time % 256, np.uint8),
            "inventory": {"cur_durability": np.array([sword, 0])},
            "rays": {"entity_name": names, "entity_distance": np.array([1.0, *cows, 0.0])},
        }

    def reset(self):
        if self.fail:
            raise RuntimeError("port in use")
        self.time, self.is_successful = 0, False
        return self._show()

    def step(self, action):
        self.log.append(tuple(int(n) for n in action))
        self.time += 1
        self.is_successful = self.time == len(self.script) - 1
        kill = 200.0 if self.is_successful else 0
        return self._show(), kill, self.is_successful, {}

    def close(self):
        self.log.append(f"close {self.world_seed}")


class FakeReach:
    """RLBench's task environment: success at the sixth simulation step, or an error."""

    class Stuck(Exception):
        pass

    def __init__(self, stuck_at=99):
        self.count, self.stuck_at, self.seen = 0, stuck_at, []
        self._task = types.SimpleNamespace(success=lambda: (self.count >= 6, None))

    def _show(self):
        return types.SimpleNamespace(front_rgb=np.full((32, 32, 3), self.count, np.uint8))

    def reset(self):
        self.count = 0
        return ["reach it"], self._show()

    def step(self, action):
        self.count += 1
        self.seen.append(action)
        if self.count == self.stuck_at:
            raise self.Stuck
        return self._show(), -1.0, self.count >= 6


class FakeTensor:
    """As much of a torch tensor as the adapter uses."""

    def __init__(self, value):
        self.value = np.asarray(value)

    def cpu(self):
        return self.value
