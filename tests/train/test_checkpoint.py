"""Checkpoints: complete or not there, whole or refused, as large as what changed."""

import functools as ft
import os
import shutil
import time
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from tiny_runs import flat, learn, metrics, newest, tiny

from reverie.folder.errors import RunError
from reverie.replay.replay import Replay
from reverie.replay.rows import row_bytes
from reverie.train import checkpoint, loop, sequence, setup, snapshot

TREE = {
    "numbers": {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.array(7, np.int64)},
    "list": [1, 2.5, None, "text", {"deep": np.array([True, False])}],
    "small": np.array([1.5, -2.0], ml_dtypes.bfloat16),
    "class": np.array([[3]], np.uint8),
    "empty": {},
}


def test_a_tree_comes_back_bit_by_bit(tmp_path):
    found = checkpoint.load(checkpoint.save(tmp_path, 12, TREE))
    before, after = flat(TREE), flat(found)
    assert before.keys() == after.keys()
    for name, value in before.items():
        if isinstance(value, np.ndarray):
            assert (value.dtype, value.shape) == (after[name].dtype, after[name].shape)
            assert value.tobytes() == after[name].tobytes()
        else:
            assert value == after[name]


def test_none_is_ever_replaced(tmp_path):
    names = [checkpoint.save(tmp_path, step, {"n": n}).name for n, step in enumerate([5, 5, 9, 5])]
    assert names == ["000000000005", "000000000005-1", "000000000009", "000000000005-2"]
    found = checkpoint.complete(tmp_path)
    assert [checkpoint.load(path)["n"] for path in found] == [0, 1, 3, 2]
    checkpoint.prune(tmp_path, 2)
    assert checkpoint.complete(tmp_path) == found[2:]


