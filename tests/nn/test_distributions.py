"""Distributions against the reference's numbers; samples against their own probabilities."""

import golden_v3 as golden
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from reverie.nn.distributions import Bernoulli, Categorical, Normal, inverse_cdf

close = golden.close

# Quantiles of the chi-square distribution at 1 − 1e-4, by degrees of freedom.
CHI_SQUARE = {2: 18.42, 4: 23.51, 15: 44.26}


@pytest.mark.parametrize(("name", "unimix"), [("unimix0", 0.0), ("unimix01", 0.01)])
def test_categories(name, unimix):
    arrays = golden.load("fn_categorical")
    expected = {k.split("/")[1]: v for k, v in arrays.items() if k.startswith(f"{name}/")}
    p, q = (Categorical(jnp.asarray(arrays[k]), unimix) for k in "pq")
    index = jnp.asarray(arrays["index"])
    close(p.probs, expected["probs"])
    if unimix:
        close(p.logp, expected["logits"])
    close(-p.nll(index), expected["logp"])
    close(-p.nll(index), expected["logp_index"])
    close(p.entropy(), expected["entropy"])
    close(p.kl(q), expected["kl_pq"])
    close(p.kl(q).sum(-1), expected["kl_pq_summed"])
    np.testing.assert_array_equal(p.mode(), expected["argmax"])


@pytest.mark.parametrize(("name", "unimix"), [("unimix0", 0.0), ("unimix01", 0.01)])
def test_gradients_of_categories(name, unimix):
    arrays = golden.load("fn_categorical")
    p, q, weight = (jnp.asarray(arrays[k]) for k in ("p", "q", "cotangent"))
    uniform, index = jnp.full(p.shape[:-1], 0.4), jnp.asarray(arrays["index"])

    @jax.jit
    def gradients(p, q):
        def kl(p, q):
            return Categorical(p, unimix).kl(Categorical(q, unimix)).sum()

        def sampled(p):
            return (weight * Categorical(p, unimix).sample_straight_through(uniform)).sum()

        return {
            "kl_p": jax.grad(kl, 0)(p, q),
            "kl_q": jax.grad(kl, 1)(p, q),
            "entropy": jax.grad(lambda p: Categorical(p, unimix).entropy().sum())(p),
            "logp": jax.grad(lambda p: -Categorical(p, unimix).nll(index).sum())(p),
            "straight_through": jax.grad(sampled)(p),
        }

    for key, gradient in gradients(p, q).items():
        close(gradient, arrays[f"{name}/grad_{key}"], name=key)


def test_category_of_the_specification():
    dist = Categorical(jnp.array([2.0, 0.0, -1.0, 0.5]), 0.01)
    probs = [0.7054989, 0.0976406, 0.0375003, 0.1593603]
    assert dist.probs.tolist() == pytest.approx(probs, abs=1e-7)
    assert dist.entropy() == pytest.approx(0.8890781, rel=1e-6)
    assert dist.kl(Categorical(jnp.zeros(4), 0.01)) == pytest.approx(0.4972163, rel=1e-6)


def chi_square(counts, probs):
    expected = np.asarray(probs, np.float64) * counts.sum()
    return float((np.square(counts - expected) / expected).sum())


@pytest.mark.parametrize("classes", [3, 5, 16])
def test_samples_follow_the_probabilities(classes):
    """At most one run in ten thousand would fail by chance; the key is fixed, so none does."""
    logits = jnp.asarray(np.random.default_rng(classes).normal(size=classes), jnp.float32)
    dist = Categorical(jnp.broadcast_to(logits, (20_000, classes)), 0.01)
    drawn = jax.jit(lambda u: dist.sample(u))(jax.random.uniform(jax.random.key(1), (20_000,)))
    counts = np.bincount(np.asarray(drawn), minlength=classes)
    assert len(counts) == classes
    assert chi_square(counts, dist.probs[0]) < CHI_SQUARE[classes - 1]


def test_an_impossible_class_is_never_drawn():
    probs = jnp.array([0.0, 0.3, 0.0, 0.7, 0.0])
    edges = [0.0, 1e-45, 1e-7, 0.29999998, 0.3, 0.30000004, 0.5, 1 - 2**-24, 1 - 2**-23]
    for uniform in np.asarray(edges, np.float32):
        for compiled in (inverse_cdf, jax.jit(inverse_cdf)):
            assert int(compiled(probs, jnp.asarray(uniform))) in (1, 3), uniform


def test_rounding_of_many_classes_reaches_no_impossible_one():
    """The cumulated sum of float32 probabilities misses 1; the last class must not profit."""
    probs = jax.nn.softmax(jnp.asarray(np.random.default_rng(3).normal(size=(64, 96)), jnp.float32))
    probs = probs.at[:, -1].set(0.0).at[:, 0].set(0.0)
    for uniform in (0.0, 1 - 2**-24):
        index = inverse_cdf(probs, jnp.full(64, uniform, jnp.float32))
        picked = np.take_along_axis(np.asarray(probs), np.asarray(index)[:, None], -1)
        assert (picked > 0).all()


