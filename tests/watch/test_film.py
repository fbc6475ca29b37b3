"""Films that are written while episodes are played: whole or absent, one for each that counts."""

import sys

import imageio_ffmpeg
import numpy as np
import pytest

from reverie.folder.errors import RunError
from reverie.records import Spec, Step
from reverie.watch import encoder, video
from reverie.watch.film import Film, Films


def frames_of(path):
    """Frames (T, H, W, 3) of a film."""
    reader = imageio_ffmpeg.read_frames(str(path))
    width, height = next(reader)["size"]
    return np.stack([np.frombuffer(data, np.uint8).reshape(height, width, 3) for data in reader])


class Drawn:
    """Two environments that draw their number and the step; `sizes` of the pictures by step."""

    obs_specs = {"x": Spec("vector", (1,))}  # noqa: RUF012

    def __init__(self, sizes=()):
        self.clock, self._sizes = -1, dict(sizes)

    def render(self, index):
        side = self._sizes.get(self.clock, 32)
        return np.full((side, side, 3), 100 * index + 20 * self.clock, np.uint8)

    def step(self, first, last):
        """The next row."""
        self.clock += 1
        zeros = np.zeros(2)
        return Step({"x": zeros[:, None]}, zeros, np.array(first), np.array(last), np.array(last))


def play(films, envs, rows, wanted=(True, True)):
    for first, last in rows:
        films.add(envs, envs.step(first, last), np.array(wanted))


def test_every_episode_that_counts_has_a_film_of_all_its_rows(tmp_path):
    films, envs = Films(tmp_path / "new"), Drawn()
    films.begin("eval", 700)
    play(films, envs, [((1, 1), (0, 0)), ((0, 0), (0, 1)), ((0, 1), (1, 0))])
    play(films, envs, [((0, 0), (0, 1))], wanted=(False, False))
    names = ["eval_01-000000700.mp4", "eval_02-000000700.mp4", "eval_03-000000700.mp4"]
    assert [path.name for path in films.written] == names
    assert [file.name for file in video.media_of(tmp_path)[0]] == []
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == names
    shades = [frames_of(path).mean((1, 2, 3)) for path in films.written]
    wanted = [[100, 120], [0, 20, 40], [140, 160]]
    for found, shade in zip(shades, wanted, strict=True):
        np.testing.assert_allclose(found, shade, atol=4)


def test_what_does_not_count_or_is_cut_leaves_nothing(tmp_path):
    films, envs = Films(tmp_path), Drawn()
    films.begin("eval", 1)
    play(films, envs, [((1, 1), (0, 0)), ((1, 0), (0, 1))], wanted=(True, False))
    films.close()
    assert list(tmp_path.iterdir()) == films.written == []


def test_pictures_of_two_sizes_make_no_film(tmp_path, caplog):
    films, envs = Films(tmp_path), Drawn({1: 40})
    films.begin("eval", 1)
    play(films, envs, [((1, 1), (0, 0)), ((0, 0), (1, 1)), ((1, 1), (1, 1))])
    assert "pictures of two sizes" in caplog.text
    assert len(films.written) == 2


def test_without_a_drawing_the_largest_picture_seen_is_filmed(tmp_path):
    class Seen(Drawn):
        obs_specs = {"a": Spec("image", (16, 16, 1)), "b": Spec("image", (8, 8, 3))}  # noqa: RUF012

        def render(self, index):
            return None

    step = Seen().step((1, 1), (1, 1))
    shades = np.array([50, 200], np.uint8).reshape(2, 1, 1, 1)
    obs = {"a": np.broadcast_to(shades, (2, 16, 16, 1)), "b": np.zeros((2, 8, 8, 3), np.uint8)}
    films = Films(tmp_path)
    films.add(Seen(), step._replace(obs=obs), np.ones(2, bool))
    found = [frames_of(path).mean() for path in films.written]
    np.testing.assert_allclose(found, [50, 200], atol=4)


def test_nothing_to_film_is_one_sentence(tmp_path):
    class Blind(Drawn):
        def render(self, index):
            return None

    films = Films(tmp_path)
    with pytest.raises(RunError, match=r'nothing to film.*render_mode="rgb_array"'):
        films.add(Blind(), Blind().step((1, 1), (0, 0)), np.ones(2, bool))
    films.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("frames", [1, 200])
def test_a_failing_encoder_is_one_sentence(tmp_path, monkeypatch, frames):
    code = "import sys; sys.stdin.buffer.read(9); sys.exit('no space left')"
    monkeypatch.setattr(encoder, "program", lambda: [sys.executable, "-c", code])
    film = Film(tmp_path, 15.0)
    with pytest.raises(RunError, match=r"ffmpeg failed at a film in .*: no space left"):
        for _ in range(frames):
            film.add(np.zeros((128, 128, 3), np.uint8))
        film.finished(tmp_path / "x.mp4")
    film.abandon()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_a_file_is_one_sentence(tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(RunError, match=r"no film can be written to .*taken"):
        Film(tmp_path / "taken", 15.0).add(np.zeros((32, 32, 3), np.uint8))
