"""Sequences of tasks: who is visited when, what the replay and the evaluations say of it."""

from types import SimpleNamespace

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from tiny_runs import TINY, metrics, newest

import reverie
from reverie.config.presets import resolve
from reverie.config.sequence import SEQUENCES
from reverie.folder.errors import RunError
from reverie.part.errors import ConfigError
from reverie.records import specs_from_json
from reverie.train import checkpoint, sequence
from reverie.train.setup import make_replay


class First(gymnasium.Env):
    """Shows (its mark, steps of the episode, 0, 0), earns the mark; the spaces are CartPole's."""

    mark, length, width = 1, 9, 4

    def __init__(self):
        self.observation_space = spaces.Box(-np.inf, np.inf, (self.width,), np.float32)
        self.action_space = spaces.Discrete(2)
        self.count = 0

    def _show(self):
        return np.array([self.mark, self.count, *[0] * (self.width - 2)], np.float32)

    def reset(self, *, seed=None, options=None):
        self.count = 0
        return self._show(), {}

    def step(self, action):
        self.count += 1
        return self._show(), float(self.mark), self.count == self.length, False, {}


class Second(First):
    mark, length = 2, 7


class Wide(First):
    width = 5


def learn(logdir, tasks=(First, Second), steps=(101, 80), **changes):
    edits = {**TINY, "device.precision": "f32", "train.eval_every": 60, **changes}
    edits.pop("steps")
    options = {"passes": edits.pop("passes")} if "passes" in edits else {}
    if "stop" in edits:
        edits["steps"] = edits.pop("stop")
    return reverie.continual(
        list(tasks), task_steps=steps, logdir=logdir, size="debug", overrides=edits, **options
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return learn(tmp_path_factory.mktemp("runs") / "sequence", passes=2)


def rows_of(logdir):
    """Columns of the replay in the order of insertion, (steps, envs)."""
    config, saved = reverie.saved_config(logdir), newest(logdir)
    specs = {side: specs_from_json(saved["specs"][side]) for side in ("obs", "action")}
    envs = SimpleNamespace(num=config.env.num, obs_specs=specs["obs"], action_specs=specs["action"])
    replay = make_replay(config, envs)
    replay.load(logdir / "replay", saved["replay"])
    count = int(replay.stats()["replay/inserts"]) // config.env.num
    return {k: v.swapaxes(0, 1)[:count] for k, v in replay._store.arrays.items()}


def test_visits_follow_the_steps_of_each_task():
    config = resolve(
        "continual:custom",
        overrides={
            "sequence.tasks": ("gym:A", "gym:B"),
            "sequence.steps": (10, 20),
            "sequence.passes": 2,
        },
    )
    found = [(v.number, v.task, v.index, v.end) for v in sequence.visits(config)]
    assert found == [
        (0, "gym:A", 0, 10),
        (1, "gym:B", 1, 30),
        (2, "gym:A", 0, 40),
        (3, "gym:B", 1, 60),
    ]
    assert config.steps == 60
    assert len({visit.stream for visit in sequence.visits(config)}) == 4


def test_rows_are_labelled_and_no_episode_spans_two_tasks(run):
    rows = rows_of(run)
    (shown,) = (value for name, value in rows.items() if name.startswith("obs/"))
    label, mark = rows["task"], shown[..., 0]
    np.testing.assert_array_equal(mark, label + 1)
    # Two environments make two steps a turn; a visit ends with the turn that reaches its end.
    ends = [101, 181, 282, 362]
    lengths = np.diff([0, *[-(-end // 2) for end in ends]])
    np.testing.assert_array_equal(label[:, 0], np.repeat([0, 1, 0, 1], lengths))
    switched = np.flatnonzero(np.diff(label[:, 0].astype(int))) + 1
    assert rows["is_first"][switched].all()
    np.testing.assert_array_equal(rows["is_first"], shown[..., 1] == 0)


def test_every_task_is_evaluated_each_time(run):
    evaluated = [row for row in metrics(run) if "eval/return" in row]
    assert [row["step"] for row in evaluated] == [60, 120, 180, 240, 300, 360, 362]
    for row in evaluated:
        assert row["eval/return/custom:First"] == 9.0
        assert row["eval/return/custom:Second"] == 14.0
        assert row["eval/return"] == 11.5
        assert row["eval/length/custom:Second"] == 7
        assert row["eval/episodes"] == 2


def test_a_finished_sequence_has_its_page(run):
    assert "First" in (run / "report.html").read_text()


def test_training_returns_are_those_of_the_task_at_hand(run):
    returns = {
        row["step"]: row["episode/return"] for row in metrics(run) if "episode/return" in row
    }
    assert {v for step, v in returns.items() if step <= 102} == {9.0}
    assert {v for step, v in returns.items() if 102 < step <= 182} == {14.0}
    visits = {row["step"]: row["sequence/visit"] for row in metrics(run) if "sequence/visit" in row}
    assert visits[80] == 0
    assert visits[120] == 1
    assert visits[360] == 3


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return learn(tmp_path_factory.mktemp("runs") / "whole")


@pytest.mark.parametrize("stop", [pytest.param(102, marks=pytest.mark.slow), 140])
def test_stopped_and_resumed_is_the_same_run(whole, tmp_path, stop):
    """In the turn of the switch, and in the middle of the second task."""
    learn(tmp_path / "parts", stop=stop)
    saved = checkpoint.load(checkpoint.complete(tmp_path / "parts" / "checkpoints")[-1])
    assert saved["clocks"]["visit"] == (stop > 102)
    parts = learn(tmp_path / "parts")
    # The stop evaluates and dreams once more, at its own end.
    skip = {"eval/return", "explained/vector"}

    def rows(logdir):
        return [r for r in metrics(logdir) if not skip & r.keys() and "train/updates" not in r]

    assert rows(parts) == rows(whole)
    tensors = [newest(path)["learner"]["state"] for path in (whole, parts)]
    for name, value in tensors[0].items():
        np.testing.assert_array_equal(value, tensors[1][name], err_msg=name)


@pytest.mark.slow
def test_the_first_visit_is_a_run_on_that_task_alone(tmp_path):
    sequence_run = learn(tmp_path / "sequence", stop=100)
    edits = {**TINY, "device.precision": "f32", "steps": 100}
    alone = reverie.train(First, logdir=tmp_path / "alone", size="debug", overrides=edits)
    one, two = (newest(path)["learner"]["state"] for path in (sequence_run, alone))
    for name, value in one.items():
        np.testing.assert_array_equal(value, two[name], err_msg=name)


@pytest.mark.slow
def test_the_optimiser_is_kept_unless_asked(tmp_path):
    kept = learn(tmp_path / "kept", stop=104)
    reset = learn(tmp_path / "reset", stop=104, **{"sequence.reset_optimizer": True})

    def count(path):
        tensors = newest(path)["learner"]["state"]
        return max(int(v) for k, v in tensors.items() if k.startswith("opt_state") and v.ndim == 0)

    assert count(kept) > 20
    assert count(reset) < count(kept) - 20


def test_tasks_of_different_spaces_are_refused(tmp_path):
    with pytest.raises(RunError, match="one observation and action space: observation 'vector'"):
        learn(tmp_path / "run", tasks=(First, Wide))
    assert not (tmp_path / "run" / "metrics.jsonl").exists()  # before any work


def test_what_cannot_be_a_sequence_is_told():
    with pytest.raises(ConfigError, match="needs its tasks and the steps of each"):
        resolve("continual:custom", overrides={"sequence.tasks": ("gym:A", "gym:B")})
    with pytest.raises(ConfigError, match="did you mean 'minigrid3'"):
        resolve("continual:minigrid33")
    with pytest.raises(ConfigError, match="steps must be at most 750000"):
        resolve(
            "continual:minigrid3",
            overrides={"steps": 750_001, "sequence.tasks": ["gym:A"], "sequence.steps": [750_000]},
        )
    with pytest.raises(ConfigError, match="two different callables are called 'First'"):
        reverie.continual([First, type("First", (First,), {})], task_steps=10)


def test_named_sequences_have_the_published_tasks_and_steps():
    config = resolve("continual:minigrid3")
    assert config.steps == 2_250_000
    assert config.env.limit == 100
    assert config.train.ratio == 80
    rooms = resolve("continual:fourrooms_procedural")
    assert rooms.steps == 1_000_000
    assert sequence.evaluated(rooms) == (
        "minigrid_cd_fourrooms",
        "minigrid_cd_fourrooms_a",
        "minigrid_cd_fourrooms_b",
    )
    assert resolve("continual:fourrooms_interference").steps == 2_000_000
    assert resolve("continual:minihack8").steps == 8_000_000
    four, eight = SEQUENCES["minihack4"], SEQUENCES["minihack8"]
    assert (len(four.tasks), four.steps) == (4, 1_000_000)
    assert (len(eight.tasks), eight.steps) == (8, 1_000_000)
    assert resolve("continual:minigrid3").sequence.tasks[0] == "minigrid_doorkey_8x8"
