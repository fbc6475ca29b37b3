"""Pictures that are collected for a film of an episode."""

import logging
from types import SimpleNamespace

import numpy as np
import pytest

from reverie.records import Spec, Step
from reverie.watch.recorder import EpisodeRecorder


def row(index, last, **obs):
    flag = lambda value: np.array([value])  # noqa: E731
    shown = {key: value[None] for key, value in obs.items()}
    return Step(shown, np.zeros(1, np.float32), flag(index == 0), flag(last), flag(False))


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 6, 12])
def test_pictures_keep_all_their_channels(channels):
    envs = SimpleNamespace(obs_specs={"image": Spec("image", (8, 9, channels))})
    film, frames = EpisodeRecorder(wanted=True), None
    for index in range(3):
        picture = np.full((8, 9, channels), index, np.uint8)
        frames = film.add(envs, row(index, index == 2, image=picture))
    assert frames.shape == (3, 8, 9, channels)
    assert frames[:, 0, 0, -1].tolist() == [0, 1, 2]


def test_drawings_that_change_their_size_are_no_film(caplog):
    """They would have ended the run."""
    drawn = iter([np.zeros((8, 8, 3), np.uint8), np.zeros((9, 8, 3), np.uint8)])
    envs = SimpleNamespace(obs_specs={}, render=lambda index: next(drawn))
    film = EpisodeRecorder(wanted=True)
    with caplog.at_level(logging.WARNING, "reverie"):
        assert film.add(envs, row(0, False), render=True) is None
        assert film.add(envs, row(1, True), render=True) is None
    assert "shapes (8, 8, 3) and (9, 8, 3)" in caplog.text
