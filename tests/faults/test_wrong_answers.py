"""What an environment answers and should not: one sentence, at once; no cast changes a number.

Every case runs through `Vector` in this process: an EnvError there means that no restart was tried.
"""

import datetime
import re

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from PIL import Image

from reverie.behavior.bonus import ObservationBonus
from reverie.envs.actions import writer_of
from reverie.envs.adapter import Adapter
from reverie.envs.base import EnvError
from reverie.envs.episodes import episode_seed
from reverie.envs.observations import reader_of
from reverie.envs.options import EnvConfig
from reverie.envs.vector import Vector
from reverie.part.errors import ConfigError
from reverie.records import Step
from reverie.train.visit_counts import VisitCounts

NUMBERS = spaces.Box(-np.inf, np.inf, (2,), np.float32)
PARTS = spaces.Dict(arm=NUMBERS, pair=spaces.Tuple([spaces.Discrete(3), NUMBERS]))
SEED = episode_seed(7, "train", 0, 0)


class Answers(gymnasium.Env):
    """Right until step 3, where `change` may spoil the answer of five; `first` that of reset."""

    def __init__(self, change=None, first=None, space=NUMBERS):
        self.observation_space, self.action_space = space, spaces.Discrete(2)
        self.change, self.first = change, first

    def right(self):
        return {"arm": np.zeros(2, np.float32), "pair": (1, np.zeros(2, np.float32))}

    def shown(self):
        return self.right() if self.observation_space is PARTS else np.zeros(2, np.float32)

    def reset(self, *, seed=None, options=None):
        self.count = 0
        answer = self.shown(), {}
        return self.first(answer) if self.first else answer

    def step(self, action):
        self.count += 1
        answer = (self.shown(), 1.0, False, False, {})
        return self.change(answer) if self.change and self.count == 3 else answer


def run(env, steps=4, **config):
    """Rewards of some steps of one environment in a vector."""
    made = lambda: Adapter(env, EnvConfig(**config))  # noqa: E731
    with Vector(made, num=1, seed=7, stream="train", parallel=False, restarts=10) as envs:
        rewards = []
        for _ in range(steps + 1):
            envs.send({"action": np.zeros(1, np.int32)})
            rewards.append(envs.recv().reward[0])
        assert envs.restarted == 0
        return rewards[1:]


def refused(env, **config):
    """The sentence with which a run ends."""
    with pytest.raises(EnvError) as caught:
        run(env, **config)
    text = str(caught.value)
    assert "Traceback" not in text and "\n" not in text and len(text) < 500
    return text


