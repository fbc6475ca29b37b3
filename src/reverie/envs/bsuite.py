"""The behaviour suite of 23 families of small experiments."""

import contextlib
import io
from typing import Any

import gymnasium
import numpy as np

from reverie.envs.base import Split
from reverie.envs.options import EnvConfig


class Experiment(gymnasium.Env):
    """One setting of one experiment, for example `catch/0`.

    A discount of 0 is a true end, every other end a truncation. Every episode re-seeds what the
    experiment draws while it runs (also its reward noise); what it draws while it is *loaded*
    belongs to the setting. With `results`, a folder, the suite's own CSV logger writes there what
    its notebook reads; a resumed run needs another folder, for the logger cannot continue a file.
    `bsuite_num_episodes` (shown by `reverie doctor`) is how many episodes the suite asks for.
    """

    def __init__(self, id: str, *, results: str = ""):
        import bsuite  # pyright: ignore[reportMissingImports]

        with contextlib.redirect_stdout(io.StringIO()):  # the loader announces itself in colour
            self._env: Any = (
                bsuite.load_and_record(id, save_path=results)
                if results
                else bsuite.load_from_id(id)
            )
        spec = self._env.observation_spec()
        space = gymnasium.spaces.Box(-np.inf, np.inf, spec.shape or (1,), np.float32)
        self.observation_space = space
        self.action_space = gymnasium.spaces.Discrete(self._env.action_spec().num_values)
        self.episodes = int(self._layers()[-1].bsuite_num_episodes)
        self.metadata = {"episodes": self.episodes}

    def _layers(self) -> list[Any]:
        """The environment and what it wraps, the outermost first."""
        layers = [self._env]
        while "_env" in vars(layers[-1]):
            layers.append(vars(layers[-1])["_env"])
        return layers

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        """First observation and an empty info."""
        for depth, layer in enumerate(self._layers()):
            if "_rng" in vars(layer):
                # Each layer draws numbers of its own, as with the suite's settings.
                layer._rng = np.random.RandomState(None if seed is None else [seed, depth])
        return self._show(self._env.reset()), {}

    def step(self, action: int):
        """Observation, reward, true end, truncation, an empty info."""
        moment = self._env.step(action)
        ended = moment.last() and moment.discount == 0.0
        return self._show(moment), moment.reward, ended, moment.last() and not ended, {}

    def _show(self, moment: Any) -> np.ndarray:
        shape = self.observation_space.shape
        return np.asarray(moment.observation, np.float32).reshape(shape)

    def close(self) -> None:
        """Close the experiment."""
        self._env.close()


def build(
    name: str, config: EnvConfig, split: Split, /, **kwargs: Any
) -> tuple[gymnasium.Env, list[str]]:
    """A setting `FAMILY/NUMBER`; `kwargs` may hold `results`, a folder for the suite's own log."""
    env = Experiment(name, **kwargs)
    return env, [f"bsuite asks for {env.episodes} episodes of {name}."]
