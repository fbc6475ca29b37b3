"""Which Box is a picture, by its shape, bounds and dtype together, and what its pixels become."""

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from toy_envs import Shows

from reverie.envs.adapter import Adapter
from reverie.envs.base import EnvError
from reverie.envs.image_space import read_image
from reverie.envs.options import EnvConfig
from reverie.records import Spec


def shown(space, value):
    """The only array that the agent gets, its spec, and the notices."""
    env = Adapter(Shows(space, [value]), EnvConfig())
    ((key, array),) = env.reset(0).items()
    return env.obs_specs[key], array, " ".join(env.notices)


def bytes_of(*shape):
    return spaces.Box(0, 255, shape, np.uint8)


def numbered(shape):
    return np.arange(np.prod(shape)).reshape(shape).astype(np.uint8)


@pytest.mark.parametrize(
    ("shape", "first"),
    [
        ((64, 64, 3), False),
        ((3, 64, 64), True),
        ((4, 32, 32), True),
        ((6, 64, 64), True),
        ((12, 64, 64), True),
        ((64, 64, 12), False),
        ((9, 48, 80), True),
        ((48, 80, 9), False),
        ((10, 10, 20), False),
        ((10, 12, 20), False),
        ((10, 10, 10), False),
        ((8, 400, 3), False),
    ],
)
def test_where_the_channels_are(shape, first):
    value = numbered(shape)
    spec, array, notices = shown(bytes_of(*shape), value)
    expected = np.moveaxis(value, 0, 2) if first else value
    assert spec == Spec("image", expected.shape)
    np.testing.assert_array_equal(array, expected)
    assert ("transposed from channels first" in notices) == first
    assert bool(notices) == (first or shape[2] > 4)  # more than four channels is worth a word


@pytest.mark.parametrize(
    "stacked", [(4, 32, 24, 3), (4, 3, 32, 24), (2, 2, 32, 24, 3), (4, 32, 24)]
)
def test_stacked_frames_become_channels_first_frame_first(stacked):
    value = np.zeros(stacked, np.uint8)
    frames = value.reshape(4, *stacked[-3 if len(stacked) > 3 else -2 :])
    frames[...] = np.arange(4).reshape(-1, *[1] * (frames.ndim - 1))
    colours = 3 if len(stacked) > 3 else 1
    spec, array, notices = shown(bytes_of(*stacked), value)
    assert spec.shape == (32, 24, 4 * colours)
    assert array[5, 6].tolist() == np.repeat(np.arange(4), colours).tolist()
    assert notices


def test_the_channels_of_a_frame_stay_together():
    value = np.zeros((2, 3, 16, 16), np.uint8)
    value[1, 2] = 9
    _, array, _ = shown(bytes_of(2, 3, 16, 16), value)
    assert array[0, 0].tolist() == [0, 0, 0, 0, 0, 9]


def test_gymnasiums_own_frame_stack():
    inner = Shows(bytes_of(16, 16, 3), [np.full((16, 16, 3), n, np.uint8) for n in range(9)])
    env = Adapter(gymnasium.wrappers.FrameStackObservation(inner, 3), EnvConfig())
    env.reset(0)
    for _ in range(4):
        obs = env.step({"action": np.int32(0)})[0]
    assert obs["image"][0, 0].tolist() == [2, 2, 2, 3, 3, 3, 4, 4, 4]


@pytest.mark.parametrize(
    "shape", [(4, 5), (5, 5, 5), (7, 7, 3), (3, 7, 7), (4, 5, 5, 3), (2, 2, 2, 2, 2), (40,)]
)
def test_small_arrays_stay_numbers_of_any_rank(shape):
    spec, array, notices = shown(spaces.Box(-1.0, 1.0, shape), np.ones(shape, np.float32))
    assert spec == Spec("vector", shape)
    assert array.dtype == np.float32
    assert ("numbers, not a picture" in notices) == (len(shape) > 2)


