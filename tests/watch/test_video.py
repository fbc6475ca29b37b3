"""Pictures of dreams and episodes, and the files that hold them."""

import re
import subprocess

import numpy as np
import pytest

from reverie.watch import video

RNG = np.random.default_rng(0)


def noise(*shape):
    return RNG.integers(0, 256, shape).astype(np.uint8)


def read_video(path):
    """Frames of an mp4, decoded by ffmpeg, and what ffmpeg says about it."""
    import imageio_ffmpeg

    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-i", path, "-f", "rawvideo", "-pix_fmt", "rgb24"]
    done = subprocess.run([*command, "-"], capture_output=True, check=True)
    said = done.stderr.decode()
    width, height = map(int, re.search(r"yuv420p.* (\d+)x(\d+)", said).groups())
    return np.frombuffer(done.stdout, np.uint8).reshape(-1, height, width, 3), said


def test_grid_has_the_shape_of_the_specification():
    """Spec §5.6: 64x64, T = 16, four sequences give [26, 196, 272, 3] uint8."""
    grid = video.open_loop_grid(noise(4, 16, 64, 64, 3), noise(4, 16, 64, 64, 3), 8)
    assert grid.shape == (26, 196, 272, 3) and grid.dtype == np.uint8


def test_at_most_six_sequences():
    many = noise(9, 2, 8, 8, 3)
    assert video.open_loop_grid(many, many, 1).shape == (12, 28, 72, 3)


def test_grid_by_hand():
    truth = np.full((1, 3, 4, 5, 1), 200, np.uint8)
    dream = np.full((1, 3, 4, 5, 1), 101, np.uint8)
    grid = video.open_loop_grid(truth, dream, 2)
    assert grid.shape == (13, 16, 9, 3)
    assert (grid[:2, :2] == (0, 255, 0)).all() and (grid[2, :2] == (255, 0, 0)).all()
    assert (grid[0, :, -2:] == (0, 255, 0)).all() and (grid[2, -2:] == (255, 0, 0)).all()
    assert (grid[:3, 2:6, 2:7] == 200).all()
    assert (grid[:3, 6:10, 2:7] == 101).all()
    assert (grid[:3, 10:14, 2:7] == 78).all()  # (101 - 200 + 255) // 2
    assert (grid[3:] == 0).all()


def test_error_does_not_wrap_around():
    black, white = np.zeros((1, 1, 4, 4, 1), np.uint8), np.full((1, 1, 4, 4, 1), 255, np.uint8)
    assert video.open_loop_grid(white, black, 1)[0, 11, 3, 0] == 0
    assert video.open_loop_grid(black, white, 1)[0, 11, 3, 0] == 255


@pytest.mark.parametrize(
    ("truth", "dream", "context", "message"),
    [
        (noise(1, 4, 8, 8, 3), noise(1, 5, 8, 8, 3), 2, "same shape"),
        (noise(1, 4, 8, 8, 3), noise(1, 4, 8, 8, 3), 5, r"= \[0, 4\], got 5"),
        (noise(1, 4, 8, 8, 0), noise(1, 4, 8, 8, 0), 2, "one channel or more"),
        (np.zeros((1, 4, 8, 8, 3)), np.zeros((1, 4, 8, 8, 3)), 2, "float64"),
    ],
)
def test_bad_grids_are_refused(truth, dream, context, message):
    with pytest.raises(ValueError, match=message):
        video.open_loop_grid(truth, dream, context)


def test_strips():
    frames = noise(30, 6, 7, 1)
    strip = video.film_strip(frames, count=4, gap=2)
    assert strip.shape == (6, 4 * 7 + 3 * 2, 3)
    assert (strip[:, :7] == frames[0]).all() and (strip[:, -7:] == frames[-1]).all()
    assert (strip[:, 7:9] == 170).all()
    assert video.film_strip(frames[:1]).shape == (6, 7, 3)
    truth = noise(2, 30, 6, 7, 3)
    still = video.dream_strip(truth, truth, 15, count=10)
    assert still.shape == (3 * 6 + 4, 10 * 11, 3)
    assert (still[2:8, 2:9] == truth[0, 0]).all()


