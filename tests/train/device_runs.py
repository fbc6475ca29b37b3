"""Runs of seconds on the loop of the device, and what must be alike of two of them."""

import numpy as np
import pytest
from tiny_runs import flat, metrics, newest, tiny

from reverie import Callback
from reverie.train import loop

TASK = "gymnax_cart_pole"
CHANGES = {
    "steps": 160,
    "train.prefill": 10,
    "train.pretrain": 3,
    "train.eval_every": 80,
    "replay.capacity": 60,
    "optim.lr": 4e-5,
    "optim.warmup": 1000,
    "behavior.horizon": 333,
    "world.encoder.standardize": False,
}
"""Random actions until an episode ends, a ring so small that drawn rows go before they are written
back, and published settings: of quick steps the rounding of two programs does not stay rounding."""


class StopAt(Callback):
    """Stops a run at a step."""

    def __init__(self, step):
        self.step = step

    def on_metrics(self, record, control):
        if record.step >= self.step:
            control.stop("enough")


class Heard(Callback):
    """Keeps every step that it is told of."""

    def __init__(self):
        self.steps = []

    def on_step(self, record, control):
        self.steps.append((record.step, record.obs["vector"], record.reward, record.action))


def kept_rows(patch):
    """The columns of the replay of every run, as it ends: by its folder."""
    columns, close = {}, loop.Run.close

    def keep(run):
        store = run.replay.inside.store
        columns[run.logdir] = {k: v.copy() for k, v in store.arrays.items()}
        close(run)

    patch.setattr(loop.Run, "close", keep)
    return columns


def learned(logdir, how, changes=None, **options):
    """A run on the loop `how`: its folder, and the columns of its replay at the end."""
    config = tiny(TASK, logdir, {**CHANGES, "train.loop": how, **(changes or {})})
    with pytest.MonkeyPatch.context() as patch:
        columns = kept_rows(patch)
        logdir = loop.train(config, **options)
    return logdir, columns[logdir]


OWN = ("/learner", "/actor/carry", "/envs", "/replay/sampler/scores")
"""Parts of a checkpoint that programs round differently in the last bits."""


def assert_moved_alike(one, other):
    """Weights differ by a tenth at most of what one update moves: even those that hardly move."""
    weights = [name.removeprefix("/learner/newest") for name in one if "/learner/newest" in name]

    def length(run, part, another, base):
        both = ((run[f"{part}{name}"], another[f"{base}{name}"]) for name in weights)
        return np.sqrt(sum(np.square(np.float64(a) - b).sum() for a, b in both))

    moved = length(one, "/learner/newest", one, "/learner/acting")
    assert moved > 0
    for part in ("/learner/newest", "/learner/acting"):
        assert length(one, part, other, part) < 0.1 * moved, part


def assert_alike(one, other):
    """Metrics, counters, parameters, latents and rows of two runs, up to rounding in float32."""
    (one, rows), (other, others) = one, other
    for mine, theirs in zip(metrics(one), metrics(other), strict=True):
        assert mine == pytest.approx(theirs, rel=1e-3, abs=1e-4, nan_ok=True)
    first, second = flat(newest(one)), flat(newest(other))
    drop = ("/replay/files", "/envs/envs/", "/callbacks")
    names = {name for name in first if not name.startswith(drop)}
    assert names == {name for name in second if not name.startswith(drop)}
    for name in names:
        if first[name] is None or not name.startswith(OWN):
            np.testing.assert_array_equal(first[name], second[name], err_msg=name)
        elif not name.startswith("/learner/state/opt_state"):
            np.testing.assert_allclose(first[name], second[name], rtol=1e-3, atol=1e-4)
    assert_moved_alike(first, second)
    for name, column in rows.items():
        near = 1e-3 if name.startswith(("obs/", "latent/deter", "score/")) else 0.0
        theirs = np.float32(others[name])
        np.testing.assert_allclose(np.float32(column), theirs, rtol=near, atol=near, err_msg=name)
