"""Dreams, losses, acting and three whole updates against the reference's DreamerV2 and torch V3."""

import dataclasses
import functools as ft

import golden_v2 as golden
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from reverie.behavior.actor_critic import gradient_of
from reverie.behavior.gradient import AbstractGradient, Dynamics, Mixed, Reinforce
from reverie.behavior.imagine import DreamNoise
from reverie.behavior.policy import ActCarry, Acting, ActNoise
from reverie.config.edit import apply
from reverie.module import named_leaves
from reverie.nn.distributions import Categorical
from reverie.nn.loss import by_name
from reverie.part.part import name_of
from reverie.records import Latent
from reverie.train.losses import Noise
from reverie.train.state import Agent, init
from reverie.train.step import behavior_gradients, update_in_order, world_gradients
from reverie.world.model import unpack

close = golden.close
FORWARD, GRADIENT, PARAMETER = 2e-5, 1e-4, 5e-6


@pytest.fixture(params=golden.VARIANTS, scope="module")
def variant(request):
    with pytest.MonkeyPatch.context() as patch:
        golden.replay_samples(patch)
        yield request.param


def config(variant, **edits):
    """The configuration of the whole agent; the optimisers are those of the recorded updates."""
    found, get = golden.arrays(variant), ft.partial(golden.setting, variant)
    fields = {
        "behavior.gradient": "auto",
        "behavior.gradient.climb": "advantage" if get("reward_perc") else "return",
        "behavior.own_reward": True,
        "behavior.true_root": True,
        "behavior.replay_value": False,
        "behavior.replay_grad": False,
        "behavior.scale": "range" if get("reward_perc") else "none",
        "behavior.slow_target": not get("fast_lambda_return"),
        "behavior.baseline": "slow",
        "behavior.slow_reg": get("loss_scales.slowreg"),
        "behavior.slow_copy_first": True,
        "behavior.slow_rate": found["train/config/slow_target_fraction"].item(),
        "behavior.slow_every": found["train/config/slow_target_update"].item(),
        "behavior.gradient.entropy_in_target": variant == "v2_continuous",
        "optim": "adam",
        "train.update": "ordered",
        "optim.form": "torch",
        "optim.warmup": 0,
    }
    for group, theirs in (("world", "model"), ("actor", "actor"), ("critic", "critic")):
        for ours, name in (("lr", "lr"), ("eps", "eps"), ("clip", "clip"), ("decay", "wd")):
            fields[f"optim.{group}.{ours}"] = found[f"train/config/{theirs}_opt.{name}"].item()
    named = {key.replace("__", "."): value for key, value in edits.items()}
    return apply(golden.config(variant), fields | named)


@ft.cache
def state(variant, cfg):
    """The train state from which the reference started."""
    specs, key = golden.specs(variant), jax.random.key(0)
    shape = jax.eval_shape(lambda key: init(*specs, cfg, key), key)
    blank = jax.tree.map(lambda leaf: jnp.asarray(np.zeros(leaf.shape, leaf.dtype)), shape)
    agent = golden.fill(shape.agent, variant, "")
    slow = golden.fill(shape.agent.critic, variant, "critic.", "params/target_")
    range_ = golden.arrays(variant).get("buffers/rewnorm.values", np.zeros(2, np.float32))
    returns = dataclasses.replace(
        blank.returns, low=jnp.asarray(range_[0]), high=jnp.asarray(range_[1])
    )
    return dataclasses.replace(blank, agent=agent, slow_critic=slow, returns=returns)


def recorded(variant, dream="imag/", post="sample/post"):
    """The recorded samples in the place of noise."""
    found = golden.arrays(variant)
    if "discrete" in variant:
        action = golden.classes(found[f"{dream}sample_action"])[..., None]
    else:
        action = jnp.asarray(found[f"{dream}sample_uniform"])
    prior = golden.classes(found[f"{dream}sample_prior"])
    return Noise(golden.classes(found[post]), DreamNoise(prior, {"action": action}))


def sequence(variant, cfg):
    return unpack(golden.sequence(variant), cfg.world, jnp.dtype("float32"))


