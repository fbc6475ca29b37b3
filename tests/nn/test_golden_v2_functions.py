"""Distributions and scalings of DreamerV2 and of the 2023 form against `functions.npz`."""

import golden_v2 as golden
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from reverie.nn import scaling
from reverie.nn.distributions import Bernoulli, Categorical, Normal, SquaredError, TwoHot
from reverie.nn.heads import Policy
from reverie.nn.truncated import TruncatedNormal

close = golden.close
RTOL = 2e-5


def arrays(group):
    return golden.group("functions", group)


def test_one_hot():
    a = arrays("onehot")
    post, prior = Categorical(a["post_logit"]), Categorical(a["prior_logit"])
    close(post.kl(prior).sum(-1), a["kl"], rtol=RTOL)
    close(post.entropy().sum(-1), a["post_entropy"], rtol=RTOL)
    close(-post.nll(a["value"].argmax(-1)), a["logprob"], rtol=RTOL)
    assert (post.mode() == a["post_mode"].argmax(-1)).all()


def test_straight_through():
    a = arrays("straight_through")

    def sample(logits):
        with pytest.MonkeyPatch.context() as patch:
            golden.replay_samples(patch)
            index = jnp.asarray(a["sample"].argmax(-1), jnp.float32)
            return Categorical(logits).sample_straight_through(index)

    value, (grad,) = golden.pull(sample, a["cotangent"], a["logits"])
    close(value, a["sample"])
    close(grad, a["grad_logits"], rtol=RTOL)


def test_unimix():
    a = arrays("unimix")
    dist = Categorical(a["raw_logits"], float(a["unimix"]))
    close(dist.logp, a["logits"], rtol=RTOL)
    close(dist.probs, a["probs"], rtol=RTOL)
    close(dist.entropy(), a["entropy"], rtol=RTOL)
    close(-dist.nll(a["value"].argmax(-1)), a["logprob"], rtol=RTOL)
    close(Categorical(a["latent_raw"], float(a["unimix"])).logp, a["latent_logit"], rtol=RTOL)


def test_multi_discrete():
    a = arrays("multidiscrete")
    ends = np.cumsum(np.asarray(a["nvec"]))
    value = [part.argmax(-1) for part in jnp.split(a["value"], ends[:-1], -1)]

    def policy(logits):
        parts = jnp.split(logits, ends[:-1], -1)
        return Policy({"action": [Categorical(part) for part in parts]})

    def logp(logits):
        return -policy(logits).nll({"action": jnp.stack(value, -1)})

    def entropy(logits):
        return policy(logits).entropy()["action"]

    for function, name in ((logp, "logprob"), (entropy, "entropy")):
        y, (grad,) = golden.pull(function, jnp.ones(5), a["logits"])
        close(y, a[name], rtol=RTOL)
        close(grad, a[f"grad_{name}"], rtol=RTOL)
    modes = [part.argmax(-1) for part in jnp.split(a["mode"], ends[:-1], -1)]
    assert (policy(a["logits"]).mode()["action"] == jnp.stack(modes, -1)).all()


def test_relaxed_actions_are_one_hot_with_the_gradient_of_the_probabilities():
    logits = jnp.asarray(np.random.default_rng(0).normal(size=(3, 5)), jnp.float32)
    noise = {"action": jnp.full((3, 2), 0.4)}

    def relaxed(logits):
        dists = [Categorical(logits[:, :2]), Categorical(logits[:, 2:])]
        return Policy({"action": dists}).relaxed(noise)["action"]

    def probs(logits):
        return jnp.concatenate([jax.nn.softmax(logits[:, :2]), jax.nn.softmax(logits[:, 2:])], -1)

    cotangent = jnp.arange(15.0).reshape(3, 5)
    value, (grad,) = golden.pull(relaxed, cotangent, logits)
    _, (expected,) = golden.pull(probs, cotangent, logits)
    assert ((value == 0) | (value == 1)).all()
    assert value.sum(-1).tolist() == [2, 2, 2]
    close(grad, expected)


