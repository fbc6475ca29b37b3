"""From any gymnasium environment to the agent's terms."""

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np

from reverie.envs import actions, answers, observations
from reverie.envs.ahead import Ahead
from reverie.envs.base import Action, EnvError, Obs
from reverie.envs.options import EnvConfig
from reverie.envs.source import instead_of_env
from reverie.envs.space_trees import to_tree
from reverie.envs.values import LARGEST, WrongValue, to_flag, to_number, too_large

TERMINAL = "reverie/terminal"
"""Key of `info` by which our own suites mark a terminal row in an episode that goes on."""


class Adapter:
    """An `Env` around a gymnasium environment: keys, dtypes, action ranges, repeat, time limit.

    Reads `exclude`, `repeat`, `limit` and `limit_is_terminal` of the configuration. Whatever an
    answer has wrong (its form, a key, a shape, a type, a value that does not survive the conversion
    to the agent's terms) raises EnvError with what came, what was expected, step and seed.
    Exceptions of the environment's own code pass through.
    """

    def __init__(self, env: gymnasium.Env, config: EnvConfig):
        if not isinstance(env, gymnasium.Env):
            raise EnvError(f"The function that makes the environment {instead_of_env(env)}.")
        answers.check_spaces(env)
        self._env = env
        self._action_space = env.action_space  # wrappers ask each other for it at every step
        self._config = config
        self._readers, notices = observations.readers(env.observation_space, config.exclude)
        self._log_readers = observations.log_readers(env.observation_space)
        self._keys = observations.keys_of(env.observation_space)
        self._writers, more = actions.writers(env.action_space)
        self.obs_specs = observations.specs_of(self._readers)
        self.log_specs = observations.specs_of(self._log_readers)
        self.logs: Obs = {}
        self.action_specs = actions.specs_of(self._writers)
        self.notices = notices + more
        own = {"obs": to_tree(env.observation_space), "action": to_tree(env.action_space)}
        self.own_spaces = None if None in own.values() else own
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
        try:
            observation, _ = answers.ask_reset(self._env.reset, seed)
            return self._read(observation)
        except WrongValue as error:
            raise error.at(self._where()) from None

    def prepare(self, seed: int) -> None:
        """Let an environment whose resets are dear begin with the next one."""
        if isinstance(self._env, Ahead):
            self._env.prepare(seed)

    def step(self, action: Action) -> tuple[Obs, float, bool, bool]:
        """Observation, summed reward, `terminal` and `last` after `repeat` environment steps."""
        self._steps += 1
        try:
            native = actions.write(self._writers, self._action_space, action)
            observation, total, ended, cut, life = self._advance(native)
            obs = self._read(observation)
        except WrongValue as error:
            raise error.at(self._where()) from None
        cut = cut or self._steps == self._config.limit
        terminal = ended or life or (cut and self._config.limit_is_terminal)
        return obs, total, terminal, ended or cut

    def _advance(self, action: Any) -> tuple[Any, float, bool, bool, bool]:
        """Newest observation, summed reward, true end, truncation, mark of a terminal row."""
        total, ended, cut, life = 0.0, False, False, False
        for _ in range(self._config.repeat):
            answer = answers.ask_step(self._env.step, action)
            observation, reward, terminated, truncated, info = answer
            try:
                total += reward if type(reward) is float else to_number(reward)
            except WrongValue as error:
                raise error.of("the reward") from None
            ended = _flag(terminated, "terminated")
            cut = _flag(truncated, "truncated")
            life = life or (TERMINAL in info and bool(info[TERMINAL]))
            if ended or cut:
                break
        if not -LARGEST <= total <= LARGEST:  # NaN as well
            raise too_large(total).of("the reward")
        return observation, total, ended, cut, life

    def _read(self, observation: Any) -> Obs:
        if self._log_readers:
            self.logs = observations.read(self._log_readers, observation)
        obs = observations.read(self._readers, observation)
        if self._keys:
            observations.check_keys(self._keys, observation)
        return obs

    def _where(self) -> str:
        return f"at step {self._steps} of the episode with seed {self._seed}"

    def render(self) -> np.ndarray | None:
        """A picture for people, uint8 (height, width, channels), or None where there is none."""
        if self._env.render_mode != "rgb_array":
            return None
        picture = np.asarray(self._env.render())
        picture = picture[..., None] if picture.ndim == 2 else picture
        return picture if picture.dtype == np.uint8 and picture.ndim == 3 else None

    def close(self) -> None:
        """Close the environment."""
        self._env.close()


def _flag(value: Any, name: str) -> bool:
    if type(value) is bool:
        return value
    try:
        return to_flag(value)
    except WrongValue as error:
        raise error.of(name) from None
