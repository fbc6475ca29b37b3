"""What changes from run to run is no reason to compile the update anew."""

import jax
import numpy as np
import pytest
from tiny_runs import tiny

from reverie.config.edit import apply
from reverie.optim.laprop import LaProp
from reverie.optim.numbers import with_numbers
from reverie.optim.schedule import Linear
from reverie.records import Spec
from reverie.train.columns import columns_of
from reverie.train.learner import Learner

OBS = {"vec": Spec("vector", (3,))}
ACTION = {"action": Spec("discrete", (), (2,))}


def learner_of(changes, tmp_path):
    """A learner whose update is compiled, its configuration, and rows to learn from."""
    config = apply(tiny("probe_memory", tmp_path), {"device.precision": "f32", **changes})
    learner = Learner(OBS, ACTION, config)
    length = config.replay.context + config.train.length
    columns = columns_of(OBS, ACTION, config)
    shape = (config.train.batch, length)
    draw = np.random.default_rng(0)
    rows = {
        name: draw.uniform(0, 1, (*shape, *column.shape)).astype(column.dtype)
        for name, column in columns.items()
    }
    return learner, rows


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"optim.lr": 1e-3}, {"optim.lr": 3e-4}),
        ({"optim": "adam", "optim.world.lr": 1e-3}, {"optim": "adam", "optim.actor.lr": 7e-5}),
    ],
)
def test_another_learning_rate_finds_the_program_of_the_first(before, after, tmp_path, cache):
    folder = tmp_path / "programs"
    try:
        _use(folder)
        moved = []
        for changes in (before, after):
            learner, rows = learner_of(changes, tmp_path)
            start = [np.asarray(leaf) for leaf in jax.tree.leaves(learner.train_state.agent)]
            learner.compile(rows)
            for _ in range(3):
                learner.update(rows, None)
            end = [np.asarray(leaf) for leaf in jax.tree.leaves(learner.train_state.agent)]
            moved.append(sum(np.abs(a - b).sum() for a, b in zip(start, end, strict=True)))
        assert len(list(folder.glob("jit_packed_step-*-cache"))) == 1
        assert moved[0] != moved[1]  # and learns at its own rate
    finally:
        _use(cache)


def _use(folder):
    from jax.experimental.compilation_cache import compilation_cache

    compilation_cache.reset_cache()
    jax.config.update("jax_compilation_cache_dir", str(folder))


def test_what_more_depends_on_stays_a_constant():
    assert LaProp().numbers() == {"lr": 4e-5}
    assert LaProp().numbers(4e-5) == {"lr": 4e-5}
    assert LaProp().numbers(1e-3) == {}  # the sigmas' own rate is a factor of this one
    assert LaProp(schedule=Linear(until=5000)).numbers() == {}


def test_only_the_copy_has_the_numbers(tmp_path):
    config = tiny("probe_memory", tmp_path)
    made = with_numbers(config, {"optim.lr": "traced"})
    assert made.optim.lr == "traced" and config.optim.lr != "traced"
    assert made.world is config.world
