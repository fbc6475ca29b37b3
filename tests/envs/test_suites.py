"""Atari, DM Control and MiniGrid against their own simulators, driven the slow and plain way."""

import gymnasium
import numpy as np
import pytest
from PIL import Image
from toy_envs import assert_contract, assert_rows_equal, play

from reverie.envs.base import EnvError
from reverie.envs.make import make
from reverie.envs.options import EnvConfig

ATARI = EnvConfig(
    repeat=4, size=96, gray=True, sticky=0.25, actions="all", noops=30, limit_is_terminal=True
)
ATARI100K = EnvConfig(repeat=4, size=64, noops=30)


def plain_atari(id, actions, size, gray):
    """Rows of a game by Gymnasium's environment, frame by frame."""
    import ale_py

    gymnasium.register_envs(ale_py)
    env = gymnasium.make(id, frameskip=1, repeat_action_probability=0.0)
    frames, total, over = [env.reset(seed=0)[0]] * 2, 0.0, False
    rows = []
    for action in [None, *actions]:
        if action is not None:
            frames, total = [], 0.0
            for _ in range(4):
                frame, reward, over, _, _ = env.step(action)
                frames.append(frame)
                total += reward
                if over:
                    break
        picture = Image.fromarray(np.max(frames[-2:], 0)).resize((size, size), Image.BILINEAR)
        picture = np.array(picture)
        if gray:
            r, g, b = np.moveaxis(picture.astype(float), -1, 0)
            picture = (0.299 * r + 0.587 * g + 0.114 * b).astype(np.uint8)[..., None]
        rows.append((picture, total, over))
    return rows


@pytest.mark.parametrize("gray", [False, True])
@pytest.mark.parametrize("game", ["pong", "breakout"])
def test_atari_equals_the_slow_reference(game, gray):
    env = make(f"atari100k_{game}", EnvConfig(repeat=4, size=64, gray=gray, noops=0))
    count = env.action_specs["action"].classes[0]
    actions = np.random.default_rng(0).integers(0, count, 120)
    rows = [(env.reset(0), 0.0, False, False)]
    rows += [env.step({"action": np.int32(action)}) for action in actions]
    assert_contract(env, rows)
    for row, (picture, reward, over) in zip(
        rows, plain_atari(f"ALE/{game.title()}-v5", actions, 64, gray), strict=True
    ):
        off = np.abs(row[0]["image"].astype(int) - picture).max()
        assert off <= int(gray)  # the luma may round differently at an exact integer
        assert row[1:3] == (reward, over)
    assert game != "pong" or any(row[1] for row in rows)


def test_atari_protocols_differ_as_published():
    big, small = make("atari_pong", ATARI), make("atari100k_pong", ATARI100K)
    assert big.obs_specs["image"].shape == (96, 96, 1)
    assert small.obs_specs["image"].shape == (64, 64, 3)
    assert big.action_specs["action"].classes == (18,)
    assert small.action_specs["action"].classes == (6,)


def test_atari_seed_decides_noops_and_sticky_actions():
    env, other = make("atari_seaquest", ATARI), make("atari_seaquest", ATARI)
    rows = play(env, 7, 60)
    play(env, 8, 200)
    assert_rows_equal(rows, play(env, 7, 60))
    assert_rows_equal(rows, play(other, 7, 60))
    starts = {env.reset(seed)["image"].tobytes() for seed in range(40)}
    assert len(starts) > 5


def test_sticky_actions_keep_the_previous_action_on_a_quarter_of_the_frames():
    """Under alternating actions the held one is wrong with q = (1 - q)/4, so q = 0.2."""
    game = make("atari_pong", EnvConfig(repeat=1, sticky=0.25, noops=0))._env
    game.reset(seed=0)
    kept = 0
    for step in range(4000):
        game.step(2 + step % 2)
        kept += game._held != game._actions[2 + step % 2]
    assert abs(kept / 4000 - 0.2) < 4 * (0.2 * 0.8 / 4000) ** 0.5


@pytest.mark.parametrize("lives", ["unused", "discount", "reset"])
def test_lost_lives(lives):
    env = make("atari_breakout", EnvConfig(repeat=4, noops=0, lives=lives))
    env.reset(0)
    env.step({"action": np.int32(1)})  # fire; nobody moves, so the ball is lost
    rows = [env.step({"action": np.int32(0)}) for _ in range(60)]
    first = next((i for i, row in enumerate(rows) if row[2]), None)
    if lives == "unused":
        assert first is None
    else:
        assert rows[first][3] == (lives == "reset")
        assert [row[2] for row in rows].count(True) == 1