def test_what_killed_processes_left_is_no_checkpoint_and_goes(tmp_path):
    checkpoint.save(tmp_path, 5, TREE)
    shutil.copytree(tmp_path / "000000000005", tmp_path / ".partial-000000000009-77")
    (tmp_path / "notes").mkdir()
    assert [path.name for path in checkpoint.complete(tmp_path)] == ["000000000005"]
    checkpoint.prune(tmp_path, 2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["000000000005", "notes"]


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


def foreign(path: Path) -> None:
    path.write_bytes(b"something else")


@pytest.mark.parametrize("name", ["state.json", "arrays.safetensors"])
@pytest.mark.parametrize("harm", [cut, foreign, Path.unlink])
def test_a_damaged_checkpoint_is_refused_in_one_sentence(tmp_path, name, harm):
    path = checkpoint.save(tmp_path, 5, TREE)
    harm(path / name)
    with pytest.raises(RunError, match=r"000000000005 cannot be read .* Move this folder away"):
        checkpoint.load(path)


def test_another_format_is_named(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "VERSION", 99)
        path = checkpoint.save(tmp_path, 5, TREE)
    with pytest.raises(RunError, match="has format 99, this version of Reverie reads format 3"):
        checkpoint.load(path)


@pytest.fixture(scope="module")
def saved(tmp_path_factory, cache):
    """A run that saved at every turn, stopped short of its end by a longer plan."""
    folder = tmp_path_factory.mktemp("saved") / "run"
    return learn("probe_memory", folder, {"train.save_every": 0, "train.keep": 3})


def test_moving_the_newest_away_resumes_from_the_one_before(saved, tmp_path, cache):
    run = shutil.copytree(saved, tmp_path / "run")
    found = checkpoint.complete(run / "checkpoints")
    cut(found[-1] / "arrays.safetensors")
    with pytest.raises(RunError, match="Move this folder away"):
        learn("probe_memory", run, {"train.save_every": 0, "train.keep": 3})
    shutil.move(found[-1], tmp_path / "away")
    learn("probe_memory", run, {"train.save_every": 0, "train.keep": 3})
    assert metrics(run) == metrics(saved)
    before, after = flat(newest(saved)), flat(newest(run))
    for name, value in before.items():
        np.testing.assert_array_equal(value, after[name], err_msg=name)


def test_a_damaged_older_checkpoint_does_not_stop_the_run(saved, tmp_path, cache):
    run = shutil.copytree(saved, tmp_path / "run")
    found = checkpoint.complete(run / "checkpoints")
    foreign(found[0] / "state.json")
    shutil.move(found[-1], tmp_path / "away")
    learn("probe_memory", run, {"train.save_every": 0, "train.keep": 3})
    assert metrics(run) == metrics(saved)


def test_many_saves_leave_no_garbage(saved):
    kept = checkpoint.complete(saved / "checkpoints")
    assert len(kept) == 3
    assert len(list((saved / "checkpoints").iterdir())) == 3
    named = {
        name
        for manifest in checkpoint.replay_manifests(saved / "checkpoints")
        for listed in manifest["files"].values()
        for _, name, _ in listed
    }
    assert {path.name for path in (saved / "replay").iterdir()} == named


class Killed(BaseException):
    """Stands for SIGKILL: nothing catches it."""


def kill_at(monkeypatch, number: int) -> None:
    """Raise Killed at the `number`-th call that changes a disk."""
    count = 0

    def guard(module, name):
        real = getattr(module, name)

        def call(*args, **kwargs):
            nonlocal count
            count += 1
            if count == number:
                raise Killed(name)
            return real(*args, **kwargs)

        monkeypatch.setattr(module, name, call)

    for module, name in [
        *((os, name) for name in ("fsync", "rmdir")),
        *((Path, name) for name in ("rename", "replace", "unlink", "mkdir", "open")),
        (shutil, "rmtree"),
    ]:
        guard(module, name)


def test_killed_at_every_step_of_a_save(saved, tmp_path, monkeypatch, cache):
    """Whatever the instant, the newest complete checkpoint loads with all its replay files."""
    config = tiny("probe_memory", tmp_path / "x", {"train.keep": 1})
    open_envs = ft.partial(setup.training_envs, config, None, tmp_path)
    with open_envs(sequence.visits(config)[0]) as envs:
        whole = setup.complete(config, envs)
        run, again = (loop.Run(whole, envs, open_envs, None, saved) for _ in "ab")
        snapshot.resume(run)
        run.replay.add(run.actor(run.learner.acting, _any_row(envs)))
        run.learner.check, run.logger = _nothing, _NoLogger()
        steps, number, alive = set(), 0, False
        while not alive:
            number += 1
            run.logdir = again.logdir = shutil.copytree(saved, tmp_path / str(number))
            for path in checkpoint.complete(run.logdir / "checkpoints")[:-1]:
                shutil.rmtree(path)
            with monkeypatch.context() as patch:
                kill_at(patch, number)
                alive = survives(run)
            snapshot.resume(again)
            steps.add(again.replay.stats()["replay/rows"])
            assert checkpoint.complete(run.logdir / "checkpoints")
            shutil.rmtree(run.logdir)
    assert number > 15
    assert steps == {240, 242}


def survives(run) -> bool:
    try:
        snapshot.save(run)
    except Killed:
        return False
    return True


def _nothing():
    """Stand-in for the check of the newest update."""


class _NoLogger:
    def state(self):
        return {"offset": 0}


def _any_row(envs):
    envs.send({"action": np.zeros(envs.num, np.int32)})
    return envs.recv()


def test_a_save_costs_what_changed(tmp_path):
    """Rows with pictures: the second save writes the new rows and the touched latents alone."""
    columns = {"obs/image": ((64, 64, 3), "uint8"), "latent/deter": ((64,), "float32")}
    columns |= {"is_first": ((), "bool"), "is_last": ((), "bool")}
    replay = Replay(columns, streams=1, capacity=8192, length=8, mutable=("latent/deter",))
    row = {
        "obs/image": np.random.default_rng(0).integers(0, 256, (1, 64, 64, 3), np.uint8),
        "latent/deter": np.zeros((1, 64), np.float32),
        "is_first": np.zeros(1, bool),
        "is_last": np.zeros(1, bool),
    }
    for _ in range(4096):
        replay.add(row)
    first, first_seconds = written(replay, tmp_path)
    assert first == pytest.approx(4096 * row_bytes(replay.columns), rel=0.01)
    for _ in range(64):
        replay.add(row)
    _, ticket = replay.draw(4)
    replay.write(ticket, {"latent/deter": np.ones((4, 8, 64), np.float32)}, offset=0)
    second, second_seconds = written(replay, tmp_path)
    pictures, latents = 64 * 64 * 3 + 2, 64 * 4
    assert second < 64 * pictures + 5 * 1024 * latents + 10_000
    assert second_seconds < first_seconds / 3


def written(replay: Replay, folder: Path) -> tuple[int, float]:
    """Bytes of the files that a save adds, and its seconds."""
    before = {path.name for path in folder.iterdir()}
    begin = time.perf_counter()
    replay.save(folder)
    seconds = time.perf_counter() - begin
    return sum(p.stat().st_size for p in folder.iterdir() if p.name not in before), seconds
