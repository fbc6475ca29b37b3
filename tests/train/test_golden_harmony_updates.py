"""Three whole updates with harmony against the reference's, form "torch"."""

import functools as ft

import golden_v2 as golden
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from reverie.module import named_leaves, tree_at
from reverie.nn.loss import by_name
from reverie.train.state import init
from reverie.train.step import update_in_order
from reverie.world.balance import Sigmas

whole = pytest.importorskip(
    "test_golden_v2_agent", reason="the whole agent's golden test holds the loaders"
)

HARMONY = {"world__balance": "harmony", "world__balance__form": "torch"}
TASKS = {"rew": 1, "obs": 2, "dyn": 3}


@pytest.fixture(params=golden.VARIANTS, scope="module")
def variant(request):
    with pytest.MonkeyPatch.context() as patch:
        golden.replay_samples(patch)
        yield request.param


def start(variant, cfg):
    """The reference's first train state, with s = 0 and a fresh optimiser."""
    state = whole.state(variant, whole.config(variant))
    sigmas = Sigmas((*TASKS,))
    state = tree_at(
        lambda s: s.agent.world.sigmas, state, sigmas, is_leaf=lambda leaf: leaf is None
    )
    make = ft.partial(init, *golden.specs(variant), cfg)
    shape = jax.eval_shape(make, jax.random.key(0)).opt_state
    zeros = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shape)
    return tree_at(lambda s: s.opt_state, state, zeros)


def test_three_updates_with_harmony(variant):
    cfg, a = whole.config(variant, **HARMONY), golden.arrays(variant)
    now, rows = start(variant, cfg), whole.sequence(variant, cfg)
    update = jax.jit(ft.partial(update_in_order, config=cfg))
    for k in (1, 2, 3):
        group = f"train_harmony/u{k}"
        noise = whole.recorded(variant, f"{group}/imag_", f"{group}/sample_post")
        now, metrics, (total, out) = update(now, rows, noise)
        metrics["world"] = (
            total - by_name(out.losses)["policy"].mean() - by_name(out.losses)["value"].mean()
        )
        for name, read in whole.METRICS.items():
            if f"train_harmony/metric/{name}" in a:
                expected = a[f"train_harmony/metric/{name}"][k - 1]
                assert float(read(metrics, out)) == pytest.approx(expected, rel=2e-4, abs=2e-6), (
                    k,
                    name,
                )
        check_balance(out.balanced, a, k)
        check_parameters(now, variant, group)
        rows = whole.continued(rows, out.observed.state)


def check_balance(balanced, a, k):
    """What is logged, before the step; the reference's `sigma` is the root of the paper's."""
    for task, i in TASKS.items():
        expected = {n: a[f"train_harmony/metric/{n}{i}"][k - 1] for n in ("harmony_s", "coeff")}
        root = a[f"train_harmony/metric/sigma{i}"][k - 1]
        found = {n: float(balanced[f"balance/{n}/{task}"]) for n in ("s", "coef", "sigma")}
        assert found["s"] == pytest.approx(expected["harmony_s"], abs=2e-6), (k, task)
        assert found["coef"] == pytest.approx(expected["coeff"], rel=1e-5), (k, task)
        assert found["sigma"] == pytest.approx(root**2, rel=1e-5), (k, task)
    base = sum(a[f"train_harmony/metric/harmony_base{i}"][k - 1] for i in TASKS.values())
    assert float(balanced["balance/penalty"]) == pytest.approx(base, rel=1e-5)


def check_parameters(now, variant, group):
    """s, the selected parameters, and the size of every parameter's change."""
    a, k = golden.arrays(variant), int(group[-1])
    changes = {n: i for i, n in enumerate(map(str, a["train_harmony/delta_names"]))}
    agent = named_leaves(now.agent)
    s = agent.pop("world.sigmas.s")
    recorded = [a[f"{group}/params/harmony_s{i}"] for i in TASKS.values()]
    np.testing.assert_allclose(s, recorded, atol=whole.PARAMETER)
    slow = {f"critic.{n}": x for n, x in named_leaves(now.slow_critic).items()}
    found = [("", n, x) for n, x in agent.items()] + [("target_", n, x) for n, x in slow.items()]
    compared = {f"harmony_s{i}" for i in TASKS.values()}
    for prefix, name, leaf in found:
        theirs = prefix + golden.reference_name(name)
        if theirs in changes:
            first = golden.ours(name, a[f"params/{theirs}"], variant)
            size = float(np.linalg.norm(np.asarray(leaf, np.float64) - first))
            expected = a["train_harmony/delta_l2"][k - 1, changes[theirs]]
            assert abs(size - expected) <= whole.PARAMETER * leaf.size**0.5, (group, theirs)
            compared.add(theirs)
        if f"{group}/params/{theirs}" in a:
            expected = golden.ours(name, a[f"{group}/params/{theirs}"], variant)
            golden.close(leaf, expected, rtol=0, atol=whole.PARAMETER, name=f"{group} {theirs}")
    assert compared >= set(changes)
