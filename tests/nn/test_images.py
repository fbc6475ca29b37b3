"""Image stacks against the reference's numbers, plain formulations and their own shapes."""

import golden_v3 as golden
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from networks import filled

from reverie.module import blank
from reverie.nn.conv import Conv, depth_to_space, max_pool, space_to_depth
from reverie.nn.layers import NET, RMSNorm, activate
from reverie.nn.patch import Patch
from reverie.nn.pooled import HalvingEncoder, Pooled, Strided
from reverie.nn.stacks import plan_sides
from reverie.part.errors import ConfigError

close, arrays, pull = golden.close, golden.layer_arrays, golden.pull
KEY = jax.random.key(0)


@pytest.mark.parametrize("kind", ["stride1", "stride2", "transposed2"])
def test_convolutions(kind):
    shared, a = arrays("conv"), arrays(f"conv/{kind}")
    conv = blank(Conv, kernel=shared["kernel"], bias=shared["bias"])
    function = {
        "stride1": lambda c, x: c(x),
        "stride2": lambda c, x: c(x, stride=2),
        "transposed2": lambda c, x: c.transposed(x),
    }[kind]
    y, (grad, x_grad) = pull(function, a["cotangent"], conv, shared["x"])
    close(y, a["y"])
    close(x_grad, a["grad_x"])
    close(grad.kernel, a["grad_kernel"])
    close(grad.bias, np.asarray(a["cotangent"]).sum((0, 1, 2)))


def test_upsampling_stage():
    a = arrays("upstage")
    stage = (blank(Conv, kernel=a["kernel"], bias=a["bias"]), blank(RMSNorm, scale=a["scale"]))
    y, ((conv, norm), x_grad) = pull(
        lambda s, x: activate(s[1](s[0].upsampled(x)), "silu"), a["cotangent"], stage, a["x"]
    )
    close(y, a["y"])
    close(x_grad, a["grad_x"])
    close(conv.kernel, a["grad_kernel"])
    close(conv.bias, a["grad_bias"])
    close(norm.scale, a["grad_scale"])


@pytest.mark.parametrize("side", [3, 5])
@pytest.mark.parametrize("shape", [(2, 3, 4, 5), (1, 7, 5, 2)])
def test_upsampled_convolution_is_upsampling_then_convolution(shape, side):
    x = jnp.asarray(np.random.default_rng(0).normal(size=shape), jnp.float32)
    conv = filled(Conv, shape[-1], 4, side)
    large = jnp.repeat(jnp.repeat(x, 2, 1), 2, 2)
    plain, short = jax.jit(lambda c, x: (c(large), c.upsampled(x)))(conv, x)
    close(short, plain)


def test_pooling_shares_the_gradient_among_ties():
    a = arrays("maxpool_ties")
    x = a["x"].reshape(1, 4, 4, 1)
    close(max_pool(x)[0, :, :, 0], a["y"])
    close(jax.grad(lambda x: max_pool(x).sum())(x)[0, :, :, 0], a["grad_of_sum"])


STACKS = [Pooled(), Pooled(outer=True), Strided(), Strided(outer=True), Patch()]


@pytest.mark.parametrize(
    ("name", "stack"),
    [("y", Pooled()), ("y_strided", Strided()), ("y_outer", Pooled(outer=True))],
)
def test_encoder_stage(name, stack):
    a = arrays("encstage")
    made = stack.encoder((8, 12, 3), 4, (1,), NET, key=KEY)
    conv = blank(Conv, kernel=a["param/cnn0/kernel"], bias=a["param/cnn0/bias"])
    norm = blank(RMSNorm, scale=a["param/cnn0norm/scale"])
    x = a["image"].reshape(2, 8, 12, 3).astype(jnp.float32) / 255 - 0.5

    def run(conv, norm):
        parts = {"pool": made.pool, "outer": made.outer, "size": made.size}
        return blank(HalvingEncoder, convs=(conv,), norms=(norm,), **parts)(x)

    expected = a[name][:, 0]
    cotangent = a["cotangent"][:, 0] if name == "y" else jnp.ones_like(expected)
    y, (conv_grad, norm_grad) = pull(run, cotangent, conv, norm)
    close(y, expected)
    if name == "y":
        close(conv_grad.kernel, a["grad_param/cnn0/kernel"])
        close(conv_grad.bias, a["grad_param/cnn0/bias"])
        close(norm_grad.scale, a["grad_param/cnn0norm/scale"])


