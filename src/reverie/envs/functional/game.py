"""What a JAX-native environment is here: a record of pure functions of one episode.

Batching is the caller's `vmap`; nothing here resets by itself. Training that stays on the device
can use these records as they are.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from reverie.records import Specs

State = Any
"""Whatever an environment needs to go on: a pytree of arrays."""
Arrays = dict[str, Any]
"""Observation or action by key, of the shapes and dtypes that the specs name."""


class Moment(NamedTuple):
    """What one step answers. Flags are scalars of dtype bool, `reward` a float32 scalar."""

    state: State
    obs: Arrays
    reward: Any
    terminated: Any
    truncated: Any


@dataclass(frozen=True)
class Game:
    """One environment.

    `reset(key)` gives the first state and observation of an episode, `step(key, state, action)`
    the next moment; all randomness comes from the key. `limit` is the longest episode in steps of
    the environment, where it does not end episodes itself; 0: it does.
    """

    obs_specs: Specs
    action_specs: Specs
    reset: Callable[[Any], tuple[State, Arrays]]
    step: Callable[[Any, State, Arrays], Moment]
    limit: int = 0
