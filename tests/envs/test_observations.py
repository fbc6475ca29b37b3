import numpy as np
import pytest
from gymnasium import spaces
from toy_envs import Shows

from reverie.envs.adapter import Adapter
from reverie.envs.base import EnvError
from reverie.envs.options import EnvConfig
from reverie.records import Spec

ZERO = {"action": np.int32(0)}


def first(space, value, **config):
    env = Adapter(Shows(space, [value]), EnvConfig(**config))
    return env, env.reset(0)


@pytest.mark.parametrize(
    ("space", "value", "key", "spec"),
    [
        (spaces.Box(-1, 1, (3,), np.float64), np.ones(3), "vector", Spec("vector", (3,))),
        (spaces.Box(-1, 1, (), np.float32), np.float32(1), "vector", Spec("vector", ())),
        (
            spaces.Box(-9, 9, (2, 5), np.int64),
            np.ones((2, 5), int),
            "vector",
            Spec("vector", (2, 5)),
        ),
        (spaces.Discrete(4, start=3), 6, "discrete", Spec("discrete", (), (4,))),
        (
            spaces.MultiDiscrete([2, 5]),
            np.array([1, 4]),
            "discrete",
            Spec("discrete", (2,), (2, 5)),
        ),
        (spaces.MultiBinary(2), np.array([0, 1]), "discrete", Spec("discrete", (2,), (2, 2))),
        (
            spaces.Box(0, 255, (8, 12, 3), np.uint8),
            np.zeros((8, 12, 3), np.uint8),
            "image",
            Spec("image", (8, 12, 3)),
        ),
    ],
)
def test_a_single_array_gets_the_name_of_its_kind(space, value, key, spec):
    env, obs = first(space, value)
    assert env.obs_specs == {key: spec}
    assert obs[key].shape == spec.shape
    assert obs[key].dtype.name == spec.dtype


def test_discrete_counts_from_zero():
    env, obs = first(spaces.Discrete(4, start=3), 6)
    assert obs["discrete"] == 3
    assert "counted from 0" in env.notices[0]


def test_channels_first_is_transposed():
    image = np.random.default_rng(0).integers(0, 256, (3, 16, 20), np.uint8)
    env, obs = first(spaces.Box(0, 255, (3, 16, 20), np.uint8), image)
    np.testing.assert_array_equal(obs["image"], np.moveaxis(image, 0, 2))
    assert "transposed from channels first (3, 16, 20) to (16, 20, 3)" in env.notices[0]


def test_a_matrix_of_bytes_becomes_one_channel():
    image = np.arange(16 * 17, dtype=np.uint8).reshape(16, 17)
    env, obs = first(spaces.Box(0, 255, (16, 17), np.uint8), image)
    np.testing.assert_array_equal(obs["image"], image[..., None])
    assert "one channel" in env.notices[0]


@pytest.mark.parametrize(("high", "factor"), [(1.0, 255), (255.0, 1)])
def test_float_pictures_are_scaled_and_rounded(high, factor):
    image = np.random.default_rng(0).uniform(0, high, (9, 9, 3)).astype(np.float32)
    env, obs = first(spaces.Box(0, high, (9, 9, 3), np.float32), image)
    np.testing.assert_array_equal(obs["image"], np.rint(image * np.float32(factor)))
    assert obs["image"].dtype == np.uint8
    assert "scaled to uint8" in env.notices[0]


def test_boolean_pictures_are_black_and_white():
    _, obs = first(spaces.Box(0, 1, (10, 10, 4), np.bool_), np.eye(10)[..., None] > np.zeros(4))
    assert set(np.unique(obs["image"])) == {0, 255}


def test_small_byte_arrays_are_numbers():
    env, obs = first(spaces.Box(0, 255, (7, 7, 3), np.uint8), np.full((7, 7, 3), 9, np.uint8))
    assert env.obs_specs == {"vector": Spec("vector", (7, 7, 3))}
    assert "numbers, not a picture" in env.notices[0]
    assert obs["vector"].max() == 9.0


def test_nested_keys_are_joined_and_unusable_ones_left_out_with_a_notice():
    space = spaces.Dict(
        {
            "arm": spaces.Dict({"joint/angle": spaces.Box(-1, 1, (2,))}),
            "pair": spaces.Tuple([spaces.Discrete(2), spaces.Box(-1, 1, (1,))]),
            "mission": spaces.Text(5),
            "heat": spaces.Box(-np.inf, np.inf, (9, 9, 3)),
            "log/secret": spaces.Box(-1, 1, (1,)),
            "hidden": spaces.Discrete(2),
        }
    )
    env, obs = first(space, space.sample(), exclude=("hidden",))
    assert sorted(obs) == ["arm_joint_angle", "pair_0", "pair_1"] == list(env.obs_specs)
    assert len(env.notices) == 2
    assert any("'mission' (Text spaces cannot be read)" in text for text in env.notices)
    assert any("'heat'" in text and "bounded in [0, 1]" in text for text in env.notices)


def test_no_usable_key_names_what_was_found_and_what_works():
    with pytest.raises(EnvError, match=r"no usable key.*'mission' \(Text.*Usable are Box"):
        first(spaces.Dict({"mission": spaces.Text(5)}), {"mission": "hi"})
    with pytest.raises(EnvError, match="all of it excluded"):
        first(spaces.Dict({"a": spaces.Discrete(2)}), {"a": 0}, exclude=("a",))


def test_excluding_an_unknown_key_lists_the_known_ones():
    with pytest.raises(EnvError, match=r"exclude names positoin.*keys are: position"):
        first(spaces.Dict({"position": spaces.Discrete(2)}), {"position": 0}, exclude=("positoin",))


def test_two_parts_with_one_name_are_refused():
    space = spaces.Dict({"a/b": spaces.Discrete(2), "a_b": spaces.Discrete(2)})
    with pytest.raises(EnvError, match="Several parts of the observation are called a_b"):
        first(space, {"a/b": 0, "a_b": 0})


@pytest.mark.parametrize(
    ("space", "bad", "message"),
    [
        (spaces.Box(-1, 1, (2,)), np.array([0, np.nan]), "'vector' holds NaN or infinity"),
        (spaces.Box(-1, 1, (2,)), np.array([0, np.inf]), "'vector' holds NaN or infinity"),
        (spaces.Box(-1, 1, (2,)), np.zeros(3), r"'vector' has shape \(3,\).*promised \(2,\)"),
        (spaces.Discrete(2), 2, "'discrete' holds 2, outside its space"),
        (spaces.Box(0, 1, (8, 8, 3)), np.full((8, 8, 3), np.nan), "'image' holds NaN"),
        (spaces.Box(0, 1, (8, 8, 3)), np.full((8, 8, 3), 1.5), "'image' holds NaN or numbers out"),
    ],
)
def test_a_bad_value_names_key_step_and_seed(space, bad, message):
    good = np.zeros(space.shape, space.dtype) if space.shape else 0
    env = Adapter(Shows(space, [good, good, bad]), EnvConfig())
    env.reset(5)
    env.step(ZERO)
    with pytest.raises(
        EnvError, match=f"observation {message}.* at step 2 of the episode with seed 5"
    ):
        env.step(ZERO)
