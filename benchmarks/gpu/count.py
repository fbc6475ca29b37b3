"""Launches of an update, counted without a GPU: the cases of the table, and the table.

    python benchmarks/gpu/count.py                    the table of README.md from what is counted
    python benchmarks/gpu/count.py --missing [WORD]   count first what has no file yet
    python benchmarks/gpu/count.py --again [WORD]     count it although it has one

WORD chooses cases by a part of their name. One process each, `launches/GPU-SIZE-OBS-SEEDS.json`;
some minutes of one core each, and the compiler of `reverie[cuda]`.
"""

import argparse
import itertools
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
COUNTED = HERE / "launches"
SIZES = ("1m", "12m", "25m", "50m", "100m", "200m", "400m")
OBS = {"vector": "vectors", "image": "pictures"}
GPUS = ("h200", "a100", "l4", "rtx4090")

CASES = (
    *itertools.product(("h200",), SIZES, OBS, (1,)),
    ("h200", "1m", "vector", 8),
    *itertools.product(GPUS[1:], SIZES[:2], OBS, (1,)),
)
"""GPU, size, observations and seeds."""

QUICK = "--xla_gpu_disable_gpuasm_optimizations=true --xla_llvm_disable_expensive_passes=true"
"""Machine code that nobody runs need not be good; it changes no launch."""

HEAD = "| program | launches | loops: trips x launches of a trip | estimate ms | temporaries MB |\n"
PLACE = re.compile(r"(<!-- counted -->\n).*(<!-- end -->\n)", re.DOTALL)


def main() -> None:
    """Count what is asked for, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--missing", nargs="?", const="", metavar="WORD")
    parser.add_argument("--again", nargs="?", const="", metavar="WORD")
    given = parser.parse_args()
    for case in CASES:
        missing = given.missing is not None and given.missing in name(case)
        again = given.again is not None and given.again in name(case)
        if again or (missing and not file(case).is_file()):
            count(case)
    page = HERE / "README.md"
    page.write_text(PLACE.sub(lambda found: found[1] + table() + found[2], page.read_text()))


def name(case: tuple[str, str, str, int]) -> str:
    """`h200-1m-vector-8`."""
    return "-".join(map(str, case))


def file(case: tuple[str, str, str, int]) -> Path:
    """Where its count is."""
    return COUNTED / f"{name(case)}.json"


def count(case: tuple[str, str, str, int]) -> None:
    """One case in a process of its own."""
    gpu, size, obs, seeds = case
    words = ["bench", "launches", "--gpu", gpu, "--size", size, "--obs", obs]
    subprocess.run(
        [*(sys.executable, "-m", "reverie", *words), "--seeds", str(seeds), "--json", file(case)],
        env={**os.environ, "JAX_PLATFORMS": "cpu", "XLA_FLAGS": QUICK},
        check=True,
    )


def table() -> str:
    """Markdown: recorded facts of the past, then what is counted of today's code."""
    rows = [
        f"| {old['program']} | {old['launches']:,} | {old['loops']} | | |\n"
        for old in json.loads((HERE / "recorded.json").read_text())
    ]
    rows += [row for case in CASES if file(case).is_file() for row in told(case)]
    return f"{HEAD}|---|---|---|---|---|\n{''.join(rows)}"


def told(case: tuple[str, str, str, int]) -> Iterator[str]:
    """The row of one case."""
    gpu, size, obs, seeds = case
    title = f"{size} {OBS[obs]}" + (f", {seeds} seeds at once" if seeds > 1 else "")
    for found in json.loads(file(case).read_text())["updates"].values():
        numbers = f"**{found['launches']:,}** | {loops(found)} | {estimates(found)}"
        yield f"| {gpu.upper()}, {title} | {numbers} | {found['temporaries_mb']:,.0f} |\n"


def loops(found: dict[str, Any]) -> str:
    """The loops of a program, those with most launches first."""
    known = sorted(found["loops"], key=lambda loop: -loop["trips"] * loop["launches"])
    return ", ".join(f"{loop['trips']}x{loop['launches']}" for loop in known[:5])


def estimates(found: dict[str, Any]) -> str:
    """What bounds an update, milliseconds."""
    return ", ".join(f"{what} {value:.1f}" for what, value in found["estimate_ms"].items())


if __name__ == "__main__":
    main()
