"""Bad input stops a run with one sentence, one exit code, and nothing lost."""

import errno
import os
import re
import signal
import subprocess
from pathlib import Path
from types import SimpleNamespace

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from rude_envs import Rude
from tiny_runs import TINY, assert_same_run, learn, newest, start, wait_for_step

from reverie.cli import main
from reverie.folder import run_folder
from reverie.folder.errors import RunError
from reverie.part.errors import ConfigError
from reverie.replay.errors import ReplayError
from reverie.train import plan


@pytest.fixture
def command(cache, tmp_path, capsys):
    """Run `reverie train` on tiny options; exit code and the sentence that it complains with."""

    def run(words: str, logdir: Path = tmp_path / "run"):
        options = {k: v for k, v in TINY.items() if f"--{k} " not in f"{words} "}
        flags = [f"--{k}={v}" for k, v in options.items()]
        size = [] if "--size" in words else ["--size=debug"]
        cached = f"--device.cache={cache}"
        code = main(["train", *words.split(), *size, *flags, cached, f"--logdir={logdir}"])
        return code, capsys.readouterr().err

    return run


ODD = "gym:rude_envs:Odd/"


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        ("prob_memory", 2, "'prob' is no suite; did you mean 'probe'?"),
        ("probe_memroy", 1, "Did you mean 'probe_memory'?"),
        ("gym:CartPoel-v1", 1, "Did you mean 'CartPole-v1'?"),
        ("gym:nowhere:CartPole-v1", 1, "Cannot import 'nowhere'"),
        ("probe_memory --preset atari10k", 2, "there is no preset 'atari10k'; did you mean"),
        ("probe_memory --size 13m", 2, "there is no size '13m'; the sizes are auto, debug"),
        ("probe_memory --train.batsh 3", 2, "--train.batsh; did you mean '--train.batch'?"),
        ("probe_memory --train.ratio many", 2, "train.ratio takes a number, found 'many'"),
        ("probe_memory --steps 0", 2, "steps"),
        (ODD + "Blind-v0", 1, "The observation space has no usable key. Found: 'observation'"),
        (ODD + "Stripe-v0", 2, "a picture of 8x400 pixels does not fit an image stack of 4"),
        (ODD + "Poster-v0", 2, "a picture of 1024x1024 pixels does not fit an image stack of 4"),
        (ODD + "Speaker-v0", 1, "Environment 0: Action 'action' has the space Text("),
        ("probe_memory --replay.capacity 1e12 --steps 1e12", 1, "would take 801000.00 GB"),
        ("probe_memory --replay.gigabytes 1e-6", 1, "the replay would take 0.00 GB"),
    ],
)
def test_what_cannot_run_says_so_first(words, code, sentence, command, tmp_path):
    found, said = command(words)
    assert found == code, said
    assert sentence in said
    assert said.startswith("reverie: ")
    assert said.count("\n") == 1
    assert not (tmp_path / "run" / "config.json").exists()
    assert not (tmp_path / "run" / "metrics.jsonl").exists()


def test_the_advice_of_a_refused_replay_works_in_the_same_folder(command, tmp_path):
    code, said = command("probe_memory --replay.gigabytes 1e-4 --steps 1000 --env.num 1")
    advised = re.search(r"set --replay.capacity (\d+)", said)
    assert code == 1
    assert advised is not None, said
    words = "probe_memory --replay.gigabytes 1e-4 --steps 60 --env.num 1 --replay.capacity "
    assert command(words + advised.group(1)) == (0, "")


def test_a_folder_of_another_configuration(command, tmp_path, cache):
    run = learn("probe_memory", tmp_path / "run", {"steps": 60})
    before = (run / "metrics.jsonl").read_bytes(), newest(run)["clocks"]
    code, said = command("probe_memory --seed 1 --optim.lr 0.01 --steps 90")
    assert code == 1
    assert "seed is 0 there and 1 here; optim.lr is 0.001 there and 0.01 here" in said
    assert said.count("\n") == 1
    assert ((run / "metrics.jsonl").read_bytes(), newest(run)["clocks"]) == before
    freely = "--steps 62 --train.keep 1 --env.timeout 9 --env.parallel true --env.restarts 3"
    assert command(f"probe_memory {freely}")[0] == 0


