"""Count bonus: rare places are worth a visit.

Source: the `state_bonus` of Continual-Dreamer's MiniGrid wrapper (1/√n of position visits; minigrid
calls it PositionBonus), spec/continual-dreamer.md §4.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float

from reverie.config.explore import ExploreConfig
from reverie.envs.base import EnvError
from reverie.envs.values import LARGEST
from reverie.records import Specs, Step

POSITION = "position"
"""Name of the logged numbers that say where an environment's agent is (`Step.log`)."""


class Places:
    """How often each place was reached, over the whole run and all environments together."""

    def __init__(self, config: ExploreConfig, log_specs: Specs):
        """Raises EnvError if positions are to be counted and the environments do not show any."""
        self._kind, self._scale = config.count, config.count_scale
        self._counts: dict[bytes, int] = {}
        if self._kind == "position" and POSITION not in log_specs:
            raise EnvError(
                "explore.count is 'position', but the environments do not say where their agent is "
                f"(an observation key 'log/{POSITION}', as MiniGrid's have it); "
                "--explore.count observation counts what is seen."
            )

    def __len__(self) -> int:
        """Number of different places."""
        return len(self._counts)

    def __call__(self, step: Step) -> Float[np.ndarray, " E"]:
        """The bonus of one row of every environment, scale/√n with this visit counted.

        The first row of an episode was not reached by a step: it counts nothing and gets 0.
        """
        bonus = np.zeros(len(step.reward), np.float32)
        if self._kind == "none":
            return bonus
        for index in np.flatnonzero(~step.is_first):
            place = _place(step, int(index), self._kind)
            self._counts[place] = count = self._counts.get(place, 0) + 1
            bonus[index] = self._scale / count**0.5
        return bonus

    def reward(self, step: Step, bonus: Float[np.ndarray, " E"]) -> Float[np.ndarray, " E"]:
        """What is stored as reward: the environments' and the bonus, summed in float32.

        Raises EnvError where float32 cannot hold the sum.
        """
        total = step.reward.astype(np.float64) + bonus
        if not (np.abs(total) <= LARGEST).all():
            largest = float(total[np.abs(total).argmax()])
            raise EnvError(
                f"A reward and its count bonus sum up to {largest:g}; float32 ends at "
                f"{LARGEST:.3g}: rescale the rewards or lower explore.count_scale."
            )
        return step.reward + bonus

    def saved(self) -> dict[str, Any]:
        """What `restore` needs: (N, 8) bytes of the places and (N,) counts."""
        places = np.frombuffer(b"".join(self._counts), np.uint8).reshape(-1, 8)
        return {"places": places, "counts": np.array(list(self._counts.values()), np.int64)}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Continue where `saved` was taken."""
        rows = zip(saved["places"], saved["counts"].tolist(), strict=True)
        self._counts = {bytes(place): count for place, count in rows}


def _place(step: Step, index: int, kind: str) -> bytes:
    """Eight bytes that stand for where environment `index` is."""
    shown = {POSITION: step.log[POSITION]} if kind == "position" else step.obs
    digest = hashlib.blake2b(digest_size=8)
    for name in sorted(shown):
        digest.update(np.ascontiguousarray(shown[name][index]).tobytes())
    return digest.digest()
