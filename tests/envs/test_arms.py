"""Meta-World, RoboDesk, Gymnasium-MuJoCo and -Robotics against their own packages."""

import dataclasses

import gymnasium
import numpy as np
import pytest
from elsewhere import assert_same_elsewhere
from toy_envs import assert_contract, assert_rows_equal, play

from reverie.envs import names_control
from reverie.envs.base import EnvError
from reverie.envs.make import make
from reverie.envs.options import EnvConfig

STATE = EnvConfig()
BOTH = EnvConfig(observe="both", size=48)
VISION = EnvConfig(observe="vision", size=48)


def metaworld(name, seed):
    """The package's own goal-observable environment, made to draw another goal every reset."""
    from metaworld.env_dict import ALL_V3_ENVIRONMENTS_GOAL_OBSERVABLE as known

    env = known[name.replace("_", "-") + "-v3-goal-observable"](seed=seed)
    env._freeze_rand_vec, env.seeded_rand_vec = False, True
    env.seed(seed)
    return env


def metaworld_policy(name):
    """The package's scripted expert."""
    import metaworld.policies as experts

    stem = "".join(part.title() for part in name.split("_"))
    return vars(experts)[f"Sawyer{stem}V3Policy"]()


def test_metaworld_names_equal_the_packages():
    from metaworld.env_dict import ENV_CLS_MAP

    assert [f"{name.replace('_', '-')}-v3" for name in names_control.METAWORLD_TASKS] == list(
        ENV_CLS_MAP
    )
    assert len(names_control.METAWORLD_TASKS) == 50


@pytest.mark.parametrize("name", ["reach", "door_open", "button_press"])
def test_metaworld_equals_the_package(name):
    """States, rewards and success flags of the scripted expert, to the end of the episode."""
    env, plain, expert = (
        make(f"metaworld_{name}", STATE),
        metaworld(name, 5),
        metaworld_policy(name),
    )
    shown, state = env.reset(5), plain.reset()[0]
    succeeded, rows = [], [(shown, 0.0, False, False)]
    while not rows[-1][3]:
        action = np.clip(expert.get_action(state), -1, 1).astype(np.float32)
        rows.append(env.step({"action": action}))
        state, reward, _, _, info = plain.step(action)
        np.testing.assert_array_equal(rows[-1][0]["state"], np.float32(state))
        assert rows[-1][1] == reward
        succeeded.append(bool(info["success"]))
        assert env.logs["success"] == max(succeeded)
    assert_contract(env, rows)
    assert len(rows) == 501
    assert rows[-1][2:] == (False, True)  # 500 steps, never terminal
    assert any(succeeded)
    assert not succeeded[0]
    env.close()


def test_metaworld_draws_another_goal_every_reset():
    env = make("metaworld_reach", STATE)
    goals = {tuple(env.reset(seed)["state"][-3:]) for seed in range(10)}
    assert len(goals) == 10
    rows = play(env, 2, 10)
    play(env, 3, 10)
    assert_rows_equal(rows, play(env, 2, 10))
    env.close()


@pytest.mark.slow
@pytest.mark.parametrize("name", names_control.METAWORLD_TASKS)
def test_every_metaworld_task_keeps_the_contract(name):
    env = make(f"metaworld_{name}", STATE)
    rows = play(env, 2, 510)
    assert_contract(env, rows)
    assert len(rows) == 501
    assert rows[-1][2:] == (False, True)
    play(env, 3, 5)
    assert_rows_equal(rows[:30], play(env, 2, 29))
    env.close()


@pytest.mark.slow
@pytest.mark.parametrize("camera", ["corner", "corner2", "corner3", "corner4", "topview"])
def test_metaworld_pictures_are_upright(camera):
    """The gray room is above the brown table: the upper rows are less saturated than the lower."""
    kwargs = f'{{"camera_name": "{camera}"}}'
    env = make("metaworld_door_open", dataclasses.replace(VISION, kwargs=kwargs))
    picture = env.reset(0)["image"].astype(int)
    colour = np.ptp(picture, -1).mean(1)
    if camera in ("corner", "corner2", "corner4"):  # the others show little of the room
        assert colour[-12:].mean() > colour[:6].mean()
    raw = env._env.env._env.render()
    flipped = camera in ("corner", "corner2", "corner3")
    np.testing.assert_array_equal(env.render(), raw[::-1] if flipped else raw)
    assert list(env.obs_specs) == ["image"]
    env.close()


def test_metaworld_camera_names():
    with pytest.raises(EnvError, match=r"no camera 'cornr'\. Did you mean 'corner'"):
        make("metaworld_reach", dataclasses.replace(VISION, kwargs='{"camera_name": "cornr"}'))


@pytest.mark.slow
def test_metaworld_in_another_process():
    assert_same_elsewhere("metaworld_lever_pull", BOTH, 4, 4)


