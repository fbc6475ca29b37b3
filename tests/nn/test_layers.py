"""Dense layers against the reference's numbers: outputs, gradients, initialisation."""

import golden_v3 as golden
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from reverie.module import blank, named_leaves
from reverie.nn.layers import (
    MLP,
    NET,
    BlockLinear,
    Linear,
    MeanSquare,
    RMSNorm,
    from_groups,
    init_kernel,
    to_compute,
    to_groups,
)
from reverie.nn.recompute import PARTS
from reverie.nn.scan import split_layers

close = golden.close


arrays, pull = golden.layer_arrays, golden.pull


def test_rms_norm():
    a = arrays("rmsnorm")
    norm = blank(RMSNorm, scale=a["scale"])
    y, (norm_grad, x_grad) = pull(lambda n, x: n(x), a["cotangent"], norm, a["x"])
    close(y, a["y"])
    close(x_grad, a["grad_x"])
    close(norm_grad.scale, a["grad_scale"])


def test_the_mean_square_of_a_norm_is_a_part_that_scans_can_know():
    """Else the backward scan adds it up once more, a launch a step (`recompute.py`)."""
    layers, _ = split_layers(MLP(4, 3, 2, NET, key=jax.random.key(0)), PARTS)
    assert [type(layer) for layer in layers] == 2 * [Linear, MeanSquare]


def test_rms_norm_of_maps_is_over_channels():
    a = arrays("rmsnorm_map")
    close(blank(RMSNorm, scale=a["scale"])(a["x"]), a["y"])


def test_rms_norm_of_the_specification():
    y = RMSNorm(4)(jnp.array([1, 2, 3, 4], jnp.bfloat16))
    assert y.dtype == jnp.bfloat16
    assert y.tolist() == pytest.approx([0.3652344, 0.7304688, 1.09375, 1.4609375], abs=1e-7)


def test_rms_norm_of_groups_is_the_norm_of_the_flat_row():
    x = jnp.asarray(np.random.default_rng(0).normal(size=(5, 12)), jnp.float32)
    norm = blank(RMSNorm, scale=jnp.arange(1.0, 13.0))
    close(from_groups(norm.groups(to_groups(x, 3))), norm(x))


def test_block_linear():
    a = arrays("blocklinear")
    layer = blank(BlockLinear, kernel=a["kernel"], bias=a["bias"])

    def flat(layer, x):
        return from_groups(layer(to_groups(x, layer.blocks)))

    y, (layer_grad, x_grad) = pull(flat, a["cotangent"], layer, a["x"])
    close(y, a["y"])
    close(x_grad, a["grad_x"])
    close(layer_grad.kernel, a["grad_kernel"])
    close(layer_grad.bias, a["grad_bias"])


def test_groups_are_block_major():
    x = jnp.arange(24.0).reshape(2, 12)
    groups = to_groups(x, 3)
    assert groups.shape == (3, 2, 4)
    assert groups[1, 0].tolist() == [4, 5, 6, 7]
    assert (from_groups(groups) == x).all()


@pytest.mark.parametrize("scale", [1.0, 0.01, 0.0])
def test_initial_kernels_have_their_deviation(scale):
    """Standard deviation scale/√fan_in within 1 %, and no value beyond two untruncated ones."""
    kernel = np.asarray(init_kernel(jax.random.key(0), (256, 512), 256, scale))
    assert kernel.std() == pytest.approx(scale / 16, rel=0.01)
    assert abs(kernel.mean()) <= 5 * scale / 16 / kernel.size**0.5
    assert np.abs(kernel).max() <= 2 * 1.1368 * scale / 16


def test_initial_block_kernels_count_the_whole_input():
    layer = BlockLinear(2048, 512, 8, key=jax.random.key(0))
    assert layer.kernel.shape == (8, 256, 64)
    assert np.asarray(layer.kernel).std() == pytest.approx(0.02206, rel=0.01)
    assert not layer.bias.any()


def test_linear_broadcasts_over_any_leading_axes():
    layer = Linear(4, 3, key=jax.random.key(0))
    x = jnp.asarray(np.random.default_rng(0).normal(size=(2, 5, 4)), jnp.float32)
    expected = np.einsum("bti,io->bto", x, layer.kernel)
    close(layer(x), expected)
    close(layer(x[0, 0]), expected[0, 0])


def test_no_layers_are_the_identity():
    x = jnp.ones((3, 4))
    assert (MLP(4, 8, 0, key=jax.random.key(0))(x) == x).all()


def test_compute_dtype_spares_the_norms():
    mlp = to_compute(MLP(4, 8, 2, key=jax.random.key(0)), jnp.bfloat16)
    for name, leaf in named_leaves(mlp).items():
        assert leaf.dtype == (jnp.float32 if name.endswith("scale") else jnp.bfloat16), name
    assert mlp(jnp.ones((3, 4), jnp.bfloat16)).dtype == jnp.bfloat16
