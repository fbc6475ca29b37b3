"""Updates of two processes, each with its half of a batch, beside those of one device that has all
of it: `python mesh_halves.py HOST:PORT PROCESS`.

It prints the largest differences as one JSON object, relative to the norm of each array.
"""

import json
import sys

import jax
import numpy as np
from mesh_updates import CASE, UPDATES, largest, learner_on, worst

from reverie.bench.case import random_rows
from reverie.config.run import DeviceConfig
from reverie.machine import cluster
from reverie.train.learner import Learner

MESH = "data=8"


def halved(tree, process: int):
    """The rows (B, …) of this process."""
    half = CASE.config.train.batch // 2
    return jax.tree.map(lambda x: np.asarray(x)[process * half : (process + 1) * half], tree)


def learn(learner: Learner, process: int | None = None) -> list:
    """What each update gave, on the rows of `process`; None: on all of them."""

    def rows(seed: int):
        whole = random_rows(CASE, seed)
        return whole if process is None else halved(whole, process)

    learner.compile(learner._place.batch(rows(0)))
    found = []
    for seed in range(UPDATES):
        finished = learner.update(rows(seed), (0, 0))
        found += [learner.fetch(finished[1])] if finished else []
    assert learner.pending is not None
    return [*found, learner.fetch(learner.pending[1])]


def main(address: str, process: int) -> None:
    met = {"mesh": MESH, "coordinator": address, "processes": 2, "process": process}
    cluster.join(DeviceConfig(**met))
    alone, together = learner_on(""), learner_on(MESH)
    whole, half = learn(alone), learn(together, process)
    one, two = alone.state(), together.state()
    pairs = list(zip(whole, half, strict=True))
    report = {
        "devices": len(jax.devices()),
        "here": len(jax.local_devices()),
        "state": worst(one["state"], two["state"]),
        "acting": worst(one["newest"], two["newest"]),
        "metrics": largest(worst(a[0], b[0]) for a, b in pairs),
        "written": largest(worst(halved(a[1], process), b[1]) for a, b in pairs),
    }
    sys.stdout.write(json.dumps(report) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
