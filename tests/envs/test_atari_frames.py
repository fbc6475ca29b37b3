"""Our Atari pictures against Gymnasium's AtariPreprocessing and ale-py's vector environment."""

import gymnasium
import numpy as np
import pytest

from reverie.envs.make import make
from reverie.envs.options import EnvConfig
from reverie.envs.pictures import resize

ale_py = pytest.importorskip("ale_py", reason="needs the extra atari")
STEPS = 150


def ours(game, size, *, gray=True, **settings):
    """Pictures, rewards and ends of a game without no-ops under actions drawn from seed 0."""
    config = EnvConfig(repeat=4, size=size, gray=gray, resize="area", noops=0, **settings)
    env = make(f"atari100k_{game}", config)
    actions = np.random.default_rng(0).integers(0, env.action_specs["action"].classes[0], STEPS)
    rows = [(env.reset(0), 0.0, False, False)]
    rows += [env.step({"action": np.int32(action)}) for action in actions]
    env.close()
    return [int(action) for action in actions], rows


@pytest.mark.parametrize(
    ("game", "gray", "size"),
    [("Pong", True, 84), ("Breakout", True, 84), ("Seaquest", False, 64), ("MsPacman", True, 96)],
)
def test_pictures_equal_gymnasiums_preprocessing(game, gray, size):
    pytest.importorskip("cv2", reason="AtariPreprocessing needs opencv-python-headless")
    gymnasium.register_envs(ale_py)
    plain = gymnasium.make(f"ALE/{game}-v5", frameskip=1, repeat_action_probability=0.0)
    plain = gymnasium.wrappers.AtariPreprocessing(
        plain, noop_max=0, screen_size=size, grayscale_obs=gray, grayscale_newaxis=True
    )
    actions, rows = ours(ale_name(game), size, gray=gray)
    want = plain.reset(seed=0)[0]
    for action, row, after in zip(actions, rows[:-1], rows[1:], strict=True):
        np.testing.assert_array_equal(row[0]["image"], want)
        want, reward, terminated, _, _ = plain.step(action)
        assert after[1:3] == (float(reward), terminated)
    np.testing.assert_array_equal(rows[-1][0]["image"], want)


def ale_name(game):
    return {"MsPacman": "ms_pacman"}.get(game, game.lower())


@pytest.mark.parametrize("game", ["pong", "breakout"])
def test_pictures_equal_ale_pys_vector_environment(game):
    """Its own resizing rounds a pixel in some hundred thousand to the other side."""
    from ale_py.vector_env import AtariVectorEnv

    plain = AtariVectorEnv(
        game, 1, noop_max=0, use_fire_reset=False, reward_clipping=False, stack_num=1
    )
    actions, rows = ours(game, 84)
    want, off = plain.reset(seed=np.array([0]))[0], 0
    for action, row, after in zip(actions, rows[:-1], rows[1:], strict=True):
        apart = np.abs(row[0]["image"][..., 0].astype(int) - want[0, 0])
        assert apart.max() <= 1
        off += apart.sum()
        want, reward, _, _, _ = plain.step(np.array([action]))
        assert after[1] == float(reward[0])
    assert off <= 2e-5 * STEPS * 84 * 84
    plain.close()


def test_area_resizing_by_hand():
    picture = np.array([[0, 30, 60], [90, 120, 150]], np.uint8)[..., None]
    # Half of the middle column goes to each side; the two rows are averaged to one.
    np.testing.assert_array_equal(resize(picture[:, :2], 1, "area"), [[[60]]])
    wide = np.array([[0, 30, 60]] * 2, np.uint8)[..., None]
    np.testing.assert_array_equal(resize(wide, 2, "area")[0, :, 0], [10, 50])
    with pytest.raises(ValueError, match="can only shrink, got 2x3 -> 4"):
        resize(picture, 4, "area")


@pytest.mark.slow
@pytest.mark.parametrize("suite", ["atari", "atari100k"])
def test_every_game_of_the_benchmarks_keeps_the_contract(suite):
    from toy_envs import assert_contract, play

    from reverie.envs.names import ATARI57_GAMES, ATARI100K_GAMES

    for game in ATARI57_GAMES if suite == "atari" else ATARI100K_GAMES:
        env = make(f"{suite}_{game}", EnvConfig(repeat=4, size=64))
        assert_contract(env, play(env, 0, 12))
        env.close()
