"""The loop on the device makes what the loop on the host makes, and is resumed like it."""

import os
import signal

import compiled_probe
import numpy as np
import pytest
from device_runs import CHANGES, TASK, Heard, StopAt, assert_alike, learned
from tiny_runs import assert_same_run, metrics, newest, start, wait_for_step

from reverie.cli import main
from reverie.config.presets import resolve
from reverie.envs import suites
from reverie.train import checkpoint, loop


@pytest.fixture(scope="module")
def device(tmp_path_factory, shared_programs):
    """A run on the device that was left alone."""
    return learned(tmp_path_factory.mktemp("device"), "device", callbacks=[StopAt(10**9)])


def test_both_loops_make_the_same_run(device, tmp_path):
    host = learned(tmp_path, "host")
    assert_alike(device, host)
    last = [row for row in metrics(host[0]) if "replay/dropped" in row][-1]
    assert last["replay/dropped"] > 0, "no result came too late"


STRATEGIES = {
    "recency": {"replay.draw": "recency", "replay.online": False},
    "mixture": {"replay.draw": "mixture", "replay.fresh": 0.25},
    "importance": {"replay.draw": "uniform", "replay.importance.begin": 0.5},
    "priorities": {
        "replay.draw": "proportional",
        "replay.signal": "kl",
        "replay.importance.begin": 0.5,
        "train.ratio": 24.0,
    },
    "rank": {"replay.draw": "rank", "replay.signal": "curious", "train.chunk": 7},
    "explorer": {"explore": "plan2explore", "explore.until": 60},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", STRATEGIES)
def test_draws_and_explorers_are_those_of_the_host(name, tmp_path):
    changes = {"steps": 100, **STRATEGIES[name]}
    pair = [learned(tmp_path / how, how, changes) for how in ("host", "device")]
    assert_alike(*pair)


def test_a_stopped_run_resumes_to_the_same_bits(device, tmp_path):
    learned(tmp_path, "device", callbacks=[StopAt(40)])
    assert newest(tmp_path)["clocks"]["step"] == 40
    learned(tmp_path, "device", callbacks=[StopAt(10**9)])
    assert_same_run(device[0], tmp_path)


@pytest.mark.slow
def test_going_back_to_a_checkpoint_gives_the_same_bits(device, tmp_path):
    kept = {"train.keep": 9}
    for step in (40, 120, 10**9):
        learned(tmp_path, "device", kept, callbacks=[StopAt(step)])
    steps = [checkpoint.step_of(p) for p in checkpoint.complete(tmp_path / "checkpoints")]
    assert steps[0] < steps[-1]
    learned(tmp_path, "device", kept, from_step=steps[0], callbacks=[StopAt(10**9)])
    assert_same_run(device[0], tmp_path)


@pytest.mark.slow
def test_a_run_goes_on_with_the_other_loop(device, tmp_path):
    """What is saved is the same: rows, the states of the environments, the update in flight."""
    learned(tmp_path, "host", callbacks=[StopAt(80)])
    assert_alike(learned(tmp_path, "device"), device)
    assert newest(tmp_path)["clocks"]["updates"] == newest(device[0])["clocks"]["updates"]


@pytest.mark.slow
def test_a_killed_run_resumes_to_the_same_bits(tmp_path, cache):
    changes = {**CHANGES, "steps": 800, "train.loop": "device", "train.save_every": 0}
    for name, step in (("whole", 0), ("killed", 200)):
        process = start(TASK, tmp_path / name, cache, changes)
        if step:
            wait_for_step(process, tmp_path / name, step)
            os.kill(process.pid, signal.SIGKILL)
            process.communicate()
            process = start(TASK, tmp_path / name, cache, changes)
        assert process.wait(300) == 0, process.communicate()
    assert_same_run(tmp_path / "whole", tmp_path / "killed")


@pytest.mark.slow
def test_callbacks_hear_of_every_step(tmp_path):
    heard = {}
    for how in ("host", "device"):
        heard[how] = Heard()
        learned(tmp_path / how, how, {"steps": 60}, callbacks=[heard[how]])
    assert len(heard["device"].steps) == 30
    for mine, theirs in zip(heard["device"].steps, heard["host"].steps, strict=True):
        assert mine[0] == theirs[0]
        np.testing.assert_allclose(mine[1], theirs[1], rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(mine[2], theirs[2])
        np.testing.assert_array_equal(mine[3]["action"], theirs[3]["action"])


@pytest.mark.slow
def test_it_learns_an_environment_of_a_user(tmp_path, monkeypatch):
    """Four cues, one button each: chance gets 1 of 4. One seed reached 3.65 (benchmarks/loops)."""
    monkeypatch.setitem(suites.SUITES, "toy", compiled_probe.ROW)
    edits = {"steps": 2400, "train.loop": "device", "logdir": str(tmp_path)}
    edits |= {"log.progress": "none", "log.tensorboard": False}
    logdir = loop.train(resolve("toy_cue", size="tiny", overrides=edits))
    returns = [row["eval/return"] for row in metrics(logdir) if "eval/return" in row]
    assert returns[-1] > 2.5


SUITES = "the suites that are: craftax, gymnax, navix, xminigrid, jumanji, pgx, brax, playground"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("gym:CartPole-v1", SUITES),
        ("probe_memory", SUITES),
        (f"{TASK} --replay.unit episode", "does not go with replay.unit 'episode'"),
        (f"{TASK} --bonus observation", "does not go with bonus 'observation'"),
        (
            f"{TASK} --replay.draw proportional --replay.signal kl --replay.signal.sweep_every 9",
            "does not go with replay.signal.sweep_every 9 of 'kl'",
        ),
        (f"{TASK} --device.mesh data=2", "does not go with device.mesh 'data=2'"),
        (f"{TASK} --replay.shares 2", "does not go with replay.shares 2"),
        (f"{TASK} --train.loop host", "--train.loop is given twice"),
    ],
)
def test_what_cannot_run_on_the_device_says_so(words, said, tmp_path, capsys):
    logdir = tmp_path / "run"
    assert main(["train", *words.split(), "--loop", "device", f"--logdir={logdir}"]) == 2
    sentence = capsys.readouterr().err
    assert said in sentence
    assert sentence.count("\n") == 1
    assert not logdir.exists()


def test_a_sequence_is_for_the_host(tmp_path, capsys):
    words = f"{TASK} gymnax_pendulum --sequence.steps 500 --loop device --logdir={tmp_path / 'r'}"
    assert main(["continual", *words.split()]) == 2
    assert "--loop device is for one task" in capsys.readouterr().err
