"""The agent in loops that other libraries' users have: who begins an episode, SB3's `predict`."""

import inspect
import logging

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from made_runs import made_run

import reverie
from reverie.train import checkpoint
from reverie.train.agent import load

PICTURE = spaces.Box(0, 255, (3, 16, 20), np.uint8)
SEEN = spaces.Dict({"camera": PICTURE, "gear": spaces.Discrete(4, start=2)})
DONE = spaces.Dict(
    {"arm": spaces.Box(np.float32([5, -3]), np.float32([10, 1])), "go": spaces.Discrete(3)}
)


class Crane(gymnasium.Env):
    """A channels-first picture, classes from 2 on; a box with unlike bounds; five to nine steps."""

    observation_space, action_space = SEEN, DONE

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.left = int(self.np_random.integers(5, 10))
        return self.show(), {}

    def show(self):
        return {
            "camera": np.full(PICTURE.shape, 20 * self.left, np.uint8),
            "gear": 2 + self.left % 4,
        }

    def step(self, action):
        assert DONE.contains(action), action
        self.left -= 1
        return self.show(), float(action["go"]), self.left == 0, False, {}


@pytest.fixture(scope="module")
def run(tmp_path_factory, cache):
    """A run on the crane that has learned nothing, with an earlier checkpoint of other weights."""
    run = made_run(tmp_path_factory.mktemp("acting") / "a", SEEN, DONE, task="custom:test", step=60)
    tree = checkpoint.load(checkpoint.complete(run / "checkpoints")[-1])
    for part in ("acting", "newest"):
        weights = tree["learner"][part]
        tree["learner"][part] = {name: -value for name, value in weights.items()}
    tree["clocks"]["step"] = 30
    checkpoint.save(run / "checkpoints", 30, tree)
    return run


@pytest.fixture(scope="module")
def agent(run):
    return load(run)


def stacked(*observations):
    return {key: np.stack([obs[key] for obs in observations]) for key in observations[0]}


def crane(left):
    env = Crane()
    env.left = left
    return env.show()


def equal(one, two, index=slice(None)):
    for key in one:
        np.testing.assert_array_equal(one[key][index], two[key][index])
    return True


def test_who_begins_an_episode_starts_afresh_and_the_others_go_on(agent):
    other = agent.act(stacked(crane(9), crane(1)))[1]
    carry = agent.act(stacked(crane(3), crane(4)))[1]
    now = stacked(crane(8), crane(3))
    first, after = agent.act(now, carry, first=[True, False])
    assert equal(first, agent.act(now, other, first=[True, True])[0], 0)
    assert equal(first, agent.act(now, carry)[0], 1)
    kept = agent.act(now, after)[0]
    whole = agent.act(now, agent.act(now, other, first=np.ones(2))[1])[0]
    assert equal(kept, whole, 0)


def test_predict_is_act_by_the_names_of_stable_baselines(agent):
    known = inspect.signature(agent.predict).parameters
    assert list(known) == ["observation", "state", "episode_start", "deterministic"]
    assert {part.kind for part in known.values()} == {inspect.Parameter.POSITIONAL_OR_KEYWORD}
    assert [part.default for part in known.values()][1:] == [None, None, True]
    action, state = agent.predict(crane(7))
    assert DONE.contains(action)
    same, carry = agent.act(crane(7), greedy=True)
    assert equal({"arm": action["arm"]}, same)
    later, _ = agent.predict(crane(6), state, np.zeros(1), False)
    assert equal({"arm": later["arm"]}, agent.act(crane(6), carry)[0])
    begun, _ = agent.predict(crane(6), state, episode_start=np.ones((1,), bool))
    assert equal({"arm": begun["arm"]}, agent.act(crane(6), carry, first=True, greedy=True)[0])