def put(place, value):
    """Changes one of the five parts of an answer."""
    return lambda answer: (*answer[:place], value, *answer[place + 1 :])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (put(1, None), "the reward is None .*expected one real number"),
        (put(1, np.zeros(2)), r"the reward is ndarray of shape \(2,\)"),
        (put(1, [1.0, 2.0]), "the reward is list of length 2"),
        (put(1, "1.0"), "the reward is '1.0' of type str"),
        (put(1, 1 + 2j), r"the reward is \(1\+2j\) of type complex"),
        (put(1, np.array([])), r"the reward is ndarray of shape \(0,\)"),
        (put(1, {"r": 1.0}), "the reward is dict with the keys r"),
        (put(1, datetime.timedelta(1)), "the reward is .*timedelta"),
        (put(1, np.ma.masked), "the reward holds masked entries"),
        (put(1, float("nan")), "the reward is nan .*finite"),
        (put(1, np.float32("inf")), "the reward is inf .*finite"),
        (put(1, 1e39), r"the reward is 1e\+39 .*float32"),
        (put(1, -1e39), r"the reward is -1e\+39 .*float32"),
        (put(1, np.float64(1e300)), "the reward is 1e.300 .*float32"),
        (put(1, 10**400), "the reward is 1000.*of type int"),
        (put(2, None), "terminated is None .*expected True or False"),
        (put(2, "False"), "terminated is 'False' of type str"),
        (put(3, np.zeros(2, bool)), "truncated is ndarray"),
        (put(3, 0.5), "truncated is 0.5"),
        (put(3, {}), "truncated is dict"),
        (put(4, None), r"the info of step\(\) is None .*a dictionary"),
        (put(4, []), r"the info of step\(\) is list"),
        (lambda a: (a[0], a[1], a[2], a[4]), "must return .*tuple of length 4 .*older gym"),
        (lambda a: list(a), r"step\(\) must return .*, got list of length 5"),
        (lambda a: a[0], r"step\(\) must return .*, got ndarray"),
        (lambda a: None, r"step\(\) must return .*, got None"),
        (lambda a: (), r"step\(\) must return .*, got tuple of length 0"),
        (lambda a: 7, r"step\(\) must return .*, got 7 of type int"),
        (put(0, None), "observation 'vector' is None"),
        (put(0, (np.zeros(2), {})), "observation 'vector' is tuple of length 2, no array"),
        (put(0, {"a": 1}), "observation 'vector' is dict with the keys a"),
        (put(0, "left"), "observation 'vector' is 'left' of type str"),
        (put(0, [1, [2, 3]]), "observation 'vector' is list of length 2, no array"),
        (put(0, np.zeros(3)), r"'vector' has shape \(3,\).*promised \(2,\)"),
        (put(0, np.zeros((2, 1))), r"'vector' has shape \(2, 1\)"),
        (put(0, np.zeros(2, complex)), "'vector' is ndarray .*complex"),
        (put(0, np.array(["a", "b"])), "'vector' is ndarray .*dtype <U1"),
        (put(0, [None, 1.0]), "'vector' is list of length 2"),
        (put(0, np.array([0, np.nan])), "'vector' holds NaN or infinity"),
        (put(0, np.array([0, 1e39])), r"'vector' holds 1e\+39 .*float32"),
        (put(0, np.array([0, -np.finfo(np.float64).max])), "'vector' holds -1.79.*float32"),
        (put(0, np.ma.array([1, 2], mask=[0, 1])), "'vector' holds masked entries"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_a_wrong_answer_is_one_sentence_with_step_and_seed(change, said):
    text = refused(Answers(change))
    assert f"at step 3 of the episode with seed {SEED}" in text
    assert re.search(said, text), text


@pytest.mark.parametrize(
    ("first", "said"),
    [
        (lambda a: a[0], r"reset\(\) must return \(observation, info\), got ndarray of shape"),
        (lambda a: [*a], "got list of length 2"),
        (lambda a: (*a, 0), "got tuple of length 3"),
        (lambda a: None, "got None"),
        (lambda a: (a[0], None), r"the info of reset\(\) is None"),
        (lambda a: (a, {}), "observation 'vector' is tuple of length 2, no array"),
        (lambda a: (None, {}), "observation 'vector' is None"),
    ],
)
def test_a_wrong_answer_to_reset(first, said):
    text = refused(Answers(first=first))
    assert f"at step 0 of the episode with seed {SEED}" in text
    assert re.search(said, text), text


def with_parts(**changes):
    return put(0, {**Answers(space=PARTS).right(), **changes})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (put(0, {"arm": np.zeros(2)}), "'pair_0' is missing.*dict with the keys arm.*'pair'"),
        (put(0, {}), r"'arm' is missing.*keys \(none\).*'arm'"),
        (put(0, np.zeros(2)), "'arm' is missing: observation is ndarray"),
        (put(0, None), "'arm' is missing: observation is None"),
        (
            with_parts(pair=(1,)),
            r"'pair_1' is missing: .*\['pair'\] is tuple of length 1",
        ),
        (with_parts(pair=None), "'pair_0' is missing"),
        (with_parts(arms=1), "has the unknown key 'arms'.*promised only arm, pair"),
        (with_parts(pair=(3.7, np.zeros(2))), "'pair_0' holds 3.7.*whole numbers"),
        (with_parts(pair=(3, np.zeros(2))), "'pair_0' holds 3, outside its space.*0 to 2"),
        (with_parts(pair=(-1, np.zeros(2))), "'pair_0' holds -1, outside its space"),
        (with_parts(pair=(2**63 + 1, np.zeros(2))), "'pair_0' holds 9223372036854775809"),
        (with_parts(pair=(2**32, np.zeros(2))), "'pair_0' holds 4294967296"),
        (with_parts(pair=(None, np.zeros(2))), "'pair_0' is None"),
        (with_parts(pair=("1", np.zeros(2))), "'pair_0' is '1' of type str"),
        (with_parts(pair=([1], np.zeros(2))), r"'pair_0' has shape \(1,\)"),
        (with_parts(arm=(np.zeros(2), {})), "'arm' is tuple of length 2, no array"),
    ],
)
def test_a_wrong_part_is_named(change, said):
    text = refused(Answers(change, space=PARTS))
    assert f"at step 3 of the episode with seed {SEED}" in text
    assert re.search(said, text), text


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (1, np.array([1.0])),
        (1, np.array(1.0)),
        (1, np.float16(1)),
        (1, np.array([[1]], np.int64)),
        (1, True),
        (2, np.bool_(False)),
        (2, np.array([False])),
        (2, 0),
        (3, np.uint8(0)),
        (0, [0.0, 0]),
        (0, (0, 1)),
        (0, np.zeros(2, np.float64)),
        (0, np.zeros(2, np.int64)),
        (0, np.zeros(2, bool)),
        (4, {"more": None}),
    ],
)
@pytest.mark.filterwarnings("error")
def test_what_means_the_same_is_taken(place, value):
    """A number, a flag and an array may come in any type that holds exactly the same."""
    assert run(Answers(put(place, value))) == [1.0] * 4


