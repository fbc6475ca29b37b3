"""Observations and actions inside a program: what the environment's reader and writer do."""

import numpy as np
import pytest
from gymnasium import spaces

from reverie.envs.own_terms import OwnTerms
from reverie.export import acted, observed
from reverie.folder.errors import RunError

NUMBERS = spaces.Box(-1, 1, (2,), np.float32)

SEEN = {
    "channels first": spaces.Box(0, 255, (3, 9, 10), np.uint8),
    "frames": spaces.Box(0, 255, (4, 9, 10, 3), np.uint8),
    "grey": spaces.Box(0, 255, (16, 17), np.uint8),
    "unit": spaces.Box(0, 1, (8, 9, 1), np.float32),
    "signed": spaces.Box(-1, 1, (2, 3, 8, 9), np.float32),
    "dark": spaces.Box(0, 60, (8, 9, 3), np.uint8),
    "deep": spaces.Box(-7, 9, (8, 9, 3), np.int16),
    "numbers": spaces.Box(-np.inf, np.inf, (3, 2), np.float64),
    "bytes": spaces.Box(0, 255, (5,), np.uint8),
    "classes": spaces.MultiDiscrete([[2, 3], [4, 5]], start=[[0, -9], [7, 1]]),
    "bits": spaces.MultiBinary((2, 2)),
    "one": spaces.Discrete(6, start=-3),
}
DONE = {
    "unequal": spaces.Box(np.float32([[-5, 0], [1, -1]]), np.float32([[5, 0.5], [1, 3]])),
    "half open": spaces.Box(np.float32([-np.inf, 0.5]), np.float32([2, np.inf])),
    "wide": spaces.Box(0.1, 1e6, (9,), np.float64),
    "halves": spaces.Box(-0.1, 0.3, (2,), np.float16),
    "number": spaces.Box(-3, 5, (), np.float32),
    "classes": spaces.MultiDiscrete([[2, 3], [4, 5]], start=[[0, -9], [7, 1]]),
    "bits": spaces.MultiBinary(4),
    "one": spaces.Discrete(6, start=-3),
}


@pytest.mark.parametrize("name", SEEN)
def test_observations_are_read_as_in_training(name):
    space = SEEN[name]
    (leaf,) = observed.of_env(own := OwnTerms(space, NUMBERS), ())
    space.seed(1)
    seen = np.asarray(space.sample())
    port = leaf.port
    assert (port.shape, port.path) == (space.shape, ())
    wanted = own.read(seen, None)[leaf.key][0]
    found = np.asarray(leaf.to_agent(seen.astype(port.dtype)))
    assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape)
    np.testing.assert_array_equal(found, wanted)
    back = np.asarray(leaf.to_env(found))
    assert (back.dtype, back.shape) == (port.dtype, space.shape)
    np.testing.assert_array_equal(np.asarray(leaf.to_agent(back)), found)
    if wanted.dtype != np.uint8 or name in ("channels first", "frames", "grey"):
        np.testing.assert_allclose(back, seen, rtol=1e-6)


@pytest.mark.parametrize("name", DONE)
def test_actions_are_written_as_in_training(name):
    space = DONE[name]
    own = OwnTerms(NUMBERS, space)
    (leaf,), (key, spec) = acted.of_env(own), *own.action_specs.items()
    rng = np.random.default_rng(2)
    if spec.kind == "vector":
        chosen = rng.normal(scale=2, size=spec.shape).astype(np.float32)
    else:
        chosen = rng.integers(0, np.reshape(spec.classes, spec.shape)).astype(np.int32)
    wanted = np.asarray(own.write({key: chosen[None]}, None))
    found = np.asarray(leaf.to_env(chosen))
    assert (found.dtype, found.shape) == (leaf.port.dtype, space.shape)
    np.testing.assert_allclose(found, wanted, rtol=1e-3 if found.dtype == np.float16 else 1e-5)
    whole = isinstance(space, spaces.Discrete)
    assert space.contains(space.dtype.type(found) if whole else found.astype(space.dtype))
    low, high = (
        x if x is not None else y for x, y in ((leaf.port.low, -3e38), (leaf.port.high, 3e38))
    )
    if not isinstance(low, list) and not isinstance(high, list):
        assert (found >= low).all() and (found <= high).all()
    inside = np.clip(chosen, -1, 1) if spec.kind == "vector" else chosen
    again = np.asarray(leaf.to_agent(found))
    moved = np.broadcast_to(space.high > space.low, space.shape) if spec.kind == "vector" else True
    if name not in ("half open", "halves"):
        np.testing.assert_allclose(np.where(moved, again, inside), inside, atol=1e-5)


@pytest.mark.parametrize(
    ("space", "said"),
    [
        (spaces.Discrete(3, start=2**40), "let a wrapper of the environment count from 0"),
        (spaces.MultiDiscrete([3, 2], start=[0, -(2**40)]), "count from 0"),
        (spaces.Box(-1e300, 1e300, (1,), np.float64), "rescale it in a wrapper"),
    ],
)
def test_numbers_that_no_file_can_hold_are_refused(space, said):
    with pytest.raises(RunError, match=said):
        acted.of_env(OwnTerms(NUMBERS, space))


def test_classes_that_no_file_can_hold_are_refused():
    with pytest.raises(RunError, match="observation 'discrete' reaches from 1099511627776"):
        observed.of_env(OwnTerms(spaces.Discrete(3, start=2**40), NUMBERS), ())
