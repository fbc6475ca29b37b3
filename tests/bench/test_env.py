"""The environment benchmark: what counts as a step, and what is written."""

import contextlib
import json
import time

import numpy as np
import pytest

from reverie.bench import env
from reverie.bench.options import EnvOptions
from reverie.config.presets import resolve
from reverie.envs.base import EnvError
from reverie.envs.make import maker
from reverie.envs.vector import Vector
from reverie.part.errors import ConfigError
from reverie.records import Spec

TASK = "probe_delay"


def test_every_way_is_timed_and_written(tmp_path, capsys):
    file = tmp_path / "a.json"
    found = env.run(EnvOptions(TASK, num=2, seconds=0.05, repeats=2, json=str(file)))
    assert list(found) == ["loop", "vector", "vector_replay", "processes", "processes_replay"]
    assert min(found.values()) > 10
    assert found["loop"] > found["processes"]  # a step of a probe is shorter than a message
    written = json.loads(file.read_text())
    kept = round(max(found["vector_replay"], found["processes_replay"]) / found["loop"], 3)
    settings = {"task": TASK, "num": 2, "workers": 0, "repeat": 1}
    assert written == settings | {"steps_per_s": found, "kept": kept}
    assert "Vector, processes, rows into replay" in capsys.readouterr().out


def test_steps_are_counted_without_resets():
    config = resolve(TASK)
    with contextlib.ExitStack() as stack:
        turns = env.ways(config, EnvOptions(TASK, num=2), stack)
        length = sum(turns["loop"]() for _ in range(1 + 400))
        rows = [turns["vector"]() for _ in range(1 + 400)]
    assert rows[0] == 0
    assert set(rows) <= {0, 1, 2}
    with Vector(maker(TASK, config.env), num=2, seed=config.seed, parallel=False) as vector:
        action = env.random_actions(vector.action_specs, 2)[0]
        firsts = 0
        for _ in range(1 + 400):
            vector.send(action)
            firsts += int(vector.recv().is_first.sum())
    assert sum(rows) == 2 * 401 - firsts  # episodes of this probe have one length
    assert length == pytest.approx(sum(rows) / 2, abs=2)


def test_rows_reach_the_replay():
    config = resolve(TASK)
    with Vector(maker(TASK, config.env), num=2, seed=0, parallel=False) as vector:
        replay = env.replay_for(vector, config)
        turn = env.vector_turn(vector, replay)
        for _ in range(7):
            turn()
        assert replay.stats()["replay/inserts"] == 14


def test_speed_is_steps_over_time():
    assert env.speed(lambda: 0, 0.01) == 0.0

    def turn() -> int:
        time.sleep(0.01)
        return 5

    assert 100 < env.speed(turn, 0.05) <= 500


def test_actions_fill_their_ranges():
    specs = {"a": Spec("discrete", (2,), (3, 5)), "b": Spec("vector", (2,), (), (-9, -9), (9, 9))}
    drawn = env.random_actions(specs, 4)
    a = np.stack([action["a"] for action in drawn])
    assert (a.shape, a.dtype) == ((env.POOL, 4, 2), np.int32)
    assert a.min((0, 1)).tolist() == [0, 0]
    assert a.max((0, 1)).tolist() == [2, 4]
    b = np.stack([action["b"] for action in drawn])
    assert b.dtype == np.float32
    assert -1 <= b.min() < -0.95 < 0.95 < b.max() <= 1
    assert env.random_actions({"c": Spec("discrete", (), (2,))}, 0)[0]["c"].shape == ()


def test_a_misspelt_task_is_one_sentence():
    with pytest.raises((ConfigError, EnvError), match="probe_delay"):
        env.run(EnvOptions("probe_dealy"))


def test_options_that_cannot_be_meant():
    for change in ({"num": 0}, {"seconds": 0.0}, {"repeats": 0}):
        with pytest.raises(ConfigError, match="at least 1"):
            EnvOptions(TASK, **change)
    with pytest.raises(ConfigError, match=r"--workers must lie in 0 \.\.\. 2, found 3"):
        EnvOptions(TASK, num=2, workers=3)
