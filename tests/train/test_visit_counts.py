"""The count bonus: by hand, against minigrid's own wrapper, in the replay, across a resume."""

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from tiny_runs import TINY, metrics, newest

import reverie
from reverie.behavior.bonus import NoBonus, ObservationBonus, PositionBonus
from reverie.envs.make import maker
from reverie.envs.options import EnvConfig
from reverie.envs.vector import Vector
from reverie.part.errors import ConfigError
from reverie.records import Spec, Step
from reverie.train.visit_counts import VisitCounts

POSITION = {"position": Spec("discrete", (2,), (9, 9))}


def row(places, first=None, obs=None):
    count = len(places)
    flags = np.zeros(count, bool)
    log = {"position": np.array(places, np.int32)}
    shown = {"vector": np.zeros((count, 3), np.float32) if obs is None else np.asarray(obs)}
    begun = flags if first is None else np.array(first)
    return Step(shown, np.zeros(count, np.float32), begun, flags, flags, log)


def test_bonus_by_hand():
    places = VisitCounts(PositionBonus(2.0), POSITION)
    found = places(row([(1, 1), (1, 1)], first=[True, False]))
    np.testing.assert_allclose(found, [0, 2])  # a reset is no visit
    found = places(row([(1, 1), (1, 2)]))
    np.testing.assert_allclose(found, [2 / 2**0.5, 2])
    np.testing.assert_allclose(places(row([(1, 1), (1, 1)])), [2 / 3**0.5, 1])
    assert len(places) == 2


def test_observations_are_told_apart_by_all_their_numbers():
    places = VisitCounts(ObservationBonus(), {})
    obs = np.array([[0, 0, 1], [0, 0, 2]], np.float32)
    np.testing.assert_allclose(places(row([(0, 0), (0, 0)], obs=obs)), [1, 1])
    np.testing.assert_allclose(places(row([(0, 0), (0, 0)], obs=obs)), [0.5**0.5] * 2)


def test_environments_without_a_position_are_refused():
    with pytest.raises(
        ConfigError, match=r"do not say where their agent is .* --bonus observation"
    ):
        VisitCounts(PositionBonus(), {})


def test_state_goes_on():
    one = VisitCounts(PositionBonus(), POSITION)
    one(row([(1, 1), (1, 2)]))
    two = VisitCounts(PositionBonus(), POSITION)
    two.load(one.state())
    np.testing.assert_allclose(two(row([(1, 2), (3, 3)])), [0.5**0.5, 1])
    empty = VisitCounts(NoBonus(), {})
    empty.load(VisitCounts(NoBonus(), {}).state())
    assert len(empty) == 0


def test_equal_to_minigrids_position_bonus():
    wrappers = pytest.importorskip("minigrid.wrappers")
    reference = wrappers.PositionBonus(gymnasium.make("MiniGrid-Empty-5x5-v0"))
    places = VisitCounts(PositionBonus(), POSITION)
    rng = np.random.default_rng(0)
    make_one = maker("minigrid_empty_5x5", EnvConfig(size=20, view="full"))
    with Vector(make_one, num=1, seed=0, parallel=False) as envs:
        assert envs.log_specs["position"].shape == (2,)
        assert "position" not in envs.obs_specs
        action = {"action": np.zeros(1, np.int32)}
        for _ in range(300):
            envs.send(action)
            step = envs.recv()
            bonus = places(step)
            if step.is_first[0]:
                reference.reset(seed=0)
            else:
                _, reward, *_ = reference.step(int(action["action"][0]))
                assert step.reward[0] + bonus[0] == pytest.approx(reward)
            action = {"action": rng.integers(0, 3, 1).astype(np.int32)}
    assert len(places) > 4


class Corridor(gymnasium.Env):
    """Seven cells in a row; the first numbers of CartPole's observation space are the cell."""

    def __init__(self):
        cell = spaces.Discrete(7)
        shown = spaces.Box(-np.inf, np.inf, (4,), np.float32)
        far = spaces.Box(0, 6, (), np.float32)
        parts = {"vector": shown, "log/position": cell, "log/farthest": far}
        self.observation_space = spaces.Dict(parts)
        self.action_space = spaces.Discrete(2)
        self.cell = self.count = 0

    def _show(self):
        vector = np.array([self.cell, 0, 0, 0], np.float32)
        far = np.float32(self.cell)
        return {"vector": vector, "log/position": self.cell, "log/farthest": far}

    def reset(self, *, seed=None, options=None):
        self.cell = self.count = 0
        return self._show(), {}

    def step(self, action):
        self.count += 1
        self.cell = int(np.clip(self.cell + (1 if action else -1), 0, 6))
        return self._show(), 0.0, False, self.count == 11, {}


def learn(logdir, **changes):
    edits = {**TINY, "device.precision": "f32", "bonus": "position", **changes}
    return reverie.train(Corridor, logdir=logdir, size="debug", overrides=edits)


def test_a_run_with_the_bonus_resumes_exactly(tmp_path):
    whole = learn(tmp_path / "whole")
    learn(tmp_path / "parts", steps=120)
    parts = learn(tmp_path / "parts")
    for name, value in newest(whole)["learner"]["state"].items():
        np.testing.assert_array_equal(value, newest(parts)["learner"]["state"][name], err_msg=name)
    counts = [newest(path)["places"]["counts"] for path in (whole, parts)]
    np.testing.assert_array_equal(*counts)
    rows = metrics(whole)
    last = [row for row in rows if "explore/places" in row][-1]
    assert last["explore/places"] == len(counts[0])
    # A position counts once for every row that is not the first of its episode.
    begun = 2 * -(-120 // 12)
    assert counts[0].sum() == 240 - begun
    returns = [row for row in rows if "episode/return" in row]
    assert all(row["episode/return"] == 0 for row in returns)
    assert all(0 <= row["episode/log/farthest"] <= 6 for row in returns)
    assert max(row["episode/log/farthest"] for row in returns) > 1