def test_classes_that_are_whole_are_taken():
    for same in (2, np.int8(2), 2.0, np.array(2), np.uint64(2)):
        run(Answers(with_parts(pair=(same, np.zeros(2))), space=PARTS))


def test_a_sum_over_repeats_must_fit():
    env = Answers()
    env.step = lambda action: (np.zeros(2), 3e38, False, False, {})
    assert run(env, steps=1) == [np.float32(3e38)]
    assert "the reward is 6e+38 at step 1" in refused(env, repeat=2)


def test_huge_finite_rewards_are_kept():
    rewards = run(Answers(put(1, -6.2e37)))
    assert rewards[2] == np.float32(-6.2e37)


@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize("by_keyword", [False, True])
def test_a_reset_without_seed_says_how_to_define_it(wrapped, by_keyword):
    class Old(Answers):
        def reset(self):
            return np.zeros(2), {}

    class Newer(Answers):
        def reset(self, options=None):
            return np.zeros(2), {}

    env = Newer() if by_keyword else Old()
    text = refused(gymnasium.wrappers.TimeLimit(env, 5) if wrapped else env)
    assert "reset() does not take a seed" in text and "define reset(self, *, seed=None" in text


def test_a_step_without_action():
    class Idle(Answers):
        def step(self):
            return np.zeros(2), 0.0, False, False, {}

    assert "step() does not take one action" in refused(Idle())


def test_a_type_error_of_the_users_own_code_is_no_wrong_answer():
    class Buggy(Answers):
        def step(self, action):
            return len(3)

    env = Adapter(Buggy(), EnvConfig())
    env.reset(0)
    with pytest.raises(TypeError, match="has no len"):
        env.step({"action": np.int32(0)})


@pytest.mark.parametrize("name", ["observation_space", "action_space"])
@pytest.mark.parametrize("wrong", [None, "Discrete(2)", object()])
def test_spaces_that_are_none(name, wrong):
    env = Answers()
    setattr(env, name, wrong)
    with pytest.raises(EnvError, match=f"The {name} of Answers is .*gymnasium.spaces"):
        Adapter(env, EnvConfig())


def test_screenshots_and_tensors():
    picture = spaces.Box(0, 255, (16, 20, 3), np.uint8)
    read = reader_of(picture)
    assert read(Image.new("RGB", (20, 16), (1, 2, 3)))["image"][5, 5].tolist() == [1, 2, 3]
    with pytest.raises(EnvError, match=r"\(16, 20, 4\).*promised \(16, 20, 3\)"):
        read(Image.new("RGBA", (20, 16)))

    class Tensor:
        """As torch's on another device: it cannot be read where numpy runs."""

        def __array__(self, dtype=None, copy=None):
            raise TypeError("can't convert cuda:0 device type tensor to numpy")

    with pytest.raises(EnvError, match=r"'image' is .*Tensor.*numpy cannot read .*cuda:0"):
        read(Tensor())


def test_integers_do_not_wrap_into_bytes():
    read = reader_of(spaces.Box(0, 255, (16, 20, 3), np.uint8))
    with pytest.raises(EnvError, match=r"dtype int64, its space promised.*uint8"):
        read(np.full((16, 20, 3), 256))