def test_a_loop_written_for_stable_baselines_plays_whole_episodes(agent):
    """What its `evaluate_policy` does with a vector of environments and a recurrent model."""
    envs = gymnasium.vector.SyncVectorEnv([Crane] * 3, autoreset_mode="SameStep")
    observations, states = envs.reset(seed=4)[0], None
    starts, ended = np.ones(3, bool), 0
    for _ in range(30):
        actions, states = agent.predict(
            observations, state=states, episode_start=starts, deterministic=True
        )
        assert envs.action_space.contains(actions)
        observations, _, terminated, truncated, _ = envs.step(actions)
        starts = terminated | truncated
        ended += starts.sum()
    assert ended >= 9
    assert repr(states) == "Carry(environments=3, actions=30)"


def test_an_agent_without_memory_is_told_once(agent, caplog):
    caplog.set_level(logging.WARNING, "reverie.train")
    state = agent.predict(crane(7))[1]
    for _ in range(5):
        state = agent.predict(crane(6), state)[1]
        agent.predict(crane(6), None, [True])
    assert not caplog.records
    for _ in range(9):
        agent.predict(crane(6))
    assert [record.message.split(":")[0] for record in caplog.records] == [
        "predict was called 3 times in a row without a state"
    ]


@pytest.mark.parametrize(
    ("start", "told"),
    [
        ([True], r"episode_start is list of length 1; expected one truth .*shape \(2,\)"),
        (np.ones((2, 2)), r"episode_start is ndarray of shape \(2, 2\)"),
        ([0.5, 1], "episode_start holds what is neither true nor false"),
        (True, "episode_start is True"),
    ],
)
def test_wrong_starts_are_named(agent, start, told):
    for state in (None, agent.predict(stacked(crane(3), crane(4)))[1]):
        with pytest.raises(reverie.RunError, match=told):
            agent.predict(stacked(crane(3), crane(4)), state, start)


def test_agent_and_carry_say_what_they_are(agent, run):
    from reverie.folder.run_folder import read_config

    size = read_config(run / "config.json").size
    said = "Agent(task='custom:test', agent='v3', size='debug', parameters="
    assert size == "debug" and repr(agent).startswith(said)
    assert repr(agent).endswith("step=60)") and agent.parameters > 1000
    assert repr(agent.act(crane(7))[1]) == "Carry(environments=1, actions=1)"


def test_one_wrong_observation_is_one_sentence(agent):
    wrong = {
        r"'camera' has shape \(16, 20, 3\).*needs \(3, 16, 20\)": {
            "camera": np.zeros((16, 20, 3), np.uint8),
            "gear": 2,
        },
        "the first part alone of what reset": (crane(3), {}),
        r"'gear' is missing|lacks 'gear'": {"camera": crane(3)["camera"]},
        "'gear' is .*one.* of type str": {**crane(3), "gear": "one"},
    }
    for told, obs in wrong.items():
        for how in (agent.act, agent.predict):
            with pytest.raises(reverie.RunError, match=told) as error:
                how(obs)
            assert "\n" not in str(error.value)


def test_a_folder_without_spaces_takes_them_from_what_makes_the_environment(run, monkeypatch):
    stored = checkpoint.load
    monkeypatch.setattr(checkpoint, "load", lambda path: stored(path) | {"spaces": None})
    with pytest.raises(reverie.RunError, match=r"reverie.load\(run, make_env=...\)"):
        reverie.load(run).act(crane(3)["camera"])
    agent = reverie.load(run, make_env=Crane)
    assert DONE.contains(agent.act(crane(3))[0])
    with pytest.raises(reverie.RunError, match="this is another environment"):
        reverie.load(run, make_env="gym:CartPole-v1")


def test_an_earlier_checkpoint_is_another_agent(run):
    steps = [checkpoint.step_of(path) for path in checkpoint.complete(run / "checkpoints")]
    early, late = reverie.load(run, checkpoint=steps[0]), reverie.load(run)
    assert (early.step, late.step) == (steps[0], 60) and steps[0] < 60
    actions = [agent.act(crane(5), greedy=True)[0]["arm"] for agent in (early, late)]
    assert not np.array_equal(*actions)
