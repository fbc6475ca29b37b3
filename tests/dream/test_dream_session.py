"""What a session says is what the networks of the run compute."""

import functools as ft

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tiny_dreams import Lamp

import reverie
from reverie.dream.errors import DreamError
from reverie.dream.programs import key_of
from reverie.dream.session import Session
from reverie.train.agent import load
from reverie.train.evaluate import Evaluator
from reverie.world.openloop import looks


def test_a_played_episode_is_what_the_agent_plays(lamp, lamp_inspector):
    """The actions, and the latents that the model is shown to have, are those of `Agent.act`."""
    agent = reverie.load(lamp, make_env=Lamp)
    seen = lamp_inspector.observed("played", 5)
    carry = None
    for row in range(seen.episode.rows - 1):
        obs = {key: value[row] for key, value in seen.episode.obs.items()}
        action, carry = agent.act(obs, carry, seed=5, terms="agent")
        assert action["action"] == seen.episode.action["action"][row]
        for ours, theirs in zip(
            jax.tree.leaves(seen.state(row)), jax.tree.leaves(carry.state.state), strict=True
        ):
            np.testing.assert_allclose(ours, theirs, atol=1e-5)


@ft.partial(jax.jit, static_argnames="config")
def by_hand(model, start, config):
    """What the networks say after action 2, with the noise of the first row of dream 7."""
    world, dynamics = model.world, model.world.dynamics
    prior, _ = jax.random.split(jax.random.fold_in(key_of(7), 1))
    embedded = world.embed({"action": jnp.array([[2]], jnp.int32)})
    noise = dynamics.noise(prior, ())[None]
    carry, _ = dynamics.prepared().imagine(dynamics.carry(start), embedded, noise)
    state = dynamics.state(carry)
    x = world.feature(state)
    policy = model.actor(x)
    return {
        "reward": world.reward(x).mean(),
        "cont": world.cont(x).mean(),
        "value": model.critic(x).mean(),
        "entropy": policy.entropy()["action"],
        "policy": policy.parts["action"][0].probs,
        "shown": looks(world, config.world.objective, state),
    }


def test_a_dreamed_row_is_what_the_networks_say(lamp, session):
    """One step by hand, with the parts of the checkpoint and the noise of the dream."""
    inspector = session.inspector
    model = inspector.loaded.model
    branch = session.branch(3, seed=7)
    rows, first = session.act(branch.number, "given", action={"action": 2})
    assert first == 1 and len(rows) == 1
    said = by_hand(model, session.observed.state(3), inspector.loaded.config)
    row, close = rows[0], {"rtol": 1e-4, "atol": 1e-5}
    for name in ("reward", "cont", "value", "entropy"):
        np.testing.assert_allclose(getattr(row.said, name), said[name][0], **close)
    np.testing.assert_allclose(row.said.policy["action"], said["policy"][0], **close)
    assert np.abs(said["shown"]["image"][0].astype(int) - row.shown["image"]).max() <= 1
    np.testing.assert_allclose(row.shown["place"], said["shown"]["place"][0], **close)
    agent = load(lamp, inspector.loaded.config)
    for mine, theirs in zip(
        jax.tree.leaves(model.acting()), jax.tree.leaves(agent.acting), strict=True
    ):
        np.testing.assert_array_equal(mine, theirs)


def numbers(rows):
    return np.array([[r.said.reward, r.said.value, r.said.entropy] for r in rows])


def test_a_dream_does_not_depend_on_how_it_is_cut(session):
    whole, pieces = session.branch(2, seed=3), session.branch(2, seed=3)
    session.act(whole.number, "sampled", steps=20)
    for steps in (1, 1, 17, 1):
        session.act(pieces.number, "sampled", steps=steps)
    np.testing.assert_allclose(numbers(whole.rows), numbers(pieces.rows), rtol=1e-4, atol=1e-5)
    assert [r.action for r in whole.rows[1:]] == [r.action for r in pieces.rows[1:]]


def test_a_branch_goes_on_as_its_parent_did(session):
    parent = session.branch(1, seed=3)
    session.act(parent.number, "greedy", steps=6)
    child = session.branch(4, parent.number, seed=3)
    assert (child.depth, child.origin) == (4, 1)
    session.act(child.number, "greedy", steps=2)
    np.testing.assert_allclose(numbers(child.rows), numbers(parent.rows[4:]), rtol=1e-4, atol=1e-5)
    other = session.branch(4, parent.number, seed=4)
    session.act(other.number, "greedy", steps=2)
    assert (numbers(other.rows)[1:] != numbers(child.rows)[1:]).any()


def test_reality_is_known_as_long_as_the_actions_are_the_recorded_ones(session):
    episode = session.observed.episode
    branch = session.branch(2)
    rows, _ = session.act(branch.number, "recorded", steps=3)
    for index, row in enumerate(rows, start=3):
        np.testing.assert_array_equal(row.real["image"], episode.obs["image"][index])
        assert row.reward == episode.reward[index]
    other = (int(episode.action["action"][5][0]) + 1) % 3
    (row,), _ = session.act(branch.number, "given", action={"action": other})
    assert row.real is None and row.reward is None
    (row,), _ = session.act(branch.number, "given", action={"action": 0})
    assert row.real is None


