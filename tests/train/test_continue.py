"""What a resumed run may do otherwise: more steps, and whatever changes no number of learning."""

import json

import pytest
from tiny_runs import learn, metrics, newest

import reverie
from reverie.config import edit
from reverie.config.edit import apply
from reverie.config.schema import Config
from reverie.folder import run_folder

CHANGES = {"steps": 120, "train.eval_every": 60}
OTHER = {
    "train.eval_every": 90,
    "train.eval_episodes": 2,
    "train.eval_envs": 2,
    "train.eval_greedy": True,
    "train.log_every": 30,
    "train.report_every": 80,
    "train.report_length": 6,
    "train.video_every": 100,
    "train.save_every": 0.0,
    "train.keep": 3,
    "log.tensorboard": True,
}
"""Everything about evaluation, logging and saving, otherwise than in a tiny run."""


def episodes(run):
    return [row for row in metrics(run) if "episode/return" in row]


def test_evaluation_logging_and_saving_may_change_and_learning_does_not(tmp_path, cache, capsys):
    learn("probe_memory", tmp_path / "same", CHANGES)
    learn("probe_memory", tmp_path / "same", {**CHANGES, "steps": 240})
    learn("probe_memory", tmp_path / "other", CHANGES)
    capsys.readouterr()
    learn("probe_memory", tmp_path / "other", {**CHANGES, **OTHER, "steps": 240})
    said = " ".join(capsys.readouterr().out.split())
    assert "from step 120 on it has " in said
    assert "train.eval_every 90 instead of 60" in said
    assert "not finite" not in said
    assert episodes(tmp_path / "same") == episodes(tmp_path / "other")
    one, two = (newest(tmp_path / name)["learner"]["state"] for name in ("same", "other"))
    assert all((one[name] == two[name]).all() for name in one)
    evaluated = [row["step"] for row in metrics(tmp_path / "other") if "eval/return" in row]
    assert evaluated == [60, 120, 180, 240]
    logged = [row["step"] for row in metrics(tmp_path / "other") if "replay/rows" in row]
    assert logged == [40, 80, 120, 150, 180, 210, 240]
    (change,) = json.loads((tmp_path / "other" / "config.json").read_text())["changes"]
    assert change.pop("step") == 120
    assert set(change) == set(OTHER)
    assert change["train.log_every"] == [40, 30]
    assert reverie.saved_config(tmp_path / "other").train.keep == 3


def test_what_may_change_is_all_of_the_run_that_does_not_learn():
    """A new option of these sections must be put on one side or the other."""
    learning = {"ratio", "batch", "length", "prefill", "pretrain", "update"}
    sections = ("train.", "log.", "device.")
    options = {path for path in edit.flat(Config()) if path.startswith(sections)}
    fixed = {path for path in options if not path.startswith(run_folder.FREE + run_folder.MACHINE)}
    assert fixed == {*(f"train.{name}" for name in learning), "device.precision"}


@pytest.mark.parametrize(
    ("path", "value"),
    [("optim.lr", 1e-2), ("train.ratio", 1.0), ("env.num", 3), ("world.dynamics.deter", 64)],
)
def test_what_may_not_change_is_named_with_both_values_and_the_ways_out(tmp_path, path, value):
    run_folder.write_config(tmp_path, Config(), [])
    before = edit.get(Config(), path)
    with pytest.raises(reverie.RunError) as stop:
        run_folder.check_config(tmp_path, apply(Config(), {path: value, "train.log_every": 7}))
    text = str(stop.value)
    assert f"{path} is {before!r} there and {value!r} here. Give the same options" in text
    assert "another --logdir for a new run" in text
    assert "train.log_every" not in text


@pytest.mark.parametrize("steps", [100, 40])
def test_fewer_steps_than_the_run_has(tmp_path, cache, capsys, steps):
    learn("probe_memory", tmp_path, CHANGES)
    before = newest(tmp_path)["clocks"], (tmp_path / "config.json").read_bytes()
    capsys.readouterr()
    learn("probe_memory", tmp_path, {**CHANGES, "steps": steps})
    said = " ".join(capsys.readouterr().out.split())
    assert f"this run is further than {steps} steps: it stands at step 120" in said
    assert "has finished" not in said
    assert (newest(tmp_path)["clocks"], (tmp_path / "config.json").read_bytes()) == before


def test_a_resumed_run_is_saved_and_evaluated_before_its_update_is_compiled(tmp_path, cache):
    """A checkpoint with an update in flight and an evaluation that is still to be done."""

    class Stop(reverie.Callback):
        """Stops after the first of the things that are due, then at once, then no more."""

        times = 0

        def on_start(self, event, run):
            run.stop() if self.times == 1 else None
            self.times += 1

        def on_metrics(self, event, run):
            run.stop() if event.step == 60 else None

    changes = {**CHANGES, "train.log_every": 60}
    learn("probe_memory", tmp_path / "whole", changes)
    stop = Stop()
    for _ in range(2):
        learn("probe_memory", tmp_path / "parts", changes, callbacks=[stop])
        clocks = newest(tmp_path / "parts")["clocks"]
        assert (clocks["step"], clocks["chores"]) == (60, ["evaluate"])
        assert newest(tmp_path / "parts")["learner"]["pending"] is not None
    learn("probe_memory", tmp_path / "parts", changes, callbacks=[stop])
    assert metrics(tmp_path / "whole") == metrics(tmp_path / "parts")
