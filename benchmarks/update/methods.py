"""What methods add to an update: all learners by turns, as `reverie bench update` times them.

python benchmarks/update/methods.py OUT.json [SIZE OBS] [REPEATS]

`explorer` is Plan2Explore with an ensemble too small to cost anything: what its second actor and
critic add. The ensemble's own cost is the difference between it and `plan2explore`.
"""

import json
import sys
from pathlib import Path

import jax

from reverie.bench.case import cases
from reverie.bench.timing import by_turns, median
from reverie.bench.update import prepare

METHODS = {
    "plain": {},
    "harmony": {"world.balance": "harmony"},
    "uncertainty": {"replay.draw": "proportional", "replay.signal": "kl"},
    "explorer": {"explore": "plan2explore", "explore.heads": 2, "explore.units": 1},
    "plan2explore": {"explore": "plan2explore"},
}


def main(out: str, size: str = "1m", obs: str = "vector", repeats: str = "11") -> None:
    """Times an update with each method, and writes medians and their ratios to the plain one."""
    jax.config.update("jax_enable_compilation_cache", False)
    subjects = {
        name: prepare(cases([size], [obs], ["f32"], changes)[0])
        for name, changes in METHODS.items()
    }
    samples = by_turns({k: s.contender for k, s in subjects.items()}, int(repeats))
    found: dict = {"size": size, "obs": obs, "precision": "f32", "repeats": int(repeats)}
    for name, subject in subjects.items():
        pairs = list(zip(samples["plain"], samples[name], strict=True))
        found[name] = {
            "wall_ms": round(1e3 * median(s.wall for s in samples[name]), 2),
            "cpu_ms": round(1e3 * median(s.cpu for s in samples[name]), 2),
            "wall_ratio": round(median(b.wall / a.wall for a, b in pairs), 3),
            "cpu_ratio": round(median(b.cpu / a.cpu for a, b in pairs), 3),
            "flops": subject.flops,
            "params": subject.params,
        }
    Path(out).write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
