"""A run that measures the units of its observation's numbers before it learns."""

import numpy as np
import pytest
from tiny_runs import learn, metrics, newest

from reverie.envs.probes import Memory


class Faint(Memory):
    """`left` in millionths."""

    def _show(self, shade):
        shown = super()._show(shade)
        return shown | {"left": shown["left"] * np.float32(1e-6)}


def faint():
    return Faint()


CHANGES = {"world.encoder.standardize": True, "steps": 120}
PLACE = "agent.world.encoder.standard"


@pytest.fixture(scope="module")
def run(tmp_path_factory, cache):
    return learn(faint, tmp_path_factory.mktemp("run") / "a", CHANGES)


def units(run):
    state = newest(run)["learner"]["state"]
    return state[f"{PLACE}.center.left"], state[f"{PLACE}.spread.left"]


def test_units_are_those_of_the_rows_before_the_first_update(run):
    center, spread = units(run)
    assert center.shape == Memory().observation_space["left"].shape
    # `left` counts the steps of an episode down evenly: its mean lies inside.
    assert 0 < float(center.ravel()[0]) < 1e-6
    assert 0.1e-6 < float(spread.ravel()[0]) < 0.6e-6


def test_learning_does_not_move_them_and_a_resumed_run_keeps_them(run, tmp_path):
    learn(faint, tmp_path, {**CHANGES, "steps": 60})
    before = units(tmp_path)
    learn(faint, tmp_path, CHANGES)
    for a, b, c in zip(before, units(tmp_path), units(run), strict=True):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(a, c)
    one, two = (newest(folder)["learner"]["state"] for folder in (run, tmp_path))
    assert all((one[name] == two[name]).all() for name in one)


def test_dreams_are_shown_in_the_environments_own_units(run):
    name = next((run / "videos").glob("openloop-*.npz"))
    shown = np.load(name)
    assert shown["truth"].min() >= 0.0 and shown["truth"].max() == np.float32(1e-6)
    center, spread = (float(unit.ravel()[0]) for unit in units(run))
    # So early the standardised guess is near 0, so the shown one is the mean.
    assert np.abs(shown["prediction"] - center).max() < 2 * spread
    assert any("explained/left" in row for row in metrics(run))
