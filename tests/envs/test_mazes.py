"""LocoNav's ant and Memory Maze in dm_control's labyrinths."""

import numpy as np
import pytest
from elsewhere import assert_same_elsewhere
from toy_envs import assert_contract, assert_rows_equal, play

from reverie.envs import names_control
from reverie.envs.base import EnvError
from reverie.envs.loconav_maps import MAPS
from reverie.envs.make import make
from reverie.envs.options import EnvConfig

STATE = EnvConfig()
STILL = {"action": np.zeros(8, np.float32)}


def test_maps_are_rectangles_with_one_start_and_one_goal():
    for name, rows in MAPS.items():
        text = "".join(rows)
        assert len({len(row) for row in rows}) == 1
        assert set(text) <= set("123456789*.PG")
        count = 0 if name == "empty" else 1
        assert (text.count("P"), text.count("G")) == (count, count)
        if name != "empty":
            assert reachable(rows)


def reachable(rows):
    """The goal can be walked to from the start."""
    cells = {(y, x): c for y, row in enumerate(rows) for x, c in enumerate(row) if c in ".PG"}
    todo, seen = [place for place, c in cells.items() if c == "P"], set()
    while todo:
        y, x = todo.pop()
        if (y, x) in cells and (y, x) not in seen:
            seen.add((y, x))
            todo += [(y + 1, x), (y - 1, x), (y, x + 1), (y, x - 1)]
    return any(cells[place] == "G" for place in seen)


def touch_goal(env):
    inner = env._env.env._env
    x, y, _ = inner.task._target_position
    inner.task._walker.set_pose(inner.physics, position=np.array([x, y, 1.0]))


@pytest.mark.parametrize("stop", [False, True])
def test_loconav_goal_pays_from_then_on_or_ends(stop):
    env = make("loconav_ant_maze_s", EnvConfig(kwargs='{"stop_at_goal": true}' if stop else "{}"))
    env.reset(0)
    assert env.step(STILL)[1:] == (0.0, False, False)
    touch_goal(env)
    rows = [env.step(STILL) for _ in range(4 if stop else 30)]
    while stop and not rows[-1][3]:
        rows.append(env.step(STILL))
    first = next(i for i, row in enumerate(rows) if row[1])
    if stop:
        assert rows[-1][1:] == (1.0, True, True)
        assert first == len(rows) - 1
    else:
        assert all(row[1:] == (1.0, False, False) for row in rows[first:])
    env.close()


def test_loconav_contract_time_limit_and_seeds():
    env = make("loconav_ant_maze_m_5hz", EnvConfig(repeat=2))
    rows = play(env, 3, 200)
    assert_contract(env, rows)
    assert len(rows) == 151  # 60 seconds at 5 Hz, two at a time
    assert rows[-1][2:] == (False, True)
    assert 1 <= env.logs["coverage"] <= 151
    play(env, 4, 3)
    assert_rows_equal(rows[:10], play(env, 3, 9))
    env.close()


@pytest.mark.slow
@pytest.mark.parametrize("name", names_control.LOCONAV_TASKS)
def test_every_loconav_task_runs(name):
    env = make(f"loconav_{name}", EnvConfig(observe="both", size=32))
    rows = play(env, 3, 3)
    assert_contract(env, rows)
    assert env.obs_specs["image"].shape == (32, 32, 3)
    env.close()


def test_loconav_in_another_process():
    assert_same_elsewhere("loconav_ant_empty", STATE, 6, 4)


def test_loconav_names_what_it_has():
    with pytest.raises(EnvError, match=r"no task 'loconav_ant_maze_q'. Did you mean 'ant_maze_.+'"):
        make("loconav_ant_maze_q", STATE)
    with pytest.raises(EnvError, match="quadruped's model is no part of dm_control"):
        make("loconav_quadruped_maze_s", STATE)


@pytest.mark.slow
def test_memory_maze_contract_and_time_limit():
    """A quarter of the decisions a second: 250 instead of 1000 steps."""
    env = make("memmaze_9x9", EnvConfig(size=16, kwargs='{"control_freq": 1}'))
    rows = play(env, 3, 260)
    assert_contract(env, rows)
    assert len(rows) == 251  # 250 seconds
    assert rows[-1][2:] == (False, True)
    assert env.action_specs["action"].classes == (6,)
    env.close()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["9x9_extraobs", "11x11_6cl"])
def test_memory_maze_follows_its_seed_whatever_came_before(name):
    env = make(f"memmaze_{name}", EnvConfig(size=32))
    rows = play(env, 3, 20)
    assert_contract(env, rows)
    play(env, 4, 5)
    other = play(env, 4, 5)
    assert_rows_equal(rows, play(env, 3, 20))
    assert np.abs(rows[0][0]["image"].astype(int) - other[0][0]["image"]).mean() > 1
    assert env.render().shape == (240, 240, 3)
    env.close()
    assert_same_elsewhere(f"memmaze_{name}", EnvConfig(size=32), 3, 20)


@pytest.mark.slow
def test_memory_maze_pays_at_the_right_target():
    env = make("memmaze_9x9_extraobs", EnvConfig(size=16))
    shown = env.reset(1)
    inner = env._env._env
    task = inner.task
    found = []
    for index in range(task.n_targets):
        task._current_target_ix = 0
        place = inner.physics.bind(task._targets[index].geom).xpos
        task._walker.set_pose(inner.physics, position=np.array([place[0], place[1], 0.5]))
        found.append(max(env.step({"action": np.int32(0)})[1] for _ in range(2)))
    assert found[0] == 1.0
    assert shown["maze_layout"].shape == (9, 9)
    env.close()
