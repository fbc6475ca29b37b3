"""From the environment's own observations and actions to the agent's, and through a checkpoint."""

import json

import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector.utils import batch_space, concatenate, create_empty_array

from reverie.envs.base import EnvError
from reverie.envs.observations import readers, specs_of
from reverie.envs.own_terms import OwnTerms
from reverie.envs.space_trees import from_tree, to_tree
from reverie.envs.values import WrongValue
from reverie.train import checkpoint

PICTURE = spaces.Box(0, 255, (3, 16, 16), np.uint8)
SHOWN = {
    "numbers": spaces.Box(-np.inf, np.inf, (4,), np.float64),
    "scalar": spaces.Box(0, 1, (), np.float32),
    "picture": PICTURE,
    "fractions": spaces.Box(0, 1, (16, 16, 3), np.float32),
    "planes": spaces.Box(0, 1, (10, 10, 4), np.uint8),
    "depth": spaces.Box(0, 65535, (32, 32, 1), np.uint16),
    "class": spaces.Discrete(4, start=5),
    "classes": spaces.MultiDiscrete([3, 5]),
    "flags": spaces.MultiBinary(6),
    "tuple": spaces.Tuple([spaces.Discrete(3), spaces.Box(-1, 1, (2,), np.float32)]),
    "dict": spaces.Dict(
        {"arm/left": spaces.Dict(a=PICTURE), "word": spaces.Text(5), "on": spaces.Discrete(2)}
    ),
}
DONE = {
    "class": spaces.Discrete(3, start=7),
    "classes": spaces.MultiDiscrete([3, 5]),
    "flags": spaces.MultiBinary(4),
    "box": spaces.Box(np.float32([5, -3]), np.float32([10, 1])),
    "dict": spaces.Dict(gas=spaces.Box(0, 1, (1,), np.float64), gear=spaces.Discrete(4)),
    "tuple": spaces.Tuple([spaces.Discrete(2), spaces.Box(0, 9, (), np.float32)]),
}


def terms(shown: spaces.Space, done: spaces.Space = DONE["class"]) -> OwnTerms:
    return OwnTerms(shown, done)


def chosen(own: OwnTerms, count: int) -> dict[str, np.ndarray]:
    """Actions of the agent for N environments, classes and numbers."""
    return {
        key: np.ones((count, *spec.shape), np.int32 if spec.kind == "discrete" else np.float32)
        for key, spec in own.action_specs.items()
    }


@pytest.mark.parametrize("name", SHOWN)
def test_a_space_comes_back_from_a_checkpoint(name, tmp_path):
    space = SHOWN[name]
    path = checkpoint.save(tmp_path, 1, {"space": to_tree(space)})
    back = from_tree(checkpoint.load(path)["space"])
    (one, notes), (two, again) = readers(space, ()), readers(back, ())
    assert specs_of(one) == specs_of(two)
    if name != "dict":  # of a Text only the name is kept
        assert (back, back.dtype, again) == (space, space.dtype, notes)


@pytest.mark.parametrize("name", DONE)
def test_an_action_space_comes_back_too(name, tmp_path):
    path = checkpoint.save(tmp_path, 1, {"space": to_tree(DONE[name])})
    assert from_tree(checkpoint.load(path)["space"]) == DONE[name]


def test_bounds_that_are_all_the_same_take_one_number():
    tree = to_tree(spaces.Box(0, 255, (64, 64, 3), np.uint8))
    assert tree["low"].shape == tree["high"].shape == ()
    assert "Text" in json.dumps(to_tree(spaces.Text(3)))
    assert to_tree(spaces.Dict({(1, 2): PICTURE})) is None


@pytest.mark.parametrize(
    "tree",
    [
        {"kind": "Bax"},
        {"kind": "Box", "shape": [1 << 20, 1 << 20], "dtype": "uint8", "low": 0, "high": 1},
        {"kind": "Box", "shape": [-1], "dtype": "uint8", "low": 0, "high": 1},
        {"kind": "Box", "shape": [2], "dtype": "os.system", "low": 0, "high": 1},
        {"kind": "MultiBinary"},
    ],
)
def test_what_describes_no_space_is_refused(tree):
    with pytest.raises((ValueError, TypeError, KeyError)):
        from_tree(tree)


@pytest.mark.parametrize("name", SHOWN)
def test_what_an_environment_shows_is_read_alone_and_together(name):
    space, own = SHOWN[name], terms(SHOWN[name])
    space.seed(3)
    samples = [space.sample() for _ in range(3)]
    assert [own.lead(sample) for sample in samples] == [None] * 3
    alone = [own.read(sample, None) for sample in samples]
    batch = concatenate(space, samples, create_empty_array(space, 3))
    assert own.lead(batch) == 3
    together = own.read(batch, 3)
    assert together.keys() == own.obs_specs.keys()
    for key, array in together.items():
        assert array.dtype == own.obs_specs[key].dtype
        np.testing.assert_array_equal(array, np.concatenate([one[key] for one in alone]))


@pytest.mark.parametrize("name", DONE)
def test_what_is_done_belongs_to_the_space(name):
    space, own = DONE[name], terms(PICTURE, DONE[name])
    alone = own.write(chosen(own, 1), None)
    assert space.contains(alone)
    assert type(alone) is type(space.sample())
    assert batch_space(space, 3).contains(own.write(chosen(own, 3), 3))


@pytest.mark.parametrize(
    ("space", "shown", "told"),
    [
        (PICTURE, np.zeros((16, 16, 3), np.uint8), r"has shape \(16, 16, 3\); .* with or without"),
        (PICTURE, np.zeros((3, 16, 16)), "is float64; its space .* needs uint8"),
        (PICTURE, (np.zeros((3, 16, 16), np.uint8), {}), r"first part alone of what reset\(\)"),
        (PICTURE, (np.zeros((3, 16, 16)), 0.0, False, False, {}), r"what step\(\) returns"),
        (PICTURE, None, "None"),
        (SHOWN["numbers"], [0.0, 1.0], r"has shape \(2,\)"),
        (SHOWN["numbers"], "word", "'word' of type str"),
        (SHOWN["dict"], {"on": 1}, "'arm_left_a' is missing"),
        (SHOWN["dict"], np.zeros(3), "expected a dictionary with"),
        (SHOWN["tuple"], (1,), "'1' is missing"),
        (SHOWN["tuple"], (np.ones(3, int), np.ones(2, np.float32)), "different numbers of"),
    ],
)
def test_what_is_not_in_its_terms_is_told_in_one_sentence(space, shown, told):
    with pytest.raises(WrongValue, match=told) as error:
        terms(space).lead(shown)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("space", "shown", "told"),
    [
        (SHOWN["class"], 4, "outside its space"),
        (SHOWN["numbers"], [0, 0, np.nan, 0], "NaN"),
        (SHOWN["planes"], np.full((10, 10, 4), 9, np.uint8), "holds"),
        (spaces.Dict(on=spaces.Discrete(2)), {"on": 1, "off": 0}, "unknown key 'off'"),
    ],
)
def test_a_value_that_its_space_does_not_promise_is_refused(space, shown, told):
    own = terms(space)
    with pytest.raises(EnvError, match=told):
        own.read(shown, own.lead(shown))
