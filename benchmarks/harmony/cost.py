"""What balancing adds to an update: both learners by turns, as `reverie bench update` times them.

python benchmarks/harmony/cost.py OUT.json [SIZE OBS] [REPEATS]
"""

import json
import sys
from pathlib import Path

import jax

from reverie.bench.case import cases
from reverie.bench.timing import by_turns, median
from reverie.bench.update import prepare

BALANCES = ("fixed", "harmony")


def main(out: str, size: str = "1m", obs: str = "vector", repeats: str = "15") -> None:
    """Times an update without and with harmony, and writes medians and their ratio."""
    jax.config.update("jax_enable_compilation_cache", False)
    subjects = {
        kind: prepare(cases([size], [obs], ["f32"], {"world.balance": kind})[0])
        for kind in BALANCES
    }
    samples = by_turns({k: s.contender for k, s in subjects.items()}, int(repeats))
    found: dict = {"size": size, "obs": obs, "precision": "f32", "repeats": int(repeats)}
    for kind, subject in subjects.items():
        found[kind] = {
            "wall_ms": round(1e3 * median(s.wall for s in samples[kind]), 3),
            "cpu_ms": round(1e3 * median(s.cpu for s in samples[kind]), 3),
            "flops": subject.flops,
            "params": subject.params,
        }
    pairs = list(zip(samples["fixed"], samples["harmony"], strict=True))
    found["wall_ratio"] = round(median(b.wall / a.wall for a, b in pairs), 4)
    found["cpu_ratio"] = round(median(b.cpu / a.cpu for a, b in pairs), 4)
    Path(out).write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
