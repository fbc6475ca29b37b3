"""ViZDoom, MiniWorld, stable-retro, ProcGen and envpool against their simulators."""

import numpy as np
import pytest
from PIL import Image
from real_suites import assert_reproducible, ends, episode
from toy_envs import assert_contract, play

from reverie.envs import names_games as names
from reverie.envs.base import EnvError
from reverie.envs.make import make
from reverie.envs.options import EnvConfig


def need(module):
    return pytest.importorskip(module, reason=f"needs {module}; see docs/environments.md")


def test_vizdoom_sums_rewards_over_the_repeat_and_truncates_at_its_limit():
    need("vizdoom")
    rows = episode("vizdoom_my_way_home", 1000, repeat=4)
    assert rows[-1][3]
    assert rows[1][1] == pytest.approx(-0.0004)  # a ten thousandth a frame
    env = make("vizdoom_take_cover", EnvConfig(repeat=4))
    finished = [ends(play(env, seed, 2000)) for seed in range(2)]
    assert finished == [(True, True)] * 2  # killed
    env.close()
    basic = make("vizdoom_basic", EnvConfig(repeat=4))
    basic.reset(0)
    rows = []
    while not rows or not rows[-1][3]:
        rows.append(basic.step({"action": np.int32(0)}))  # no button: runs into the limit of 300
    assert len(rows) == 75
    assert rows[-1][2:] == (False, True)
    basic.close()


def test_vizdoom_picture_is_the_resized_screen():
    need("vizdoom")
    env = make("vizdoom_basic", EnvConfig(size=48))
    shown = env.reset(1)["image"]
    screen = env._env.unwrapped.state.screen_buffer
    want = np.asarray(Image.fromarray(screen).resize((48, 48), Image.Resampling.BILINEAR))
    np.testing.assert_array_equal(shown, want)
    assert env.render().shape == (240, 320, 3)
    env.close()


def test_vizdoom_leaves_nothing_in_the_current_folder(tmp_path, monkeypatch):
    need("vizdoom")
    monkeypatch.chdir(tmp_path)
    episode("vizdoom_basic", 5)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", names.VIZDOOM_IDS)
def test_vizdoom_scenarios_keep_the_contract(name):
    need("vizdoom")
    env = make(f"vizdoom_{name}", EnvConfig(repeat=4))
    assert_contract(env, play(env, 0, 600))
    env.close()


def test_vizdoom_is_the_same_in_another_process():
    need("vizdoom")
    assert_reproducible([("vizdoom_defend_center", 60, {"repeat": 4})])


def test_miniworld_ends_and_names():
    need("pyglet")
    rows = episode("miniworld_hallway", 400)
    assert len(rows) == 251
    assert ends(rows) == (False, True)
    import gymnasium

    known = {id for id in gymnasium.registry if id.startswith("MiniWorld-")}
    assert known == set(names.miniworld_ids().values())


def test_miniworld_goal_is_a_true_end():
    need("pyglet")
    env = make("miniworld_oneroom", EnvConfig())
    env.reset(0)
    core = env._env.unwrapped
    core.agent.pos = core.box.pos + np.array([0.6, 0.0, 0.0])
    row = env.step({"action": np.int32(0)})
    assert row[1] > 0.5
    assert row[2:] == (True, True)
    env.close()


@pytest.mark.slow
@pytest.mark.parametrize("name", names.miniworld_ids())
def test_miniworld_tasks_keep_the_contract(name):
    need("pyglet")
    env = make(f"miniworld_{name}", EnvConfig())
    assert_contract(env, play(env, 0, 40))
    env.close()


def test_miniworld_is_the_same_in_another_process():
    need("pyglet")
    assert_reproducible([("miniworld_fourrooms", 60, {})])


def test_retro_plays_airstriker_to_its_end():
    need("stable_retro")
    rows = episode("retro_Airstriker-Genesis-v0", 3000, repeat=8)
    assert rows[0][0]["image"].shape == (64, 64, 3)
    assert sum(row[1] for row in rows) > 0
    assert ends(rows) == (True, True)


def test_retro_names_what_is_missing():
    need("stable_retro")
    with pytest.raises(EnvError, match="Did you mean 'Airstriker-Genesis-v0'"):
        make("retro_Airstriker-Genesiss-v0", EnvConfig())
    with pytest.raises(EnvError, match=r"ROM of 1942-Nes-v0 is missing: .* stable_retro.import"):
        make("retro_1942-Nes-v0", EnvConfig())
    first = make("retro_Airstriker-Genesis-v0", EnvConfig())
    with pytest.raises(EnvError, match=r"env\.parallel"):
        make("retro_Airstriker-Genesis-v0", EnvConfig())
    first.close()


def test_retro_is_the_same_in_another_process():
    need("stable_retro")
    assert_reproducible([("retro_Airstriker-Genesis-v0", 100, {"repeat": 4})])


def test_procgen_shows_the_step_picture_at_64_and_the_fine_one_otherwise():
    procgen = need("procgen")
    env = make("procgen_coinrun", EnvConfig(size=64))
    shown = env.reset(21)["image"]
    plain = procgen.ProcgenGym3Env(
        num=1, env_name="coinrun", start_level=21, num_levels=1, render_mode="rgb_array"
    )
    np.testing.assert_array_equal(shown, plain.observe()[1]["rgb"][0])
    fine = plain.get_info()[0]["rgb"]
    assert fine.shape == (512, 512, 3)
    want = np.asarray(Image.fromarray(fine).resize((96, 96), Image.Resampling.BILINEAR))
    np.testing.assert_array_equal(
        make("procgen_coinrun", EnvConfig(size=96)).reset(21)["image"], want
    )
    plain.close()


def test_procgen_levels_follow_from_the_seed():
    need("procgen")
    game = make("procgen_coinrun", EnvConfig())._env
    assert game.level(123) == 123
    few = make("procgen_coinrun", EnvConfig(kwargs='{"start_level": 7, "num_levels": 3}'))._env
    assert {few.level(seed) for seed in range(60)} == {7, 8, 9}


@pytest.mark.parametrize("game", ["starpilot", "bigfish"])
def test_procgen_games_end(game):
    need("procgen")
    assert ends(episode(f"procgen_{game}", 1500)) == (True, True)


def test_procgen_is_the_same_in_another_process():
    need("procgen")
    assert_reproducible([("procgen_chaser", 80, {}), ("procgen_maze", 50, {"size": 96})])


def test_envpool_tasks_keep_the_contract():
    need("envpool")
    rows = episode("envpool_CartPole-v1", 300)
    assert ends(rows) == (True, True)
    assert sum(row[1] for row in rows) == len(rows) - 1
    pendulum = episode("envpool_Pendulum-v1", 300)
    assert len(pendulum) == 201
    assert ends(pendulum) == (False, True)
    with pytest.raises(EnvError, match="Did you mean 'Pong-v5'"):
        make("envpool_Pnog-v5", EnvConfig())


def test_envpool_atari_is_neither_clipped_nor_stacked():
    need("envpool")
    env = make("envpool_Pong-v5", EnvConfig())
    assert env.obs_specs["image"].shape == (84, 84, 1)
    assert env._env._settings == {"stack_num": 1, "reward_clip": False}
    env.close()


@pytest.mark.slow
def test_envpool_is_the_same_in_another_process():
    need("envpool")
    assert_reproducible([("envpool_Pong-v5", 60, {}), ("envpool_HalfCheetah-v5", 60, {})])
