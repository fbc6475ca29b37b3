"""Latents to distributions over observations."""

import math
from collections.abc import Mapping

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from reverie.module import Module, static
from reverie.nn.distributions import Categorical, SquaredError
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
from reverie.nn.options import DecoderConfig, EncoderConfig, NetConfig
from reverie.nn.stacks import AnyDecoder, make_decoder
from reverie.records import Latent, Spec, Specs
from reverie.world.encoder import image_groups, stack_shape, vector_keys

Prediction = SquaredError | list[Categorical]


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
        config: DecoderConfig,
        net: NetConfig = NET,
        *,
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
    images: tuple[AnyDecoder, ...]
    specs: tuple[tuple[str, Spec], ...] = static()
    config: DecoderConfig = static()

    def __init__(
        self,
        specs: Specs,
        deter: int,
        stoch: int,
        config: DecoderConfig,
        mirror: EncoderConfig,
        net: NetConfig = NET,
        *,
        key: PRNGKeyArray,
    ):
        """`mirror`: the encoder's options, whose image stack this one reverses."""
        self.specs, self.config = tuple(sorted(specs.items())), config
        vectors, groups = vector_keys(specs), image_groups(specs)
        mlp_key, *keys = jax.random.split(key, 1 + len(vectors) + 2 * len(groups))
        feature = deter + stoch
        self.mlp = MLP(feature, config.units, config.layers, net, key=mlp_key) if vectors else None
        width = config.units if config.layers else feature
        self.outs = {
            name: Linear(width, specs[name].width, init=net.init, key=k)
            for name, k in zip(vectors, keys, strict=False)
        }
        keys = keys[len(vectors) :]
        self.images = tuple(
            make_decoder(stack_shape(specs, group), config, mirror, net, key=k)
            for group, k in zip(groups, keys[::2], strict=True)
        )
        self.inputs = tuple(
            MapInput(stack.map_shape, deter, stoch, config, net, key=k)
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
                preds[name] = vector_prediction(out(x), specs[name], self.config)
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


def vector_prediction(output: Float[Array, "n w"], spec: Spec, config: DecoderConfig) -> Prediction:
    if spec.kind == "vector" and config.vector == "gauss":
        return SquaredError(output, weight=0.5)
    if spec.kind == "vector":
        return SquaredError(output, symlog=True)
    parts, start = [], 0
    for classes in spec.classes:
        parts.append(Categorical(output[:, start : start + classes]))
        start += classes
    return parts


def key_loss(pred: Prediction, target: Array, spec: Spec) -> Float[Array, " n"]:
    if isinstance(pred, SquaredError):
        if spec.kind == "image":
            return pred.nll(target.astype(jnp.float32) / 255).sum((1, 2, 3))
        return pred.nll(target.reshape(target.shape[0], -1)).sum(-1)
    flat = target.reshape(target.shape[0], -1)
    return jnp.asarray(sum(part.nll(flat[:, i]) for i, part in enumerate(pred)))
