import numpy as np
import pytest
from gymnasium import spaces
from toy_envs import Shows, random_action

from reverie.envs.adapter import Adapter
from reverie.envs.base import EnvError
from reverie.envs.options import EnvConfig
from reverie.records import Spec

SEEN = spaces.Box(-1, 1, (1,))


def acting(space):
    inner = Shows(SEEN, [np.zeros(1)], space)
    env = Adapter(inner, EnvConfig())
    env.reset(0)
    return inner, env


@pytest.mark.parametrize(
    "space",
    [
        spaces.Discrete(5, start=-2),
        spaces.MultiDiscrete([2, 3], dtype=np.int32, start=[1, -1]),
        spaces.MultiBinary((2, 3)),
        spaces.Box(-3, 5, (), np.float32),
        spaces.Box(-3, 5, (2,), np.float16),
        spaces.MultiDiscrete([2, 3]),
        spaces.MultiDiscrete([[2, 3], [4, 5]]),
        spaces.MultiBinary(4),
        spaces.Box(-3, 5, (2, 2), np.float64),
        spaces.Box(
            np.array([-1, -np.inf, 0], np.float32), np.array([1, np.inf, np.inf], np.float32)
        ),
        spaces.Dict(
            {"move": spaces.Discrete(3), "arm": spaces.Dict({"a": spaces.Box(0, 9, (2,))})}
        ),
        spaces.Tuple([spaces.Discrete(3), spaces.Box(-2, 2, (1,))]),
    ],
)
def test_random_actions_lie_in_the_space(space):
    inner, env = acting(space)
    rng = np.random.default_rng(0)
    for _ in range(50):
        env.step(random_action(env.action_specs, rng))
    assert all(space.contains(action) for action in inner.received)
    shapes = {str(kinds(action)) for action in (*inner.received, space.sample())}
    assert len(shapes) == 1, shapes


def kinds(action):
    """Types, dtypes and shapes of an action's parts."""
    if isinstance(action, dict):
        return {name: kinds(part) for name, part in action.items()}
    if isinstance(action, tuple):
        return tuple(kinds(part) for part in action)
    return type(action).__name__, action.dtype.name, action.shape


def test_specs_of_actions():
    _, env = acting(spaces.Dict({"b": spaces.MultiDiscrete([2, 3]), "a/c": spaces.Box(0, 9, (2,))}))
    assert env.action_specs == {
        "a_c": Spec("vector", (2,), low=(0.0, 0.0), high=(9.0, 9.0)),
        "b": Spec("discrete", (2,), classes=(2, 3)),
    }


def test_box_is_rescaled_and_clipped_and_unbounded_parts_pass_through():
    low, high = np.array([-2, 0, -np.inf], np.float32), np.array([4, 10, np.inf], np.float32)
    inner, env = acting(spaces.Box(low, high))
    assert "not rescaled" in env.notices[0]
    for agent, native in [
        ([-1, -1, -1], [-2, 0, -1]),
        ([0, 0, 0], [1, 5, 0]),
        ([1, 1, 0.25], [4, 10, 0.25]),
        ([1.7, -9, 3], [4, 0, 1]),
    ]:
        env.step({"action": np.array(agent, np.float32)})
        np.testing.assert_allclose(inner.received[-1], native, atol=1e-6)


def test_discrete_starts_where_the_space_starts():
    inner, env = acting(spaces.Discrete(3, start=10))
    env.step({"action": np.int32(2)})
    assert inner.received == [12]


@pytest.mark.parametrize("space", [spaces.Box(0, 9, (2,), np.int64), spaces.Text(3)])
def test_unsupported_space_says_what_works(space):
    with pytest.raises(EnvError, match=r"'action' has the space .* Usable are Discrete"):
        acting(space)


@pytest.mark.parametrize(
    ("space", "action", "message"),
    [
        (spaces.Discrete(3), {"action": np.int32(3)}, "is 3, expected 0"),
        (spaces.Discrete(3), {"act": np.int32(1)}, "lacks the key 'action'; it has: act"),
        (spaces.Discrete(3), {"action": np.zeros(1, np.int32)}, r"has shape \(1,\), expected \(\)"),
        (spaces.Box(-1, 1, (1,)), {"action": np.array([np.nan])}, "holds NaN"),
    ],
)
def test_a_bad_action_names_key_and_step(space, action, message):
    _, env = acting(space)
    with pytest.raises(EnvError, match=f"{message}.* at step 1 of the episode with seed 0"):
        env.step(action)
