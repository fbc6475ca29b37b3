"""The slot of the stochastic half of an RSSM: its distribution, samples, noise and stored form.

Categorical latents are one-hot, (…, Z, C); Gaussian ones are numbers, (…, Z, 1). Their statistics
are what the networks put out: logits (…, Z, C), or mean and raw deviation, (…, Z, 2).
"""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from reverie.nn.distributions import Categorical, Normal
from reverie.part.checks import Checker
from reverie.part.part import Part

MOST = 256
"""Classes of a latent whose index replay stores in one byte."""


class AbstractLatents(Part):
    """A kind of latents."""

    SLOT = "world.dynamics.latent"
    MEMBERS: ClassVar[Mapping[str, str]] = {
        "categorical": "reverie.world.latents:Categoricals",
        "gaussian": "reverie.world.latents:Gaussians",
    }

    @property
    @abstractmethod
    def outputs(self) -> int:
        """Statistics of each latent."""

    @property
    @abstractmethod
    def width(self) -> int:
        """Numbers C of each latent as networks read it."""

    @abstractmethod
    def distribution(self, stats: Float[Array, "*n z k"]) -> Any:
        """The distribution of latents with these statistics; its `kl` and `entropy` are (…, Z),
        nats."""

    @abstractmethod
    def draw(self, key: PRNGKeyArray, shape: tuple[int, ...]) -> Float[Array, "*n"]:
        """Noise for `sample`."""

    @abstractmethod
    def sample(self, dist: Any, noise: Float[Array, "*n z"]) -> Float[Array, "*n z c"]:
        """The latent that belongs to `noise`, differentiable."""

    @abstractmethod
    def mode(self, dist: Any) -> Float[Array, "*n z c"]:
        """The most likely latent."""

    @property
    def stored(self) -> Any:
        """Dtype in which replay keeps one."""
        return jnp.bfloat16

    @abstractmethod
    def pack(self, stoch: Float[Array, "*n z c"]) -> Array:
        """Latents as they are stored, (…, Z)."""

    @abstractmethod
    def unpack(self, stored: Array, dtype: Any) -> Float[Array, "*n z c"]:
        """The latents that `pack` gave."""


@dataclass(frozen=True)
class Categoricals(AbstractLatents):
    """Classes; samples pass their gradient straight through (V2, V3)."""

    classes: int = 16
    """Classes C of each latent."""
    unimix: float = 0.01
    """Share of the uniform distribution mixed into every latent."""

    def __post_init__(self):
        check = Checker(self, "world.dynamics.latent.")
        check.at_least(2, "classes")
        check.require(self.classes <= MOST, "classes", f"at most {MOST} (replay stores one byte)")
        check.share("unimix", one=False)

    @property
    def outputs(self) -> int:
        return self.classes

    @property
    def width(self) -> int:
        return self.classes

    def distribution(self, stats: Float[Array, "*n z k"]) -> Categorical:
        return Categorical(stats, self.unimix)

    def draw(self, key: PRNGKeyArray, shape: tuple[int, ...]) -> Float[Array, "*n"]:
        return jax.random.uniform(key, shape)

    def sample(self, dist: Categorical, noise: Float[Array, "*n z"]) -> Float[Array, "*n z c"]:
        return dist.sample_straight_through(noise)

    def mode(self, dist: Categorical) -> Float[Array, "*n z c"]:
        """No gradient reaches it."""
        return dist.one_hot(dist.mode())

    @property
    def stored(self) -> Any:
        return np.uint8

    def pack(self, stoch: Float[Array, "*n z c"]) -> Array:
        return jnp.argmax(stoch, -1).astype(jnp.uint8)

    def unpack(self, stored: Array, dtype: Any) -> Float[Array, "*n z c"]:
        return jax.nn.one_hot(stored, self.classes, dtype=dtype)


@dataclass(frozen=True)
class Gaussians(AbstractLatents):
    """Numbers with a mean and a deviation (PlaNet, V1)."""

    deviation: Literal["sigmoid2", "softplus"] = "sigmoid2"
    """Standard deviation: 2 sigmoid(x/2) or softplus(x), plus min_std."""
    min_std: float = 0.1
    """Smallest standard deviation."""

    def __post_init__(self):
        Checker(self, "world.dynamics.latent.").above(0, "min_std")

    @property
    def outputs(self) -> int:
        return 2

    @property
    def width(self) -> int:
        return 1

    def distribution(self, stats: Float[Array, "*n z k"]) -> Normal:
        return Normal.softened(stats[..., 0], stats[..., 1], self.deviation, self.min_std)

    def draw(self, key: PRNGKeyArray, shape: tuple[int, ...]) -> Float[Array, "*n"]:
        return jax.random.normal(key, shape)

    def sample(self, dist: Normal, noise: Float[Array, "*n z"]) -> Float[Array, "*n z c"]:
        return dist.sample(noise)[..., None]

    def mode(self, dist: Normal) -> Float[Array, "*n z c"]:
        return dist.mode()[..., None]

    def pack(self, stoch: Float[Array, "*n z c"]) -> Array:
        return stoch[..., 0].astype(jnp.bfloat16)

    def unpack(self, stored: Array, dtype: Any) -> Float[Array, "*n z c"]:
        return stored[..., None].astype(dtype)
