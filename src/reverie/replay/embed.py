"""What a unit looks like, as one vector: random features of its observations."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float, Shaped

from reverie.replay.draw import generator

WIDTH = 64
"""Random features; a unit's vector has twice as many numbers."""

ROWS = 32
"""Rows of a unit that are looked at, evenly spread."""

SIDE = 16
"""Largest side of a picture after averaging over blocks."""

_PURPOSE = 3  # of the generator of the random projection


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
