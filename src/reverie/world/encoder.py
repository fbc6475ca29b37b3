"""Observations to tokens."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from reverie.module import Module, static
from reverie.nn.layers import MLP, NET
from reverie.nn.options import NetConfig
from reverie.nn.pooled import Pooled
from reverie.nn.scaling import symlog
from reverie.nn.stacks import AbstractStack
from reverie.part.checks import Checker
from reverie.part.errors import ConfigError
from reverie.records import Spec, Specs
from reverie.world.standard import Standard


@dataclass(frozen=True)
class EncoderConfig:
    """Observation -> tokens."""

    layers: int = 3
    """Dense layers for vector keys."""
    units: int = 256
    """Width of those layers."""
    symlog: bool = True
    """Compress vector inputs by symlog."""
    standardize: bool = False
    """Numbers of the observation that vary too little to be seen beside others (deviation in symlog
    space under 0.02) or are kept apart only coarsely (deviation above 50) are told and predicted in
    units of the rows before the first update: less their mean, over their standard deviation."""
    depth: int = 16
    """Base channel count of the image stack."""
    mults: tuple[int, ...] = (2, 3, 4, 4)
    """Channel multiplier of each stage; every stage halves the map. Images too small for all
    stages use the first ones; the smallest map must have sides of 3 to 16."""
    stack: AbstractStack = field(default_factory=Pooled)
    """Image stack."""

    def __post_init__(self):
        check = Checker(self, "world.encoder.")
        check.at_least(1, "layers", "units", "depth")
        check.require(len(self.mults) > 0, "mults", "at least one multiplier")
        check.require(min(self.mults) >= 1, "mults", "a list of multipliers of at least 1")


def vector_keys(specs: Specs) -> tuple[str, ...]:
    """Keys that are numbers or classes, sorted."""
    return tuple(sorted(key for key, spec in specs.items() if spec.kind != "image"))


def image_groups(specs: Specs) -> tuple[tuple[str, ...], ...]:
    """Image keys by picture size (pictures of one size share a stack), both sorted."""
    sides: dict[tuple[int, ...], list[str]] = {}
    for key in sorted(key for key, spec in specs.items() if spec.kind == "image"):
        sides.setdefault(specs[key].shape[:2], []).append(key)
    return tuple(tuple(keys) for _, keys in sorted(sides.items()))


def stack_shape(specs: Specs, keys: tuple[str, ...]) -> tuple[int, int, int]:
    """(height, width, channels) of the pictures of one group, joined on their channels."""
    height, width = specs[keys[0]].shape[:2]
    return height, width, sum(specs[key].shape[2] for key in keys)


def flatten_vector(value: Array, spec: Spec, squash: bool) -> Float[Array, "n width"]:
    """One key as network input: classes one-hot, numbers (symlog-compressed if `squash`) flat.

    −1 in a class and −inf in a number mean "missing": one such entry makes the whole key zeros, as
    in the official code.
    """
    flat = value.reshape(value.shape[0], -1)
    if spec.kind == "discrete":
        missing = flat == -1
        parts = [
            jax.nn.one_hot(flat[:, i], classes, dtype=jnp.float32)
            for i, classes in enumerate(spec.classes)
        ]
        numbers = jnp.concatenate(parts, -1)
    else:
        numbers = flat.astype(jnp.float32)
        missing = jnp.isneginf(numbers)
        numbers = symlog(numbers) if squash else numbers
    return jnp.where(missing.any(-1, keepdims=True), 0.0, numbers)


class Encoder(Module):
    """An MLP for all vector keys together, one image stack for each picture size.

    Tokens are concat(vector branch, image branches); nothing follows the concatenation.
    """

    mlp: MLP | None
    images: tuple[Any, ...]
    standard: Standard | None
    specs: tuple[tuple[str, Spec], ...] = static()
    squash: bool = static()

    def __init__(
        self, specs: Specs, config: EncoderConfig, net: NetConfig = NET, *, key: PRNGKeyArray
    ):
        if not specs:
            raise ConfigError("the observation has no usable key: the agent would be blind.")
        self.specs = tuple(sorted(specs.items()))
        self.squash = config.symlog
        self.standard = Standard(specs) if config.standardize else None
        mlp_key, *keys = jax.random.split(key, 1 + len(specs))
        width = sum(specs[name].width for name in vector_keys(specs))
        self.mlp = MLP(width, config.units, config.layers, net, key=mlp_key) if width else None
        self.images = tuple(
            config.stack.encoder(stack_shape(specs, group), config.depth, config.mults, net, key=k)
            for group, k in zip(image_groups(specs), keys, strict=False)
        )

    @property
    def size(self) -> int:
        """Number of tokens."""
        vector = self.mlp.layers[-1].linear.kernel.shape[1] if self.mlp and self.mlp.layers else 0
        if self.mlp and not self.mlp.layers:
            vector = sum(spec.width for _, spec in self.specs if spec.kind != "image")
        return vector + sum(stack.size for stack in self.images)

    def units(self, obs: Mapping[str, Array]) -> Mapping[str, Array]:
        """Observations (N, *spec.shape) with their numbers as the model is told them, and as it
        tells them."""
        return obs if self.standard is None else self.standard(obs)

    def __call__(self, obs: Mapping[str, Array], dtype: jnp.dtype) -> Float[Array, "n tokens"]:
        """Tokens in the compute `dtype` of N observations, arrays (N, *spec.shape)."""
        specs, obs = dict(self.specs), self.units(obs)
        outputs = []
        if self.mlp is not None:
            parts = [flatten_vector(obs[k], specs[k], self.squash) for k in vector_keys(specs)]
            outputs.append(self.mlp(jnp.concatenate(parts, -1).astype(dtype)))
        for group, stack in zip(image_groups(specs), self.images, strict=True):
            picture = jnp.concatenate([obs[key] for key in group], -1)
            outputs.append(stack(picture.astype(dtype) / 255 - 0.5))
        return jnp.concatenate(outputs, -1)
