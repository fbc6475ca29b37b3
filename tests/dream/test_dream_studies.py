"""What if, how far and how honest: computed again by single dreams."""

import numpy as np
import pytest

from reverie.dream import calibration, drift, what_if
from reverie.dream.errors import DreamError
from reverie.dream.session import Session


def test_every_class_is_tried(session):
    options = what_if.counterfactuals(session, 2, steps=3)
    assert [option.action["action"].tolist() for option in options] == [[0], [1], [2]]
    assert [option.name for option in options] == ["action 0", "action 1", "action 2"]
    assert all(option.shown["image"].shape == (16, 16, 3) for option in options)
    again = what_if.counterfactuals(session, 2, steps=1)
    assert [o.value for o in again] == [o.value for o in options]  # of the next step in any case
    assert len({option.value for option in options}) == 3


def test_the_value_of_an_action_is_reward_and_what_the_critic_expects(session):
    config = session.inspector.loaded.config
    option = what_if.counterfactuals(session, 2)[1]
    said = option.after  # of one sample
    assert config.behavior.contdisc and not config.behavior.own_reward
    worth = what_if.worth(said, config)
    assert worth == pytest.approx(said.reward + said.cont * said.value)
    assert abs(worth - option.value) <= 6 * option.spread + 1e-6


@pytest.mark.slow
def test_a_grid_of_two_numbers_or_a_line_of_one(arm_inspector):
    session = Session(arm_inspector)
    session.open("replay", 0)
    options = what_if.counterfactuals(session, 1, components=("action[2]", "action[0]"))
    assert len(options) == 25 and options[7].place == (1, 2)
    assert options[7].action["action"][[2, 0]].tolist() == [-0.5, 0.0]
    assert len({float(option.action["action"][1]) for option in options}) == 1
    assert len(what_if.counterfactuals(session, 1, components=("action[1]",))) == 9
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
