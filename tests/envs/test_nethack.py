"""MiniHack and NetHack against their packages and the facts of Continual-Dreamer's runs."""

import warnings

import gymnasium
import numpy as np
import pytest
from PIL import Image
from real_suites import assert_reproducible, ends, episode
from toy_envs import assert_contract, play

from reverie.envs.base import EnvError
from reverie.envs.make import make
from reverie.envs.names_games import CD_MINIHACK, minihack_ids, nethack_ids
from reverie.envs.options import EnvConfig

pytest.importorskip("nle", reason="needs the extra nethack")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pytest.importorskip("minihack", reason="needs the extra nethack")

BROKEN = ("crossing", "boxoban")  # registered, but not to be built with the package of today


def test_names_equal_the_installed_packages():
    listed = {*minihack_ids().values(), *nethack_ids().values()}
    known = {id for id in gymnasium.registry if id.startswith(("MiniHack-", "NetHack"))}
    assert known - listed == {
        "MiniHack-Navigation-Custom-v0",
        "MiniHack-Skill-Custom-v0",
        "NetHack-v0",
    }
    assert listed <= known
    assert set(CD_MINIHACK.values()) <= known


@pytest.mark.slow
@pytest.mark.parametrize("name", minihack_ids())
def test_every_minihack_task_keeps_the_contract(name):
    if any(part in name for part in BROKEN) and not name.startswith("lavacross_"):
        with pytest.raises(EnvError, match="cannot be built by the installed minihack"):
            make(f"minihack_{name}", EnvConfig())
        return
    env = make(f"minihack_{name}", EnvConfig())
    assert_contract(env, play(env, 1, 20))
    env.close()


def test_the_papers_settings():
    env = make("minihack_cd_river", EnvConfig())
    core = env._env.unwrapped
    assert set(env.obs_specs) == {"image"}
    assert env.action_specs["action"].classes == (8,)
    assert core.character == "mon-hum-neu-mal"
    assert (core.reward_win, core.reward_lose, core.penalty_step) == (1, 0, -0.001)
    assert (core.penalty_mode, core.penalty_time) == ("constant", 0.0)
    assert core._max_episode_steps == 350
    env.close()


def test_the_papers_picture_is_padded_and_stretched_by_the_nearest_pixel():
    env = make("minihack_cd_room_random_15x15", EnvConfig(size=64))
    shown = env.reset(2)["image"]
    core = env._env.unwrapped
    plain = core._get_observation(core.last_observation)["pixel_crop"]
    assert plain.shape == (144, 144, 3)
    padded = np.zeros((148, 148, 3), np.uint8)
    padded[2:-2, 2:-2] = plain
    want = np.asarray(Image.fromarray(padded).resize((64, 64), Image.Resampling.NEAREST))
    np.testing.assert_array_equal(shown, want)
    env.close()


def test_bumping_into_a_wall_costs_a_thousandth_and_time_nothing():
    env = make("minihack_cd_room_random_15x15", EnvConfig())
    env.reset(0)
    rewards = [env.step({"action": np.int32(3)})[1] for _ in range(40)]  # west, to the wall
    assert rewards[0] == 0.0
    assert set(rewards[20:]) == {-0.001}
    env.close()


def test_the_cap_is_a_truncation_and_success_a_true_end():
    cut = episode("minihack_cd_river_narrow", 200)
    assert len(cut) == 101
    assert ends(cut) == (False, True)
    env = make("minihack_room_5x5", EnvConfig())
    env.reset(0)
    rows = [env.step({"action": np.int32(5)}) for _ in range(4)]  # south-east, to the stairs
    assert rows[-1][1:] == (1.0, True, True)
    env.close()


def test_the_games_own_limit_is_a_truncation():
    """The package calls an aborted episode terminal."""
    env = make("minihack_room_15x15", EnvConfig(kwargs='{"max_episode_steps": 12}'))
    env.reset(0)
    rows = [env.step({"action": np.int32(0)}) for _ in range(12)]
    assert rows[-1][2:] == (False, True)
    env.close()


def test_death_is_a_true_end():
    env = make("minihack_cd_hidenseek", EnvConfig())
    deaths = [rows for s in range(12) if ends(rows := play(env, s, 100))[0] and rows[-1][1] < 0.5]
    assert len(deaths) > 6  # 95 % of random games
    env.close()


def test_picture_of_nethack_equals_minihacks():
    """The crop that we cut out of the map is the one that MiniHack cuts."""
    from reverie.envs.minihack import Tiles

    env = make("minihack_room_15x15", EnvConfig(kwargs='{"observation_keys": ["glyphs"]}'))
    env.reset(4)
    core = env._env.unwrapped
    shown = core._get_observation(core.last_observation)
    tiles = object.__new__(Tiles)
    tiles._mapper = core._glyph_mapper
    status = core.last_observation[core._blstats_index]
    ours = tiles.observation({"glyphs": shown["glyphs"], "blstats": status})["pixel_crop"]
    np.testing.assert_array_equal(ours, shown["pixel_crop"])
    env.close()


def test_nethack_shows_map_status_and_surroundings():
    rows = episode("nethack_score", 60)
    assert set(rows[0][0]) == {"image", "glyphs", "blstats"}
    assert rows[0][0]["image"].std() > 0
    env = make("nethack_score", EnvConfig())
    env.reset(0)
    assert env.render().shape == (336, 1264, 3)
    env.close()


def test_games_are_the_same_in_another_process():
    assert_reproducible(
        [
            ("minihack_cd_room_ultimate_15x15", 100, {}),
            ("minihack_river_monster", 120, {}),
            ("minihack_multiroom_n4_monster", 60, {}),
            ("nethack_score", 150, {}),
        ]
    )