def test_robodesk_names_equal_the_packages():
    import robodesk  # noqa: F401

    env = make("robodesk_stack", STATE)
    assert env._env.env._env.all_tasks == names_control.ROBODESK_TASKS
    env.close()


def test_robodesk_equals_the_package():
    env = make("robodesk_open_slide", dataclasses.replace(STATE, kwargs='{"episode_length": 40}'))
    rows = play(env, 5, 60)
    assert_contract(env, rows)
    assert len(rows) == 41
    assert rows[-1][2:] == (False, True)  # the length of the episode, never terminal
    import robodesk

    plain = robodesk.RoboDesk(task="open_slide", reward="dense", episode_length=40)
    plain.render = lambda **_: None
    state = np.random.get_state()  # noqa: NPY002
    np.random.seed(5)  # noqa: NPY002
    plain.reset()
    np.random.set_state(state)  # noqa: NPY002
    rng = np.random.default_rng(5)
    for row in rows[1:]:
        action = rng.uniform(-1, 1, (5,)).astype(np.float32)
        shown, reward, done, _ = plain.step(action)
        assert row[1] == pytest.approx(reward, abs=1e-6)
        np.testing.assert_allclose(row[0]["qpos_robot"], shown["qpos_robot"], atol=1e-5)
    assert done
    play(env, 6, 5)
    assert_rows_equal(rows, play(env, 5, 60))
    assert sum(row[1] for row in rows) > 0
    env.close()


@pytest.mark.slow
def test_robodesk_from_pictures_in_two_processes():
    env = make("robodesk_push_green", BOTH)
    rows = play(env, 1, 2)
    assert_contract(env, rows)
    assert rows[0][0]["image"].std() > 20
    assert env.render().shape == (120, 120, 3)
    env.close()
    assert_same_elsewhere("robodesk_push_green", VISION, 1, 2)


def test_gymnasium_names_equal_the_packages():
    import gymnasium_robotics

    gymnasium.register_envs(gymnasium_robotics)
    ours = {**names_control.mujoco_ids(), **names_control.robotics_ids()}
    assert len(ours) == 11 + len(names_control.robotics_ids())
    assert set(ours.values()) <= set(gymnasium.registry)
    homes = ("gymnasium_robotics", "gymnasium.envs.mujoco")
    newest = {}
    for spec in gymnasium.registry.values():
        if str(spec.entry_point).startswith(homes) and spec.version is not None:
            newest[spec.name] = max(newest.get(spec.name, 0), spec.version)
    old = set(names_control.MUJOCO_IDS)  # gymnasium-robotics registers old copies of these
    wanted = {f"{name}-v{version}" for name, version in newest.items() if name not in old}
    assert wanted == set(names_control.robotics_ids().values())


@pytest.mark.parametrize("name", names_control.mujoco_ids())
def test_gymnasium_mujoco_equals_gymnasium(name):
    env = make(f"mujoco_{name}", STATE)
    rows = play(env, 3, 1010)
    assert_contract(env, rows)
    assert rows[-1][3]
    plain = gymnasium.make(names_control.mujoco_ids()[name])
    plain.reset(seed=3)
    rng, space = np.random.default_rng(3), plain.action_space
    for row in rows[1:]:
        action = rng.uniform(-1, 1, space.shape).astype(np.float32)
        half = (space.high.astype(float) - space.low) / 2
        given = (action * half + (space.low + half)).astype(space.dtype)
        state, reward, terminated, truncated, _ = plain.step(given)
        assert row[1:] == (reward, terminated, terminated or truncated)
    np.testing.assert_array_equal(rows[-1][0]["vector"], np.float32(state))
    env.close()


@pytest.mark.parametrize("name", ["fetch_reach", "point_maze_umaze", "adroit_hand_door"])
def test_gymnasium_robotics_keeps_the_contract(name):
    env = make(f"robotics_{name}", STATE)
    rows = play(env, 3, 1010)
    assert_contract(env, rows)
    assert rows[-1][2:] == (False, True)
    play(env, 4, 5)
    assert_rows_equal(rows, play(env, 3, 1010))
    env.close()
    assert_same_elsewhere(f"robotics_{name}", STATE, 3, 10)


@pytest.mark.slow
@pytest.mark.parametrize("name", names_control.robotics_ids())
def test_every_gymnasium_robotics_task_runs(name):
    env = make(f"robotics_{name}", STATE)
    rows = play(env, 1, 10)
    assert_contract(env, rows)
    play(env, 2, 3)
    assert_rows_equal(rows, play(env, 1, 10))
    env.close()


@pytest.mark.slow
@pytest.mark.parametrize("task", ["mujoco_half_cheetah", "robotics_fetch_reach"])
def test_gymnasium_pictures(task):
    env = make(task, BOTH)
    rows = play(env, 1, 3)
    assert_contract(env, rows)
    assert rows[0][0]["image"].std() > 10
    env.close()
    only = make(task, VISION)
    assert list(only.obs_specs) == ["image"]
    only.close()
    assert_same_elsewhere(task, VISION, 1, 2)