def test_inverse_cdf_is_the_searched_interval():
    rng = np.random.default_rng(5)
    probs = rng.dirichlet(np.ones(7), size=500).astype(np.float32)
    uniform = rng.random(500).astype(np.float32)
    edges = np.cumsum(probs.astype(np.float64), -1)
    expected = (edges <= uniform[:, None] * edges[:, -1:]).sum(-1)
    found = np.asarray(inverse_cdf(jnp.asarray(probs), jnp.asarray(uniform)))
    near = np.abs(edges - uniform[:, None]).min(-1) < 1e-6
    np.testing.assert_array_equal(found[~near], expected[~near])


def test_straight_through_samples_are_one_hot():
    dist = Categorical(
        jnp.asarray(np.random.default_rng(2).normal(size=(50, 4)), jnp.float32), 0.01
    )
    sample = dist.sample_straight_through(jax.random.uniform(jax.random.key(0), (50,)))
    close(np.sort(np.asarray(sample), -1), np.tile([0, 0, 0, 1.0], (50, 1)))


def test_events_with_soft_labels():
    arrays = golden.load("fn_binary")
    logit, label = jnp.asarray(arrays["logit"]), jnp.asarray(arrays["label"])
    shape = (len(logit), len(label))
    wide = Bernoulli(jnp.broadcast_to(logit[:, None], shape))
    close(wide.nll(jnp.broadcast_to(label, shape)), arrays["loss"])
    close(Bernoulli(logit).mean(), arrays["prob1"])
    close(1.0 - Bernoulli(logit).mean(), arrays["prob0"])
    np.testing.assert_array_equal(Bernoulli(logit).mode(), arrays["pred"])


def test_event_of_the_specification():
    dist = Bernoulli(jnp.asarray(0.7))
    assert dist.mean() == pytest.approx(0.6681877, rel=1e-6)
    assert dist.nll(jnp.asarray(1 - 1 / 333)) == pytest.approx(0.4052882, rel=1e-6)


def test_bounded_normal():
    arrays = golden.load("fn_bounded_normal")
    pre, raw, event = (jnp.asarray(arrays[k]) for k in ("mean_pre", "std_pre", "event"))
    low, high = arrays["minstd"].item(), arrays["maxstd"].item()

    def bounded(pre, raw):
        return Normal.bounded(pre, raw, low, high)

    dist = bounded(pre, raw)
    close(dist.mean(), arrays["mean"])
    close(dist.mode(), arrays["mean"])
    close(dist.std, arrays["std"])
    close(-dist.nll(event), arrays["logp_per_dim"])
    close(-dist.nll(event).sum(-1), arrays["logp"])
    close(dist.entropy().sum(-1), arrays["entropy"])
    by_pre, by_raw = jax.grad(lambda a, b: -bounded(a, b).nll(event).sum(), (0, 1))(pre, raw)
    close(by_pre, arrays["grad_logp_mean_pre"])
    close(by_raw, arrays["grad_logp_std_pre"])
    by_raw = jax.grad(lambda b: bounded(pre, b).entropy().sum())(raw)
    close(by_raw, arrays["grad_entropy_std_pre"])
    extremes = bounded(jnp.zeros(2), jnp.array([-100.0, 100.0])).entropy()
    close(extremes, np.array([arrays["minent_per_dim"], arrays["maxent_per_dim"]]))


def test_bounded_normal_of_the_specification():
    dist = Normal.bounded(jnp.asarray(0.3), jnp.asarray(-0.4), 0.1, 1.0)
    found = dist.loc, dist.std, dist.entropy(), -dist.nll(jnp.asarray(0.1))
    expected = [0.2913126, 0.8488165, 1.2550263, -0.7804260]
    assert [float(x) for x in found] == pytest.approx(expected, rel=1e-6)
    assert Normal.bounded(jnp.zeros(()), jnp.zeros(()), 0.1, 1.0).std == pytest.approx(
        0.8927, abs=1e-4
    )


def test_normal_samples_have_their_moments():
    """Mean and deviation of 40 000 samples, within five standard errors."""
    dist = Normal(jnp.full(40_000, 0.3), jnp.full(40_000, 0.8))
    drawn = np.asarray(dist.sample(jax.random.normal(jax.random.key(2), (40_000,))))
    assert abs(drawn.mean() - 0.3) < 5 * 0.8 / 200
    assert abs(drawn.std() - 0.8) < 5 * 0.8 / (200 * 2**0.5)


def test_distributions_are_float32_whatever_comes_in():
    half = jnp.ones((3, 4), jnp.bfloat16)
    assert Categorical(half).logits.dtype == jnp.float32
    assert Bernoulli(half).logit.dtype == jnp.float32
    assert Normal.bounded(half, half, 0.1, 1.0).std.dtype == jnp.float32
