"""Updates on meshes of eight CPU devices, beside those of one: `python mesh_updates.py MESH ...`.

A process of its own, because JAX asks once how many devices there are. It prints one JSON object:
for each mesh the largest differences, relative to the norm of each array, and what is spread how.
"""

import json
import sys
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from reverie.bench.case import cases, random_rows
from reverie.bench.kernels import count_launches
from reverie.config.edit import apply
from reverie.config.run import DeviceConfig
from reverie.module import named_leaves
from reverie.nn.layers import MLP
from reverie.train import placement
from reverie.train.arrays import to_host
from reverie.train.learner import Learner, Result

UPDATES = 20
placement.LARGE = 16  # the weights of size debug are smaller than what is worth splitting
TINY = {
    "train.batch": 8,
    "train.length": 8,
    "behavior.imagine": 5,
    "behavior.critic.dist": "symlog_twohot",
    "behavior.critic.outscale": 1.0,
    "world.reward.dist": "symlog_twohot",
    "world.reward.outscale": 1.0,
}
"""Heads that predict something: what fresh ones predict, differences of almost equal probabilities
times up to 4.85e8, is rounding, which every program does in its own way."""
CASE = cases(["debug"], ["vector"], ["f32"], TINY, scan="stored")[0]


def learner_on(mesh: str, like: Learner | None = None) -> Learner:
    """A learner; `like`: one whose programs for the start are taken."""
    config = apply(CASE.config, {"device.mesh": mesh})
    return Learner(CASE.obs_specs, CASE.action_specs, config, like=like)


Rows = Callable[[int], dict]
"""The rows that a learner is given, by their seed."""


def whole(seed: int) -> dict:
    """All rows of a batch."""
    return random_rows(CASE, seed)


def learn(learner: Learner, rows: Rows = whole, first: int = 0, updates: int = UPDATES) -> list:
    """What each update gave: metrics and replay's columns."""
    if not learner.names:
        learner.compile(learner._place.batch(rows(0)))
    found = []
    for seed in range(first, first + updates):
        finished = learner.update(rows(seed), (0, 0))
        found += [learner.fetch(finished[1])] if finished else []
    assert learner.pending is not None
    return [*found, learner.fetch(learner.pending[1])]


def difference(one, two) -> float:
    """Norm of the difference by the norm."""
    one, two = np.asarray(one, np.float64), np.asarray(two, np.float64)
    return float(np.linalg.norm(one - two) / max(np.linalg.norm(one), 1e-12))


def largest(numbers) -> float:
    """Of several; not a number where one is none, which `max` may pass over."""
    return float(np.max([*numbers]))


def worst(one: dict, two: dict) -> float:
    return largest(difference(one[name], two[name]) for name in one)


def history(found: list[tuple[dict, dict]], part: int) -> dict:
    """Metrics (0) or replay's columns (1) of all updates, each as one array: the mean of numbers of
    both signs may be near 0 in one update, but not in all."""
    return {name: np.stack([given[part][name] for given in found]) for name in found[0][part]}


def moved(saved: dict, mesh: str, twin: Learner) -> dict:
    """A checkpoint's learner, put on another mesh, that of `twin`, whose program it takes: whether
    it is the same, and goes on."""
    other = learner_on(mesh, like=twin)
    other._step, other.names = twin._step, twin.names
    other.load(saved)
    arrays = to_host(other.train_state)
    same = all(np.array_equal(arrays[name], saved["state"][name]) for name in arrays)
    learn(other, first=UPDATES, updates=1)
    return {"same": same, "after": to_host(other.train_state)}


def exchanged(mesh: str) -> list[str]:
    """What devices exchange for a network's gradient over time and batch, in this order."""
    network = MLP(16, 32, 2, key=jax.random.key(0))

    def step(network: MLP, rows: dict, root: Any, numbers: Any) -> tuple:
        def loss(network: MLP) -> Any:
            return jnp.square(network(rows["x"].swapaxes(0, 1))).sum()

        return jax.grad(loss)(network), root, Result(numbers, rows)

    rows = {"x": jnp.zeros((8, 6, 16))}
    place = placement.placement_of(DeviceConfig(mesh=mesh))
    program = place.jit(step, network).lower(network, rows, jnp.zeros(()), jnp.zeros(())).compile()
    return sorted(count_launches(program.as_text()).collectives)


def main(meshes: list[str]) -> None:
    alone = learner_on("")
    metrics = learn(alone)
    before = alone.state()
    report = {"devices": len(jax.devices()), "exchanged": exchanged("data=8"), "meshes": {}}
    learn(alone, first=UPDATES, updates=1)
    for mesh in meshes:
        learner = learner_on(mesh, like=alone)
        found = learn(learner)
        spread = named_leaves(learner.train_state)
        saved = learner.state()
        back, forth = moved(saved, "", alone), moved(before, mesh, learner)
        report["meshes"][mesh] = {
            "state": worst(before["state"], saved["state"]),
            "acting": worst(before["newest"], saved["newest"]),
            "metrics": worst(history(metrics, 0), history(found, 0)),
            "written": worst(history(metrics, 1), history(found, 1)),
            "split": sum("model" in str(x.sharding.spec) for x in spread.values()),
            "same": back["same"] and forth["same"],
            "after": largest(
                worst(to_host(alone.train_state), there["after"]) for there in (back, forth)
            ),
            "acts_on": sorted(
                {len(x.devices()) for x in jax.tree.leaves((learner.acting, learner.agent))}
            ),
        }
    sys.stdout.write(json.dumps(report))


if __name__ == "__main__":
    main(sys.argv[1:])
