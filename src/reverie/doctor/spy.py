"""Watches a gymnasium environment: every answer is compared with what its spaces promise."""

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from reverie.doctor.finding import Finding, problem
from reverie.envs.observations import leaves

MOST = 12
"""Different breaches that are told; the same one is told once."""


class Spy(gymnasium.Wrapper):
    """Passes everything through; `findings` holds one problem for every kind of breach.

    An info that is no dict is replaced by an empty one, so that the examination can go on.
    """

    def __init__(self, env: gymnasium.Env):
        gymnasium.Wrapper.__init__(self, env)
        self.findings: list[Finding] = []
        self._told: set[str] = set()
        self._step = 0

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        """The environment's own answer."""
        self._step = 0
        try:
            answer = self.env.reset(seed=seed, options=options)
        except TypeError as error:
            if "argument" not in str(error):
                raise
            self._tell("reset", f"reset() does not take seed= and options= ({error})",
                       "define reset(self, *, seed=None, options=None)")  # fmt: skip
            raise
        if not (isinstance(answer, tuple) and len(answer) == 2):
            self._tell("reset", f"reset() returned {_kind(answer)}", "return (observation, info)")
            return answer
        self._look(answer[0])
        self._info(answer[1], "reset()")
        return answer

    def step(self, action: Any):
        """The environment's own answer."""
        self._step += 1
        answer = self.env.step(action)
        if not (isinstance(answer, tuple) and len(answer) == 5):
            self._tell("step", f"step() returned {_kind(answer)}",
                       "return (observation, reward, terminated, truncated, info)")  # fmt: skip
            return answer
        observation, reward, terminated, truncated, info = answer
        self._look(observation)
        self._reward(reward)
        self._flag("terminated", terminated)
        self._flag("truncated", truncated)
        self._info(info, "step()")
        return *answer[:4], info if isinstance(info, dict) else {}

    def _tell(self, check: str, breach: str, remedy: str) -> None:
        kind = breach.partition(" is ")[0].partition(" reaches ")[0] + remedy
        if kind not in self._told and len(self._told) < MOST:
            self._told.add(kind)
            where = f"at step {self._step} of an episode" if self._step else "at a reset"
            self.findings.append(problem(check, f"{breach}, {where}: {remedy}."))

    def _reward(self, reward: Any) -> None:
        if np.ndim(reward) or isinstance(reward, str) or np.iscomplexobj(reward):
            self._tell("reward", f"the reward is {_kind(reward)}", "return a float")
        elif not np.isfinite(float(reward)):
            self._tell("reward", f"the reward is {reward}", "a reward must be finite")

    def _flag(self, name: str, value: Any) -> None:
        if not isinstance(value, bool | np.bool_):
            self._tell("flags", f"{name} is {_kind(value)}", f"return bool({name})")

    def _info(self, info: Any, where: str) -> None:
        if not isinstance(info, dict):
            self._tell("info", f"the info of {where} is {_kind(info)}", "return a dict")

    def _look(self, observation: Any) -> None:
        space = self.env.observation_space
        for path, part in leaves(space):
            name = "observation" + "".join(f"[{key!r}]" for key in path)
            try:
                value = observation
                for key in path:
                    value = value[key]
            except (KeyError, IndexError, TypeError):
                self._tell("observation", f"{name} is missing",
                           "show every key of observation_space, always")  # fmt: skip
                continue
            self._compare(name, value, part)
        if isinstance(space, spaces.Dict) and isinstance(observation, dict):
            extra = sorted(map(str, set(observation) - set(space.spaces)))
            if extra:
                self._tell("observation", f"the keys {', '.join(extra)} are not in the space",
                           "add them to observation_space or leave them out")  # fmt: skip

    def _compare(self, name: str, value: Any, space: spaces.Space) -> None:
        if isinstance(space, spaces.Box):
            self._compare_box(name, value, space)
        elif isinstance(space, spaces.Discrete | spaces.MultiDiscrete | spaces.MultiBinary):
            plain = (
                int(value) if isinstance(space, spaces.Discrete) and not np.ndim(value) else value
            )
            if not space.contains(plain):
                self._tell("observation", f"{name} is {_short(value)}, outside {space}",
                           "widen the space or correct the value")  # fmt: skip

    def _compare_box(self, name: str, value: Any, space: spaces.Box) -> None:
        if not isinstance(value, np.ndarray | np.number | float | int):
            self._tell("observation", f"{name} is {_kind(value)}",
                       f"show a numpy array of shape {space.shape} and {space.dtype}")  # fmt: skip
            return
        array = np.asarray(value)
        if array.shape != space.shape:
            self._tell("observation", f"{name} has shape {array.shape}, its space {space.shape}",
                       "make them equal")  # fmt: skip
            return
        if array.dtype != space.dtype:
            remedy = f"convert it with .astype(np.{space.dtype}) or change the space"
            breach = f"{name} has dtype {array.dtype}, its space {space.dtype}"
            self._tell("observation", breach, remedy)
        if array.size and not np.isfinite(array).all():
            self._tell("observation", f"{name} holds NaN or infinity",
                       "find where it arises; the world model cannot learn from it")  # fmt: skip
        elif array.size and (np.any(array < space.low) or np.any(array > space.high)):
            low, high = space.low.min(), space.high.max()
            self._tell(
                "observation",
                f"{name} reaches from {array.min():g} to {array.max():g}, its space only from "
                f"{low:g} to {high:g}",
                "state the true bounds (np.inf where there are none)",
            )


def _kind(value: Any) -> str:
    """What something is, in a few words."""
    if isinstance(value, tuple):
        return f"a tuple of length {len(value)}"
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape} and {value.dtype}"
    return f"{_short(value)} of type {type(value).__name__}"


def _short(value: Any) -> str:
    text = repr(value).replace("\n", " ")
    return text if len(text) <= 40 else text[:37] + "..."