def dream(variant, cfg, noise):
    """Losses, gradients and all the rest of the behaviour, before any update."""

    @jax.jit
    def both(state, rows, noise):
        _, (_, world, _) = world_gradients(state, rows, noise, cfg)
        return behavior_gradients(state.agent, state, world, noise, cfg, start=jnp.zeros(()))

    grads, (_, out, _) = both(state(variant, cfg), sequence(variant, cfg), noise)
    return grads, out


@pytest.fixture(scope="module")
def result(variant):
    return variant, *dream(variant, config(variant), recorded(variant))


def test_every_reference_parameter_has_a_place(variant):
    agent = state(variant, config(variant)).agent
    ours = {golden.reference_name(name) for name in named_leaves(agent)}
    theirs = {n[7:] for n in golden.arrays(variant) if n.startswith("params/")}
    assert ours == {name for name in theirs if not name.startswith("target_critic")}


def test_dreams(result):
    variant, _, out = result
    a, cfg = golden.arrays(variant), config(variant)
    targets, dreamed = out.targets, out.dream
    feature = jnp.concatenate([dreamed.feature, dreamed.last[None]])
    close(feature, golden.feature(a["imag/feat"], variant), rtol=FORWARD, name="feature")
    prior = Categorical(dreamed.logits, cfg.world.dynamics.latent.unimix)
    close(prior.logp, jax.nn.log_softmax(a["imag/logit"][1:]), rtol=FORWARD, name="prior")
    action = dreamed.action["action"]
    if "discrete" in variant:
        action = jax.nn.one_hot(action[..., 0], a["imag/action"].shape[-1])
    close(action, a["imag/action"][1:], rtol=FORWARD, name="action")
    for name, value in {
        "reward": targets.reward,
        "discount": targets.cont,
        "weight": targets.weight,
        "value_slow": targets.slow,
        "value_fast": targets.value,
        "target": targets.returns,
    }.items():
        close(value, a[f"imag/{name}"], rtol=FORWARD, name=name)
    judged = len(targets.advantage)
    logp = -dreamed.policy.nll(dreamed.action)[:judged]
    close(logp, a["imag/policy_logprob"], rtol=FORWARD, name="logp")
    entropy = dreamed.policy.entropy()["action"][:judged]
    close(entropy, a["imag/policy_entropy"], rtol=FORWARD, name="entropy")
    if "imag/ret_scale" in a:
        close(out.scales.returns.low, a["imag/ret_EMA_05"], rtol=FORWARD)
        close(out.scales.returns.high, a["imag/ret_EMA_95"], rtol=FORWARD)
        close(out.metrics["return_scale"], a["imag/ret_scale"], rtol=FORWARD)


def test_losses_and_their_gradients(result):
    variant, grads, out = result
    a = golden.arrays(variant)
    close(by_name(out.losses)["policy"].mean(), a["imag/actor_loss"], rtol=FORWARD, name="actor")
    close(by_name(out.losses)["value"].mean(), a["imag/critic_loss"], rtol=FORWARD, name="critic")
    close(out.metrics["ent/action"], a["imag/actor_ent"], rtol=FORWARD, name="entropy")
    same_gradients(grads["actor"], variant, "actor.", "imag/grad_")
    same_gradients(grads["critic"], variant, "critic.", "imag/grad_")


def same_gradients(tree, variant, prefix, group):
    found = golden.arrays(variant)
    for name, grad in named_leaves(tree).items():
        theirs = golden.reference_name(prefix + name)
        theirs = theirs.replace(".", "/", 1)
        expected = golden.ours(prefix + name, found[f"{group}{theirs}"], variant)
        close(grad, expected, rtol=GRADIENT, atol=1e-8, name=name)


def test_the_critic_target_is_clean_unless_the_bug_is_asked_for():
    variant = "v2_continuous"
    with pytest.MonkeyPatch.context() as patch:
        golden.replay_samples(patch)
        clean = config(variant, behavior__gradient__entropy_in_target=False)
        _, out = dream(variant, clean, recorded(variant))
    a = golden.arrays(variant)
    close(
        by_name(out.losses)["value"].mean(), a["imag/critic_loss_with_clean_target"], rtol=FORWARD
    )
    assert abs(float(by_name(out.losses)["value"].mean()) - float(a["imag/critic_loss"])) > 1e-3
    close(by_name(out.losses)["policy"].mean(), a["imag/actor_loss"], rtol=FORWARD)


