"""What the reference recorded of its optimiser's updates, and comparisons with it."""

import dataclasses
import itertools

import golden_v3 as golden
import jax
import numpy as np

from reverie.module import name_of, named_leaves


def fast(variant):
    """The variant's configuration with the sharp learning rate of the recorded updates."""
    base, expected = golden.config(variant), golden.load(f"{variant}_opt")
    rate, warmup = expected["fast/lr"].item(), expected["fast/warmup"].item()
    return dataclasses.replace(base, optim=dataclasses.replace(base.optim, lr=rate, warmup=warmup))


def flat(tree, names, prefix=""):
    leaves = {
        golden.reference_name(prefix + k): np.asarray(v) for k, v in named_leaves(tree).items()
    }
    return np.concatenate([leaves[name].ravel() for name in names])


def recorded_gradients(variant, k):
    """The gradients of update `k` (1, 2 or 3): the reference's own, rescaled entry by entry."""
    recorded = golden.load(f"{variant}_grads")

    def scaled(path, leaf):
        grad, i = recorded[golden.reference_name(name_of(path))], np.arange(leaf.size)
        factor = {1: i * 0 + 1.0, 2: ((5 * i) % 7 - 2) / 2, 3: ((3 * i) % 5 - 1) / 4}[k]
        return (grad * factor.reshape(leaf.shape)).astype(np.float32)

    return jax.tree_util.tree_map_with_path(scaled, golden.agent(variant))


def check_parameters(expected, label, agent, slow):
    """Parameters, slow critic and norms after an update, as far as they were recorded."""
    names, speed, k = list(expected["names"]), *label
    vector = flat(agent, names)
    if f"{speed}/params_{k}" in expected:
        np.testing.assert_allclose(vector, expected[f"{speed}/params_{k}"], rtol=1e-6, atol=1e-7)
    slow_names = [n.replace("slowval", "val") for n in expected["slow_names"]]
    np.testing.assert_allclose(
        flat(slow, slow_names, "critic."), expected[f"{speed}/slow_{k}"], rtol=1e-6, atol=1e-7
    )
    norms = norms_of(vector, expected)
    np.testing.assert_allclose(norms, expected[f"{speed}/norm_params_{k}"], rtol=1e-6)


def check_moments(expected, label, opt_state):
    """Second moment and momentum of all tensors, whole or by their norms."""
    names, speed, k = list(expected["names"]), *label
    nu, mu = (flat(tree, names) for tree in moments(opt_state))
    np.testing.assert_allclose(
        norms_of(nu, expected), expected[f"{speed}/norm_nu_{k}"], rtol=5e-5, atol=1e-20
    )
    other = expected[f"{speed}/norm_mu_{k}"]
    assert np.abs(norms_of(mu, expected) - other).max() <= 5e-5 * max(1.0, other.max())
    if f"{speed}/nu_{k}" in expected:
        np.testing.assert_allclose(nu, expected[f"{speed}/nu_{k}"], rtol=5e-5, atol=1e-20)
        assert np.abs(mu - expected[f"{speed}/mu_{k}"]).max() <= 5e-5, label


def moments(opt_state):
    """The second moment and the momentum, wherever the chain keeps them."""
    found = {}
    for part in opt_state:
        found |= {name: getattr(part, name) for name in ("nu", "ema") if hasattr(part, name)}
    return found["nu"], found["ema"]


def norms_of(vector, expected):
    pieces = itertools.pairwise(expected["offsets"])
    return np.array([np.linalg.norm(vector[a:b]) for a, b in pieces])