@pytest.mark.parametrize(
    ("low", "high", "dtype", "values", "pixels"),
    [
        (0, 255, np.uint8, [0, 1, 255], [0, 1, 255]),
        (0, 200, np.uint8, [0, 1, 200], [0, 1, 200]),  # bright enough as it is
        (0, 1, np.uint8, [0, 1, 1], [0, 255, 255]),
        (0, 10, np.uint8, [0, 5, 10], [0, 128, 255]),
        (0, 1, np.bool_, [0, 1, 1], [0, 255, 255]),
        (0, 255, np.int64, [0, 7, 255], [0, 7, 255]),
        (0, 65535, np.uint16, [0, 257, 65535], [0, 1, 255]),
        (-128, 127, np.int8, [-128, 0, 127], [0, 128, 255]),
        (-1, 1, np.float32, [-1, 0.2, 1], [0, 153, 255]),
        (0, 1, np.float64, [0, 0.2, 1], [0, 51, 255]),
        (0, 10, np.float32, [0, 2, 10], [0, 51, 255]),
        (1e9, 1e9 + 255, np.float64, [1e9, 1e9 + 3, 1e9 + 255], [0, 3, 255]),
    ],
)
def test_finite_bounds_are_scaled(low, high, dtype, values, pixels):
    value = np.zeros((8, 8, 3), dtype)
    value[...] = values
    spec, array, notices = shown(spaces.Box(low, high, (8, 8, 3), dtype), value)
    assert spec == Spec("image", (8, 8, 3))
    assert array[0, 0].tolist() == pixels
    assert ("scaled to uint8" in notices) == (dtype != np.uint8 or high < 128)


def test_every_channel_has_bounds_of_its_own():
    """Colours and a depth of ten metres in one array."""
    high = np.full((8, 8, 4), 255.0, np.float32)
    high[..., 3] = 10.0
    value = np.full((8, 8, 4), 5.0, np.float32)
    _, array, _ = shown(spaces.Box(np.zeros_like(high), high), value)
    assert array[0, 0].tolist() == [5, 5, 5, 128]


@pytest.mark.parametrize(
    ("low", "high", "dtype"),
    [
        (-np.inf, np.inf, np.float32),
        (0.0, np.inf, np.float32),
        (-np.finfo(np.float32).max, np.finfo(np.float32).max, np.float32),
        (np.iinfo(np.int32).min, np.iinfo(np.int32).max, np.int32),
    ],
)
@pytest.mark.parametrize("shape", [(9, 9, 3), (2, 9, 9, 3)])
def test_a_picture_without_bounds_is_refused(low, high, dtype, shape):
    with pytest.raises(EnvError, match=r"a picture must be uint8 or have finite bounds.*\[0, 1\]"):
        shown(spaces.Box(low, high, shape, dtype), np.zeros(shape, dtype))


@pytest.mark.parametrize("value", [-1.01, 1.01, np.nan, np.inf])
def test_values_beyond_the_bounds_are_refused(value):
    space = spaces.Box(-1.0, 1.0, (8, 8, 3))
    bad = np.zeros((8, 8, 3), np.float32)
    bad[3, 2, 1] = value
    with pytest.raises(EnvError, match="'image' holds NaN or numbers outside the bounds"):
        shown(space, bad)


def test_matrices():
    assert shown(bytes_of(16, 17), numbered((16, 17)))[0] == Spec("image", (16, 17, 1))
    assert shown(bytes_of(15, 17), numbered((15, 17)))[0] == Spec("vector", (15, 17))
    depth = spaces.Box(0, 65535, (32, 32), np.uint16)
    spec, array, notices = shown(depth, np.full((32, 32), 65535, np.uint16))
    assert spec == Spec("image", (32, 32, 1)) and array.min() == 255 and "one channel" in notices
    spec, _, notices = shown(spaces.Box(0, 1, (32, 32)), np.zeros((32, 32), np.float32))
    assert spec == Spec("vector", (32, 32))
    assert "taken for 32 x 32 numbers" in notices


def test_plain_pictures_are_passed_on_uncopied():
    """What today's runs store stays as it is, and costs nothing."""
    value = numbered((16, 16, 3))
    assert read_image(bytes_of(16, 16, 3)).convert(value) is value
