import logging
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from back_ends import on_back_ends, signal_seat
from test_vector import assert_steps_equal, collect
from toy_envs import Counter, make_counter, make_slow

from reverie.envs.adapter import Adapter
from reverie.envs.base import EnvError
from reverie.envs.episodes import episode_seed
from reverie.envs.make import maker
from reverie.envs.options import EnvConfig
from reverie.envs.vector import Vector

NOISE = np.float32(np.random.default_rng(episode_seed(0, "train", 0, 1)).uniform())
"""What the counter shows in episode 1 of environment 0."""


@on_back_ends
@pytest.mark.parametrize(
    ("trouble", "parallel"), [("raise", False), ("raise", True), ("exit", True), ("hang", True)]
)
def test_a_fault_starts_a_new_episode_and_is_counted(tmp_path, caplog, trouble, parallel):
    recipe = make_counter(trouble=trouble, once=str(tmp_path / "done"))
    timeout = 3.0 if trouble == "hang" else 60.0
    with (
        caplog.at_level(logging.WARNING, "reverie.envs"),
        Vector(recipe, num=1, seed=0, parallel=parallel, timeout=timeout) as vector,
    ):
        rows, actions = collect(vector, 12)
        assert vector.restarted == 1
    assert [int(row.is_first[0]) for row in rows] == [1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0]
    assert [int(row.is_last[0]) for row in rows] == [0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0]
    assert rows[3].reward[0] == 0.0
    assert rows[3].obs["numbers"][0].tolist() == [NOISE, 0, 0]
    assert rows[5].obs["numbers"][0, 2] == actions[4]["action"] + actions[5]["action"]
    reason = {"raise": "lost its marbles", "exit": "exit status 7", "hang": "no answer for 3 sec"}
    assert reason[trouble] in caplog.text


@on_back_ends
def test_kill_minus_nine_of_one_of_three():
    with Vector(make_counter(length=50), num=3, seed=0) as vector:
        collect(vector, 4)
        signal_seat(vector, 1)
        row = collect(vector, 1)[0][0]
        assert row.is_first.tolist() == [False, True, False]
        assert row.obs["numbers"][:, 1].tolist() == [4, 0, 4]
        assert vector.restarted == 1
        assert collect(vector, 2)[0][-1].obs["numbers"][:, 1].tolist() == [6, 2, 6]


@on_back_ends
def test_who_shares_a_process_shares_its_end(caplog):
    with (
        caplog.at_level(logging.WARNING, "reverie.envs"),
        Vector(make_counter(length=50), num=4, seed=0, workers=2) as vector,
    ):
        collect(vector, 4)
        signal_seat(vector, 1)
        row = collect(vector, 1)[0][0]
        assert row.is_first.tolist() == [False, False, True, True]
        assert row.obs["numbers"][:, 1].tolist() == [4, 4, 0, 0]
        assert vector.restarted == 1
        state = vector.state()
        want, _ = collect(vector, 9, seed=2)
    assert "One of the environments 2 to 3 failed and will be restarted (1 of 10)" in caplog.text
    with Vector(make_counter(length=50), num=4, seed=0, workers=3) as vector:
        assert vector.load(state) == [True] * 4
        assert_steps_equal(want, collect(vector, 9, seed=2)[0])


@on_back_ends
def test_a_fault_of_one_costs_the_open_episodes_of_its_process(tmp_path):
    recipe = make_counter(trouble="raise", once=str(tmp_path / "done"), length=50)
    with Vector(recipe, num=3, seed=0, workers=1) as vector:
        rows, _ = collect(vector, 6)
        assert vector.restarted == 1
    assert rows[3].is_first.tolist() == [True] * 3
    assert rows[5].obs["numbers"][:, 1].tolist() == [2] * 3


@on_back_ends
def test_a_process_that_works_through_its_orders_is_not_hung():
    with Vector(make_slow(0.6), num=4, seed=0, workers=1, timeout=2.0) as vector:
        row = collect(vector, 2)[0][-1]  # 2.4 seconds, a sign of life after each second
        assert row.obs["numbers"][:, 1].tolist() == [1] * 4
        assert vector.restarted == 0