def test_the_real_row_surprises_a_dream_as_it_surprises_the_model(session):
    """One row after reality was left both expect the same; later the dream knows less. Where
    nobody knows what follows there is no number."""
    seen, branch = session.observed, session.branch(2)
    rows, _ = session.act(branch.number, "recorded", steps=1)
    np.testing.assert_allclose(rows[0].said.kl, seen.said.kl[3], rtol=1e-4)
    whole = session.branch(2)
    rows, _ = session.act(whole.number, "recorded", steps=4)
    kl = np.array([row.said.kl for row in rows])
    np.testing.assert_allclose(kl[0], seen.said.kl[3], rtol=1e-4)
    assert (kl > 0).all() and (kl[1:] != seen.said.kl[4:7]).all()
    for _ in range(3):
        rows, _ = session.act(branch.number, "recorded", steps=1)
    np.testing.assert_allclose(rows[0].said.kl, kl[3], rtol=1e-4)
    other = (int(seen.episode.action["action"][6][0]) + 1) % 3
    (row,), _ = session.act(branch.number, "given", action={"action": other})
    assert np.isnan(row.said.kl)


def test_an_episode_of_the_evaluation_is_the_one_that_was_evaluated(lamp_inspector, tmp_path):
    """Returns and lengths are those of the run's evaluation; latents those with which it acted;
    reality goes on beside it."""
    loaded = lamp_inspector.loaded
    config, acting = loaded.config, loaded.model.acting()
    evaluator = Evaluator(config, Lamp, tmp_path / "log")
    numbers = evaluator(acting, stop=lambda: False).numbers
    seen = [lamp_inspector.observed("evaluation", n) for n in range(config.train.eval_episodes)]
    returns = [episode.episode.reward.sum() for episode in seen]
    assert numbers["eval/return"] == pytest.approx(np.mean(returns))
    assert numbers["eval/return_std"] == pytest.approx(np.std(returns))
    assert numbers["eval/length"] == np.mean([found.episode.rows - 1 for found in seen])

    envs, actor = evaluator._opened["custom:test"]
    start, at = seen[1].episode.start, 3
    assert (start.env, start.number, start.envs) == (0, 1, 2)
    envs.rewind()
    actor.reset()
    for _ in range(start.row + at + 1):
        envs.send(actor.action)
        actor(acting, envs.recv())
    for ours, theirs in zip(
        jax.tree.leaves(seen[1].state(at)), jax.tree.leaves(actor.carry.state), strict=True
    ):
        np.testing.assert_allclose(ours[0], theirs[0], atol=1e-5)
    evaluator.close()

    for number in (1, 2):
        session = Session(lamp_inspector)
        session.open("evaluation", number)
        branch = session.branch(2, reality=True)
        assert branch.notice == "" and branch.beside is not None
        (row,), _ = session.act(branch.number, "recorded")
        real = session.observed.episode.obs["image"][3]
        np.testing.assert_array_equal(row.real["image"], real)
        assert np.isfinite(row.said.kl)
        session.close()


def test_reality_goes_on_beside_a_dream(lamp_inspector):
    session = Session(lamp_inspector)
    seen = session.open("played", 1)
    branch = session.branch(4, reality=True)
    game = Lamp()
    rows, _ = session.act(branch.number, "given", action={"action": 2}, steps=3)
    game.place = int(seen.episode.obs["place"][4][0])
    for row in rows:
        game.place = (game.place + 1) % 16
        assert row.real["place"][0] == game.place
        assert row.reward == pytest.approx(game.place / 15)
    child = session.branch(2, branch.number, reality=True)
    assert not child.notice
    (row,), _ = session.act(child.number, "given", action={"action": 1})
    assert row.real["place"][0] == rows[1].real["place"][0]
    session.close()


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda s: s.act(99, "greedy"), "there is no branch 99; those that are there: none"),
        (lambda s: s.branch(5000), "the episode has the rows 0 ..."),
        (lambda s: s.branch(-1), "found -1"),
        (lambda s: s.branch(0, seed=-1), "seed is -1, expected 0 ..."),
        (lambda s: s.act(s.branch(0).number, "gredy"), "did you mean 'greedy'?"),
        (lambda s: s.act(s.branch(0).number, "greedy", steps=0), "expected 1 ... 500"),
        (lambda s: s.act(s.branch(0).number, "recorded", steps=400), "recorded actions from here"),
        (
            lambda s: s.act(s.branch(0).number, "given", action={"action": 3}),
            "action 'action' is 3, expected 1 whole number from 0 to 2",
        ),
        (
            lambda s: s.act(s.branch(0).number, "given", action={"acton": 1}),
            "no action 'acton'; did",
        ),
        (lambda s: s.act(s.branch(0).number, "given", action={}), "lacks 'action'"),
        (lambda s: s.act(s.branch(0).number, "given", action=None), "an action is an object"),
        (lambda s: s.act(s.branch(0).number, "given", action={"action": "x"}), "is 'x', expected"),
        (lambda s: s.open("replay", 10_000), "there is no episode 10000 of the replay"),
        (lambda s: s.open("evaluation", 3), "an evaluation's episode is 3, expected 0 ... 2"),
        (lambda s: s.open("reply", 0), "did you mean 'replay'?"),
    ],
)
def test_what_is_not_there_is_said_and_changes_nothing(session, call, said):
    before = session.observed
    with pytest.raises(DreamError) as error:
        call(session)
    assert said in str(error.value) and str(error.value).count("\n") == 0
    assert session.observed is before
    assert all(len(branch.rows) == 1 for branch in session.branches.values())


def test_a_replayed_episode_cannot_be_played_on(session):
    branch = session.branch(1, reality=True)
    assert "rows of the replay do not say how their episode began" in branch.notice


@pytest.mark.slow
def test_the_class_that_is_shown_is_the_likeliest_one(dial_inspector):
    session = Session(dial_inspector)
    seen = session.open("replay", 0)
    world = dial_inspector.loaded.model.world
    (said,) = world.objective(world.dynamics.view(seen.states))["side"]
    assert [int(seen.shown(row)["side"]) for row in range(seen.episode.rows)] == np.argmax(
        np.asarray(said.logits), -1
    ).reshape(-1).tolist()
