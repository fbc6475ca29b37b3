"""Counted arithmetic against hand counts, XLA's own count and the table of one update."""

import functools as ft

import jax
import jax.numpy as jnp
import pytest

from reverie.behavior.imagine import dream_noise, imagine
from reverie.config.edit import apply
from reverie.config.schema import Config
from reverie.config.sizes import size_edits
from reverie.machine.flops import MatrixProduct, count_flops
from reverie.records import Spec
from reverie.train.state import Agent

TWELVE = apply(Config(), size_edits("12m"))
OBS = {"image": Spec("image", (64, 64, 3))}
ACTIONS = {"action": Spec("discrete", (), (6,))}


def flops(function, *args) -> int:
    return count_flops(jax.make_jaxpr(function)(*args))


def xla(function, *args) -> float:
    cost = jax.jit(function).lower(*args).compile().cost_analysis()
    return (cost[0] if isinstance(cost, list) else cost)["flops"]


def zeros(*shape: int) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(shape, jnp.float32)


@pytest.fixture(scope="module")
def agent():
    make = ft.partial(Agent, OBS, ACTIONS, TWELVE)
    return jax.eval_shape(lambda key: make(key=key), jax.random.key(0))


def test_products_by_hand():
    assert flops(jnp.matmul, zeros(3, 5), zeros(5, 7)) == 2 * 3 * 5 * 7
    assert flops(jnp.matmul, zeros(4, 3, 5), zeros(4, 5, 7)) == 4 * 2 * 3 * 5 * 7
    assert flops(lambda a: a + a, zeros(9)) == 0


def test_convolutions_by_hand():
    conv = ft.partial(jax.lax.conv_general_dilated, dimension_numbers=("NHWC", "HWIO", "NHWC"))
    image, kernel = zeros(2, 8, 8, 3), zeros(5, 5, 3, 4)
    same = ft.partial(conv, window_strides=(1, 1), padding="SAME")
    assert flops(same, image, kernel) == 2 * (2 * 8 * 8 * 4) * (5 * 5 * 3)
    strided = ft.partial(conv, window_strides=(2, 2), padding="SAME")
    assert flops(strided, image, kernel) == 2 * (2 * 4 * 4 * 4) * (5 * 5 * 3)
    grouped = ft.partial(same, feature_group_count=3)
    assert flops(grouped, image, zeros(5, 5, 1, 6)) == 2 * (2 * 8 * 8 * 6) * (5 * 5 * 1)


def test_the_gradient_of_a_strided_convolution_costs_twice_its_value():
    def total(image, kernel):
        out = jax.lax.conv_general_dilated(
            image, kernel, (2, 2), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
        )
        return jnp.square(out).sum()

    args = zeros(2, 8, 8, 3), zeros(4, 4, 3, 4)
    assert flops(jax.grad(total, (0, 1)), *args) == 3 * flops(total, *args)


def test_where_there_is_no_loop_xla_agrees():
    def network(x, image, kernel):
        out = jax.lax.conv_general_dilated(
            image, kernel, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC")
        )
        return x @ x, out

    args = zeros(64, 64), zeros(2, 16, 16, 3), zeros(5, 5, 3, 8)
    assert flops(network, *args) == pytest.approx(xla(network, *args), rel=1e-3)


def test_a_scan_counts_every_step_where_xla_counts_one():
    def power(x):
        return jax.lax.scan(lambda carry, _: (x @ carry, None), x, None, length=50)[0]

    assert flops(power, zeros(32, 32)) == 50 * 2 * 32**3
    assert xla(power, zeros(32, 32)) < 3 * 2 * 32**3


def test_branches_and_wrapped_functions():
    def choose(flag, x):
        return jax.lax.cond(flag, lambda x: x @ x, jax.jit(lambda x: x @ x @ x), x)

    flag = jax.ShapeDtypeStruct((), bool)
    assert flops(jax.checkpoint(choose), flag, zeros(8, 8)) == 2 * 2 * 8**3


def test_a_loop_of_unknown_length_is_refused():
    def grow(x):
        return jax.lax.while_loop(lambda x: x.sum() < 1, lambda x: x @ x, x)

    with pytest.raises(ValueError, match=r"products inside a 'while'.*write the loop as a scan"):
        flops(grow, zeros(4, 4))
    count_up = ft.partial(jax.lax.while_loop, lambda x: x < 3, lambda x: x + 1)
    assert flops(count_up, zeros()) == 0


# Multiplications and additions a row at 12m: anchors.md, section 2d, by hand from the widths.


def test_encoder_of_the_table(agent):
    image = jax.ShapeDtypeStruct((2, 64, 64, 3), jnp.uint8)
    count = flops(lambda e, x: e({"image": x}, jnp.dtype("float32")), agent.world.encoder, image)
    assert count == pytest.approx(2 * 2 * 75.4e6, rel=0.002)


def test_imagination_of_the_table(agent):
    steps, starts = 3, 4

    def dream(agent, key):
        noise = dream_noise(agent.world, agent.actor, key, steps, starts)
        start = agent.world.dynamics.initial(starts, jnp.dtype("float32"))
        return imagine(agent.world, agent.actor, start, noise).feature

    count = flops(dream, agent, jax.random.key(0))
    assert count == pytest.approx(2 * steps * starts * 5.84e6, rel=0.01)


def test_the_matrix_product_counts_what_it_does():
    product = MatrixProduct(jnp.float32, side=64)
    assert product.flops == 2 * 64**3 == flops(jnp.matmul, product.start(), product.start())
    assert product.best_speed(2) > 0