SHAPES = [
    (7, 7),
    (16, 16),
    (28, 28),
    (30, 30),
    (56, 56),
    (63, 63),
    (64, 64),
    (84, 84),
    (96, 96),
    (100, 64),
    (210, 160),
]


@pytest.mark.parametrize("stack", STACKS, ids=str)
@pytest.mark.parametrize("shape", SHAPES)
def test_stacks_give_back_the_picture_they_took(shape, stack):
    if max(shape) > 128 and stack in (Pooled(outer=True), Strided(outer=True)):
        pytest.skip("a full-resolution first stage takes sides of at most 128")
    picture, widths = (*shape, 3), (2, (2, 3, 4, 4), NET)
    down = jax.eval_shape(lambda k: stack.encoder(picture, *widths, key=k), KEY)
    up = jax.eval_shape(lambda k: stack.decoder(picture, *widths, output="sigmoid", key=k), KEY)
    tokens = jax.eval_shape(lambda s, x: s(x), down, jnp.zeros((2, *picture)))
    assert tokens.shape == (2, down.size)
    height, width, channels = up.map_shape
    assert 3 <= min(height, width) <= max(height, width) <= 16
    assert down.size == height * width * channels
    start = jnp.zeros((2, height, width, channels))
    assert jax.eval_shape(lambda s, x: s(x), up, start).shape == (2, *picture)


@pytest.mark.parametrize(
    ("shape", "outer", "smallest"),
    [((64, 64), False, (4, 4)), ((96, 96), False, (6, 6)), ((64, 64), True, (8, 8))],
)
def test_smallest_maps_of_the_specification(shape, outer, smallest):
    assert plan_sides(*shape, 4, outer=outer)[-1] == smallest


def test_sides_are_halved_upwards():
    assert plan_sides(210, 160, 4, outer=False) == (
        (210, 160),
        (105, 80),
        (53, 40),
        (27, 20),
        (14, 10),
    )
    assert plan_sides(7, 7, 4, outer=False) == ((7, 7), (4, 4))


@pytest.mark.parametrize(
    ("shape", "found"), [((4, 4), "4x4"), ((64, 4), "64x4"), ((300, 300), "19x19")]
)
def test_pictures_that_fit_no_stack_are_refused(shape, found):
    with pytest.raises(ConfigError) as error:
        Pooled().encoder((*shape, 3), 4, (2, 3, 4, 4), NET, key=KEY)
    message = str(error.value)
    assert f"a picture of {shape[0]}x{shape[1]} pixels does not fit" in message
    assert f"its smallest map would be {found}" in message
    assert "use sides of 5 to 256, or change the number of stages by world.encoder.mults" in message


def test_space_and_depth_are_inverse():
    x = jnp.arange(2 * 8 * 12 * 3.0).reshape(2, 8, 12, 3)
    for factor in (2, 4):
        folded = space_to_depth(x, factor)
        assert folded.shape == (2, 8 // factor, 12 // factor, 3 * factor**2)
        assert (depth_to_space(folded, factor) == x).all()
    assert folded[1, 1, 2].tolist() == x[1, 4:8, 8:12].reshape(-1).tolist()


@pytest.mark.parametrize("stack", [Pooled(), Strided(), Patch()], ids=str)
def test_padding_does_not_leak_between_pictures(stack):
    """Each picture's tokens depend on that picture alone, odd sides included."""
    down = filled(stack.encoder, (9, 11, 3), 4, (1, 2), NET)
    x = jnp.asarray(np.random.default_rng(0).random((3, 9, 11, 3)), jnp.float32) - 0.5
    run = jax.jit(lambda s, x: s(x))
    together, alone = run(down, x), run(down, x.at[:2].set(0.0))
    close(together[2], alone[2])
    assert np.isfinite(together).all()
    assert not np.allclose(together[0], alone[0])
