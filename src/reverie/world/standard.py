"""Units for numbers of an observation that vary by thousandths or by thousands."""

from collections.abc import Mapping
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from reverie.module import blank, to_rank
from reverie.nn.layers import AbstractExact
from reverie.nn.scaling import symlog
from reverie.records import Specs

FAINT = 0.02
"""Deviation in symlog space below which the loss hardly sees a number."""

COARSE = 50.0
"""Deviation above which symlog keeps the values of a number apart only coarsely."""

STILL = 1e-9
"""Deviation, as a share of the mean or of 1, below which a number counts as constant."""


class Variation(NamedTuple):
    """How the numbers of a key vary from row to row; arrays (*spec.shape)."""

    mean: np.ndarray
    deviation: np.ndarray
    seen: np.ndarray  # deviation in symlog space, as the loss sees it
    faint: np.ndarray  # where it is not constant, and `seen` is below `FAINT`
    coarse: np.ndarray  # the same, and `deviation` above `COARSE`


def variation(values: np.ndarray) -> Variation:
    """That of rows (N, *spec.shape), of what is finite in them."""
    x = np.ma.masked_invalid(np.asarray(values, np.float64))
    squashed = np.ma.masked_invalid(np.asarray(symlog(jnp.asarray(values)), np.float64))
    parts = (x.mean(0), x.std(0), squashed.std(0))
    mean, deviation, seen = (np.ma.filled(part, 0.0) for part in parts)
    moves = deviation > STILL * np.maximum(1.0, np.abs(mean))
    faint, coarse = moves & (seen < FAINT), moves & (deviation > COARSE)
    return Variation(mean, deviation, seen, faint, coarse)


class Standard(AbstractExact):
    """(x − center) / spread for the numbers of vector keys that vary too little or too much to be
    learned well; all others, classes and pictures pass.

    Both are measured once, before the first update, and are constants of the model from then on:
    no gradient reaches them. Until then they change nothing.
    """

    center: dict[str, Float[Array, "..."]]  # key -> (*spec.shape)
    spread: dict[str, Float[Array, "..."]]

    def __init__(self, specs: Specs):
        shapes = {key: spec.shape for key, spec in specs.items() if spec.kind == "vector"}
        self.center = {key: jnp.zeros(shape) for key, shape in shapes.items()}
        self.spread = {key: jnp.ones(shape) for key, shape in shapes.items()}

    @classmethod
    def of(cls, rows: Mapping[str, np.ndarray]) -> "Standard":
        """The units of rows (N, *spec.shape) by key: mean and standard deviation (of what is
        finite) of numbers that vary too little or too much; 0 and 1 of all others."""
        center, spread = {}, {}
        for key, values in rows.items():
            found = variation(values)
            own = found.faint | found.coarse
            center[key] = jnp.asarray(np.where(own, found.mean, 0.0), jnp.float32)
            spread[key] = jnp.asarray(np.where(own, found.deviation, 1.0), jnp.float32)
        return blank(cls, center=center, spread=spread)

    @property
    def measured(self) -> bool:
        """Whether these units are not those of a fresh model."""
        return any(bool((spread != 1.0).any()) for spread in self.spread.values())

    def __call__(self, obs: Mapping[str, Array]) -> dict[str, Array]:
        """Observations (…, *spec.shape) by key, numbers in these units; −∞ (missing) stays."""
        return dict(obs) | {
            key: (obs[key].astype(jnp.float32) - center) / spread
            for key, (center, spread) in self._units(obs).items()
        }

    def restore(self, shown: Mapping[str, Array]) -> dict[str, Array]:
        """Predicted numbers (…, *spec.shape) in the environment's own units."""
        return dict(shown) | {
            key: shown[key] * spread + center
            for key, (center, spread) in self._units(shown).items()
        }

    def _units(self, values: Mapping[str, Array]) -> dict[str, tuple[Array, Array]]:
        """Center and spread of the keys of `values` that have them, of the same rank."""
        return {
            key: jax.lax.stop_gradient(
                (to_rank(self.center[key], value.ndim), to_rank(self.spread[key], value.ndim))
            )
            for key, value in values.items()
            if key in self.center
        }
