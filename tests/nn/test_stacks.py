"""Plain and residual image stacks: published shapes, any picture size, convolutions by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from networks import filled

from reverie.nn.options import NetConfig
from reverie.nn.plain import PlainDecoder, PlainEncoder, transposed, transposed_pads, valid_sides
from reverie.nn.resnet import GroupNorm, ResNetEncoder, mean_pool
from reverie.nn.stacks import AbstractStack
from reverie.part.errors import ConfigError
from reverie.part.part import find

NET = NetConfig(act="elu", norm="none", init="glorot")
KEY = jax.random.key(0)


def stacks(stack, shape=(64, 64, 3), *, mults=(1, 2, 4, 8), net=NET, depth=48, **edits):
    """Shapes of both stacks, and what they make of one picture."""
    member = find(AbstractStack, stack)(**edits)

    def run(key):
        encoder = member.encoder(shape, depth, mults, net, key=key)
        decoder = member.decoder(shape, depth, mults, net, output="shift", key=key)
        tokens = encoder(jnp.zeros((2, *shape)))
        assert tokens.shape == (2, encoder.size)
        return encoder, decoder, decoder(jnp.zeros((2, *decoder.map_shape)))

    return jax.eval_shape(run, KEY)


def test_valid_stack_has_the_published_shapes():
    """64 → 31 → 14 → 6 → 2 and 1 → 5 → 13 → 30 → 64, 1536 numbers between."""
    assert valid_sides(64, 4, 4) == (64, 31, 14, 6, 2)
    encoder, decoder, picture = stacks("valid")
    assert encoder.size == 1536
    assert decoder.map_shape == (1, 1, 1536)
    assert decoder.sides == ((5, 5), (13, 13), (30, 30), (64, 64))
    kernels = [conv.kernel.shape for conv in decoder.convs]
    assert kernels == [(5, 5, 1536, 192), (5, 5, 192, 96), (6, 6, 96, 48), (6, 6, 48, 3)]
    assert [c.kernel.shape[-1] for c in encoder.convs] == [48, 96, 192, 384]
    assert picture.shape == (2, 64, 64, 3)


def test_same_stack_has_the_published_shapes():
    """The 2023 V3 at size XL: 96·(1, 2, 4, 8) on the way to 4 × 4; and the form that stays thin."""
    encoder, decoder, picture = stacks("same", depth=96)
    assert encoder.size == 4 * 4 * 768
    assert decoder.map_shape == (4, 4, 768)
    assert [conv.kernel.shape[-1] for conv in decoder.convs] == [384, 192, 96, 3]
    assert picture.shape == (2, 64, 64, 3)
    thin, decoder, _ = stacks("same", depth=96, widen=False)
    assert thin.size == 16 * 96
    assert decoder.map_shape == (4, 4, 768)


def test_residual_stack_has_the_published_shapes():
    """3072 numbers out and in; 48, 96, 192 channels down and 192, 96, 48, 24 up."""
    encoder, decoder, picture = stacks("resnet", mults=(1, 2, 4))
    assert encoder.size == 3072
    assert np.prod(decoder.map_shape) == 3072
    assert decoder.sides == ((8, 8), (16, 16), (32, 32), (64, 64))
    outs = [[layer.convs[1].kernel.shape[-1] for layer in stage] for stage in encoder.stages]
    assert outs == [[48, 48], [96, 96], [192, 192]]
    outs = [[layer.convs[1].kernel.shape[-1] for layer in stage] for stage in decoder.stages]
    assert outs == [[192, 96], [96, 48], [48, 24]]
    assert decoder.last.kernel.shape == (3, 3, 24, 3)
    assert picture.shape == (2, 64, 64, 3)


@pytest.mark.parametrize("shape", [(84, 84, 1), (96, 72, 3), (48, 48, 3), (30, 45, 3), (16, 16, 4)])
@pytest.mark.parametrize("stack", ["valid", "same", "resnet"])
def test_any_picture_size_comes_back(stack, shape):
    mults = (1, 2, 4) if stack == "resnet" else (1, 2, 4, 8)
    for norm, maps in (("layer", "whole"), ("rms", "channels")):
        net = NetConfig(norm=norm, maps=maps, bias=False)
        _, _, picture = stacks(stack, shape, mults=mults, net=net, depth=4)
        assert picture.shape == (2, *shape)


def test_a_picture_smaller_than_a_kernel_is_refused():
    with pytest.raises(ConfigError, match="a picture side of 3 pixels is smaller than the 4x4"):
        stacks("valid", (3, 3, 3))


def test_layers_before_a_norm_have_no_bias_and_the_last_keeps_it():
    net = NetConfig(norm="layer", bias=False)
    encoder, decoder, _ = stacks("same", net=net, depth=2)
    assert [conv.bias is None for conv in encoder.convs] == [True] * 4
    assert [conv.bias is None for conv in decoder.convs] == [True, True, True, False]


@pytest.mark.parametrize(("stack", "side"), [("valid", 5), ("valid", 6), ("same", 4)])
def test_transposed_convolution_is_a_scatter(stack, side):
    """y[2i + k] += x[i]·w[k] with the kernel read backwards; `same` drops what sticks out."""
    rng = np.random.default_rng(0)
    x, kernel = rng.normal(size=(1, 3, 3, 2)), rng.normal(size=(side, side, 2, 4))
    size = 2 * (3 - 1) + side
    expected = np.zeros((1, size, size, 4))
    for i in range(3):
        for j in range(3):
            patch = np.einsum("i,klio->klo", x[0, i, j], kernel[::-1, ::-1])
            expected[0, 2 * i : 2 * i + side, 2 * j : 2 * j + side] += patch
    if stack == "same":
        expected = expected[:, 1:-1, 1:-1]
    x, kernel = jnp.asarray(x, jnp.float32), jnp.asarray(kernel, jnp.float32)
    found = transposed(x, kernel, transposed_pads(side, stack))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_a_valid_stage_reads_every_second_patch():
    encoder = filled(
        PlainEncoder, (10, 8, 2), widths=(3,), side=4, stack="valid", net=NetConfig(norm="none")
    )
    x = np.random.default_rng(0).normal(size=(1, 10, 8, 2)).astype(np.float32)
    kernel, bias = np.asarray(encoder.convs[0].kernel), np.asarray(encoder.convs[0].bias)
    expected = [
        np.einsum("klc,klco->o", x[0, i : i + 4, j : j + 4], kernel) + bias
        for i in range(0, 7, 2)
        for j in range(0, 5, 2)
    ]
    expected = np.asarray(expected)
    expected = expected / (1 + np.exp(-expected))
    np.testing.assert_allclose(encoder(jnp.asarray(x))[0], expected.ravel(), rtol=2e-4, atol=1e-5)


def test_group_norm_by_hand():
    norm = filled(lambda *, key: GroupNorm(16))
    x = np.random.default_rng(0).normal(3, 2, size=(2, 4, 4, 16)).astype(np.float32)
    groups = x.reshape(2, 16, 8, 2)
    mean, var = groups.mean((1, 3), keepdims=True), groups.var((1, 3), keepdims=True)
    expected = ((groups - mean) / np.sqrt(var + 1e-5)).reshape(x.shape)
    expected = expected * np.asarray(norm.scale) + np.asarray(norm.bias)
    np.testing.assert_allclose(norm(jnp.asarray(x)), expected, rtol=1e-4, atol=1e-4)


def test_a_residual_layer_of_zeros_passes_its_input():
    encoder = filled(ResNetEncoder, (16, 16, 3), widths=(4,), norm="none", net=NET)
    layer = encoder.stages[0][0]
    zeros = jax.tree.map(jnp.zeros_like, layer)
    x = jnp.asarray(np.random.default_rng(0).normal(size=(1, 4, 4, 4)), jnp.float32)
    np.testing.assert_array_equal(zeros(x), jax.nn.relu(x))


def test_means_of_odd_maps_repeat_the_border():
    x = jnp.arange(9.0).reshape(1, 3, 3, 1)
    assert mean_pool(x)[0, :, :, 0].tolist() == [[2.0, 3.5], [6.5, 8.0]]


def test_decoder_output_of_zeros_is_gray():
    decoder = filled(
        PlainDecoder,
        (64, 64, 1),
        widths=(8, 4, 2, 1),
        side=4,
        stack="valid",
        net=NET,
        output="shift",
    )
    zeros = jax.tree.map(jnp.zeros_like, decoder)
    assert (zeros(jnp.ones((1, 1, 1, 32))) == 0.5).all()
