"""The decoder against the reference's numbers; its losses by hand."""

import golden_v3 as golden
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from networks import filled

from reverie.module import named_leaves
from reverie.nn.pooled import Pooled, Strided
from reverie.records import Latent, Spec
from reverie.world.encoder import EncoderConfig
from reverie.world.reconstruction import Decoder, Reconstruction
from reverie.world.term import Shapes

close = golden.close
CONFIG = Reconstruction(units=6, depth=2, blocks=3)
NAMES = {
    "inputs.0.deter": "sp0",
    "inputs.0.hidden.linear": "sp1",
    "inputs.0.hidden.norm": "sp1norm",
    "inputs.0.stoch": "sp2",
    "inputs.0.norm": "spnorm",
    "images.0.convs.0": "conv0",
    "images.0.norms.0": "conv0norm",
    "images.0.convs.1": "imgout",
}


def shapes(obs, deter, stoch, encoder):
    return Shapes(obs, {}, deter, stoch, tokens=0, hidden=0, encoder=encoder)


def reference_name(name):
    part, leaf = name.rsplit(".", 1)
    return f"{NAMES[part]}/{leaf}"


@pytest.mark.parametrize(
    ("kind", "size"), [("upsample", (12, 16)), ("strided", (12, 16)), ("outer", (6, 8))]
)
def test_image_decoder(kind, size):
    a = golden.layer_arrays(f"dec_{kind}")
    stack = Strided() if kind == "strided" else Pooled(outer=kind == "outer")
    mirror = EncoderConfig(mults=(2, 3), stack=stack)
    specs = {"image": Spec("image", (*size, 3))}
    shape = jax.eval_shape(
        lambda k: Decoder(shapes(specs, 12, 8, mirror), CONFIG, key=k), jax.random.key(0)
    )
    leaves = [a[f"param/{reference_name(name)}"] for name in named_leaves(shape)]
    decoder = jax.tree.unflatten(jax.tree.structure(shape), leaves)

    def paint(decoder, deter, stoch):
        return decoder(Latent(deter, stoch))["image"].pred

    cotangent = a.get("cotangent", jnp.ones_like(a["y"]))
    y, (grads, deter, stoch) = golden.pull(paint, cotangent, decoder, a["deter"], a["stoch"])
    close(y, a["y"])
    if "grad_deter" in a:
        close(deter, a["grad_deter"])
        close(stoch, a["grad_stoch"])
        for name, grad in named_leaves(grads).items():
            close(grad, a[f"grad_param/{reference_name(name)}"], name=name)


@pytest.mark.parametrize("blocks", [0, 3, 8])
def test_every_number_of_blocks_paints_the_picture(blocks):
    specs = {"image": Spec("image", (16, 16, 3))}
    config = Reconstruction(units=6, depth=2, blocks=blocks)
    decoder = filled(Decoder, shapes(specs, 24, 8, EncoderConfig(mults=(2, 3))), config)
    paint = jax.jit(lambda decoder, latent: decoder(latent)["image"].mean())
    picture = paint(decoder, Latent(jnp.ones((2, 24)), jnp.ones((2, 2, 4))))
    assert picture.shape == (2, 16, 16, 3)
    assert ((picture > 0) & (picture < 1)).all()


def test_losses_are_sums_over_components():
    specs = {
        "image": Spec("image", (8, 8, 1)),
        "kind": Spec("discrete", (2,), (2, 3)),
        "speed": Spec("vector", (2, 2)),
    }
    decoder = filled(Decoder, shapes(specs, 6, 4, EncoderConfig(mults=(2,))), CONFIG)
    latent = Latent(jnp.ones((3, 6)), jnp.ones((3, 2, 2)))
    rng = np.random.default_rng(0)
    obs = {
        "image": jnp.asarray(rng.integers(0, 256, (3, 8, 8, 1)), jnp.uint8),
        "kind": jnp.array([[0, 2], [1, 1], [1, 0]]),
        "speed": jnp.asarray(rng.normal(size=(3, 2, 2)) * 50, jnp.float32),
    }
    preds = jax.jit(lambda decoder: decoder(latent))(decoder)
    losses = decoder.losses(preds, obs)
    image = np.square(np.asarray(preds["image"].pred) - np.asarray(obs["image"]) / 255)
    close(losses["image"], image.sum((1, 2, 3)))
    speed = np.asarray(obs["speed"]).reshape(3, 4)
    squashed = np.sign(speed) * np.log1p(np.abs(speed))
    close(losses["speed"], np.square(np.asarray(preds["speed"].pred) - squashed).sum(-1))
    first, second = (np.asarray(jax.nn.log_softmax(p.logits)) for p in preds["kind"])
    close(losses["kind"], -first[range(3), [0, 1, 1]] - second[range(3), [2, 1, 0]])
