import dataclasses

import imageio.v3 as iio
import numpy as np
import pytest
from elsewhere import assert_same_elsewhere
from toy_envs import assert_contract, assert_rows_equal, play

from reverie.envs.base import EnvError
from reverie.envs.make import make
from reverie.envs.options import BackgroundConfig, EnvConfig
from reverie.envs.scenes import clips
from reverie.envs.scenes.background import mask

SMALL = EnvConfig(observe="vision", repeat=2, size=32, background=BackgroundConfig(frames=40))


def with_options(split="same", **options):
    background = BackgroundConfig(**{"frames": 40, **options})
    return dataclasses.replace(SMALL, background=background, split=split)


def test_mask_is_blue_above_green_and_red():
    picture = np.array(
        [[[0, 0, 1], [5, 5, 5], [9, 1, 8], [1, 9, 8], [0, 0, 0], [254, 254, 255]]], np.uint8
    )
    assert mask(picture).tolist() == [[True, False, False, False, False, True]]


@pytest.mark.parametrize("task", ["cheetah_run", "reacher_easy"])
def test_masked_pixels_show_the_frames_in_turn(task):
    env = make(f"dmcbg_{task}", SMALL)
    rows = play(env, 5, 6)
    assert_contract(env, rows)
    assert_rows_equal(rows, play(env, 5, 6))
    scene, inner = env._env._scene, env._env._env
    start = int(np.random.default_rng(5).integers(40))
    rng = np.random.default_rng(5)
    env.reset(5)
    for number, row in enumerate(rows):
        if number:
            env.step({"action": rng.uniform(-1, 1, inner.action_spec().shape).astype(np.float32)})
        plain = inner.physics.render(32, 32, camera_id=0)
        frame = np.broadcast_to(scene._frames[(start + number) % 40], plain.shape)
        hidden = mask(plain)
        assert hidden.any()
        np.testing.assert_array_equal(row[0]["image"][hidden], frame[hidden])
        np.testing.assert_array_equal(row[0]["image"][~hidden], plain[~hidden])
    assert env.render().shape == (240, 240, 3)
    env.close()


def test_floor_is_dark_where_it_was_published_so():
    """The walker's floor would be taken for background if it were blue."""
    env = make("dmcbg_walker_walk", SMALL)
    env.reset(0)
    plain = env._env._env.physics.render(64, 64, camera_id=0)
    assert not mask(plain)[-6:].any()
    assert plain[-6:].max() < 120
    env.close()
    blue = make("dmcbg_reacher_easy", SMALL)
    blue.reset(0)
    assert mask(blue._env._env.physics.render(64, 64, camera_id=0)).mean() > 0.5
    blue.close()


def test_time_limit_of_the_episode():
    env = make("dmcbg_stacker_stack_2", dataclasses.replace(SMALL, observe="proprio"))
    rows = play(env, 1, 600)
    assert len(rows) == 501
    assert rows[-1][2:] == (False, True)
    env.close()


def test_the_same_episode_in_another_process():
    assert_same_elsewhere("dmcbg_walker_walk", SMALL, 2, 3)


def test_made_clips_move_cut_and_differ():
    frames = clips.made(count=320, side=24, gray=True, seed=0).astype(int)
    assert frames.shape == (320, 24, 24, 1)
    steps = np.abs(np.diff(frames, axis=0)).mean((1, 2, 3))
    assert (steps[:298] < steps[299]).mean() > 0.95  # a cut after 300 frames
    assert steps[:298].mean() > 0.3
    other = clips.made(count=320, side=24, gray=True, seed=1)
    assert np.abs(frames - other).mean() > 5
    assert clips.made(count=10, side=24, gray=False, seed=0).shape == (10, 24, 24, 3)


@pytest.fixture
def folder(tmp_path):
    """Six videos of 25 frames, each of one gray: 0, 40, … 200."""
    for number in range(6):
        frames = np.full((25, 48, 64, 3), 40 * number, np.uint8)
        iio.imwrite(tmp_path / f"v{number}.mp4", frames, fps=25, codec="libx264")
    return str(tmp_path)


def shades(frames):
    return np.unique(np.rint(frames.mean((1, 2, 3)) / 40)).astype(int).tolist()


def test_videos_from_a_folder(folder):
    args = {"count": 60, "side": 16, "gray": True}
    frames = clips.videos(folder, seed=0, part="all", **args)
    assert frames.shape == (60, 16, 16, 1)
    assert len(shades(frames)) == 3  # 25 + 25 + 10 frames: whole clips, one after the other
    assert shades(clips.videos(folder, seed=1, part="all", **args)) != shades(frames)
    everything = {"count": 150, "side": 16, "gray": True}
    assert shades(clips.videos(folder, seed=0, part="train", **everything)) == [0, 1, 2, 3, 4]
    assert shades(clips.videos(folder, seed=0, part="eval", **everything)) == [5]
    colour = clips.videos(folder, seed=0, part="all", count=10, side=16, gray=False)
    assert colour.shape == (10, 16, 16, 3)


def test_train_and_evaluation_clips(folder):
    same = with_options(videos=folder, frames=150)
    apart = with_options("held_out", videos=folder, frames=150)
    found = {}
    for name, config, split in [("all", same, "eval"), ("eval", apart, "eval")]:
        env = make("dmcbg_reacher_easy", config, split=split)
        found[name] = shades(env._env._scene._frames)
        assert any("videos in" in text for text in env.notices)
        env.close()
    assert found == {"all": [0, 1, 2, 3, 4, 5], "eval": [5]}


def test_bad_folders_are_named(tmp_path, folder):
    with pytest.raises(EnvError, match=r"holds no video \(.mp4"):
        make("dmcbg_walker_walk", with_options(videos=str(tmp_path / "nowhere")))
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "x.mp4").write_bytes(b"no video")
    with pytest.raises(EnvError, match=r"x\.mp4 cannot be read"):
        make("dmcbg_walker_walk", with_options(videos=str(tmp_path / "bad")))
    with pytest.raises(EnvError, match="needs two videos or more"):
        make("dmcbg_walker_walk", with_options("held_out", videos=str(tmp_path / "bad")))
