"""The whole agent against the reference implementation: losses, gradients, updates."""

import functools as ft

import golden_v3 as golden
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from golden_updates import (
    check_moments,
    check_parameters,
    fast,
    flat,
    norms_of,
    recorded_gradients,
)

from reverie.module import named_leaves
from reverie.nn.loss import by_name
from reverie.optim.optimizer import WHOLE
from reverie.train.losses import agent_loss
from reverie.train.step import apply_gradients, gradients, mix_slow
from reverie.world.model import feature, outline, split_context

VARIANTS = ["disc", "cont"]
close = golden.close


@pytest.fixture(params=VARIANTS, scope="module")
def variant(request):
    with pytest.MonkeyPatch.context() as patch:
        golden.replay_samples(patch)
        yield request.param


@pytest.fixture(scope="module")
def learn(variant):
    """The gradient of one update, compiled once for all tests of a variant."""
    cfg = golden.config(variant)
    compiled = jax.jit(lambda *args: gradients(*args, cfg))
    return lambda state: compiled(state, golden.sequence(variant), golden.noise(variant))


@pytest.fixture(scope="module")
def forward(variant, learn):
    grads, (total, out) = learn(golden.state(variant))
    return variant, grads, total, out


@pytest.fixture(scope="module")
def heads(forward):
    """What every head and the decoder say of the observed latents."""
    variant, _, _, out = forward

    @jax.jit
    def read(agent, slow, latent):
        x = feature(latent)
        flat = jax.tree.map(lambda v: v.reshape(-1, *v.shape[2:]), latent)
        world = agent.world
        return (
            world.reward(x),
            world.cont(x),
            agent.critic(x),
            slow(x),
            agent.actor(x),
            (world.objective(flat)),
        )

    state = golden.state(variant)
    return read(state.agent, state.slow_critic, out.observed.state)


@pytest.fixture(scope="module")
def fast_update(variant):
    return jax.jit(ft.partial(apply_gradients, config=fast(variant)))


def test_every_reference_parameter_has_a_place(variant):
    ours = {golden.reference_name(name) for name in named_leaves(golden.agent(variant))}
    theirs = {name for name in golden.load(f"{variant}_params") if not name.startswith("slowval/")}
    assert ours == theirs


def test_losses(forward):
    variant, _, total, out = forward
    expected = golden.load(f"{variant}_forward")
    close(total, expected["loss_total"], name="total")
    for name, loss in by_name(out.losses).items():
        close(loss, expected[f"loss/{name}"], name=name)
        close(np.mean(loss), expected[f"metric/loss/{name}"], name=name)
    assert set(by_name(out.losses)) == {n[5:] for n in expected if n.startswith("loss/")}


def test_observe(forward):
    variant, _, _, out = forward
    expected, cfg = golden.load(f"{variant}_forward"), golden.config(variant)
    agent = golden.agent(variant)
    rows, _, _ = split_context(golden.sequence(variant), 1)
    tokens = jax.jit(lambda world, obs: world.encode(obs, jnp.dtype("float32")))
    close(tokens(agent.world, rows.obs), expected["tokens"], name="tokens")
    close(out.observed.state.deter, expected["post/deter"], name="deter")
    close(out.observed.post, expected["post/logit"], name="post")
    close(out.observed.prior, expected["prior/logit"], name="prior")
    post = agent.world.dynamics.distribution(out.observed.post)
    prior = agent.world.dynamics.distribution(out.observed.prior)
    close(post.kl(prior).sum(-1), expected["kl/raw"], name="kl")
    close(post.entropy().sum(-1), expected["kl/post_entropy"], name="post entropy")
    close(prior.entropy().sum(-1), expected["kl/prior_entropy"], name="prior entropy")
    floored = jnp.maximum(post.kl(prior).sum(-1), cfg.world.dynamics.free_nats)
    close(floored, expected["kl/dyn_floored"], name="floor")
    close(floored, expected["kl/rep_floored"], name="floor")


def test_heads_and_decoder(forward, heads):
    variant, expected = forward[0], golden.load(f"{forward[0]}_forward")
    reward, cont, critic, slow, policy, preds = heads
    close(reward.logits, expected["head/rew/logits"], name="rew")
    close(reward.mean(), expected["head/rew/pred"], name="rew mean")
    close(cont.logit, expected["head/con/logit"], name="con")
    close(cont.mean(), expected["head/con/prob"], name="con prob")
    close(critic.logits, expected["head/val/logits"], name="val")
    close(critic.mean(), expected["head/val/pred"], name="val mean")
    close(slow.mean(), expected["head/slowval/pred"], name="slow")
    close(policy.entropy()["action"], expected["head/pol/action/entropy"], name="entropy")
    if variant == "disc":
        close(policy.parts["action"][0].logits, expected["head/pol/action/logits"], name="pol")
    else:
        close(policy.parts["action"][0].loc, expected["head/pol/action/mean"], name="mean")
        close(policy.parts["action"][0].std, expected["head/pol/action/std"], name="std")
    image = expected["dec/image/pred"].reshape(-1, 32, 32, 3)
    close(preds["vector"].pred, expected["dec/vector/pred"].reshape(-1, 5), name="vector")
    close(preds["image"].pred, image, name="image")


def swapped(x):
    return np.swapaxes(x, 0, 1)


