"""The whole agent against the reference implementation: forward pass, losses, gradients, updates."""

import dataclasses

import golden_v3 as golden
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from reverie.module import name_of, named_leaves
from reverie.train.optim import make_optimizer
from reverie.train.step import agent_loss, apply_gradients, gradients, mix_slow, weight_of
from reverie.world.model import feature, split_context

VARIANTS = ["disc", "cont"]
close = golden.close


@pytest.fixture(params=VARIANTS, scope="module")
def variant(request):
    with pytest.MonkeyPatch.context() as patch:
        golden.replay_samples(patch)
        yield request.param


@pytest.fixture(scope="module")
def forward(variant):
    cfg = golden.config(variant)
    args = golden.state(variant), golden.sequence(variant), golden.noise(variant)
    total, out = jax.jit(lambda s, q, n: agent_loss(s.agent, s, q, n, cfg))(*args)
    return variant, total, out


def test_every_reference_parameter_has_a_place(variant):
    ours = {golden.reference_name(name) for name in named_leaves(golden.agent(variant))}
    theirs = {name for name in golden.load(f"{variant}_params") if not name.startswith("slowval/")}
    assert ours == theirs


def test_losses(forward):
    variant, total, out = forward
    expected = golden.load(f"{variant}_forward")
    close(total, expected["loss_total"], name="total")
    for name, loss in out.losses.items():
        close(loss, expected[f"loss/{name}"], name=name)
        close(loss.mean(), expected[f"metric/loss/{name}"], name=name)
    assert set(out.losses) == {n[5:] for n in expected if n.startswith("loss/")}


def test_observe(forward):
    variant, _, out = forward
    expected, cfg, agent = (
        golden.load(f"{variant}_forward"),
        golden.config(variant),
        golden.agent(variant),
    )
    rows, _, _ = split_context(golden.sequence(variant), 1)
    close(agent.world.encode(rows.obs, jnp.dtype("float32")), expected["tokens"], name="tokens")
    close(out.observed.latent.deter, expected["post/deter"], name="deter")
    close(out.observed.post, expected["post/logit"], name="post")
    close(out.observed.prior, expected["prior/logit"], name="prior")
    post = agent.world.rssm.categorical(out.observed.post)
    prior = agent.world.rssm.categorical(out.observed.prior)
    close(post.kl(prior).sum(-1), expected["kl/raw"], name="kl")
    close(post.entropy().sum(-1), expected["kl/post_entropy"], name="post entropy")
    close(prior.entropy().sum(-1), expected["kl/prior_entropy"], name="prior entropy")
    floored = jnp.maximum(post.kl(prior).sum(-1), cfg.rssm.free_nats)
    close(floored, expected["kl/dyn_floored"], name="floor")


def test_heads_and_decoder(forward):
    variant, _, out = forward
    expected, agent = golden.load(f"{variant}_forward"), golden.agent(variant)
    x = feature(out.observed.latent)
    close(agent.world.reward(x).logits, expected["head/rew/logits"], name="rew")
    close(agent.world.reward(x).mean(), expected["head/rew/pred"], name="rew mean")
    close(agent.world.cont(x).logit, expected["head/con/logit"], name="con")
    close(agent.world.cont(x).mean(), expected["head/con/prob"], name="con prob")
    close(agent.critic(x).logits, expected["head/val/logits"], name="val")
    close(agent.critic(x).mean(), expected["head/val/pred"], name="val mean")
    slow = golden.state(variant).slow_critic
    close(slow(x).mean(), expected["head/slowval/pred"], name="slow")
    policy = agent.actor(x)
    close(policy.entropy()["action"], expected["head/pol/action/entropy"], name="entropy")
    if variant == "disc":
        close(policy.parts["action"][0].logits, expected["head/pol/action/logits"], name="pol")
    else:
        close(policy.parts["action"][0].loc, expected["head/pol/action/mean"], name="mean")
        close(policy.parts["action"][0].std, expected["head/pol/action/std"], name="std")
    flat = jax.tree.map(lambda v: v.reshape(-1, *v.shape[2:]), out.observed.latent)
    preds = agent.world.decoder(flat)
    image = expected["dec/image/pred"].reshape(-1, 32, 32, 3)
    close(preds["vector"].pred, expected["dec/vector/pred"].reshape(-1, 5), name="vector")
    close(preds["image"].pred, image, name="image")