def test_atari_frame_limit_is_truncation_unless_labelled():
    limited = {"repeat": 4, "limit": 5, "noops": 0}
    assert play(make("atari_pong", EnvConfig(**limited)), 0, 9)[-1][2:] == (False, True)
    labelled = EnvConfig(**limited, limit_is_terminal=True)
    assert play(make("atari_pong", labelled), 0, 9)[-1][2:] == (True, True)


@pytest.mark.parametrize("task", ["walker_walk", "reacher_easy", "cup_catch", "quadruped_run"])
def test_dmc_keeps_the_contract_and_follows_its_seed(task):
    env = make(f"dmc_{task}", EnvConfig(repeat=2))
    rows = play(env, 5, 30)
    assert_contract(env, rows)
    assert all("/" not in key and spec.shape != () for key, spec in env.obs_specs.items())
    play(env, 6, 30)
    assert_rows_equal(rows, play(env, 5, 30))
    assert_rows_equal(rows, play(make(f"dmc_{task}", EnvConfig(repeat=2)), 5, 30))


def test_dmc_returns_equal_dm_controls_own_sum():
    from dm_control import suite

    env = make("dmc_cartpole_balance", EnvConfig(repeat=2))
    rng = np.random.default_rng(0)
    actions = rng.uniform(-1, 1, (500, 1)).astype(np.float32)
    env.reset(11)
    rows = [env.step({"action": action}) for action in actions]
    plain = suite.load("cartpole", "balance", task_kwargs={"random": np.random.RandomState(11)})
    moment, total = plain.reset(), 0.0
    for action in actions.repeat(2, 0):
        moment = plain.step(action)
        total += moment.reward
    assert sum(row[1] for row in rows) == pytest.approx(total, rel=1e-12)
    assert [row[3] for row in rows] == [False] * 499 + [True]
    assert not any(row[2] for row in rows)  # a time limit is no true end
    assert moment.last()
    np.testing.assert_allclose(rows[-1][0]["velocity"], moment.observation["velocity"], rtol=1e-6)


def test_dmc_discount_zero_is_a_true_end():
    from dm_env import StepType

    env = make("dmc_cartpole_balance", EnvConfig())
    env.reset(0)
    inner = env._env._env
    step = inner.step
    inner.step = lambda action: step(action)._replace(step_type=StepType.LAST, discount=0.0)
    assert env.step({"action": np.zeros(1, np.float32)})[2:] == (True, True)


def test_dmc_pictures():
    env = make("dmc_cartpole_balance", EnvConfig(observe="both", size=32))
    rows = play(env, 0, 2)
    assert_contract(env, rows)
    assert set(env.obs_specs) == {"image", "position", "velocity"}
    assert rows[0][0]["image"].std() > 5
    assert env.render().shape == (240, 240, 3)
    plain = env._env._env.physics.render(32, 32, camera_id=0)
    np.testing.assert_array_equal(plain, rows[-1][0]["image"])
    env.close()
    only = make("dmc_quadruped_walk", EnvConfig(observe="vision", size=32))
    assert list(only.obs_specs) == ["image"]
    assert only._env._camera == 2


def test_minigrid_shows_what_its_own_wrapper_shows():
    from minigrid.wrappers import RGBImgObsWrapper, RGBImgPartialObsWrapper

    for view, wrapper, tile in [
        ("partial", RGBImgPartialObsWrapper, 64 // 7),
        ("full", RGBImgObsWrapper, 64 // 8),
    ]:
        env = make("minigrid_doorkey_8x8", EnvConfig(view=view))
        plain = wrapper(gymnasium.make("MiniGrid-DoorKey-8x8-v0"), tile_size=tile)
        want = plain.reset(seed=4)[0]["image"]
        rows = [(env.reset(4), 0.0, False, False)]
        for action in (2, 1, 2, 0, 2):
            side = want.shape[0]
            image = rows[-1][0]["image"]
            np.testing.assert_array_equal(image[:side, :side], want)
            assert not image[side:].any()
            rows.append(env.step({"action": np.int32(action)}))
            want = plain.step(action)[0]["image"]
        assert_contract(env, rows)
        assert env.obs_specs["image"].shape == (64, 64, 3)
        assert any("mission" in text for text in env.notices)
        assert_rows_equal(play(env, 1, 9), play(env, 1, 9))


def test_minigrid_needs_a_pixel_a_cell():
    with pytest.raises(EnvError, match="too small to draw 16x16 cells; it must be at least 16"):
        make("minigrid_empty_16x16", EnvConfig(size=15, view="full"))


def test_minigrid_ids_that_cannot_be_built_say_why(monkeypatch):
    def missing(*_, **__):
        raise gymnasium.error.DependencyNotInstalled("networkx is not installed")

    monkeypatch.setattr(gymnasium, "make", missing)
    with pytest.raises(EnvError, match="cannot be built by the installed minigrid: networkx"):
        make("minigrid_wfc_mazesimple", EnvConfig())