def truncated(a):
    return TruncatedNormal.squashed(a["raw_mean"], a["raw_std"], 0.1)


def test_truncated_normal():
    a = arrays("truncnormal")
    dist = truncated(a)
    close(dist.loc, a["loc"], rtol=RTOL)
    close(dist.std, a["scale"], rtol=RTOL)
    close(-dist.nll(a["value"]), a["logprob_elementwise"], rtol=RTOL)
    close(dist.entropy(), a["entropy_elementwise"], rtol=RTOL)
    close(dist.entropy().sum(-1), a["entropy"], rtol=RTOL)
    close(-dist.nll(a["value"]).sum(-1), a["logprob"], rtol=RTOL)
    close(dist.mean(), a["mean"], rtol=RTOL)
    close(dist.mode(), a["mode"], rtol=RTOL)


@pytest.mark.parametrize(("name", "rtol"), [("sample", 2e-4), ("logprob", RTOL), ("entropy", RTOL)])
def test_gradients_of_the_truncated_normal(name, rtol):
    a = arrays("truncnormal")

    def value(mean, std):
        dist = TruncatedNormal.squashed(mean, std, 0.1)
        match name:
            case "sample":
                return dist.sample(a["uniform"])
            case "logprob":
                return -dist.nll(a["value"])
            case _:
                return dist.entropy()

    cotangent = a["sample_cotangent"] if name == "sample" else jnp.ones((12, 3))
    y, grads = golden.pull(value, cotangent, a["raw_mean"], a["raw_std"])
    close(y, a["sample" if name == "sample" else f"{name}_elementwise"], rtol=rtol)
    for grad, part in zip(grads, ("mean", "std"), strict=True):
        close(grad, a[f"grad_{name}_raw_{part}"], rtol=rtol)


def test_truncated_samples_follow_their_law():
    """Mean and variance of many samples within four standard errors; all inside the bounds."""
    dist = TruncatedNormal(jnp.array([-0.9, 0.0, 0.7]), jnp.array([0.3, 2.0, 0.1]))
    uniform = jax.random.uniform(jax.random.key(0), (40_000, 3))
    draws = np.asarray(jax.vmap(dist.sample)(uniform), np.float64)
    assert np.abs(draws).max() < 1
    error = draws.std(0) / 200
    assert (np.abs(draws.mean(0) - np.asarray(dist.mean())) < 4 * error).all()
    grid = np.linspace(-1, 1, 20_001)[:, None].repeat(3, 1)
    density = np.exp(-np.asarray(jax.vmap(dist.nll)(jnp.asarray(grid, jnp.float32)), np.float64))
    np.testing.assert_allclose(density.mean(0) * 2, 1, atol=2e-3)
    second = (density * grid**2).mean(0) * 2
    np.testing.assert_allclose(second - np.asarray(dist.mean()) ** 2, draws.var(0), rtol=0.04)


def test_truncated_samples_stay_finite_at_the_ends_of_the_uniform():
    dist = TruncatedNormal(jnp.array([0.999, -0.999]), jnp.array([0.1, 0.1]))
    for uniform in (0.0, 1.0 - 2.0**-24):
        value, slope = jax.value_and_grad(
            lambda std, u=uniform: TruncatedNormal(dist.loc, std).sample(jnp.full(2, u)).sum()
        )(dist.std)
        assert np.isfinite(value)
        assert np.isfinite(np.asarray(slope)).all()


def test_bernoulli():
    a = arrays("bernoulli")
    labels = jnp.broadcast_to(jnp.asarray(a["labels"])[:, None], (4, 14))

    def logp(logits):
        return -Bernoulli(logits).nll(labels)

    rows = jnp.broadcast_to(a["logits"], (4, 14))
    y, (grad,) = golden.pull(logp, jnp.ones((4, 14)), rows)
    close(y, a["logprob"], rtol=RTOL)
    close(grad, a["grad_logits"], rtol=RTOL)
    close(Bernoulli(a["logits"]).mean(), a["mean"], rtol=RTOL)
    assert (Bernoulli(a["logits"]).mode() == a["mode"]).all()