def test_a_folder_that_is_none(command, tmp_path):
    (tmp_path / "file").touch()
    code, said = command("probe_memory", tmp_path / "file")
    assert (code, said.count("\n")) == (1, 1)
    assert "cannot be written (File exists): choose another --logdir" in said
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.json").write_text('{"config": 3}')
    code, said = command("probe_memory")
    assert (code, said.count("\n")) == (1, 1)
    assert "is not the configuration of a run of this version" in said


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (errno.EROFS, "cannot be written (Read-only file system): choose another --logdir"),
        (errno.EACCES, "cannot be written (Permission denied): choose another --logdir"),
        (errno.ENOSPC, "is full: free some space there"),
    ],
)
@pytest.mark.filterwarnings("ignore:device.cache .* cannot be written:UserWarning")
def test_a_folder_that_refuses(number, sentence, command, tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "mkdir", refuse)
    code, said = command("probe_memory")
    assert (code, said.count("\n")) == (1, 1)
    assert sentence in said


def test_a_folder_in_which_another_process_runs(command, tmp_path, cache):
    process = start("gym:rude_envs:Rude/Hang-v0", tmp_path / "run", cache, {"env.parallel": True})
    wait_for_step(process, tmp_path / "run", 20)
    code, said = command("gym:rude_envs:Rude/Hang-v0 --env.parallel true")
    assert (code, said.count("\n")) == (1, 1)
    assert f"another process ({process.pid}) is running in" in said
    process.send_signal(signal.SIGKILL)
    process.communicate()
    lock = run_folder.claim(tmp_path / "run")  # a killed process leaves no lock behind
    lock.close()


def test_a_disk_too_small_for_the_plan(command, tmp_path, monkeypatch):
    monkeypatch.setattr(plan.shutil, "disk_usage", lambda _: SimpleNamespace(free=50_000))
    code, said = command("probe_memory")
    assert (code, said.count("\n")) == (1, 1)
    assert re.search(r"the run would need \d+ kB of disk in .*, 50 kB are free", said), said
    assert not (tmp_path / "run" / "config.json").exists()


def mount(path: Path, options: str) -> None:
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(path)], capture_output=True
    )
    if done.returncode:
        pytest.skip("mounting a small disk needs root")


def test_a_disk_that_fills_up_and_is_cleared(tmp_path, cache, monkeypatch):
    """On a real full disk the run stops; with more space the same command goes on as if nothing
    had happened."""
    changes = {"train.save_every": 0, "train.keep": 1}
    whole = learn("probe_memory", tmp_path / "whole", changes)
    disk = tmp_path / "disk"
    disk.mkdir()
    mount(disk, "size=420k")
    try:
        monkeypatch.setattr(plan, "check_disk", lambda *_: None)
        with pytest.raises((RunError, ReplayError), match=r"full|No space") as stop:
            learn("probe_memory", disk / "run", changes)
        assert "\n" not in str(stop.value)
        assert 0 < newest(disk / "run")["clocks"]["step"] < 240
        mount(disk, "size=50m,remount")
        learn("probe_memory", disk / "run", changes)
        assert_same_run(whole, disk / "run")
    finally:
        subprocess.run(["umount", str(disk)], check=False)


class Narrow(Rude):
    """The same environment with three numbers instead of four."""

    def __init__(self):
        super().__init__()
        self.observation_space = spaces.Box(-np.inf, np.inf, (3,), np.float32)

    def _show(self):
        return super()._show()[:3]


def test_a_checkpoint_of_another_environment(tmp_path, cache):
    run = learn(Rude, tmp_path, {"steps": 60})
    with pytest.raises(RunError, match=r"'vector' was Spec\(.*this is another environment, or"):
        learn(Narrow, run, {"steps": 90})
    assert newest(run)["clocks"]["step"] == 60


class Named(gymnasium.Env):
    """Shows a number under the name of a loss."""

    observation_space = gymnasium.spaces.Dict(
        rew=gymnasium.spaces.Box(-1, 1, (2,), np.float32),
        position=gymnasium.spaces.Discrete(2),
    )
    action_space = gymnasium.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return {"rew": np.zeros(2, np.float32), "position": 0}, {}

    def step(self, action):
        return {"rew": np.zeros(2, np.float32), "position": 1}, 0.0, False, False, {}


def test_an_observation_with_the_name_of_a_loss_is_refused_before_a_step(tmp_path):
    """Its loss would be logged as the other one's."""
    with pytest.raises(ConfigError, match=r"two losses are called 'rew': .* env\.exclude"):
        learn(Named, tmp_path, {"steps": 40, "train.eval_episodes": 0})
    assert not (tmp_path / "metrics.jsonl").exists()
