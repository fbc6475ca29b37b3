"""Environments of envpool's own native builds, one at a time."""

from typing import Any

import gymnasium

from reverie.envs.base import EnvError, Split
from reverie.envs.options import EnvConfig
from reverie.part.errors import did_you_mean


class PoolTask(gymnasium.Env):
    """One environment of a pool of one, in envpool's spelling (`Pong-v5`, `CoinrunHard-v0`).

    envpool seeds an environment only when it is made, so a reset makes it anew: episodes follow
    from their seeds. Its builds are its own: pictures and scores may differ from the original's
    (ProcGen's do). Reward clipping and stacked frames, on by default for Atari, are switched off.
    """

    def __init__(self, id: str, settings: dict[str, Any]):
        import envpool  # pyright: ignore[reportMissingImports]

        known = envpool.list_all_envs()
        if id not in known:
            raise EnvError(
                f"envpool has no environment {id!r}.{did_you_mean(id, known)} It knows "
                f"{len(known)}, spelt as in envpool.list_all_envs()."
            )
        config = envpool.make_spec(id).config._fields
        plain = {"stack_num": 1, "reward_clip": False}
        self._settings = {key: value for key, value in plain.items() if key in config} | settings
        self._id, self._make = id, envpool.make_gymnasium
        try:
            self._env: Any = self._new(0)
        except ImportError as error:  # a library of the system that this build wants
            raise EnvError(f"{id} cannot be built by the installed envpool: {error}") from None
        self.observation_space = self._env.observation_space
        self.action_space = self._env.action_space

    def _new(self, seed: int) -> Any:
        return self._make(self._id, num_envs=1, seed=seed, **self._settings)

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        """First observation and an empty info."""
        self._env.close()
        self._env = self._new(seed or 0)
        return _first(self._env.reset()[0]), {}

    def step(self, action: Any):
        """Observation, reward, true end, truncation, an empty info."""
        batch = _batched(action, self.action_space)
        observation, reward, ended, cut, _ = self._env.step(batch)
        return _first(observation), float(reward[0]), bool(ended[0]), bool(cut[0]), {}

    def close(self) -> None:
        """End the pool."""
        self._env.close()


def _first(batch: Any) -> Any:
    if isinstance(batch, dict):
        return {key: _first(part) for key, part in batch.items()}
    return batch[0]


def _batched(action: Any, space: gymnasium.Space) -> Any:
    import numpy as np

    return np.asarray(action, space.dtype)[None]


def build(
    name: str, config: EnvConfig, split: Split, /, **kwargs: Any
) -> tuple[gymnasium.Env, list[str]]:
    """An environment in envpool's spelling; `kwargs` are its configuration (`envpool.make`)."""
    return PoolTask(name, kwargs), ["Built by envpool, not by the suite's own package."]