def test_numbers_for_the_log_are_checked_as_well():
    space = spaces.Dict({"x": NUMBERS, "log/score": spaces.Box(-np.inf, np.inf, (), np.float64)})
    env = Answers(space=space)
    env.shown = lambda: {"x": np.zeros(2, np.float32), "log/score": 1e39}
    assert "observation 'log/score' holds 1e+39" in refused(env)
    env.shown = lambda: {"x": np.zeros(2, np.float32)}
    assert "observation 'log/score' is missing" in refused(env)


@pytest.mark.parametrize(
    ("space", "action", "said"),
    [
        (spaces.Discrete(3), 1.7, r"is 1.7, expected 0 ... 2 \(whole numbers\)"),
        (spaces.Discrete(3), 2**40, "is 1099511627776, expected 0 ... 2"),
        (spaces.Discrete(3), "1", "is '1' of type str"),
        (spaces.MultiDiscrete([2, 3]), [0, 3], r"is \[0, 3\], expected 0 ... \[1, 2\]"),
        (spaces.MultiDiscrete([2, 3]), [0.5, 1], r"is \[0.5, 1.0\], expected"),
        (spaces.MultiBinary(2), [0, 2], r"is \[0, 2\], expected"),
        (spaces.Box(-1, 1, (2,)), [0.0, np.inf], "holds NaN or infinity"),
        (spaces.Box(-1, 1, (2,)), [0.0, 1e39], r"holds 1e\+39"),
        (spaces.Box(-1, 1, (2,)), [[0.0, 1.0]], r"has shape \(1, 2\), expected \(2,\)"),
    ],
)
def test_actions_are_not_cast_in_silence(space, action, said):
    with pytest.raises(EnvError, match=f"action 'action' {said}"):
        writer_of(space)({"action": action})


@pytest.mark.parametrize(
    "space",
    [
        spaces.Discrete(3, start=-1),
        spaces.MultiDiscrete([2, 3]),
        spaces.MultiBinary(2),
        spaces.Box(-1, 5, (2,)),
        spaces.Box(-1, 5, (), np.float64),
        spaces.Dict(a=spaces.Discrete(2), b=spaces.Tuple([spaces.Box(0, 1, (1,))])),
    ],
)
def test_an_action_has_the_type_that_sample_gives(space):
    def kinds(value):
        if isinstance(value, dict):
            return {key: kinds(part) for key, part in value.items()}
        if isinstance(value, tuple):
            return tuple(kinds(part) for part in value)
        return type(value), value.dtype, value.shape

    write = writer_of(space)
    specs = Adapter(Shown(space), EnvConfig()).action_specs
    action = {key: np.ones(spec.shape, spec.dtype) for key, spec in specs.items()}
    assert kinds(write(action)) == kinds(space.sample())
    assert space.contains(write(action))


class Shown(Answers):
    """Acts in another space."""

    def __init__(self, action_space):
        super().__init__()
        self.action_space = action_space


@pytest.mark.parametrize("action", [[1.7], [2**40], [2], np.array([np.nan]), ["1"], [None]])
def test_a_batch_of_actions_is_not_cast_in_silence(action):
    with Vector(lambda: Adapter(Answers(), EnvConfig()), num=1, seed=7, parallel=False) as envs:
        envs.send({"action": np.zeros(1, np.int32)})
        envs.recv()
        with pytest.raises(EnvError, match=r"action .action. (is|holds)"):
            envs.send({"action": action})


def test_a_count_bonus_must_leave_the_reward_in_float32():
    counted = VisitCounts(ObservationBonus(3e38), {})
    flags = np.zeros(1, bool)
    for reward, fits in ((1.0, True), (3e38, False)):
        step = Step({"x": np.ones(1)}, np.float32([reward]), flags, flags, flags)
        if fits:
            assert counted.reward(step, counted(step)).tolist() == [np.float32(3e38)]
        else:
            with pytest.raises(EnvError, match=r"sum up to 5.1\d*e\+38; .*bonus.scale"):
                counted.reward(step, counted(step))
    with pytest.raises(ConfigError, match="must be at most"):
        ObservationBonus(1e39)
