"""Whole tiny runs of DreamerV2, of the 2023 V3, and of Gaussian latents in stored context."""

import numpy as np
import pytest
from tiny_runs import TINY, metrics, newest

from reverie.config.presets import resolve
from reverie.train import loop

VARIANTS = {
    "v2": ("v2", {}),
    "v3-2023": ("v3-2023", {}),
    "v3 gaussian": ("v3", {"world.dynamics.latent": "gaussian"}),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", VARIANTS)
def test_a_run_learns_and_saves(name, tmp_path):
    """Losses and parameters are finite; acting, learning, dreaming and saving go together."""
    agent, changes = VARIANTS[name]
    edits = {**TINY, "device.precision": "f32", **changes, "logdir": str(tmp_path)}
    loop.train(resolve("probe_memory", agent=agent, size="debug", overrides=edits))
    learned = [row for row in metrics(tmp_path) if "loss/total" in row]
    assert {"loss/dyn", "loss/rep", "loss/rew", "loss/con", "loss/policy"} <= set(learned[-1])
    assert all(np.isfinite(row["loss/total"]) for row in learned)
    for key, value in newest(tmp_path)["learner"]["state"].items():
        assert np.isfinite(value).all(), key