@on_back_ends
@pytest.mark.parametrize("parallel", [False, True])
def test_an_interrupted_recv_can_be_repeated(parallel):
    with Vector(make_counter(), num=3, seed=0, parallel=parallel) as vector:
        collect(vector, 2)
        vector.send({"action": np.zeros(3, np.int32)})
        answer, asked = vector._crew.answer, []

        def interrupted(seat):
            asked.append(seat)
            if asked == [0, 1]:
                raise KeyboardInterrupt
            return answer(seat)

        vector._crew.answer = interrupted
        with pytest.raises(KeyboardInterrupt):
            vector.recv()
        assert vector.recv().obs["numbers"][:, 1].tolist() == [2, 2, 2]
        assert asked == [0, 1, 1, 2]
        assert vector.restarted == 0


@on_back_ends
def test_neighbours_of_one_that_raised_are_closed(tmp_path):
    def made():
        env = Adapter(Counter(trouble="raise", once=str(tmp_path / "done")), EnvConfig())
        env.close = lambda: (tmp_path / f"closed {os.getpid()} {id(env)}").touch()
        return env

    with Vector(made, num=3, seed=0, workers=1) as vector:
        collect(vector, 6)
        assert vector.restarted == 1
    assert len(list(tmp_path.glob("closed *"))) == 6


@on_back_ends
@pytest.mark.parametrize("workers", [0, 1])
def test_a_picture_that_comes_too_late_costs_the_episode(workers):
    def lazy():
        env = Adapter(Counter(length=50), EnvConfig())
        env.render = lambda: time.sleep(60)
        return env

    with Vector(lazy, num=2, seed=0, workers=workers, timeout=1.0) as vector:
        collect(vector, 3)
        with pytest.raises(EnvError, match="Environment 1 cannot draw: no answer for 1 seconds"):
            vector.render(1)
        row = collect(vector, 2)[0][-1]
        assert row.obs["numbers"][:, 1].tolist() == ([1, 1] if workers else [4, 1])
        assert vector.restarted == 1


@on_back_ends
@pytest.mark.parametrize("parallel", [False, True])
def test_restarts_are_limited_and_the_users_lines_arrive(parallel):
    with (
        Vector(make_counter(trouble="raise"), num=1, seed=0, parallel=parallel, restarts=1) as v,
        pytest.raises(EnvError, match=r"all 1 restarts.*RuntimeError: .*lost its marbles \(toy"),
    ):
        collect(v, 10)
    assert v.restarted == 1


@on_back_ends
def test_last_words_of_a_dead_process_are_quoted():
    def dying():
        print("I see a light", file=sys.stderr, flush=True)
        os._exit(3)

    with pytest.raises(EnvError, match=r"(?s)could not be made.*exit status 3.*I see a light"):
        Vector(dying, num=1, seed=0)


@on_back_ends
@pytest.mark.parametrize("parallel", [False, True])
def test_nan_is_an_error_not_a_restart(parallel):
    recipe = make_counter(trouble="nan")
    with (
        Vector(recipe, num=2, seed=0, parallel=parallel) as vector,
        pytest.raises(EnvError, match=r"Environment 0: observation 'numbers' .* at step 3 of"),
    ):
        collect(vector, 10)
    assert vector.restarted == 0


@on_back_ends
@pytest.mark.parametrize(
    ("task", "config"),
    [
        ("gym:CartPole-v1", EnvConfig()),
        ("dmc_reacher_easy", EnvConfig(repeat=2)),
        ("atari_breakout", EnvConfig(repeat=4, sticky=0.25, gray=True, size=32)),
        ("minigrid_dynamic_obstacles_6x6", EnvConfig(size=32)),
        ("probe_memory", EnvConfig()),
    ],
)
@pytest.mark.parametrize(("done", "parallel"), [(1, False), (24, False), (23, True)])
def test_a_restored_vector_goes_on_as_if_nothing_had_happened(task, config, done, parallel):
    recipe = maker(task, config)
    with Vector(recipe, num=2, seed=1, parallel=False) as vector:
        collect(vector, done)
        state = vector.state()
        want, _ = collect(vector, 30, seed=2)
    with Vector(recipe, num=2, seed=1, parallel=parallel) as vector:
        assert vector.load(state) == [True, True]
        np.testing.assert_array_equal(
            vector.row.reward, [e["row"]["reward"] for e in state["envs"]]
        )
        assert_steps_equal(want, collect(vector, 30, seed=2)[0])


