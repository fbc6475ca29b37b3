"""What acting hands from one observation to the next."""

from typing import Any, NamedTuple

import jax
import numpy as np

from reverie.behavior.policy import ActCarry
from reverie.envs.values import WrongValue, describe, to_flag
from reverie.folder.errors import RunError


class Carry(NamedTuple):
    """The state of the world model in N environments, and how many actions came before."""

    state: ActCarry
    count: int

    @property
    def environments(self) -> int:
        """The number N of environments."""
        return jax.tree.leaves(self.state.state)[0].shape[0]

    def __repr__(self) -> str:
        return f"Carry(environments={self.environments}, actions={self.count})"


def checked(carry: Any, size: int) -> Carry:
    """The carry, where `act` gave it for as many environments. Raises RunError."""
    if not (isinstance(carry, tuple) and len(carry) == 2 and isinstance(carry[0], ActCarry)):
        raise RunError(
            f"carry is {describe(carry)}: hand back the second thing that act() returned, or None "
            "at the first step of an episode."
        )
    found = Carry(*carry)
    if found.environments != size:
        raise RunError(
            f"the carry is of {found.environments} environments and the observation of {size}: "
            "hand back what act() returned for the same environments, or None at the first step "
            "of an episode."
        )
    return found


def flags(first: Any, size: int, name: str) -> np.ndarray:
    """Truth values (N,) for `size` environments, of one for each, or of one for a single one.

    Raises RunError for another number of them, or what is neither true nor false.
    """
    array = np.asarray(first)
    if array.shape != (size,) and not (size == 1 and array.size == 1):
        raise RunError(
            f"{name} is {describe(first)}; expected one truth value for each environment of the "
            f"observation, shape ({size},)."
        )
    try:
        return np.array([to_flag(flag) for flag in array.reshape(-1)], bool)
    except WrongValue as error:
        raise RunError(f"{name} holds what is neither true nor false ({error}).") from None
