import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from back_ends import on_back_ends, process_id
from toy_envs import Counter, make_counter, make_slow, random_action

from reverie.envs.adapter import Adapter
from reverie.envs.base import EnvError
from reverie.envs.crew import share_out
from reverie.envs.episodes import episode_seed
from reverie.envs.history import History
from reverie.envs.make import make, maker
from reverie.envs.options import EnvConfig
from reverie.envs.vector import Vector
from reverie.records import Spec


def collect(vector, count, seed=0):
    """`count` batched rows under actions drawn from `seed`, and those actions."""
    rng, rows, actions = np.random.default_rng(seed), [], []
    for _ in range(count):
        actions.append(random_action(vector.action_specs, rng, (vector.num,)))
        vector.send(actions[-1])
        rows.append(vector.recv())
    return rows, actions


def assert_steps_equal(one, two):
    for a, b in zip(one, two, strict=True):
        for mine, theirs in ((a.obs, b.obs), (a.log, b.log)):
            assert mine.keys() == theirs.keys()
            for key in mine:
                np.testing.assert_array_equal(mine[key], theirs[key])
        for x, y in zip(a[1:5], b[1:5], strict=True):
            np.testing.assert_array_equal(x, y)


def test_rows_follow_the_contract():
    with Vector(make_counter(length=3), num=2, seed=0, parallel=False) as vector:
        rows, actions = collect(vector, 9)
    first = np.array([row.is_first for row in rows])[:, 0]
    last = np.array([row.is_last for row in rows])[:, 0]
    assert first.tolist() == [True, False, False, False] * 2 + [True]
    assert last.tolist() == [False, False, False, True] * 2 + [False]
    for row, action in zip(rows, actions, strict=True):
        assert row.obs["numbers"].shape == (2, 3)
        assert row.obs["numbers"].dtype == np.float32
        assert row.obs["image"].dtype == np.uint8
        assert row.reward.dtype == np.float32
        assert {flag.dtype.name for flag in row[2:5]} == {"bool"}
        # the action that meets a finished episode is ignored: the new one starts with reward 0
        np.testing.assert_array_equal(row.reward, np.where(row.is_first, 0, action["action"]))


def test_rewind_plays_the_first_episodes_again():
    with Vector(make_counter(), num=2, seed=0, parallel=False) as vector:
        rows, _ = collect(vector, 10)
        vector.rewind()
        assert_steps_equal(rows, collect(vector, 10)[0])


def test_rows_are_the_receivers_own():
    with Vector(make_counter(), num=1, seed=0) as vector:
        rows, _ = collect(vector, 4)
    assert [row.obs["numbers"][0, 1] for row in rows] == [0, 1, 2, 3]


@on_back_ends
@pytest.mark.parametrize("task", ["gym:CartPole-v1", "probe_memory", "probe_action"])
def test_processes_equal_one_process_equal_one_environment(task):
    recipe = maker(task, EnvConfig(limit=15))
    with Vector(recipe, num=2, seed=5) as vector:
        rows, actions = collect(vector, 40)
    for seats in ({"parallel": False}, {"workers": 1}):
        with Vector(recipe, num=2, seed=5, **seats) as vector:
            assert_steps_equal(rows, collect(vector, 40)[0])
    env, episode, due = make(task, EnvConfig(limit=15)), -1, True
    for row, action in zip(rows, actions, strict=True):
        if due:
            episode, due = episode + 1, False
            obs, reward = env.reset(episode_seed(5, "train", 1, episode)), 0.0
        else:
            obs, reward, _, due = env.step({key: x[1] for key, x in action.items()})
        assert row.reward[1] == np.float32(reward)
        assert row.is_last[1] == due
        for key in obs:
            np.testing.assert_array_equal(obs[key], row.obs[key][1])


@on_back_ends
def test_neighbours_share_processes_as_evenly_as_it_goes():
    assert share_out(7, 3) == ((0, 1, 2), (3, 4), (5, 6))
    assert share_out(2, 3) == share_out(2, 0) == ((0,), (1,))
    with Vector(make_counter(), num=3, seed=0, workers=2) as vector:
        rows, actions = collect(vector, 9)
        assert len({process_id(vector, seat) for seat in range(len(vector._crew._seats))}) == 2
        np.testing.assert_array_equal(vector.render(1), np.full((4, 4, 3), 1, np.uint8))
    total = sum(action["action"] for action in actions[1:7])  # the first met a reset
    assert rows[6].obs["numbers"][:, 2].tolist() == total.tolist()


def test_histories_of_any_length_share_their_arrays():
    specs = {"a": Spec("vector", (2,))}
    history, rng = History(specs, 3), np.random.default_rng(0)
    known = [[], [], []]
    for turn in range(4000):
        batch = rng.normal(size=(3, 2)).astype(np.float32)
        history.append({"a": batch})
        for index, rows in enumerate(known):
            rows.append(batch[index])
            if rng.random() < (0.02, 0.3, 0.01)[index]:
                history.clear(index)
                rows.clear()
        if turn == 500:
            history.load([history.rows(index) for index in range(3)])
    for index, rows in enumerate(known):
        np.testing.assert_array_equal(history.rows(index)["a"], np.reshape(rows, (-1, 2)))
    assert history._room < 1500  # of 4000: what no open episode reaches is thrown away


