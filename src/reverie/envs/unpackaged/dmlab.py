"""DeepMind Lab's thirty levels. Untested against the simulator: no registry offers it."""

import functools as ft
import re
import zlib
from typing import Any

import gymnasium
import numpy as np

from reverie.envs.base import EnvError, Split
from reverie.envs.options import EnvConfig

WORDS, WIDTH, BUCKETS = 32, 32, 65_536
"""Words of an instruction, numbers for each, and hash buckets of the vocabulary."""
TOKEN = re.compile(r"[a-z_]+|[^a-z_ ]+")
"""A word, or a run of other signs."""

_LOOK, _PITCH, _STRAFE, _WALK, _FIRE = 0, 1, 2, 3, 4


def _press(**keys: int) -> np.ndarray:
    """The seven numbers of an action: look, pitch, strafe, walk, fire, jump, crouch."""
    action = np.zeros(7, np.intc)
    for name, value in keys.items():
        action[
            {"look": _LOOK, "pitch": _PITCH, "strafe": _STRAFE, "walk": _WALK}.get(name, _FIRE)
        ] = value
    return action


ACTIONS = {
    "popart": (
        *(_press(walk=1), _press(walk=-1), _press(strafe=-1), _press(strafe=1)),
        *(_press(look=-10), _press(look=10), _press(look=-60), _press(look=60)),
        *(_press(pitch=10), _press(pitch=-10)),
        *(_press(look=look, walk=1) for look in (-10, 10, -60, 60)),
        _press(fire=1),
    ),
    "impala": (
        *(_press(walk=1), _press(walk=-1), _press(strafe=-1), _press(strafe=1)),
        *(_press(look=-20), _press(look=20)),
        *(_press(look=-20, walk=1), _press(look=20, walk=1)),
        _press(fire=1),
    ),
}
"""The action sets of PopArt and R2D2 (15) and of IMPALA (9)."""


class Lab(gymnasium.Env):
    """One level. Reads `size` and `repeat` (Lab repeats natively and sums the rewards).

    As in the official DreamerV3 the end of an episode, which is a time limit in most levels, is
    terminal; `episodic=False` labels it a truncation. Language levels also show `instruction`
    (1024,): a fixed random embedding of each of 32 hashed words. A training level ending in
    `_test` is replaced by its `_train`; with `holdout` the test level itself is played. The
    simulator shows nothing after the last step: the picture before stands in for it.
    Source: Beattie et al. 2016 (arXiv:1612.03801); DreamerV3's environment settings.
    """

    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012

    def __init__(
        self,
        level: str,
        config: EnvConfig,
        *,
        actions: str = "popart",
        episodic: bool = True,
        holdout: bool = False,
    ):
        import deepmind_lab  # pyright: ignore[reportMissingImports]

        if actions not in ACTIONS:
            raise EnvError(f"actions must be {' or '.join(ACTIONS)}, got {actions!r}.")
        self._actions, self._episodic, self._repeat = ACTIONS[actions], episodic, config.repeat
        self._language = level.startswith("language")
        wanted = ["RGB_INTERLEAVED", *(["INSTR"] if self._language else [])]
        settings = {"height": str(config.size), "width": str(config.size), "logLevel": "WARN"}
        if holdout:
            settings |= {"allowHoldOutLevels": "true", "mixerSeed": str(0x600D5EED)}
        elif level.endswith("_test"):
            level = level.removesuffix("_test") + "_train"
        self._lab: Any = deepmind_lab.Lab(
            level=f"contributed/dmlab30/{level}", observations=wanted, config=settings
        )
        image = gymnasium.spaces.Box(0, 255, (config.size, config.size, 3), np.uint8)
        parts: dict[str, gymnasium.Space] = {"image": image}
        if self._language:
            parts["instruction"] = gymnasium.spaces.Box(-np.inf, np.inf, (WORDS * WIDTH,))
        self.observation_space = gymnasium.spaces.Dict(parts)
        self.action_space = gymnasium.spaces.Discrete(len(self._actions))
        self.render_mode = "rgb_array"
        self._shown: dict[str, np.ndarray] = {}

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        """First observation and an empty info."""
        self._lab.reset(seed=seed)
        return self._look(), {}

    def step(self, action: int):
        """Observation, summed reward, the end as terminal or truncation, an empty info."""
        reward = self._lab.step(self._actions[action], num_steps=self._repeat)
        over = not self._lab.is_running()
        shown = self._shown if over else self._look()
        return shown, float(reward), over and self._episodic, over and not self._episodic, {}

    def _look(self) -> dict[str, np.ndarray]:
        found = self._lab.observations()
        self._shown = {"image": np.array(found["RGB_INTERLEAVED"])}
        if self._language:
            self._shown["instruction"] = embed(str(found["INSTR"]))
        return self._shown

    def render(self) -> Any:
        """The picture that the agent sees."""
        return self._shown.get("image")

    def close(self) -> None:
        """End the simulator."""
        self._lab.close()


def embed(text: str) -> np.ndarray:
    """An instruction as numbers (1024,) float32; missing words are those of bucket 0.

    Raises EnvError for more than 32 words.
    """
    words = TOKEN.findall(text.lower())
    if len(words) > WORDS:
        raise EnvError(f"the instruction {text!r} has {len(words)} words, at most {WORDS} fit.")
    buckets = [zlib.crc32(word.encode()) % BUCKETS for word in words]
    return _table()[buckets + [0] * (WORDS - len(words))].reshape(-1)


@ft.cache
def _table() -> np.ndarray:
    return np.random.default_rng(0).normal(0.0, 1.0, (BUCKETS, WIDTH)).astype(np.float32)


def build(name: str, config: EnvConfig, split: Split, /, **kwargs: Any) -> gymnasium.Env:
    """A level of DMLab-30; `kwargs` may hold `actions`, `episodic` and `holdout`."""
    return Lab(name, config, **kwargs)