@pytest.mark.parametrize("kind", ["reinforce", "dynamics", "both"])
def test_other_estimators(variant, kind):
    a = golden.arrays(variant)
    if f"imag_alt/{kind}/actor_loss" not in a:
        pytest.skip("not recorded")
    climb = config(variant).behavior.gradient.climb
    buggy = kind == "dynamics" and variant.startswith("v2")
    gradient = {
        "reinforce": Reinforce(),
        "dynamics": Dynamics(climb, entropy_in_target=buggy),
        "both": Mixed(float(a["imag_alt/mix"]), climb),
    }[kind]
    cfg = config(variant)
    cfg = dataclasses.replace(cfg, behavior=dataclasses.replace(cfg.behavior, gradient=gradient))
    grads, out = dream(variant, cfg, recorded(variant))
    close(
        by_name(out.losses)["policy"].mean(),
        a[f"imag_alt/{kind}/actor_loss"],
        rtol=FORWARD,
        name="actor",
    )
    close(
        by_name(out.losses)["value"].mean(),
        a[f"imag_alt/{kind}/critic_loss"],
        rtol=FORWARD,
        name="value",
    )
    found = {k.split("grad_actor/")[1] for k in a if k.startswith(f"imag_alt/{kind}/grad_actor/")}
    assert len(found) == len(named_leaves(grads["actor"]))
    same_gradients(grads["actor"], variant, "actor.", f"imag_alt/{kind}/grad_")


def test_without_a_discount_head():
    variant = "v2_continuous"
    a, cfg = golden.arrays(variant), config(variant, world__cont__predict=False)
    with pytest.MonkeyPatch.context() as patch:
        golden.replay_samples(patch)
        _, out = dream(variant, cfg, recorded(variant, "imag_nodisc/"))
    close(out.dream.action["action"], a["imag_nodisc/action"][1:], rtol=FORWARD, name="action")
    for name, value in {
        "reward": out.targets.reward,
        "discount": out.targets.cont,
        "weight": out.targets.weight,
        "target": out.targets.returns,
    }.items():
        close(value, a[f"imag_nodisc/{name}"], rtol=FORWARD, name=name)
    close(by_name(out.losses)["policy"].mean(), a["imag_nodisc/actor_loss"], rtol=FORWARD)
    close(by_name(out.losses)["value"].mean(), a["imag_nodisc/critic_loss"], rtol=FORWARD)


@pytest.mark.parametrize("greedy", [False, True])
def test_acting(variant, greedy):
    mode, a = "act_eval" if greedy else "act_train", golden.arrays(variant)
    agent = state(variant, config(variant)).agent
    acting = Acting.of(agent.world, agent.actor)
    previous, classes = a["act_prev_action"], "discrete" in variant
    if classes:
        previous = previous.argmax(-1).astype(np.int32)[:, None]
        drawn = golden.classes(a["act_train/sample_action"])[:, None]
    else:
        drawn = jnp.asarray(a["act_train/sample_uniform"])
    latent = Latent(jnp.asarray(a["init_state/deter"]), jnp.asarray(a["init_state/stoch"]) + 0.0)
    carry = ActCarry(latent, {"action": jnp.asarray(previous)})
    noise = ActNoise(golden.classes(a[f"{mode}/sample_post"]), {"action": drawn})
    obs = {"image": jnp.asarray(a["data/image"][:, 0])}
    first = jnp.asarray(a["data/is_first"][:, 0] > 0)
    act = jax.jit(ft.partial(Acting.__call__, greedy=greedy))
    action, following = act(acting, carry, obs, first, noise)
    action = action["action"]
    if classes:
        action = jax.nn.one_hot(action[:, 0], a[f"{mode}/action"].shape[-1])
    close(action, a[f"{mode}/action"], rtol=FORWARD, name="action")
    close(following.state.deter, a[f"{mode}/deter"], rtol=FORWARD, name="deter")