def test_dreams(forward):
    variant, _, out = forward
    expected, targets = golden.load(f"{variant}_forward"), out.targets

    def swapped(x):
        return jnp.swapaxes(x, 0, 1)

    close(swapped(out.dream.deter), expected["img/deter"], name="deter")
    close(swapped(out.dream.logits), expected["img/logit"][:, 1:], name="logits")
    for name, value in {
        "rew": targets.reward,
        "con": targets.cont,
        "val": targets.value,
        "slowval": targets.slow,
        "ret": targets.returns,
        "weight": targets.weight,
        "adv": targets.advantage,
    }.items():
        close(swapped(value), expected[f"img/{name}"], name=name)
    logp = -out.dream.policy.nll(out.dream.action)
    close(swapped(logp), expected["img/pol/action/logp"][:, :-1], name="logp")
    entropy = out.dream.policy.entropy()["action"]
    close(swapped(entropy), expected["img/pol/action/entropy"][:, :-1], name="entropy")
    close(out.returns.low, expected["retnorm/lo_after"], name="low")
    close(out.returns.high, expected["retnorm/hi_after"], name="high")
    close(out.metrics["return_scale"], expected["retnorm/scale_after"], name="scale")


def test_metrics(forward):
    variant, _, out = forward
    expected = golden.load(f"{variant}_forward")
    known = {n[7:]: v for n, v in expected.items() if n[:7] == "metric/" and "loss/" not in n}
    for name, value in known.items():
        close(out.metrics[name], value, rtol=1e-4, name=name)


def test_gradients(variant):
    args = golden.state(variant), golden.sequence(variant), golden.noise(variant)
    cfg, expected = golden.config(variant), golden.load(f"{variant}_grads")
    grads, _ = jax.jit(lambda *a: gradients(*a, cfg))(*args)
    for name, grad in named_leaves(grads).items():
        other = expected[golden.reference_name(name)]
        bound = max(2e-5 * np.abs(other).max(), 3e-5 * np.linalg.norm(other), 1e-9)
        worst = np.abs(np.asarray(grad) - other).max()
        assert worst <= bound, f"{name}: off by {worst:.3g}, allowed {bound:.3g}"


def test_each_loss_reaches_the_modules_it_should(variant):
    expected, cfg = golden.load(f"{variant}_grads"), golden.config(variant)
    state, sequence, noise = golden.state(variant), golden.sequence(variant), golden.noise(variant)
    names = sorted({n.split("/")[1] for n in expected if n.startswith("gradnorm/")})

    def mean_of(agent, row):
        _, out = agent_loss(agent, state, sequence, noise, cfg)
        return jnp.stack([out.losses[name].mean() for name in names]) @ row

    gradient = jax.jit(jax.grad(mean_of))
    for index, name in enumerate(names):
        grads = gradient(state.agent, jnp.eye(len(names))[index])
        squares: dict[str, float] = {}
        for leaf, grad in named_leaves(grads).items():
            module = golden.reference_name(leaf).split("/")[0]
            squares[module] = squares.get(module, 0.0) + float(jnp.sum(grad**2))
        for module, square in squares.items():
            other = expected[f"gradnorm/{name}/{module}"].item()
            assert square**0.5 == pytest.approx(other, rel=1e-4, abs=1e-9), (name, module)


def flat(tree, names, prefix=""):
    leaves = {
        golden.reference_name(prefix + k): np.asarray(v) for k, v in named_leaves(tree).items()
    }
    return np.concatenate([leaves[name].ravel() for name in names])


