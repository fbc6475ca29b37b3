"""Harmony on whole world models against the reference: totals and gradients, form "torch"."""

import functools as ft

import golden_v2 as golden
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from reverie.module import named_leaves, tree_at
from reverie.nn.loss import by_name
from reverie.world.balance import Sigmas, balance
from reverie.world.model import split_context, unpack

close = golden.close
FORWARD, GRADIENT = 2e-5, 1e-4
TASKS = ("rew", "obs", "dyn")


@pytest.fixture(params=golden.VARIANTS, scope="module")
def variant(request):
    with pytest.MonkeyPatch.context() as patch:
        golden.replay_samples(patch)
        yield request.param


def harmony_loss(world, config, variant):
    """Balanced total of the world model, and its metrics."""
    sequence = unpack(golden.sequence(variant), config.world, jnp.dtype("float32"))
    rows, action, start = split_context(sequence, config.replay.context)
    noise = golden.classes(golden.arrays(variant)["sample/post"])
    observed = world.observe(start, rows.obs, action, rows.is_first, noise)
    losses, _ = world.losses(observed, rows, config.world, goes_on=golden.goes_on(config))
    out = balance(losses, config.world.balance, world.sigmas, None)
    return out.total, out.metrics | {"con": by_name(losses)["con"].mean()}


@pytest.fixture(scope="module")
def results(variant):
    """For each recorded s: total, metrics and gradients."""
    edits = {"world__balance": "harmony", "world__balance__form": "torch"}
    config = golden.config(variant, **edits)
    loss = ft.partial(harmony_loss, config=config, variant=variant)
    run = jax.jit(jax.value_and_grad(loss, has_aux=True))
    plain = golden.world(variant)
    found = []
    for s in golden.arrays(variant)["harmony/s"]:
        sigmas = tree_at(lambda x: x.s, Sigmas(TASKS), jnp.asarray(s, jnp.float32))
        world = tree_at(lambda w: w.sigmas, plain, sigmas, is_leaf=lambda x: x is None)
        found.append(run(world))
    return variant, found


def test_losses_that_enter(results):
    variant, found = results
    a = golden.arrays(variant)
    for (_, metrics), _ in found:
        entering = [metrics[f"balance/before/{task}"] for task in TASKS]
        close(entering, a["harmony/losses_reward_image_kl"], rtol=FORWARD)
        close(metrics["con"], a["harmony/loss_discount"], rtol=FORWARD)


def test_totals_and_gradients_of_s(results):
    variant, found = results
    a = golden.arrays(variant)
    close([total for (total, _), _ in found], a["harmony/total"], rtol=FORWARD)
    close([grads.sigmas.s for _, grads in found], a["harmony/grad_s"], rtol=GRADIENT)


def test_gradients_of_the_networks(results):
    variant, found = results
    a = golden.arrays(variant)
    norms = []
    seen = set()
    for k, (_, grads) in enumerate(found):
        squares = 0.0
        for name, grad in named_leaves(grads).items():
            squares += np.square(np.asarray(grad, np.float64)).sum()
            if name == "sigmas.s":
                continue
            other = golden.reference_name(f"world.{name}")
            if f"harmony/grad/{other}" in a:
                seen.add(other)
                expected = golden.ours(f"world.{name}", a[f"harmony/grad/{other}"][k], variant)
                close(grad, expected, rtol=GRADIENT, name=name)
        norms.append(np.sqrt(squares))
    assert seen == {n.removeprefix("harmony/grad/") for n in a if n.startswith("harmony/grad/")}
    close(norms, a["harmony/grad_global_norm"], rtol=GRADIENT)
