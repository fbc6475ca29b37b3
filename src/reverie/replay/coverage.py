"""Retention by coverage: what lies far from the rest stays."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from jaxtyping import Float, Shaped

from reverie.part.checks import Checker
from reverie.replay.draw import generator
from reverie.replay.retention import AbstractRetention, AbstractRule, Dice, Keys, Unit

SAMPLE = 1000
"""Stored units that a newcomer is compared with, at most."""

WIDTH = 64
"""Random features; a unit's vector has twice as many numbers."""

ROWS = 32
"""Rows of a unit that are looked at, evenly spread."""

SIDE = 16
"""Largest side of a picture after averaging over blocks."""

_PURPOSE = 3  # of the generator of the random projection

Embed = Callable[[Mapping[str, Shaped[np.ndarray, "..."]]], Float[np.ndarray, " V"]]
Distance = Literal["euclid", "cosine"]


@dataclass(frozen=True)
class Coverage(AbstractRetention):
    """Units that look unlike the rest stay."""

    distance: Distance = "euclid"
    """Distance between the random features of two units."""

    def __post_init__(self):
        Checker(self, "replay.keep.")

    def rule(self, seed: int) -> AbstractRule:
        return CoverageRule(seed, embed=Embedder(seed), distance=self.distance)


class CoverageRule(AbstractRule):
    """A unit's key is the median distance between its vector and those of at most 1000 stored
    units, the newcomer among them; the smallest key goes first, the oldest of equal ones.

    Keys are taken once, at arrival. A unit like most others has a small key and leaves soon, a
    rare one stays, until what was rare is half of what is stored.

    Source: Continual-Dreamer, continual-dreamer.md §3.5.
    Deviation: the published option "cosine" ranks by similarity, hence keeps duplicates; here it
    is the distance 1 − cos. The vector is another one (`Embedder`).
    """

    def __init__(self, seed: int, *, embed: Embed, distance: Distance):
        self._dice, self._embed = Dice(seed), embed
        self._distance: Distance = distance
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
    kind: Distance,
) -> Float[np.ndarray, " N"]:
    """Distances between vectors of length 1: 0 for equal ones, growing as they part.

    The two kinds rank alike: the square of the Euclidean distance is twice 1 − cos.
    """
    if kind == "euclid":
        return np.linalg.norm(others - vector, axis=1)
    return 1.0 - others @ vector


class Embedder:
    """The vector of a unit: mean and standard deviation over its rows of elu(W x), length 1.

    x is the observation as one vector: pictures divided by 255 and averaged over blocks to at most
    16 × 16, other numbers squashed by sign(a)·ln(1 + |a|). W is Gaussian with variance 1/len(x),
    drawn once from the seed and never trained.

    Deviation: Continual-Dreamer takes the cell state of a random, never trained ConvLSTM at the
    end of the episode, 262 144 numbers an episode. Both are random nonlinear summaries of the
    pictures of an episode; ours needs no network library, 512 bytes a unit, and forgets the
    order of the rows. Source: continual-dreamer.md §3.5.
    """

    def __init__(self, seed: int):
        self._seed = seed
        self._weight: np.ndarray | None = None

    def __call__(self, rows: Mapping[str, Shaped[np.ndarray, "..."]]) -> Float[np.ndarray, " V"]:
        """The vector of a unit, given observations of its rows."""
        x = np.concatenate([_flat(rows[name]) for name in sorted(rows)], axis=1)
        if self._weight is None:
            rng = generator(self._seed, 0, _PURPOSE)
            weight = rng.standard_normal((x.shape[1], WIDTH)) / np.sqrt(x.shape[1])
            self._weight = weight.astype(np.float32)
        z = x @ self._weight
        z = np.where(z > 0, z, np.expm1(np.minimum(z, 0)))
        vector = np.concatenate([z.mean(0), z.std(0)])
        return vector / max(float(np.linalg.norm(vector)), 1e-12)


def _flat(value: Shaped[np.ndarray, "N ..."]) -> Float[np.ndarray, "N F"]:
    """One observation key of N rows as numbers of moderate size."""
    value = value.astype(np.float32) / 255 if value.dtype == np.uint8 else value
    if value.ndim == 4:
        value = _pooled(value)
    value = value.reshape(len(value), -1).astype(np.float32)
    return np.sign(value) * np.log1p(np.abs(value))


def _pooled(image: Float[np.ndarray, "N Y X C"]) -> Float[np.ndarray, "N Q P C"]:
    """Means over blocks, so that no side exceeds `SIDE`; a rest that fills no block is left out."""
    num, height, width, channels = image.shape
    by, bx = -(-height // SIDE), -(-width // SIDE)
    image = image[:, : height // by * by, : width // bx * bx]
    return image.reshape(num, height // by, by, width // bx, bx, channels).mean((2, 4))
