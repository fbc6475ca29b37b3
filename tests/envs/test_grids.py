"""MiniGrid variants and missions, MiniHack, NetHack: against the packages and the paper's facts."""

import gymnasium
import numpy as np
import pytest
from PIL import Image
from real_suites import assert_reproducible, ends, episode
from toy_envs import assert_contract, play

from reverie.envs.base import EnvError
from reverie.envs.make import make
from reverie.envs.names import MISSION_WORDS
from reverie.envs.options import EnvConfig

pytest.importorskip("minigrid", reason="needs the extra minigrid")


def test_the_papers_doorkey_is_the_8x8_environment():
    import minigrid  # noqa: F401

    env = make("minigrid_cd_doorkey_9x9", EnvConfig())
    core = env._env.unwrapped
    assert (core.width, core.height, core.max_steps) == (8, 8, 640)
    true = make("minigrid_doorkey_9x9", EnvConfig())._env.unwrapped
    assert (true.width, true.height, true.max_steps) == (9, 9, 810)
    assert make("minigrid_doorkey_8x8", EnvConfig())._env.unwrapped.width == 8


def test_the_papers_picture_is_56_pixels_stretched_by_the_nearest():
    from minigrid.wrappers import RGBImgPartialObsWrapper

    env = make("minigrid_cd_lavacrossings9n1", EnvConfig(size=64))
    assert set(env.obs_specs) == {"image"}
    plain = RGBImgPartialObsWrapper(gymnasium.make("MiniGrid-LavaCrossingS9N1-v0"), tile_size=8)
    want = plain.reset(seed=3)[0]["image"]
    assert want.shape == (56, 56, 3)
    shown = env.reset(3)["image"]
    for action in (1, 2, 0, 2):
        np.testing.assert_array_equal(
            shown, np.asarray(Image.fromarray(want).resize((64, 64), Image.Resampling.NEAREST))
        )
        shown = env.step({"action": np.int32(action)})[0]["image"]
        want = plain.step(action)[0]["image"]


@pytest.mark.parametrize(
    ("task", "terminal"),
    [
        ("minigrid_cd_doorkey_9x9", False),  # cut by the wrapper: 640 steps of its own
        ("minigrid_cd_fourrooms", True),  # its own limit is 100 too: old gym called that terminal
    ],
)
def test_the_papers_episodes_end_after_100_steps(task, terminal):
    env = make(task, EnvConfig())
    env.reset(0)
    rows = [env.step({"action": np.int32(0)}) for _ in range(100)]
    assert [row[3] for row in rows] == [False] * 99 + [True]
    assert rows[-1][2] == terminal
    assert not any(row[2] for row in rows[:-1])


def test_time_outs_of_plain_minigrid_are_truncations():
    env = make("minigrid_fourrooms", EnvConfig())
    env.reset(0)
    assert [env.step({"action": np.int32(0)}) for _ in range(100)][-1][2:] == (False, True)


def test_lava_is_a_true_end():
    ended = [ends(episode("minigrid_lavagaps7", 300)) for _ in range(1)]
    env = make("minigrid_cd_lavacrossings9n1", EnvConfig())
    ended += [play(env, seed, 100)[-1][2:] for seed in range(30)]
    assert (True, True) in ended
    assert (False, True) in ended


@pytest.mark.parametrize("kind", ["fourrooms_fixed", "cd_fourrooms"])
def test_interference_tasks_differ_in_the_goal_alone(kind):
    one, two = (make(f"minigrid_{kind}_{letter}", EnvConfig()) for letter in "ab")
    directions = set()
    for seed in range(12):
        one.reset(seed)
        two.reset(seed)
        a, b = one._env.unwrapped, two._env.unwrapped
        assert tuple(a.agent_pos) == tuple(b.agent_pos) == (3, 3)
        assert a.agent_dir == b.agent_dir
        directions.add(a.agent_dir)
        grids = [core.grid.encode()[..., 0] for core in (a, b)]
        differ = {tuple(map(int, cell)) for cell in np.argwhere(grids[0] != grids[1])}
        assert differ == {(15, 15), (15, 3)}
    assert directions == {0, 1, 2, 3}  # the direction is random even from a fixed start


def test_corners_differ_in_the_goal_alone():
    from minigrid.core.constants import OBJECT_TO_IDX

    goals = {"nw": (1, 1), "ne": (3, 1), "sw": (1, 3), "se": (3, 3)}
    envs = {name: make(f"minigrid_corner_{name}", EnvConfig(view="full")) for name in goals}
    pictures, directions = [], set()
    for seed in range(12):
        shown = {name: env.reset(seed)["image"] for name, env in envs.items()}
        cores = {name: env._env.unwrapped for name, env in envs.items()}
        for name, core in cores.items():
            found = np.argwhere(core.grid.encode()[..., 0] == OBJECT_TO_IDX["goal"])
            assert [tuple(map(int, cell)) for cell in found] == [goals[name]]
            assert tuple(core.agent_pos) == (2, 2)
        assert len({core.agent_dir for core in cores.values()}) == 1
        directions.add(cores["nw"].agent_dir)
        pictures.append(len({picture.tobytes() for picture in shown.values()}))
    assert pictures == [4] * 12
    assert directions == {0, 1, 2, 3}


def test_fixed_layouts_show_the_direction_they_drew():
    env = make("minigrid_fourrooms_fixed_a", EnvConfig())
    for seed in range(6):
        assert int(env.reset(seed)["direction"]) == env._env.unwrapped.agent_dir


def test_missions_are_shown_word_by_word():
    env = make("minigrid_gotodoor_5x5", EnvConfig())
    for seed in range(8):
        shown = env.reset(seed)["mission"]
        words = ["", *MISSION_WORDS]
        text = " ".join(words[n] for n in shown).strip()
        assert text == env._env.unwrapped.mission
    assert "mission" not in make("minigrid_empty_8x8", EnvConfig()).obs_specs


def test_long_missions_are_never_cut():
    env = make("minigrid_babyai_gotoseq", EnvConfig(kwargs='{"words": 4}'))
    with pytest.raises(EnvError, match=r"has \d+ words; known are 4 words"):
        env.reset(0)
    assert (
        "mission" not in make("minigrid_gotodoor_5x5", EnvConfig(kwargs='{"words": 0}')).obs_specs
    )


@pytest.mark.parametrize("name", ["bosslevel", "synthseq", "gotoseq", "putnexts7n4carrying"])
def test_babyai_missions_fit_and_are_spelt_with_known_words(name):
    env = make(f"minigrid_babyai_{name}", EnvConfig())
    for seed in range(15):
        env.reset(seed)
    assert_contract(env, play(env, 0, 5))


def test_minigrid_is_the_same_in_another_process():
    assert_reproducible(
        [
            ("minigrid_doorkey_8x8", 60, {}),
            ("minigrid_dynamic_obstacles_8x8", 60, {}),
            ("minigrid_cd_fourrooms_b", 60, {}),
            ("minigrid_corner_sw", 60, {}),
            ("minigrid_babyai_goto", 40, {}),
        ]
    )