def test_a_state_before_the_first_row():
    with Vector(make_counter(), num=2, seed=1, parallel=False) as vector:
        state = vector.state()
        want, _ = collect(vector, 5)
    with Vector(make_counter(), num=2, seed=1, parallel=False) as vector:
        assert vector.load(state) == [True, True]
        assert vector.row is None
        assert_steps_equal(want, collect(vector, 5)[0])


def test_a_saved_state_is_a_copy_and_survives_pickling():
    import pickle

    with Vector(make_counter(length=500), num=1, seed=1, parallel=False) as vector:
        collect(vector, 200)
        state = vector.state()
        frozen = pickle.dumps(state)
        collect(vector, 100)
        assert pickle.dumps(state) == frozen
        assert len(state["envs"][0]["actions"]["action"]) == 199
        assert vector.load(pickle.loads(frozen)) == [True]
        assert vector.row.obs["numbers"][0, 1] == 199


@on_back_ends
@pytest.mark.parametrize("parallel", [False, True])
def test_an_episode_that_cannot_be_rebuilt_is_given_up(parallel):
    recipe = make_counter(trouble="wander", length=9)
    with Vector(recipe, num=1, seed=0, parallel=False) as vector:
        collect(vector, 6)
        state = vector.state()
    time.sleep(0.3)
    with Vector(recipe, num=1, seed=0, parallel=parallel) as vector:
        assert vector.load(state) == [False]
        row = collect(vector, 1)[0][0]
        assert row.is_first[0]
        assert row.obs["numbers"][0].tolist() == [NOISE, 0, 0]


@on_back_ends
def test_a_crash_while_an_episode_is_rebuilt():
    with Vector(make_counter(), num=2, seed=0, parallel=False) as vector:
        collect(vector, 5)
        state = vector.state()
    with Vector(make_counter(trouble="exit"), num=2, seed=0) as vector:
        assert vector.load(state) == [False, False]
        assert vector.restarted == 2
        assert collect(vector, 1)[0][0].is_first.all()


def test_a_state_of_another_vector_is_refused():
    with Vector(make_counter(), num=2, seed=0, parallel=False) as vector:
        state = vector.state()
    with (
        Vector(make_counter(), num=3, seed=0, parallel=False) as vector,
        pytest.raises(EnvError, match="state is of 2 environments, here are 3"),
    ):
        vector.load(state)
    with (
        Vector(maker("gym:Pendulum-v1", EnvConfig()), num=2, seed=0, parallel=False) as vector,
        pytest.raises(EnvError, match=r"action 'action' has not the shape \(1,\)"),
    ):
        vector.load(state)


CODE = """
import hashlib, sys
sys.path[:0] = [{folder!r}, {folder!r} + '/..']
from test_vector import *
for task in {tasks}:
    vector = Vector(maker(task, EnvConfig(repeat=2, sticky=0.25)), num=1, seed=3, parallel=False)
    rows, _ = collect(vector, 30)
    data = [x for row in rows for x in [*row.obs.values(), *row[1:5], *row.log.values()]]
    print(task, hashlib.sha1(b"".join(x.tobytes() for x in data)).hexdigest())
"""


def test_two_runs_give_the_same_rows_for_the_same_seed():
    tasks = ("dmc_walker_walk", "atari_pong", "minigrid_empty_5x5")
    code = CODE.format(folder=str(Path(__file__).parent), tasks=tasks)
    command = [sys.executable, "-c", code]
    runs = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    first, second = (run.communicate()[0] for run in runs)
    assert first == second
    assert first.count("\n") == len(tasks)
