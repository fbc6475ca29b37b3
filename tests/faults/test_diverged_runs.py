"""Numbers that are not finite, or absurd, stop a run; with what the advice names changed it goes
on."""

import json
import math

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from rude_envs import Rude
from tiny_runs import learn, newest

import reverie
from reverie.config.edit import apply
from reverie.config.presets import resolve
from reverie.config.schema import Config
from reverie.folder import divergence, run_folder
from reverie.folder.errors import Diverged, RunError

pytestmark = pytest.mark.usefixtures("traced_once")
CHANGES = {"train.save_every": 0, "train.eval_episodes": 0, "steps": 160}
WILD = {**CHANGES, "optim.lr": 1e14}


class Pictures(gymnasium.Env):
    """Shows nothing but a picture: every loss stays finite however large the parameters are."""

    observation_space = spaces.Box(0, 255, (16, 16, 3), np.uint8)
    action_space = spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        self.count = 0
        return np.zeros((16, 16, 3), np.uint8), {}

    def step(self, action):
        self.count += 1
        shown = np.full((16, 16, 3), 20 * self.count, np.uint8)
        return shown, 0.0, False, self.count == 9, {}


@pytest.mark.slow
def test_enormous_parameters_are_noticed_where_all_losses_stay_finite(tmp_path, cache):
    with pytest.raises(Diverged) as stop:
        learn(Pictures, tmp_path, {**WILD, "env.size": 16})
    text = str(stop.value)
    assert "made the parameters absurdly large (root mean square" in text
    assert "parameters of absurd size: world." in text
    assert "Lower optim.lr, or look for" in text
    assert text.count("\n") == 0


def sizes(run) -> list[float]:
    tree = newest(run)["learner"]["state"]
    return [float(np.abs(a).max()) for name, a in tree.items() if name.startswith("agent.")]


def test_the_advice_works_and_is_recorded(tmp_path, cache, capsys):
    with pytest.raises(Diverged, match=r"Lower optim\.lr, or look for .* then resume"):
        learn(Rude, tmp_path, WILD)
    assert max(sizes(tmp_path)) < divergence.LARGEST_PARAMETER
    stopped = newest(tmp_path)["clocks"]["step"]
    assert 0 < stopped < 160
    with pytest.raises(RunError, match=r"another configuration: seed is 0 there and 1 here\. Give"):
        learn(Rude, tmp_path, {**CHANGES, "optim.lr": 1e-3, "seed": 1})
    mended = {**CHANGES, "optim.lr": 1e-3}
    learn(Rude, tmp_path, mended)
    said = " ".join(capsys.readouterr().out.split())
    assert f"from step {stopped} on it has optim.lr 0.001 instead of 100000000000000.0." in said
    assert newest(tmp_path)["clocks"]["step"] == 160
    changes = json.loads((tmp_path / "config.json").read_text())["changes"]
    assert changes == [{"step": stopped, "optim.lr": [1e14, 1e-3]}]
    assert reverie.saved_config(tmp_path).optim.lr == 1e-3
    assert not divergence.stopped(tmp_path)
    with pytest.raises(RunError, match=r"optim\.lr is 0\.001 there and 0\.01 here"):
        learn(Rude, tmp_path, {**CHANGES, "optim.lr": 1e-2})
    learn(Rude, tmp_path, {**mended, "steps": 170})
    kept = json.loads((tmp_path / "config.json").read_text())["changes"]
    assert kept == changes


@pytest.mark.slow
def test_the_precision_may_change_after_such_a_stop(tmp_path, cache):
    coarse = {**WILD, "device.precision": "bf16"}
    with pytest.raises(Diverged, match=r"Lower optim\.lr, use --device\.precision f32, or look"):
        learn(Rude, tmp_path, coarse)
    assert newest(tmp_path)["learner"]["acting"]
    learn(Rude, tmp_path, {**CHANGES, "optim.lr": 1e-3, "device.precision": "f32"})
    (change,) = run_folder.read_changes(tmp_path / "config.json")
    assert change["device.precision"] == ["bf16", "f32"]
    kinds = {a.dtype.name for a in newest(tmp_path)["learner"]["acting"].values()}
    assert "bfloat16" not in kinds


def test_only_such_a_stop_lets_settings_change(tmp_path):
    run_folder.write_config(tmp_path, Config(), [])
    other = apply(Config(), {"optim.lr": 1e-2, "device.precision": "f32"})
    with pytest.raises(RunError, match=r"optim\.lr is 4e-05 there and 0\.01 here; device\.prec"):
        run_folder.check_config(tmp_path, other)
    with pytest.raises(Diverged), divergence.marked(tmp_path):
        raise Diverged("update 3 gave numbers that are not finite.")
    assert run_folder.check_config(tmp_path, other) == {
        "optim.lr": [4e-5, 1e-2],
        "device.precision": ["auto", "f32"],
    }
    divergence.forget(tmp_path)
    with pytest.raises(RunError, match="another configuration"):
        run_folder.check_config(tmp_path, other)


@pytest.mark.parametrize(
    ("bad", "value", "rates"),
    [
        ("actor", math.nan, "optim.actor.lr"),
        ("critic", math.inf, "optim.critic.lr"),
        ("world", 1e9, "optim.world.lr"),
    ],
)
def test_the_advice_names_the_rate_of_the_optimiser_in_use(monkeypatch, bad, value, rates):
    parts = {name: np.ones(4, np.float32) for name in ("world", "actor", "critic")}
    parts[bad][2] = value
    monkeypatch.setattr(
        divergence, "named_leaves", lambda _: {f"{k}.x": v for k, v in parts.items()}
    )
    config = resolve("gym:CartPole-v1", agent="v2")
    assert config.optim.grouped
    values = {"train/updates": 7.0, "loss/value": math.nan, "train/param_rms": 1.0}
    text = divergence.diagnosis(values, None, config)
    assert text.startswith("update 7 gave numbers that are not finite in loss/value; parameters ")
    assert f"{bad}.x. The run stops" in text
    assert f"Lower {rates}, " in text


def test_what_counts_as_absurd(monkeypatch):
    monkeypatch.setattr(divergence, "named_leaves", lambda _: {})
    fine = {"train/updates": 7.0, "loss/rew": 3e38, "train/param_rms": 100.0, "train/ent": -1e20}
    assert divergence.diagnosis(fine, None, Config()) == ""
    large = divergence.diagnosis({**fine, "train/param_rms": 2e3}, None, Config())
    assert "made the parameters absurdly large (root mean square 2e+03)" in large
