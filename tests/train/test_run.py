"""One whole tiny run: what it writes, under which names, and that it is the same every time."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from tiny_runs import assert_same_run, learn, metrics, newest

import reverie
from reverie.envs.episodes import episode_seed
from reverie.envs.make import make
from reverie.envs.probes import Memory
from reverie.folder.run_folder import read_config
from reverie.records import Spec, Step
from reverie.train.agent import load
from reverie.train.evaluate import evaluate_run, play
from reverie.watch.metric_names import check_names

CHANGES = {"train.eval_every": 120, "train.eval_episodes": 3, "train.eval_envs": 2, "seed": 3}


@pytest.fixture(scope="module")
def run(tmp_path_factory, cache) -> Path:
    """A finished run of a probe with pictures and numbers."""
    return learn("probe_memory", tmp_path_factory.mktemp("run") / "a", CHANGES)


def test_same_command_twice(run, tmp_path):
    """Neither processes instead of local environments nor a save at every turn change a number."""
    changes = {**CHANGES, "env.parallel": True, "train.save_every": 0}
    assert_same_run(run, learn("probe_memory", tmp_path, changes))


@pytest.mark.slow
def test_a_run_that_goes_on_with_actors_of_ray(tmp_path, cache):
    pytest.importorskip("ray")
    begun = learn("probe_memory", tmp_path / "begun", {**CHANGES, "steps": 130})
    here = Path(shutil.copytree(begun, tmp_path / "here"))
    there = {"env.parallel": True, "env.backend": "ray"}
    learn("probe_memory", begun, {**CHANGES, **there})
    assert_same_run(learn("probe_memory", here, CHANGES), begun)


def test_another_seed_is_another_run(run, tmp_path):
    other = learn("probe_memory", tmp_path, {**CHANGES, "seed": 4})
    assert metrics(run) != metrics(other)


def test_every_name_is_in_the_catalogue(run):
    names = {name for row in metrics(run) for name in row}
    check_names(names - {"step"})
    expected = {"episode/return", "eval/return", "loss/total", "loss/image", "loss/left"}
    expected |= {"train/updates", "replay/rows", "env/restarts"}
    assert expected <= names


def test_counters_and_schedules_are_the_latest_value(run):
    config, rows = read_config(run / "config.json"), metrics(run)
    last = [row for row in rows if "train/updates" in row][-1]
    counts = newest(run)["clocks"]
    # 4·6 windows exist from step 36 on: one update at step 35, then one every 4·6/8 = 3 steps,
    # started in the turn that follows, so that those due at step 239 are left over.
    assert counts["updates"] == 1 + (238 - 35) // 3
    assert last["train/updates"] == counts["updates"] - 1  # the newest is still in flight
    warm = config.optim.lr * (last["train/updates"] - 1) / config.optim.warmup
    assert last["train/lr"] == pytest.approx(warm, rel=1e-5)


def test_log_lines_stand_at_their_steps_once(run):
    logged = [row["step"] for row in metrics(run) if "replay/rows" in row]
    assert logged == [40, 80, 120, 160, 200, 240]
    assert [row["step"] for row in metrics(run) if "eval/return" in row] == [120, 240]


def test_episodes_are_counted_as_the_probe_defines_them(run):
    rows = [row for row in metrics(run) if "episode/return" in row]
    assert len(rows) == 2 * (120 // 5)  # two environments, episodes of five rows
    assert {row["episode/length"] for row in rows} == {4}
    assert {row["episode/return"] for row in rows} == {-1.0, 1.0}


def test_dreams_and_episodes_are_shown(run):
    names = {path.name for path in (run / "videos").iterdir()}
    assert {"eval-000000120.mp4", "eval-000000240.png", "openloop-000000240.npz"} <= names
    assert any(name.startswith("openloop_image-000000240") for name in names)


def test_evaluation_of_the_folder_repeats_that_of_the_run(run):
    row = [row for row in metrics(run) if "eval/return" in row][-1]
    logged = {name: value for name, value in row.items() if name.startswith("eval/")}
    assert reverie.evaluate(run, episodes=3, envs=2, seed=3) == logged
    assert reverie.evaluate(reverie.load(run), episodes=3, envs=2, seed=3) == logged


class Recorder(Memory):
    """The probe, with a list of what is done in it."""

    actions: list[int] = []  # noqa: RUF012

    def step(self, action):
        """Note the action."""
        self.actions.append(int(action))
        return super().step(action)


def recorded(agent, **options) -> list[int]:
    Recorder.actions = []
    here = {"env.parallel": False}  # in a process of their own they would note it there
    evaluate_run(agent, make_env=Recorder, episodes=8, given=here, **options)
    return Recorder.actions


def test_greedy_and_sampled_play_differ_and_each_repeats_itself(run):
    agent = load(run)
    sampled, greedy = recorded(agent), recorded(agent, greedy=True)
    assert len(sampled) == len(greedy) == 8 * 4
    assert (recorded(agent), recorded(agent, greedy=True)) == (sampled, greedy)
    assert sampled != greedy
    assert recorded(agent, seed=1) != sampled


def test_acting_by_hand_is_what_evaluation_does(run):
    agent = load(run)
    env = make("probe_memory", agent.config.env)
    obs, carry, actions = env.reset(episode_seed(5, "eval", 0, 0)), None, []
    for _ in range(4):
        action, carry = agent.act(obs, carry, seed=5, terms="agent")
        actions.append(int(action["action"]))
        obs, *_ = env.step(action)
    assert actions == recorded(agent, seed=5)[:4]


def test_acting_for_several_environments_is_acting_for_each(run):
    agent = load(run)
    env = make("probe_memory", agent.config.env)
    first = [env.reset(seed) for seed in range(3)]
    batch = {key: np.stack([obs[key] for obs in first]) for key in first[0]}
    together, carry = agent.act(batch, greedy=True, terms="agent")
    assert together["action"].shape == (3,)
    own, _ = agent.act(batch, greedy=True)
    np.testing.assert_array_equal(own, together["action"])
    assert agent.act(first[0], greedy=True, terms="agent")[0]["action"].shape == ()
    with pytest.raises(reverie.RunError, match="carry is of 3 environments and the observation of"):
        agent.act(first[0], carry)
    with pytest.raises(reverie.RunError, match="'left' 2"):
        agent.act({**batch, "left": batch["left"][:2]}, terms="agent")
    with pytest.raises(reverie.RunError, match="differ or are empty"):
        agent.act({key: array[:0] for key, array in batch.items()})


def test_acting_in_the_environments_own_terms(run):
    agent, env = load(run), Memory()
    obs, carry, actions = env.reset(seed=episode_seed(5, "eval", 0, 0))[0], None, []
    for _ in range(4):
        action, carry = agent.act(obs, carry, seed=5)
        assert env.action_space.contains(action)
        actions.append(int(action))
        obs = env.step(action)[0]
    assert actions == recorded(agent, seed=5)[:4]


def test_a_folder_without_spaces_keeps_the_agents_terms(run):
    agent = load(run)
    agent.own = None
    obs = make("probe_memory", agent.config.env).reset(0)
    assert agent.act(obs)[0]["action"].shape == ()
    with pytest.raises(reverie.RunError, match="does not hold the environment's spaces"):
        agent.act(obs, terms="env")
    with pytest.raises(reverie.RunError, match="must be a dictionary of image, left"):
        agent.act(obs["image"])


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"seed": 2**63}, "seed must be at least 0 and at most 4294967295"),
        ({"seed": -1}, "seed must be at least 0"),
        ({"seed": "one"}, "seed"),
        ({"terms": "agents"}, "did you mean 'agent'"),
    ],
)
def test_wrong_options_of_acting_are_named(run, options, told):
    agent = load(run)
    obs = make("probe_memory", agent.config.env).reset(0)
    with pytest.raises(reverie.ConfigError, match=told):
        agent.act(obs, **options)
    with pytest.raises(reverie.RunError, match="hand back the second thing that act"):
        agent.act(obs, obs)


def test_what_cannot_be_acted_on_is_named(run):
    agent = load(run)
    obs = make("probe_memory", agent.config.env).reset(0)
    with pytest.raises(reverie.RunError, match=r"lacks 'left'; the agent needs \['image', 'left'"):
        agent.act({"image": obs["image"]})
    with pytest.raises(reverie.RunError, match=r"'image' has shape \(5, 5, 3\)"):
        agent.act({**obs, "image": np.zeros((5, 5, 3), np.uint8)})
    with pytest.raises(reverie.RunError, match="'image' is float64; the agent needs uint8"):
        agent.act({**obs, "image": obs["image"] / 255})


def test_an_agent_is_not_evaluated_in_another_environment(run):
    from reverie.envs.probes import Act

    with pytest.raises(reverie.RunError, match="this is another environment"):
        evaluate_run(run, make_env=Act)


class TwoEnvs:
    """Environment 0 ends after 1 step with return 0, environment 1 after 6 steps with return 1."""

    num = 2
    restarted = 0
    obs_specs = {"x": Spec("vector", (1,))}  # noqa: RUF012

    def rewind(self):
        self.clock = np.array([-1, -1])

    def send(self, action):
        self.clock += 1

    def recv(self):
        first, last = self.clock == 0, self.clock == [1, 6]
        reward = (last & np.array([False, True])).astype(np.float32)
        self.clock[last] = -1
        return Step({"x": np.zeros((2, 1), np.float32)}, reward, first, last, last)


class Nobody:
    """An actor that does nothing."""

    action = None

    def reset(self):
        """Nothing to forget."""

    def __call__(self, acting, step):
        """Nothing to choose."""


@pytest.mark.parametrize(("episodes", "mean"), [(6, 0.5), (5, 0.4), (2, 0.5), (1, 0.0)])
def test_every_environment_plays_its_share(episodes, mean):
    """Counting whatever ends first would give means near 1/7."""
    played = play(None, TwoEnvs(), Nobody(), episodes)
    assert played.numbers["eval/return"] == pytest.approx(mean)
    assert played.numbers["eval/episodes"] == episodes
    assert played.frames is None and played.rows is None


def test_a_finished_run_says_so_and_can_be_prolonged(run, tmp_path, capsys):
    learn("probe_memory", tmp_path, {**CHANGES, "steps": 200})
    before = newest(tmp_path)
    learn("probe_memory", tmp_path, {**CHANGES, "steps": 200})
    assert "this run has finished its 200 steps" in capsys.readouterr().out
    assert newest(tmp_path)["clocks"] == before["clocks"]
    learn("probe_memory", tmp_path, {**CHANGES, "steps": 240})
    evaluated = [row["step"] for row in metrics(tmp_path) if "eval/return" in row]
    assert evaluated == [120, 200, 240]
    assert [r for r in metrics(tmp_path) if "episode/return" in r] == [
        r for r in metrics(run) if "episode/return" in r
    ]