def test_three_optimiser_updates(variant):
    expected = golden.load(f"{variant}_opt")
    recorded = golden.load(f"{variant}_grads")
    names = list(expected["names"])
    slow_names = [n.replace("slowval", "val") for n in expected["slow_names"]]
    base = golden.config(variant)
    fast = dataclasses.replace(
        base.optim, lr=expected["fast/lr"].item(), warmup=expected["fast/warmup"].item()
    )
    for speed, options in {"preset": base.optim, "fast": fast}.items():
        cfg = dataclasses.replace(base, optim=options)
        optimizer = make_optimizer(options)
        state = golden.state(variant)
        agent, slow, count = state.agent, state.slow_critic, state.slow_count
        opt_state = optimizer.init(agent)
        update = jax.jit(optimizer.update)
        for k in (1, 2, 3):

            def scaled(path, leaf, k=k):
                name = golden.reference_name(
                    ".".join(
                        str(getattr(p, "name", getattr(p, "key", getattr(p, "idx", p))))
                        for p in path
                    )
                )
                g, i = recorded[name], np.arange(leaf.size).reshape(leaf.shape)
                factor = {1: 1.0, 2: ((5 * i) % 7 - 2) / 2, 3: ((3 * i) % 5 - 1) / 4}[k]
                return jnp.asarray((g * factor).astype(np.float32))

            grads = jax.tree_util.tree_map_with_path(scaled, agent)
            updates, opt_state = update(grads, opt_state, agent)
            agent = optax.apply_updates(agent, updates)
            slow = mix_slow(slow, agent.critic, count, cfg)
            count = count + 1
            label = f"{speed} {k}"
            tolerance = 5e-5 * options.lr
            if f"{speed}/update_{k}" in expected:
                difference = flat(updates, names) - expected[f"{speed}/update_{k}"]
                assert np.abs(difference).max() <= tolerance, label
            if f"{speed}/params_{k}" in expected:
                np.testing.assert_allclose(
                    flat(agent, names), expected[f"{speed}/params_{k}"], rtol=1e-6, atol=1e-7
                )
            np.testing.assert_allclose(
                flat(slow, slow_names, "critic."),
                expected[f"{speed}/slow_{k}"],
                rtol=1e-6,
                atol=1e-7,
            )
            moments = {"nu": opt_state[1].nu, "mu": opt_state[2].ema}
            for name, moment in moments.items():
                if f"{speed}/{name}_{k}" in expected:
                    vector, other = flat(moment, names), expected[f"{speed}/{name}_{k}"]
                    if name == "nu":
                        np.testing.assert_allclose(vector, other, rtol=5e-5, atol=1e-20)
                    else:
                        assert np.abs(vector - other).max() <= 5e-5, label
            norms = np.array([np.linalg.norm(x) for x in split(flat(agent, names), expected)])
            np.testing.assert_allclose(norms, expected[f"{speed}/norm_params_{k}"], rtol=1e-6)


def split(vector, expected):
    offsets = expected["offsets"]
    return [vector[a:b] for a, b in zip(offsets, offsets[1:], strict=False)]


def test_three_training_steps(variant):
    expected = golden.load(f"{variant}_train")
    opt = golden.load(f"{variant}_opt")
    base = golden.config(variant)
    options = dataclasses.replace(
        base.optim, lr=opt["fast/lr"].item(), warmup=opt["fast/warmup"].item()
    )
    cfg = dataclasses.replace(base, optim=options)
    sequence, noise = golden.sequence(variant), golden.noise(variant)

    @jax.jit
    def step(state):
        grads, (total, out) = gradients(state, sequence, noise, cfg)
        state, metrics = apply_gradients(state, grads, out.returns, cfg)
        metrics |= {f"loss/{k}": v.mean() for k, v in out.losses.items()} | out.metrics
        return state, metrics | {"opt/loss": total}, out.observed.latent

    state = golden.state(variant, cfg)
    renamed = {
        "opt/" + n: "train/" + n
        for n in ("updates", "grad_norm", "grad_rms", "update_rms", "param_rms")
    }
    renamed |= {"retnorm/lo": "return_low", "retnorm/hi": "return_high"}
    for k in (1, 2, 3):
        state, metrics, latent = step(state)
        scalars = {
            n.split("/", 1)[1]: v
            for n, v in expected.items()
            if n.startswith(f"step{k}/") and v.ndim == 0
        }
        for name, value in scalars.items():
            loose = 2e-4 if k == 3 else 2e-5
            actual = float(metrics[renamed.get(name, name)])
            assert actual == pytest.approx(value.item(), rel=loose, abs=2e-6), (k, name)
        if k == 1:
            close(latent.deter, expected["step1/replay/dyn/deter"], name="written back")
    assert weight_of("image", cfg) == 1.0 and weight_of("repval", cfg) == pytest.approx(0.3)