def test_gaussian_of_variance_one():
    a = arrays("mse")

    def logp(mean):
        return -SquaredError(mean, weight=0.5).nll(a["value"]).sum(-1)

    y, (grad,) = golden.pull(logp, jnp.ones(3), a["mean"])
    close(y, a["logprob"], rtol=RTOL)
    close(grad, a["grad_mean"], rtol=RTOL)


def test_symlog_squared_error():
    """The reference drops squared distances below 1e-8; they are below the tolerance here."""
    a = arrays("symlog_mse")
    dist = SquaredError(a["mode_symlog"], symlog=True)
    close(-dist.nll(a["value"]).sum(-1), a["logprob"], rtol=RTOL)
    close(dist.mean(), a["mode"], rtol=RTOL)


def test_symexp():
    a = arrays("symexp")
    close(jnp.log1p(jnp.abs(scaling.symexp(a["x"]))), jnp.log1p(jnp.abs(a["y"])), rtol=1e-6)


def test_two_hot_in_symlog_space():
    a = arrays("twohot")
    close(scaling.even_bins(255), a["bins"], rtol=1e-6)
    dist = TwoHot(a["logits"], symlog=True)
    target = np.asarray(dist.target(a["value"]))
    expected, rows = np.zeros_like(target), np.arange(32)
    np.add.at(expected, (rows, a["target_lower_index"]), a["target_lower_weight"])
    np.add.at(expected, (rows, a["target_upper_index"]), a["target_upper_weight"])
    # A bin is 0.157 wide and the numbers reach 20: a rounding error of the logarithm is 1e-5 here.
    close(target, expected, rtol=0, atol=5e-5)
    close(-dist.nll(a["value"]), a["logprob"], rtol=RTOL)
    close(np.arcsinh(dist.mean()), np.arcsinh(a["mean"]), rtol=RTOL)


def test_two_hot_at_zero_predicts_zero():
    assert TwoHot(jnp.zeros((2, 255)), symlog=True).mean().tolist() == [0, 0]


def test_pulled_losses_are_sums():
    rng = np.random.default_rng(0)
    value, anchor = (jnp.asarray(rng.normal(size=4) * 9, jnp.float32) for _ in range(2))
    logits = jnp.asarray(rng.normal(size=(4, 41)), jnp.float32)
    for dist in (TwoHot(logits), TwoHot(logits, symlog=True), SquaredError(logits[:, 0])):
        expected = dist.nll(value) + 0.3 * dist.nll(anchor)
        close(dist.nll_pulled(value, anchor, 0.3), expected, rtol=1e-5)


@pytest.mark.parametrize(("kind", "std"), [("sigmoid2", 1.1), ("softplus", 0.1 + np.log(2.0))])
def test_deviation_of_gaussian_latents_at_zero(kind, std):
    dist = Normal.softened(jnp.zeros(1), jnp.zeros(1), kind, 0.1)
    assert dist.std.tolist() == pytest.approx([std], rel=1e-6)


def test_gaussian_kl_is_the_mean_log_ratio():
    """Against Gauss-Hermite quadrature of E_p[log p − log q]."""
    p = Normal(jnp.array([0.3, -1.0]), jnp.array([0.5, 1.3]))
    q = Normal(jnp.array([-0.2, 0.4]), jnp.array([1.1, 0.7]))
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    x = np.asarray(p.loc) + np.asarray(p.std) * nodes[:, None]
    ratio = np.asarray(jax.vmap(q.nll)(x) - jax.vmap(p.nll)(x))
    expected = (weights[:, None] * ratio).sum(0) / weights.sum()
    np.testing.assert_allclose(p.kl(q), expected, rtol=1e-5)
    assert p.kl(p).tolist() == [0, 0]
