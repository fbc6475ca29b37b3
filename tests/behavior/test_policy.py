"""Acting and open-loop prediction against the reference; policies over several actions."""

import golden_v3 as golden
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from networks import filled

from reverie.behavior.policy import Acting, ActNoise
from reverie.nn.heads import Actor
from reverie.nn.options import ActorConfig
from reverie.records import Latent, Spec
from reverie.world.model import feature, split_context
from reverie.world.openloop import open_loop

close = golden.close


@pytest.fixture(params=["disc", "cont"], scope="module")
def variant(request):
    with pytest.MonkeyPatch.context() as patch:
        golden.replay_samples(patch)
        yield request.param


def test_acting(variant):
    expected, sequence = golden.load(f"{variant}_act"), golden.sequence(variant)
    agent = golden.agent(variant)
    acting, carry = Acting.of(agent.world, agent.actor), None

    @jax.jit
    def step(acting, carry, obs, is_first, noise):
        action, carry = acting(carry, obs, is_first, noise)
        tokens = acting.encoder(obs, jnp.dtype("float32"))
        return action, carry, tokens, acting.actor(feature(carry.state))

    carry = acting.initial(3)
    for k in range(3):
        recorded = {n[6:]: v for n, v in expected.items() if n.startswith(f"step{k}/")}
        obs = {key: value[:, k + 1] for key, value in sequence.obs.items()}
        chosen = jnp.asarray(recorded["action/action"], jnp.float32).reshape(3, -1)
        noise = ActNoise(jnp.asarray(recorded["stoch_index"], jnp.float32), {"action": chosen})
        first = jnp.asarray(recorded["is_first"])
        action, carry, tokens, policy = step(acting, carry, obs, first, noise)
        close(carry.state.deter, recorded["deter"], name=f"deter {k}")
        close(carry.state.stoch, np.eye(6)[recorded["stoch_index"]], name=f"stoch {k}")
        close(tokens, recorded["tokens"], name=f"tokens {k}")
        close(action["action"], chosen, name="the sample that was fed")
        part = policy.parts["action"][0]
        if variant == "disc":
            close(part.logits, recorded["pol/action/logits"], name=f"logits {k}")
        else:
            close(part.loc, recorded["pol/action/mean"], name=f"mean {k}")
            close(part.std, recorded["pol/action/std"], name=f"std {k}")


def test_open_loop(variant):
    expected, world = golden.load(f"{variant}_act"), golden.agent(variant).world
    rows, action, start = split_context(golden.sequence(variant), 1)
    indices = [expected[f"openloop/{k}_index"] for k in ("post", "prior")]
    uniform = jnp.asarray(np.concatenate(indices, 1), jnp.float32)

    @jax.jit
    def predict(world, uniform):
        result = open_loop(world, start, rows.obs, action, rows.is_first, noise=uniform, observed=3)
        late = jax.tree.map(lambda x: x[:, 3:].reshape(12, *x.shape[2:]), result.state)
        return result, world.objective(late)

    result, preds = predict(world, uniform)
    close(result.state.deter[:, :3], expected["openloop/post_deter"], name="observed")
    close(result.state.deter[:, 3:], expected["openloop/prior_deter"], name="dreamed")
    close(result.prior, expected["openloop/prior_logit"], name="logits")
    vector = preds["vector"].pred.reshape(3, 4, 5)
    close(vector, expected["openloop/pred/vector"], name="vector")
    image = preds["image"].pred.reshape(3, 4, 32, 32, 3)[:1, 3]
    close(image, expected["openloop/last_pred/image"], name="image")


SPECS = {
    "turn": Spec("vector", (2,), (), (-1.0,) * 2, (1.0,) * 2),
    "buttons": Spec("discrete", (3,), (2, 3, 5)),
}


def policy(rows=4):
    actor = filled(Actor, 6, SPECS, ActorConfig(units=8, layers=1))
    x = jnp.asarray(np.random.default_rng(0).normal(size=(rows, 6)), jnp.float32)
    return actor, jax.jit(lambda actor, x: actor(x))(actor, x)


def test_joint_actions_add_up_over_keys_and_components():
    actor, dist = policy()
    noise = actor.noise(jax.random.key(1), (4,))
    action = dist.sample(noise)
    assert action["turn"].shape == (4, 2)
    assert action["buttons"].shape == (4, 3)
    assert action["buttons"].dtype == jnp.int32
    expected = np.asarray(dist.parts["turn"][0].nll(action["turn"])).sum(-1)
    entropy = 0.0
    for i, part in enumerate(dist.parts["buttons"]):
        assert part.logits.shape == (4, SPECS["buttons"].classes[i])
        logp = np.asarray(jax.nn.log_softmax(part.logits))
        expected = expected - logp[np.arange(4), np.asarray(action["buttons"])[:, i]]
        entropy = entropy - (np.exp(logp) * logp).sum(-1)
    close(dist.nll(action), expected)
    close(dist.entropy()["buttons"], entropy)
    close(dist.entropy()["turn"], np.asarray(dist.parts["turn"][0].entropy()).sum(-1))


def test_modes_are_most_likely():
    _, dist = policy()
    mode = dist.mode()
    assert (mode["turn"] == dist.parts["turn"][0].loc).all()
    for i, part in enumerate(dist.parts["buttons"]):
        assert (mode["buttons"][:, i] == np.asarray(part.logits).argmax(-1)).all()


def test_greedy_acting_takes_the_mode_and_remembers_it():
    agent = golden.agent("disc")
    acting = Acting.of(agent.world, agent.actor)
    obs = {"image": jnp.zeros((2, 32, 32, 3), jnp.uint8), "vector": jnp.ones((2, 5))}
    noise = acting.noise(jax.random.key(0), 2)
    run = jax.jit(lambda n: acting(acting.initial(2), obs, jnp.ones(2, bool), n, greedy=True))
    action, carry = run(noise)
    expected = np.asarray(acting.actor(feature(carry.state)).parts["action"][0].logits).argmax(-1)
    assert action["action"][:, 0].tolist() == expected.tolist()
    assert carry.action is action or (carry.action["action"] == action["action"]).all()
    assert isinstance(carry.state, Latent)
