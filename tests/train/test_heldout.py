"""What the model foresees of play that it never learned from, beside its replay."""

import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from networks import columns, filled, stored
from tiny_runs import metrics

from reverie.config.edit import apply
from reverie.config.presets import resolve
from reverie.records import Spec
from reverie.train import loop
from reverie.train.dream import predict
from reverie.train.heldout import HeldOut, told
from reverie.train.learner import to_sequence
from reverie.train.state import Agent
from reverie.world.model import split_context, unpack

OBS, ACTIONS = {"state": Spec("vector", (2,))}, {"action": Spec("discrete", (), (3,))}
CONFIG = resolve("gym:X-v0", size="debug", overrides={"device.precision": "f32"})
KEY = jax.random.key(0)


def test_sequences_hold_the_rows_of_one_environment_after_the_other():
    rows = [
        {"reward": np.arange(2) + 10 * time, "obs/x": np.full((2, 3), time)} for time in range(11)
    ]
    kept = HeldOut(3, count=5)
    for row in rows:
        kept.add(row)
    found = kept.sequences()
    starts = [(0, 0), (1, 0), (0, 3), (1, 3), (0, 6)]  # environment, first row
    expected = [[env + 10 * (first + k) for k in range(3)] for env, first in starts]
    np.testing.assert_array_equal(found["reward"], expected)
    np.testing.assert_array_equal(found["obs/x"][:, :, 0], np.array(expected) // 10)


def test_rows_are_copied_and_no_more_than_are_needed_of_many_environments():
    kept, shared = HeldOut(2, count=3), np.arange(8)
    for _ in range(5):
        kept.add({"reward": shared})
        shared += 100
    np.testing.assert_array_equal(
        kept.sequences()["reward"], [[0, 100], [1, 101], [2, 102]], "as the shared board was then"
    )


def test_too_short_an_evaluation_is_no_sequence():
    kept = HeldOut(4)
    for _ in range(3):
        kept.add({"reward": np.zeros(2)})
    assert kept.sequences() is None


@pytest.fixture
def agent():
    return filled(Agent, OBS, ACTIONS, CONFIG)


def sequences(count, seed):
    length = CONFIG.replay.context + 6
    rows = columns(stored(OBS, ACTIONS, CONFIG, batch=count, rows=length, seed=seed))
    rng = np.random.default_rng(seed)
    reward = rng.normal(size=(count, length)).astype(np.float32)
    return jax.tree.map(np.asarray, rows) | {"reward": reward}


def by_hand(agent, rows, count):
    """KL and share of the reward, row by row."""
    how = {"options": CONFIG.world, "context": CONFIG.replay.context, "precision": "f32"}
    seen = jax.tree.map(np.asarray, predict(agent, rows, KEY, **how).foreseen)
    kls, rewards, guesses = [], [], []
    for b in range(count):
        for t, first in enumerate(rows["is_first"][b, CONFIG.replay.context :]):
            if not first:
                kls.append(seen.kl[b, t])
                rewards.append(rows["reward"][b, CONFIG.replay.context + t])
                guesses.append(seen.guess[b, t])
    error = np.mean((np.array(rewards) - np.array(guesses)) ** 2)
    return np.mean(kls), 1 - error / np.var(rewards)


def test_numbers_are_means_over_rows_that_begin_no_episode(agent):
    """Fewer sequences were played than are replayed: only those count."""
    played, replayed = sequences(3, seed=1), sequences(6, seed=2)
    assert played["is_first"].any() and replayed["is_first"].any()
    found = told(agent, played, replayed, key=KEY, config=CONFIG)
    whole = {name: np.concatenate([x, x]) for name, x in played.items()}
    for name, rows, count in (("played", whole, 3), ("replayed", replayed, 6)):
        kl, share = by_hand(agent, rows, count)
        assert found[f"model/kl_{name}"] == pytest.approx(kl, rel=1e-5)
        assert found[f"model/reward_{name}"] == pytest.approx(share, rel=1e-5)


def test_the_kl_is_the_loss_of_the_prior_without_its_floor():
    config = apply(CONFIG, {"world.dynamics.free_nats": 0.0})
    agent, rows = filled(Agent, OBS, ACTIONS, config), sequences(2, seed=3)
    context = config.replay.context
    how = {"options": config.world, "context": context, "precision": "f32"}
    seen = predict(agent, rows, KEY, **how).foreseen
    whole = unpack(to_sequence(jax.tree.map(jnp.asarray, rows)), config.world, np.dtype("float32"))
    trained, action, start = split_context(whole, context)
    noise = agent.world.dynamics.noise(KEY, trained.reward.shape)
    observed = agent.world.observe(start, trained.obs, action, trained.is_first, noise)
    losses, _ = agent.world.dynamics.losses(observed.post, observed.prior)
    np.testing.assert_allclose(seen.kl, losses["dyn"], rtol=1e-5)
    np.testing.assert_array_equal(seen.reward, rows["reward"][:, context:])


def test_rewards_that_never_vary_or_hold_a_bonus_are_not_told_of(agent):
    played, replayed = sequences(3, seed=1), sequences(6, seed=2)
    constant = played | {"reward": np.ones_like(played["reward"])}
    found = told(agent, constant, replayed, key=KEY, config=CONFIG)
    assert set(found) == {"model/kl_played", "model/kl_replayed", "model/reward_replayed"}
    config = apply(CONFIG, {"bonus": "observation"})
    found = told(agent, played, replayed, key=KEY, config=config)
    assert set(found) == {"model/kl_played", "model/kl_replayed"}


class Noise(gymnasium.Env):
    """Nothing of what it shows can be foreseen."""

    observation_space = gymnasium.spaces.Box(-1.0, 1.0, (4,), np.float32)
    action_space = gymnasium.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.left = 20
        return self._look(), {}

    def step(self, action):
        self.left -= 1
        return self._look(), 0.0, False, self.left == 0, {}

    def _look(self):
        return self.np_random.uniform(-1, 1, 4).astype(np.float32)


@pytest.mark.slow
def test_a_replay_that_is_known_by_heart_shows(tmp_path):
    """160 rows of noise, each replayed 560 times: the model foresees them, and nothing of
    fresh noise."""
    edits = {"steps": 161, "train.prefill": 160, "train.pretrain": 700, "train.batch": 8}
    edits |= {"train.length": 16, "train.report_length": 16, "train.ratio": 1, "optim.warmup": 0}
    edits |= {"train.eval_episodes": 8, "logdir": str(tmp_path), "log.progress": "none"}
    config = resolve("custom:noise", size="tiny", overrides=edits)
    last = metrics(loop.train(config, Noise))[-1]
    numbers = {k: v for row in metrics(tmp_path) for k, v in row.items() if k.startswith("model/")}
    assert last["step"] == 161
    assert numbers["model/kl_played"] > 2 * numbers["model/kl_replayed"], numbers
