"""The objective of all Dreamers: the observation is told from the latent."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from reverie.module import Module, static
from reverie.nn.axes import fold, unfold
from reverie.nn.distributions import SquaredError
from reverie.nn.layers import (
    MLP,
    NET,
    BlockLinear,
    Dense,
    Linear,
    Norm,
    activate,
    make_norm,
    to_groups,
)
from reverie.nn.loss import Loss
from reverie.nn.options import NetConfig
from reverie.part.checks import Checker
from reverie.part.errors import ConfigError, suggest
from reverie.part.values import coerce
from reverie.records import Latent, Sequence, Spec, Specs
from reverie.world.dynamics import Observed
from reverie.world.encoder import image_groups, stack_shape, vector_keys
from reverie.world.key_loss import Prediction, constant_loss, key_loss, vector_prediction
from reverie.world.objective import AbstractObjective
from reverie.world.term import Shapes


@dataclass(frozen=True)
class Reconstruction(AbstractObjective):
    """Latents tell the observation (V1 to V3). The image stack mirrors the encoder's."""

    layers: int = 3
    """Dense layers for vector keys."""
    units: int = 256
    """Width of those layers."""
    depth: int = 16
    """Base channel count of the image stack."""
    blocks: int = 8
    """Blocks of the layer from the deterministic state to the first map; 0: one dense layer."""
    plain: bool = False
    """The first map is a linear layer of the whole latent, without norm and activation (V2 and V3
    of 2023); needs world.objective.blocks 0."""
    output: Literal["sigmoid", "shift"] = "sigmoid"
    """Pictures are the sigmoid of the network's output, or the output + 0.5 (2023; the same loss
    as comparing the output with pictures in [-0.5, 0.5], as V2 does)."""
    image: Literal["sse", "gauss"] = "sse"
    """Loss of a picture: summed squared error, or half of it (a Gaussian of variance one without
    its constant; V2)."""
    vector: Literal["symlog", "gauss"] = "symlog"
    """Loss of vector keys: squared error in symlog space, or half the squared error (V2)."""
    weight: float = 1.0
    """Weight of every reconstructed observation key in the total."""
    weights: tuple[str, ...] = ()
    """Further factors of single keys, KEY=FACTOR."""

    def __post_init__(self):
        check = Checker(self, "world.objective.")
        rule = "false unless world.objective.blocks is 0"
        check.require(not self.plain or self.blocks == 0, "plain", rule)
        check.at_least(1, "layers", "units", "depth")
        check.at_least(0, "blocks", "weight")
        self.factors()

    def check(self, widths: tuple[int, int]) -> None:
        deter, _ = widths
        if self.blocks and deter % self.blocks:
            raise ConfigError(
                f"world.dynamics.deter ({deter}) must be a multiple of world.objective.blocks "
                f"({self.blocks}); world.objective.blocks 0 takes any width."
            )

    def outline(self, obs: Specs, actions: Specs) -> tuple[Loss, ...]:
        """One loss for each observation key."""
        factors = self.factors()
        for key in sorted(set(factors) - set(obs)):
            raise ConfigError(
                f"world.objective.weights names {key!r}, which is no observation; "
                f"{suggest(key, sorted(obs))}"
            )
        return tuple(
            Loss(key, None, self.weight * factors.get(key, 1.0), "observation")
            for key in sorted(obs)
        )

    def factors(self) -> dict[str, float]:
        """`weights` by key. Raises ConfigError where they cannot be read."""
        found: dict[str, float] = {}
        for text in self.weights:
            key, _, factor = text.partition("=")
            if not key or key in found:
                raise ConfigError(f"world.objective.weights takes KEY=FACTOR once a key: {text!r}.")
            found[key] = coerce(factor, float, f"world.objective.weights {key}")
            if not 0 <= found[key] < math.inf:
                raise ConfigError(
                    f"world.objective.weights {key} must be at least 0, found {factor}."
                )
        return found

    def build(self, shapes: Shapes, net: NetConfig, *, key: PRNGKeyArray) -> "Decoder":
        return Decoder(shapes, self, net, key=key)

    def losses(
        self, model: "Decoder", observed: Observed, rows: Sequence
    ) -> dict[str, Float[Array, "b t"]]:
        """Reconstruction loss of every observation key."""
        losses = model.losses(model(fold(observed.view)), fold(rows.obs))
        return unfold(losses, rows.reward.shape)

    def observations(self, model: "Decoder", view: Latent) -> dict[str, Array]:
        """Expected pictures (uint8) and numbers (their own units); classes are not shown."""
        specs, means = dict(model.specs), {}
        for key, pred in model(view).items():
            if isinstance(pred, SquaredError):
                mean = pred.mean()
                if specs[key].kind == "image":
                    # Without a sigmoid a prediction may leave the range of a picture.
                    mean = jnp.round(jnp.clip(mean, 0.0, 1.0) * 255).astype(jnp.uint8)
                means[key] = mean.reshape(-1, *specs[key].shape)
        return means

    def classes(self, model: "Decoder", view: Latent) -> dict[str, Array]:
        """The most probable classes, (N, *shape) int32 by key."""
        specs, found = dict(model.specs), {}
        for key, pred in model(view).items():
            if not isinstance(pred, SquaredError):
                modes = jnp.stack([part.mode() for part in pred], -1)
                found[key] = modes.reshape(-1, *specs[key].shape)
        return found

    def explained(
        self, model: "Decoder", view: Latent, obs: Mapping[str, Array]
    ) -> dict[str, Float[Array, ""]]:
        """Shares of the variance (numbers and pictures, as the loss sees them) or of the entropy
        (classes)."""
        told = model.losses(model(view), obs)
        shares = {}
        for key, spec in model.specs:
            guess = constant_loss(obs[key], spec, image=self.image, vector=self.vector)
            shares[key] = jnp.where(guess > 1e-6, 1.0 - told[key].mean() / guess, jnp.nan)
        return shares


