"""Retention by coverage: what lies far from the rest stays."""

from collections.abc import Callable, Mapping
from typing import Any, Literal

import numpy as np
from jaxtyping import Float, Shaped

from reverie.replay.embed import ROWS
from reverie.replay.keys import Keys
from reverie.replay.retention import AbstractRule, Dice, Unit

SAMPLE = 1000
"""Stored units that a newcomer is compared with, at most."""

Embed = Callable[[Mapping[str, Shaped[np.ndarray, "..."]]], Float[np.ndarray, " V"]]


class Coverage(AbstractRule):
    """A unit's key is the median distance between its vector and those of at most 1000 stored
    units, the newcomer among them; the smallest key goes first, the oldest of equal ones.

    Keys are taken once, at arrival. A unit like most others has a small key and leaves soon, a
    rare one stays, until what was rare is half of what is stored.

    Source: Continual-Dreamer, continual-dreamer.md §3.5.
    Deviation: the published option "cosine" ranks by similarity, hence keeps duplicates; here it
    is the distance 1 − cos. The vector is another one (`embed.py`).
    """

    def __init__(self, seed: int, *, embed: Embed, distance: Literal["euclid", "cosine"]):
        self._dice, self._embed = Dice(seed), embed
        self._distance: Literal["euclid", "cosine"] = distance
        self._keys = Keys()
        self._vectors: dict[int, np.ndarray] = {}

    def offer(self, unit: Unit, *, load: int, capacity: int) -> list[int]:
        vector = self._embed(unit.read(ROWS)).astype(np.float32)
        self._vectors[unit.serial] = vector
        serials = list(self._vectors)
        if len(serials) == 1:
            self._keys.set(unit.serial, 1.0)
            return []
        sample = self._dice.roll().permutation(len(serials))[:SAMPLE]
        others = np.stack([self._vectors[serials[i]] for i in sample.tolist()])
        self._keys.set(unit.serial, float(np.median(distances(vector, others, self._distance))))
        return []

    def victim(self) -> int:
        serial = self._keys.pop()[1]
        del self._vectors[serial]
        return serial

    def rescore(self, serial: int, score: float) -> None:
        """What was learned does not count."""

    def state(self) -> dict[str, Any]:
        return {"dice": self._dice.count}

    def tables(self) -> dict[str, np.ndarray]:
        vectors = np.array([self._vectors[serial] for serial in self._vectors], np.float32)
        order = np.array(list(self._vectors), np.int64)
        return {**self._keys.tables(), "order": order, "vector": vectors}

    def load(self, state: Mapping[str, Any], tables: Mapping[str, np.ndarray]) -> None:
        self._dice.count = int(state["dice"])
        self._keys.load(tables)
        self._vectors = dict(zip(tables["order"].tolist(), tables["vector"], strict=True))


def distances(
    vector: Float[np.ndarray, " V"],
    others: Float[np.ndarray, "N V"],
    kind: Literal["euclid", "cosine"],
) -> Float[np.ndarray, " N"]:
    """Distances between vectors of length 1: 0 for equal ones, growing as they part.

    The two kinds rank alike: the square of the Euclidean distance is twice 1 − cos.
    """
    if kind == "euclid":
        return np.linalg.norm(others - vector, axis=1)
    return 1.0 - others @ vector