def test_seeds_differ_between_streams_environments_and_episodes():
    seeds = {
        episode_seed(seed, stream, index, episode)
        for seed in range(3)
        for stream in ("train", "eval")
        for index in range(8)
        for episode in range(50)
    }
    assert len(seeds) == 3 * 2 * 8 * 50
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert episode_seed(0, "train", 0, 0) == episode_seed(0, "train", 0, 0)


def test_what_cannot_be_pickled_runs_here_and_says_so():
    gate = __import__("threading").Lock()

    def locked():
        with gate:
            return Adapter(Counter(), EnvConfig())

    with Vector(locked, num=2, seed=0) as vector:
        collect(vector, 3)
        assert "run in this process" in vector.notices[-1]
        assert "cannot be sent" in vector.notices[-1]


def test_memory_without_memfd(monkeypatch):
    monkeypatch.delattr(os, "memfd_create", raising=False)
    with Vector(make_counter(), num=2, seed=0) as vector:
        assert collect(vector, 4)[0][-1].obs["numbers"][:, 1].tolist() == [3, 3]


@on_back_ends
def test_lambdas_travel():
    with Vector(lambda: Adapter(Counter(length=2), EnvConfig()), num=1, seed=0) as vector:
        assert [bool(row.is_last[0]) for row in collect(vector, 3)[0]] == [False, False, True]
        assert vector.notices == []


@on_back_ends
def test_ids_registered_by_this_process_travel():
    import gymnasium

    gymnasium.register("ReverieToy-v0", Counter, kwargs={"length": 2})
    with Vector(maker("gym:ReverieToy-v0", EnvConfig()), num=1, seed=0) as vector:
        assert collect(vector, 3)[0][-1].is_last[0]


@on_back_ends
def test_prints_of_the_simulator_go_to_the_log(tmp_path, capfd):
    def noisy():
        os.system("echo from the simulator")
        return Adapter(Counter(), EnvConfig())

    with Vector(noisy, num=2, seed=0, log_file=tmp_path / "envs.log") as vector:
        collect(vector, 2)
    assert (tmp_path / "envs.log").read_text().count("from the simulator") == 2
    assert capfd.readouterr() == ("", "")


@on_back_ends
@pytest.mark.parametrize("parallel", [False, True])
def test_render(parallel):
    with Vector(make_counter(), num=2, seed=0, parallel=parallel) as vector:
        collect(vector, 4)
        np.testing.assert_array_equal(vector.render(1), np.full((4, 4, 3), 3, np.uint8))


@on_back_ends
@pytest.mark.parametrize("parallel", [False, True])
def test_bad_construction_is_an_error_at_once(parallel):
    def broken():
        raise RuntimeError("no licence")

    with pytest.raises(EnvError, match=r"(?s)Environment 0 could not be made: .*no licence"):
        Vector(broken, num=2, seed=0, parallel=parallel)
    with pytest.raises(EnvError, match="Environment 0: Unknown task 'dmc_nope_nope'"):
        Vector(lambda: make("dmc_nope_nope", EnvConfig()), num=1, seed=0, parallel=parallel)
    with pytest.raises(EnvError, match="num must be at least 1"):
        Vector(make_counter(), num=0, seed=0, parallel=parallel)


def test_misuse_is_an_error():
    with Vector(make_counter(), num=2, seed=0, parallel=False) as vector:
        with pytest.raises(EnvError, match=r"recv\(\) was called without send"):
            vector.recv()
        with pytest.raises(EnvError, match=r"needs 'action' of shape \(2,\); it holds .*\(3,\)"):
            vector.send({"action": np.zeros(3, np.int32)})
        vector.send({"action": np.zeros(2, np.int32)})
        with pytest.raises(EnvError, match=r"send\(\) was called before recv"):
            vector.send({"action": np.zeros(2, np.int32)})
        with pytest.raises(EnvError, match=r"state\(\) was called before recv"):
            vector.state()
        vector.recv()
    with pytest.raises(EnvError, match="environments are closed"):
        vector.send({"action": np.zeros(2, np.int32)})


@on_back_ends
def test_send_does_not_wait():
    with Vector(make_slow(0.5), num=3, seed=0) as vector:
        collect(vector, 1)
        start = time.perf_counter()
        vector.send({"action": np.zeros(3, np.int32)})
        sent = time.perf_counter() - start
        vector.recv()
        assert sent < 0.4
        assert time.perf_counter() - start < 1.4  # side by side, not 1.5 one by one


def gone(pids, patience=8.0):
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if not any(alive(pid) for pid in pids):
            return True
        time.sleep(0.05)
    return False


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


SCRIPT = """
import sys, os, time, signal
sys.path.insert(0, {folder!r})
from toy_envs import make_counter
from reverie.envs.vector import Vector
import numpy as np
vector = Vector(make_counter(), num=2, seed=0)
vector.send({{"action": np.zeros(2, np.int32)}})
vector.recv()
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
print(*[seat.process.pid for seat in vector._crew._seats], flush=True)
{end}
"""


@pytest.mark.parametrize(
    "end",
    ["raise RuntimeError", "os.kill(os.getpid(), signal.SIGKILL)", "time.sleep(60)", "pass"],
    ids=["exception", "kill -9", "Ctrl-C", "forgotten"],
)
def test_no_process_outlives_its_parent(end):
    code = SCRIPT.format(folder=str(Path(__file__).parent), end=end)
    parent = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    pids = [int(word) for word in parent.stdout.readline().split()]
    assert len(pids) == 2
    if "sleep" in end:
        parent.send_signal(2)
    parent.wait(20)
    assert gone(pids)
