"""From any gymnasium environment to the agent's terms."""

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np

from reverie.envs import actions, observations
from reverie.envs.ahead import Ahead
from reverie.envs.base import Action, EnvError, Obs
from reverie.envs.options import EnvConfig

TERMINAL = "reverie/terminal"
"""Key of `info` by which our own suites mark a terminal row in an episode that goes on."""


class Adapter:
    """An `Env` around a gymnasium environment: keys, dtypes, action ranges, repeat, time limit.

    Reads `exclude`, `repeat`, `limit` and `limit_is_terminal` of the configuration. Observations
    and rewards that hold NaN or infinity raise EnvError with key, step and seed.
    """

    def __init__(self, env: gymnasium.Env, config: EnvConfig):
        if not isinstance(env, gymnasium.Env):
            raise EnvError(
                f"Expected a gymnasium.Env, got {type(env).__module__}.{type(env).__name__}. "
                "Environments of the old gym package need a wrapper, for example shimmy's."
            )
        self._env = env
        self._action_space = env.action_space  # wrappers ask each other for it at every step
        self._config = config
        self._readers, notices = observations.readers(env.observation_space, config.exclude)
        self._log_readers = observations.log_readers(env.observation_space)
        self._writers, more = actions.writers(env.action_space)
        self.obs_specs = observations.specs_of(self._readers)
        self.log_specs = observations.specs_of(self._log_readers)
        self.logs: Obs = {}
        self.action_specs = actions.specs_of(self._writers)
        self.notices = notices + more
        self._seed = 0
        self._steps = 0

    @property
    def inner(self) -> gymnasium.Env:
        """The gymnasium environment."""
        return self._env

    def wrap(self, around: Callable[[gymnasium.Env], gymnasium.Env]) -> None:
        """Put something around the gymnasium environment that leaves its spaces as they are."""
        self._env = around(self._env)

    def reset(self, seed: int) -> Obs:
        """The first observation of the episode that belongs to `seed`."""
        self._seed, self._steps = seed, 0
        answer = self._env.reset(seed=seed)
        if not (isinstance(answer, tuple) and len(answer) == 2):
            raise EnvError(f"reset() must return (observation, info), got {type(answer).__name__}.")
        return self._read(answer[0])

    def prepare(self, seed: int) -> None:
        """Let an environment whose resets are dear begin with the next one."""
        if isinstance(self._env, Ahead):
            self._env.prepare(seed)

    def step(self, action: Action) -> tuple[Obs, float, bool, bool]:
        """Observation, summed reward, `terminal` and `last` after `repeat` environment steps."""
        self._steps += 1
        try:
            native = actions.write(self._writers, self._action_space, action)
        except EnvError as error:
            raise EnvError(f"{error} {self._where()}.") from None
        total, ended, cut, life = 0.0, False, False, False
        for _ in range(self._config.repeat):
            observation, reward, terminated, truncated, info = self._advance(native)
            total += float(reward)
            ended, cut = bool(terminated), bool(truncated)
            life = life or bool(info.get(TERMINAL, False))
            if ended or cut:
                break
        if not np.isfinite(total):
            raise EnvError(f"the reward is {total} {self._where()}; a reward must be finite.")
        cut = cut or self._steps == self._config.limit
        terminal = ended or life or (cut and self._config.limit_is_terminal)
        return self._read(observation), total, terminal, ended or cut

    def _advance(self, action: Any) -> tuple:
        answer = self._env.step(action)
        if not (isinstance(answer, tuple) and len(answer) == 5):
            raise EnvError(
                "step() must return (observation, reward, terminated, truncated, info), got "
                f"{type(answer).__name__} of length {len(answer)}."
            )
        return answer

    def _read(self, observation: Any) -> Obs:
        try:
            if self._log_readers:
                self.logs = observations.read(self._log_readers, observation)
            return observations.read(self._readers, observation)
        except EnvError as error:
            raise EnvError(f"{error} {self._where()}.") from None

    def _where(self) -> str:
        return f"at step {self._steps} of the episode with seed {self._seed}"

    def render(self) -> np.ndarray | None:
        """A picture for people, uint8 (height, width, 3), or None where there is none."""
        if self._env.render_mode != "rgb_array":
            return None
        picture = np.asarray(self._env.render())
        return picture if picture.dtype == np.uint8 and picture.ndim == 3 else None

    def close(self) -> None:
        """Close the environment."""
        self._env.close()
