"""What if, how far and how honest: computed again by single dreams."""

import jax
import numpy as np
import pytest

from reverie.dream import calibration, drift, what_if
from reverie.dream.action import controls
from reverie.dream.errors import DreamError
from reverie.dream.session import Session
from reverie.records import Spec


def test_every_class_is_tried(session):
    options, note = what_if.counterfactuals(session, 2, steps=3)
    assert note == ""
    assert [option.action["action"].tolist() for option in options] == [[0], [1], [2]]
    assert [option.name for option in options] == ["action 0", "action 1", "action 2"]
    assert all(option.shown["image"].shape == (16, 16, 3) for option in options)
    again = what_if.counterfactuals(session, 2, steps=1).options
    assert [o.value for o in again] == [o.value for o in options]  # of the next step in any case
    assert len({option.value for option in options}) == 3


def test_classes_are_tried_beside_numbers(gears_inspector):
    """Where an action has both: all classes with the policy's number, then the number in steps."""
    session = Session(gears_inspector)
    session.open("replay", 0)
    options, note = what_if.counterfactuals(session, 1)
    assert note == "" and [option.place for option in options[:7]] == [()] * 6 + [(0,)]
    gears = [option.action["gear"].tolist() for option in options[:6]]
    assert gears == [[a, b] for a in range(2) for b in range(3)]
    assert len({float(option.action["turn"][0]) for option in options[:6]}) == 1
    assert [float(o.action["turn"][0]) for o in options[6:]] == np.linspace(-1, 1, 9).tolist()
    assert len({tuple(option.action["gear"]) for option in options[6:]}) == 1


def test_too_many_classes_are_said():
    """Of 200 those that the policy finds likeliest; of combinations each class alone."""
    many = controls({"action": Spec("discrete", (), (200,))}, "custom:test")
    mode = {"action": np.zeros(1, np.int32)}
    weights = np.arange(200.0)
    options, note = what_if.likely_classes(many, mode, {"action": weights})
    assert [int(option["action"][0]) for option in options] == list(range(136, 200))
    assert note == "Of 200 classes the 64 are tried that the policy finds likeliest."
    several = controls({"action": Spec("discrete", (3,), (9, 9, 9))}, "custom:test")
    mode = {"action": np.array([4, 5, 6], np.int32)}
    options, note = what_if.likely_classes(several, mode, {"action": np.zeros(27)})
    assert len(options) == 27 and options[0]["action"].tolist() == [0, 5, 6]
    assert options[-1]["action"].tolist() == [4, 5, 8]
    assert note.startswith("There are 729 combinations of classes: each class is tried alone")


def test_the_value_of_an_action_is_reward_and_what_the_critic_expects(session):
    config = session.inspector.loaded.config
    option = what_if.counterfactuals(session, 2).options[1]
    said = option.after  # of one sample
    assert config.behavior.contdisc and not config.behavior.own_reward
    worth = what_if.worth(said, config)
    assert worth == pytest.approx(said.reward + said.cont * said.value)
    assert abs(worth - option.value) <= 6 * option.spread + 1e-6


@pytest.mark.slow
def test_a_grid_of_two_numbers_or_a_line_of_one(arm_inspector):
    session = Session(arm_inspector)
    session.open("replay", 0)
    options = what_if.counterfactuals(session, 1, components=("action[2]", "action[0]")).options
    assert len(options) == 25 and options[7].place == (1, 2)
    assert options[7].action["action"][[2, 0]].tolist() == [-0.5, 0.0]
    assert len({float(option.action["action"][1]) for option in options}) == 1
    assert len(what_if.counterfactuals(session, 1, components=("action[1]",)).options) == 9
    with pytest.raises(DreamError, match=r"no component 'action\[3\]'; did you mean"):
        what_if.counterfactuals(session, 1, components=("action[3]",))


