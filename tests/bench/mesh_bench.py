"""`bench update --mesh` on eight CPU devices, and what they exchanged: `python mesh_bench.py MESH
FOLDER`.

A process of its own, because JAX asks once how many devices there are. It writes FOLDER/costs.json,
the benchmark's own numbers, which follow from the program's text, and FOLDER/traced.json: how often
each collective ran in an update that was traced, with the bytes that the program gives its result.
"""

import json
import math
import re
import sys
from collections import Counter
from pathlib import Path

import jax

from reverie.bench import update
from reverie.bench.options import UpdateOptions
from reverie.bench.profile import CALLS, newest_trace

CHANGES = ("train.batch=8", "train.length=4", "behavior.imagine=2")
LINE = re.compile(r"%(\S+) = (.+?) (?:all-reduce|all-gather|all-to-all|collective-permute)\(")
EVENT = re.compile(r"(all-reduce|all-gather|all-to-all|collective-permute)(\.\d+)*")
ARRAY = re.compile(r"\b(f32|s32|u32|bf16|pred|u8)\[([\d,]*)\]")
ITEM = {"f32": 4, "s32": 4, "u32": 4, "bf16": 2, "pred": 1, "u8": 1}


def nbytes(types: str) -> int:
    """Of all arrays that a type names."""
    found = ((kind, filter(None, shape.split(","))) for kind, shape in ARRAY.findall(types))
    return sum(ITEM[kind] * math.prod(map(int, shape)) for kind, shape in found)


def runs(folder: Path) -> Counter[str]:
    """How often the devices ran each instruction in all traced updates together."""
    lines = (line for plane in newest_trace(folder).planes for line in plane.lines)
    return Counter(event.name for line in lines for event in line.events)


def exchanged(text: str, ran: Counter[str]) -> dict[str, dict[str, float]]:
    """Times and bytes of the collectives that a device ran in one update, by kind."""
    types, found = dict(LINE.findall(text)), dict[str, dict[str, float]]()
    for name, count in ran.items():
        if event := EVENT.fullmatch(name):
            times = count / CALLS / len(jax.devices())
            row = found.setdefault(event[1], {"times": 0, "nbytes": 0})
            row["times"] += times
            row["nbytes"] += times * nbytes(types[name])
    return found


def main(mesh: str, folder: Path) -> None:
    texts: list[str] = []
    count = update.count_launches

    def seen(text: str):
        texts.append(text)
        return count(text)

    update.count_launches = seen
    made = {"json": str(folder / "costs.json"), "profile": str(folder / "profile")}
    update.run(UpdateOptions(("debug",), ("vector",), mesh=mesh, repeats=2, set=CHANGES, **made))
    (text,) = texts
    ran = runs(folder / "profile" / f"debug-vector-f32-{mesh}")
    found = {"devices": len(jax.devices()), "collectives": exchanged(text, ran)}
    (folder / "traced.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