METRICS = {
    "model_loss": lambda m, o: m["world"],
    "image_loss": lambda m, o: by_name(o.losses)["image"].mean(),
    "reward_loss": lambda m, o: by_name(o.losses)["rew"].mean(),
    "discount_loss": lambda m, o: by_name(o.losses)["con"].mean(),
    "model_kl": lambda m, o: o.metrics["kl"],
    "prior_ent": lambda m, o: o.metrics["dyn_ent"],
    "post_ent": lambda m, o: o.metrics["rep_ent"],
    "actor_loss": lambda m, o: by_name(o.losses)["policy"].mean(),
    "critic_loss": lambda m, o: by_name(o.losses)["value"].mean(),
    "actor_ent": lambda m, o: o.metrics["ent/action"],
    "critic_target": lambda m, o: o.targets.returns.mean(),
    "model_grad_norm": lambda m, o: m["train/grad_norm_world"],
    "actor_grad_norm": lambda m, o: m["train/grad_norm_actor"],
    "critic_grad_norm": lambda m, o: m["train/grad_norm_critic"],
    "ret_scale": lambda m, o: o.metrics["return_scale"],
}


def test_three_updates(variant):
    cfg, a = config(variant), golden.arrays(variant)
    now, rows = state(variant, cfg), sequence(variant, cfg)
    update = jax.jit(ft.partial(update_in_order, config=cfg))
    for k in (1, 2, 3):
        noise = recorded(variant, f"train/u{k}/imag_", f"train/u{k}/sample_post")
        now, metrics, (total, out) = update(now, rows, noise)
        metrics["world"] = (
            total - by_name(out.losses)["policy"].mean() - by_name(out.losses)["value"].mean()
        )
        for name, read in METRICS.items():
            if f"train/metric/{name}" in a:
                expected = a[f"train/metric/{name}"][k - 1]
                found = float(read(metrics, out))
                assert found == pytest.approx(expected, rel=2e-4, abs=2e-6), (k, name)
        check_parameters(now, variant, k)
        rows = continued(rows, out.observed.state)


def continued(rows, latent):
    """The same batch, begun from the last posteriors."""
    start = Latent(
        *(x[:, -1:].repeat(y.shape[1], 1) for x, y in zip(latent, rows.latent, strict=True))
    )
    return rows._replace(latent=start)


def check_parameters(now, variant, k):
    """Selected parameters and the size of every parameter's change after update `k`."""
    a = golden.arrays(variant)
    changes = {n: i for i, n in enumerate(map(str, a["train/delta_names"]))}
    leaves = {n: (n, x) for n, x in named_leaves(now.agent).items()}
    slow = {f"critic.{n}": x for n, x in named_leaves(now.slow_critic).items()}
    found = [("", n, x) for n, x in leaves.values()] + [("target_", n, x) for n, x in slow.items()]
    compared = 0
    for prefix, name, leaf in found:
        theirs = prefix + golden.reference_name(name)
        start = golden.ours(name, a[f"params/{theirs}"], variant)
        if theirs in changes:
            index = k - 1, changes[theirs]
            size = float(np.linalg.norm(np.asarray(leaf, np.float64) - start))
            bound = PARAMETER * leaf.size**0.5
            assert abs(size - a["train/delta_l2"][index]) <= bound, (k, theirs)
            compared += 1
        if f"train/u{k}/params/{theirs}" in a:
            expected = golden.ours(name, a[f"train/u{k}/params/{theirs}"], variant)
            close(leaf, expected, rtol=0, atol=PARAMETER, name=f"{k} {theirs}")
    assert compared == len(changes)


def test_the_automatic_estimator(variant):
    agent = state(variant, config(variant)).agent
    resolved = golden.setting(variant, "resolved_actor_grad")
    found = gradient_of(agent.actor, config(variant).behavior)
    assert name_of(AbstractGradient, found) == resolved
    assert isinstance(agent, Agent)