@pytest.mark.slow
def test_without_a_decoder_the_nearest_stored_observation_is_shown(arm_inspector):
    """At an observed state that is the observation itself."""
    session = Session(arm_inspector)
    seen = session.open("replay", 0)
    (key,) = arm_inspector.observations
    assert not arm_inspector.decodes and arm_inspector.disagrees
    shown = arm_inspector.look(seen.states, seen.said.feature, seen)
    np.testing.assert_array_equal(shown[key], seen.episode.obs[key])
    branch = session.branch(2)
    (row,), _ = session.act(branch.number, "sampled")
    stored = np.concatenate([k.episode.obs[key] for k in arm_inspector.stored()])
    assert (row.shown[key] == stored).all(1).any()
    assert np.isfinite(row.said.disagreement)


def test_drift_compares_dreams_with_the_rows_that_followed(session):
    seen, row, horizon = session.observed, 1, 4
    found = drift.drift(session, row, horizon=horizon, samples=8)
    real = seen.episode.obs["image"][row + 1 : row + 1 + horizon].astype(float)
    still = np.abs(seen.episode.obs["image"][row] - real).mean((1, 2, 3))
    np.testing.assert_allclose(found.still["image"], still, rtol=1e-5)
    looked = [
        np.abs(seen.shown(at)["image"] - real[at - row - 1]).mean()
        for at in range(row + 1, row + 1 + horizon)
    ]
    np.testing.assert_allclose(found.looked["image"], looked, rtol=1e-5)
    assert found.error["image"].shape == (horizon, 3)
    assert (np.diff(found.error["image"], axis=1) >= 0).all()
    np.testing.assert_allclose(found.true_reward, seen.episode.reward[row + 1 : row + 1 + horizon])
    with pytest.raises(DreamError, match="no row follows row"):
        drift.drift(session, seen.episode.rows - 1)
    with pytest.raises(DreamError, match="horizon is 17, expected 1"):
        drift.drift(session, 0, horizon=17)


def test_drift_of_a_branch_begins_in_its_row(session):
    """Where a branch begins it is that of the episode; along the recorded actions that of its own
    dream; behind other actions nobody knows what followed."""
    seen, branch = session.observed, session.branch(2)
    for found, same in zip(
        drift.drift(session, 0, branch.number, samples=4),
        drift.drift(session, 2, samples=4),
        strict=True,
    ):
        for mine, theirs in zip(jax.tree.leaves(found), jax.tree.leaves(same), strict=True):
            np.testing.assert_array_equal(mine, theirs)
    session.act(branch.number, "recorded", steps=2)
    later = drift.drift(session, 2, branch.number, horizon=3, samples=4)
    np.testing.assert_allclose(later.true_reward, seen.episode.reward[5:8])
    looked = drift.drift(session, 4, horizon=3, samples=4)
    np.testing.assert_array_equal(later.still["image"], looked.still["image"])
    assert (later.error["image"] != looked.error["image"]).any()
    other = (int(seen.episode.action["action"][4][0]) + 1) % 3
    session.act(branch.number, "given", action={"action": other})
    with pytest.raises(DreamError, match="which branch 1 has left before this row: ask it of row"):
        drift.drift(session, 3, branch.number)
    with pytest.raises(DreamError, match=r"branch 1 has the rows 0 \.\.\. 3, found 9"):
        drift.drift(session, 9, branch.number)


def test_calibration_counts_every_dreamed_row_once(session):
    bins = calibration.calibration(session)
    rows = 0
    for seen in {id(s): s for s in (session.observed, *session.inspector.stored())}.values():
        rows += seen.episode.rows - 1
    assert sum(part.count for part in bins["reward"]) == rows
    assert sum(part.count for part in bins["cont"]) == rows
    assert all(0 <= part.true <= 1 for part in bins["reward"])
    predicted = [part.predicted for part in bins["reward"]]
    assert predicted == sorted(predicted)


def test_classes_are_as_far_as_many_of_them_are_wrong():
    real, none = np.array([[0, 2], [1, 1]], np.int32), np.ones(2, np.float32)
    dreamed = np.array([[0, 1], [1, 1]], np.int32)
    assert drift.distance(dreamed, real, none).tolist() == [0.5, 0.0]