class MapInput(Module):
    """The first map of an image decoder, from both halves of the latent.

    Plain, it is a linear layer of both. Else `deter` goes through a block-diagonal layer whose
    blocks each paint some of the channels and `stoch` through a hidden layer (or both through one
    linear layer), and the sum is normed and activated.
    """

    deter: BlockLinear | Linear
    hidden: Dense | None
    stoch: Linear | None
    norm: Norm | None
    shape: tuple[int, int, int] = static()
    act: str | None = static(default="silu")  # None: plain

    def __init__(
        self,
        shape: tuple[int, int, int],
        deter: int,
        stoch: int,
        config: "Reconstruction",
        *,
        net: NetConfig = NET,
        key: PRNGKeyArray,
    ):
        a, b, c = jax.random.split(key, 3)
        size, width = math.prod(shape), shape[-1]
        # A block paints whole channels of its own slice of deter, so both must divide.
        blocks = math.gcd(config.blocks, width, deter)
        self.shape, self.act = shape, None if config.plain else net.act
        self.norm = None if config.plain else make_norm(width, net)
        if config.blocks:
            self.deter = BlockLinear(deter, size, blocks, key=a)
            self.hidden = Dense(stoch, 2 * config.units, net, key=b)
            self.stoch = Linear(2 * config.units, size, init=net.init, key=c)
        else:
            self.deter = Linear(stoch + deter, size, init=net.init, key=a)
            self.hidden = self.stoch = None

    def __call__(
        self, deter: Float[Array, "n d"], stoch: Float[Array, "n zc"]
    ) -> Float[Array, "n h w c"]:
        h, w, c = self.shape
        if self.hidden is None or self.stoch is None:
            x = self.deter(jnp.concatenate([stoch, deter], -1)).reshape(-1, h, w, c)
        else:
            blocks = self.deter.kernel.shape[0]
            painted = self.deter(to_groups(deter, blocks)).reshape(blocks, -1, h, w, c // blocks)
            x = painted.transpose(1, 2, 3, 0, 4).reshape(-1, h, w, c)
            x = x + self.stoch(self.hidden(stoch)).reshape(-1, h, w, c)
        if self.act is None:
            return x
        return activate(x if self.norm is None else self.norm(x), self.act)


class Decoder(Module):
    """An MLP with one output a vector key; one image stack for each picture size."""

    mlp: MLP | None
    outs: dict[str, Linear]
    inputs: tuple[MapInput, ...]
    images: tuple[Any, ...]
    specs: tuple[tuple[str, Spec], ...] = static()
    config: "Reconstruction" = static()

    def __init__(
        self,
        shapes: Shapes,
        config: "Reconstruction",
        net: NetConfig = NET,
        *,
        key: PRNGKeyArray,
    ):
        """The image stack is that of `shapes.encoder`, reversed."""
        specs, mirror = shapes.obs, shapes.encoder
        self.specs, self.config = tuple(sorted(specs.items())), config
        vectors, groups = vector_keys(specs), image_groups(specs)
        mlp_key, *keys = jax.random.split(key, 1 + len(vectors) + 2 * len(groups))
        feature = shapes.deter + shapes.stoch
        self.mlp = MLP(feature, config.units, config.layers, net, key=mlp_key) if vectors else None
        width = config.units if config.layers else feature
        self.outs = {
            name: Linear(width, specs[name].width, init=net.init, key=k)
            for name, k in zip(vectors, keys, strict=False)
        }
        keys = keys[len(vectors) :]
        self.images = tuple(
            mirror.stack.decoder(
                stack_shape(specs, group),
                config.depth,
                mirror.mults,
                net,
                output=config.output,
                key=k,
            )
            for group, k in zip(groups, keys[::2], strict=True)
        )
        self.inputs = tuple(
            MapInput(stack.map_shape, shapes.deter, shapes.stoch, config, net=net, key=k)
            for stack, k in zip(self.images, keys[1::2], strict=True)
        )

    def __call__(self, latent: Latent) -> dict[str, Prediction]:
        """Distributions by key for N latents; pictures are in [0, 1]."""
        specs = dict(self.specs)
        deter = latent.deter
        stoch = latent.stoch.reshape(deter.shape[0], -1).astype(deter.dtype)
        preds: dict[str, Prediction] = {}
        if self.mlp is not None:
            x = self.mlp(jnp.concatenate([stoch, deter], -1))
            for name, out in self.outs.items():
                preds[name] = vector_prediction(out(x), specs[name], self.config.vector)
        for group, inputs, stack in zip(image_groups(specs), self.inputs, self.images, strict=True):
            picture, start = stack(inputs(deter, stoch)), 0
            weight = 0.5 if self.config.image == "gauss" else 1.0
            for name in group:
                stop = start + specs[name].shape[2]
                preds[name] = SquaredError(picture[..., start:stop], weight=weight)
                start = stop
        return preds

    def losses(
        self, preds: Mapping[str, Prediction], obs: Mapping[str, Array]
    ) -> dict[str, Float[Array, " n"]]:
        """Reconstruction loss of each key, summed over its components; targets have no gradient."""
        return {name: key_loss(preds[name], obs[name], spec) for name, spec in self.specs}
