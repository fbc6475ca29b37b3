"""Visit counts: what is rarely visited is worth a visit.

Source: the `state_bonus` of Continual-Dreamer's MiniGrid wrapper (1/√n of position visits; minigrid
calls it PositionBonus), spec/continual-dreamer.md §4.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float

from reverie.behavior.bonus import AbstractBonus
from reverie.envs.base import EnvError
from reverie.envs.values import LARGEST
from reverie.records import Specs, Step


class VisitCounts:
    """How often everything was visited, over the whole run and all environments together."""

    def __init__(self, bonus: AbstractBonus, log_specs: Specs):
        """Raises ConfigError if the environments do not show what is to be counted."""
        bonus.check(log_specs)
        self._bonus = bonus
        self._counts: dict[bytes, int] = {}

    def __len__(self) -> int:
        """How many different things were visited."""
        return len(self._counts)

    def __call__(self, step: Step) -> Float[np.ndarray, " E"]:
        """The bonus of one row of every environment, with this visit counted.

        The first row of an episode was not reached by a step: it counts nothing and gets 0.
        """
        bonus = np.zeros(len(step.reward), np.float32)
        for index in np.flatnonzero(~step.is_first):
            visited = _digest(self._bonus.counted(step), int(index))
            self._counts[visited] = count = self._counts.get(visited, 0) + 1
            bonus[index] = self._bonus.worth(count)
        return bonus

    def reward(self, step: Step, bonus: Float[np.ndarray, " E"]) -> Float[np.ndarray, " E"]:
        """What is stored as reward: the environments' and the bonus, summed in float32.

        Raises EnvError where float32 cannot hold the sum.
        """
        total = step.reward.astype(np.float64) + bonus
        if not (np.abs(total) <= LARGEST).all():
            largest = float(total[np.abs(total).argmax()])
            raise EnvError(
                f"A reward and its bonus sum up to {largest:g}; float32 ends at {LARGEST:.3g}: "
                "rescale the rewards or lower bonus.scale."
            )
        return step.reward + bonus

    def state(self) -> dict[str, Any]:
        """What `load` needs: (N, 8) bytes of what was visited and (N,) counts."""
        places = np.frombuffer(b"".join(self._counts), np.uint8).reshape(-1, 8)
        return {"places": places, "counts": np.array(list(self._counts.values()), np.int64)}

    def load(self, state: Mapping[str, Any]) -> None:
        """Continue where `state` was taken."""
        rows = zip(state["places"], state["counts"].tolist(), strict=True)
        self._counts = {bytes(place): count for place, count in rows}


def _digest(shown: Mapping[str, Any], index: int) -> bytes:
    """Eight bytes that stand for what environment `index` shows."""
    digest = hashlib.blake2b(digest_size=8)
    for name in sorted(shown):
        digest.update(np.ascontiguousarray(shown[name][index]).tobytes())
    return digest.digest()