def test_dreams(forward):
    variant, _, _, out = forward
    expected, targets = golden.load(f"{variant}_forward"), out.targets
    deter = jnp.concatenate([out.dream.feature, out.dream.last[None]])[..., :32]
    close(swapped(deter), expected["img/deter"], name="deter")
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
    variant, _, _, out = forward
    expected = golden.load(f"{variant}_forward")
    known = {n[7:]: v for n, v in expected.items() if n[:7] == "metric/" and "loss/" not in n}
    for name, value in known.items():
        close(out.metrics[name], value, rtol=1e-4, name=name)


def test_gradients(forward):
    variant, grads, _, _ = forward
    expected = golden.load(f"{variant}_grads")
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
        return jnp.stack([by_name(out.losses)[name].mean() for name in names]) @ row

    # One loss a call: under vmap over cotangents jaxlib 0.10.2's CPU compiler gets the gradient of
    # an RMS norm wrong (its YNN fusions; right in 0.11.2, and where activations are batched too).
    gradient = jax.jit(jax.grad(mean_of))
    for name, row in zip(names, np.eye(len(names), dtype=np.float32), strict=True):
        squares: dict[str, float] = {}
        for leaf, grad in named_leaves(gradient(state.agent, row)).items():
            module = golden.reference_name(leaf).split("/")[0]
            squares[module] = squares.get(module, 0.0) + float(np.square(grad).sum())
        for module, square in squares.items():
            other = expected[f"gradnorm/{name}/{module}"].item()
            assert square**0.5 == pytest.approx(other, rel=1e-4, abs=1e-9), (name, module)


def test_three_updates_at_the_preset_rate(variant):
    expected, cfg = golden.load(f"{variant}_opt"), golden.config(variant)
    optimizer, state = cfg.optim.chain(WHOLE), golden.state(variant)
    names = list(expected["names"])

    @jax.jit
    def update(grads, opt_state, agent, slow, count):
        updates, opt_state = optimizer.update(grads, opt_state, agent)
        agent = jax.tree.map(jnp.add, agent, updates)
        return updates, opt_state, agent, mix_slow(slow, agent.critic, count, cfg), count + 1

    rest = (state.opt_state, state.agent, state.slow_critic, state.slow_count)
    for k in (1, 2, 3):
        updates, *rest = update(recorded_gradients(variant, k), *rest)
        check_parameters(expected, ("preset", k), rest[1], rest[2])
        check_moments(expected, ("preset", k), rest[0])
        if f"preset/update_{k}" in expected:
            difference = flat(updates, names) - expected[f"preset/update_{k}"]
            assert np.abs(difference).max() <= 5e-5 * cfg.optim.lr, k
        norms = norms_of(flat(updates, names), expected) - expected[f"preset/norm_update_{k}"]
        sizes = np.diff(expected["offsets"]) ** 0.5
        assert (np.abs(norms) <= 5e-5 * cfg.optim.lr * sizes).all(), k
        assert k > 1 or not flat(updates, names).any(), "the first update has rate 0"


def test_three_updates_at_a_fast_rate(variant, fast_update):
    expected, state = golden.load(f"{variant}_opt"), golden.state(variant)
    for k in (1, 2, 3):
        state, metrics = fast_update(state, recorded_gradients(variant, k), state.returns)
        check_parameters(expected, ("fast", k), state.agent, state.slow_critic)
        check_moments(expected, ("fast", k), state.opt_state)
        assert int(metrics["train/updates"]) == k


RENAMED = {
    **{
        f"opt/{n}": f"train/{n}"
        for n in ("updates", "grad_norm", "grad_rms", "update_rms", "param_rms")
    },
    "retnorm/lo": "return_low",
    "retnorm/hi": "return_high",
}


def test_three_training_steps(variant, learn, fast_update):
    expected, layout = golden.load(f"{variant}_train"), golden.load(f"{variant}_opt")
    state = golden.state(variant)
    slow_names = [n.replace("slowval", "val") for n in layout["slow_names"]]
    for k in (1, 2, 3):
        grads, (total, out) = learn(state)
        state, metrics = fast_update(state, grads, out.returns)
        metrics |= {f"loss/{n}": v.mean() for n, v in by_name(out.losses).items()} | out.metrics
        metrics |= {"opt/loss": total}
        loose = 2e-4 if k == 3 else 2e-5
        for name, value in expected.items():
            if name.startswith(f"step{k}/") and value.ndim == 0:
                name = name.split("/", 1)[1]
                actual = float(metrics[RENAMED.get(name, name)])
                assert actual == pytest.approx(value.item(), rel=loose, abs=2e-6), (k, name)
        norms = norms_of(flat(state.agent, list(layout["names"])), layout)
        np.testing.assert_allclose(norms, expected[f"step{k}/norm_params"], rtol=1e-3)
        slow = flat(state.slow_critic, slow_names, "critic.")
        norms = norms_of(slow, {"offsets": layout["slow_offsets"]})
        np.testing.assert_allclose(norms, expected[f"step{k}/norm_slow"], rtol=1e-5)
        if k == 1:
            close(out.observed.state.deter, expected["step1/replay/dyn/deter"], name="written")


def test_weights_of_the_losses():
    cfg = golden.config("disc")
    inputs = golden.load("disc_inputs")
    obs, _ = golden.specs("disc")
    weights = {loss.name: loss.weight for loss in outline(obs, {}, cfg.world)}
    critic = cfg.behavior.critic
    weights |= {"policy": cfg.behavior.actor.weight, "value": critic.weight}
    weights |= {"rec": weights["image"], "repval": critic.replay_weight}
    for name in (k.removeprefix("cfg/scale/") for k in inputs if k.startswith("cfg/scale/")):
        assert weights[name] == pytest.approx(inputs[f"cfg/scale/{name}"].item())
