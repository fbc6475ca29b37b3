"""Updates of two processes, each with its half of a batch, beside those of one device that has all
of it: `python mesh_halves.py HOST:PORT PROCESS`.

It prints the largest differences as one JSON object, relative to the norm of each array.
"""

import json
import sys

import jax
import numpy as np
from mesh_updates import CASE, history, learn, learner_on, whole, worst

from reverie.config.run import DeviceConfig
from reverie.machine import cluster

MESH = "data=8"


def halved(tree, process: int):
    """The rows (B, …) of this process."""
    half = CASE.config.train.batch // 2
    return jax.tree.map(lambda x: np.asarray(x)[process * half : (process + 1) * half], tree)


def main(address: str, process: int) -> None:
    met = {"mesh": MESH, "coordinator": address, "processes": 2, "process": process}
    cluster.join(DeviceConfig(**met))
    alone, together = learner_on(""), learner_on(MESH)
    all_of_it = learn(alone)
    half = learn(together, lambda seed: halved(whole(seed), process))
    one, two = alone.state(), together.state()
    mine = [(metrics, halved(columns, process)) for metrics, columns in all_of_it]
    report = {
        "devices": len(jax.devices()),
        "here": len(jax.local_devices()),
        "state": worst(one["state"], two["state"]),
        "acting": worst(one["newest"], two["newest"]),
        "metrics": worst(history(mine, 0), history(half, 0)),
        "written": worst(history(mine, 1), history(half, 1)),
    }
    sys.stdout.write(json.dumps(report) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