def test_video_is_h264_that_browsers_play(tmp_path):
    frames = np.repeat(np.repeat(noise(12, 4, 6, 3), 16, 1), 16, 2)  # 64 x 96, smooth patches
    path = tmp_path / "videos" / "eval-000000001.mp4"
    video.save_video(path, frames, fps=20)
    decoded, said = read_video(path)
    assert "Video: h264" in said and " 20 fps" in said
    assert decoded.shape == (12, 256, 384, 3)
    centres = decoded[:, 32::64, 32::64].astype(int)
    assert np.abs(centres - frames[:, 8::16, 8::16]).max() <= 12
    head = path.read_bytes()
    assert head.index(b"moov") < head.index(b"mdat")  # playable before it is read whole
    assert [p.name for p in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(("channels", "panels"), [(1, 1), (2, 2), (3, 1), (4, 2), (6, 2), (12, 4)])
def test_dreams_of_any_number_of_channels_are_drawn(tmp_path, channels, panels):
    truth = noise(2, 4, 8, 9, channels)
    grid = video.open_loop_grid(truth, truth, 2)
    assert grid.shape == (14, 28, 2 * (9 * panels + 4), 3)
    shown = grid[0, 2:10, 2 : 2 + 9 * panels]
    last = shown[:, -9:]
    assert (shown[:, :9, 0] == truth[0, 0, ..., 0]).all()
    if channels % 3:
        assert (last == truth[0, 0, ..., -1:]).all()  # what is left over is grey
    else:
        assert (last == truth[0, 0, ..., -3:]).all()
    video.save_video(tmp_path / "a.mp4", truth[0])
    video.save_picture(tmp_path / "a.png", video.dream_strip(truth, truth, 2))


@pytest.mark.parametrize("shape", [(3, 1, 1, 1), (2, 257, 301, 3), (1, 84, 84, 1)])
def test_any_size_can_be_saved(tmp_path, shape):
    video.save_video(tmp_path / "a.mp4", noise(*shape))
    decoded, _ = read_video(tmp_path / "a.mp4")
    factor = max(1, -(-256 // min(shape[1:3])))
    expected = [side * factor + side * factor % 2 for side in shape[1:3]]
    assert list(decoded.shape[1:3]) == expected and len(decoded) == shape[0]


def test_a_failed_video_leaves_nothing(tmp_path):
    with pytest.raises(ValueError, match="one channel or more"):
        video.save_video(tmp_path / "a.mp4", noise(3, 8, 8, 2).astype(np.float32))
    with pytest.raises(ValueError, match="fps > 0"):
        video.save_video(tmp_path / "a.mp4", noise(3, 8, 8, 3), fps=0)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_named():
    source = ["-f", "lavfi", "-i", "color", "-t", "1", "-f", "rawvideo"]
    with pytest.raises(OSError, match=r"ffmpeg failed: .*[Nn]o space left"):
        video._ffmpeg([*source, "/dev/full"], b"")


def test_picture_is_lossless(tmp_path):
    from PIL import Image

    picture = noise(9, 13, 3)
    video.save_picture(tmp_path / "a.png", picture)
    assert (np.asarray(Image.open(tmp_path / "a.png")) == picture).all()


def test_curves_come_back(tmp_path):
    curves = video.Curves(RNG.normal(size=(7, 2)), RNG.normal(size=(7, 2)), 3, ("angle", "speed"))
    video.save_curves(tmp_path / "a.npz", curves)
    back = video.load_curves(tmp_path / "a.npz")
    assert (back.truth == curves.truth.astype(np.float32)).all()
    assert (back.prediction == curves.prediction.astype(np.float32)).all()
    assert back.context == 3 and back.names == ("angle", "speed")
    with pytest.raises(ValueError, match="each of the 3 names"):
        video.save_curves(tmp_path / "b.npz", curves._replace(names=("a", "b", "c")))


def test_names_of_files(tmp_path):
    path = video.media_path(tmp_path, "openloop/wrist cam", 1200, "mp4")
    assert path == tmp_path / "videos" / "openloop_wrist_cam-000001200.mp4"
    path.parent.mkdir()
    for name in (path.name, "eval-000000100.mp4", ".partial-x.mp4", "notes.txt"):
        (path.parent / name).touch()
    found, odd = video.media_of(tmp_path)
    assert [(f.name, f.step, f.kind) for f in found] == [
        ("eval", 100, "mp4"),
        ("openloop_wrist_cam", 1200, "mp4"),
    ]
    assert odd == [] and video.media_of(tmp_path / "nowhere") == ([], [])


def test_the_module_needs_no_jax():
    import sys

    code = "import reverie.watch.video, sys; sys.exit('jax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
