"""What an environment answers to reset and step: converted once, or refused with a reason.

An answer that is not what Gymnasium promises is an error of the environment's interface, which no
restart mends: EnvError. Exceptions that its code raises pass through.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from reverie.envs.base import EnvError
from reverie.envs.values import WrongValue, describe

RESET = re.compile(r"reset\(\) .*'(seed|options)'")
"""How Python says that a `reset`, or one that a wrapper calls, does not take these arguments."""


def ask_reset(reset: Callable[..., Any], seed: int) -> tuple[Any, Mapping]:
    """Observation and info of an episode's beginning."""
    try:
        answer = reset(seed=seed)
    except TypeError as error:
        if not (_uncalled(error) or RESET.search(str(error))):
            raise
        raise WrongValue(
            f"reset() does not take a seed ({error})",
            "define reset(self, *, seed=None, options=None) and call super().reset(seed=seed)",
        ) from None
    if not (isinstance(answer, tuple) and len(answer) == 2):
        raise WrongValue(f"reset() must return (observation, info), got {describe(answer)}")
    return answer[0], _info(answer[1], "reset()")


def ask_step(step: Callable[[Any], Any], action: Any) -> tuple[Any, Any, Any, Any, Mapping]:
    """Observation, reward, terminated, truncated and info, the middle ones as they came."""
    try:
        answer = step(action)
    except TypeError as error:
        if not _uncalled(error):
            raise
        raise WrongValue(f"step() does not take one action ({error})") from None
    if not (isinstance(answer, tuple) and len(answer) == 5):
        raise WrongValue(
            "step() must return (observation, reward, terminated, truncated, info), got "
            f"{describe(answer)}",
            "four results are the older gym's: its 'done' is terminated or truncated"
            if isinstance(answer, tuple) and len(answer) == 4
            else "",
        )
    if type(answer[4]) is not dict:
        _info(answer[4], "step()")
    return answer


def _uncalled(error: TypeError) -> bool:
    """Whether a call failed before any of the other side's code ran."""
    trace = error.__traceback__
    return trace is not None and trace.tb_next is None


def _info(info: Any, where: str) -> Mapping:
    if not isinstance(info, Mapping):
        raise WrongValue(f"the info of {where} is {describe(info)}", "expected a dictionary")
    return info


def check_spaces(env: Any) -> None:
    """Raises EnvError where an environment's spaces are missing or not Gymnasium's."""
    import gymnasium

    for name in ("observation_space", "action_space"):
        space = getattr(env, name, None)
        if not isinstance(space, gymnasium.Space):
            kind = f"{type(space).__module__}.{type(space).__qualname__}"
            found = "missing" if space is None else f"a {kind}"
            raise EnvError(
                f"The {name} of {type(env).__qualname__} is {found}; expected one of "
                "gymnasium.spaces (Box, Discrete, MultiDiscrete, MultiBinary, Dict, Tuple)."
            )
