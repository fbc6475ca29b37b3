"""How long a live report takes to refresh: runs of many rows that all grow between two looks.

    python benchmarks/report/refresh.py --runs 10 --rows 100000

Writes runs into a temporary folder, reads them all once, then appends lines to every run and asks
as a page with every section opened does. CPU seconds are those of this process; wall time counts
what a person waits for.
"""

import argparse
import gzip
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from reverie.config import edit
from reverie.config.presets import resolve
from reverie.live.feed import FRESH, Feed
from reverie.report.page import live

METRICS = 30
APPENDED = 20


def lines(first: int, count: int, seed: int) -> str:
    """Lines of metrics: an episode and an interval's means in each."""
    draw = np.random.default_rng((seed, first))
    values = draw.normal(size=(count, METRICS)).round(6)
    rows = []
    for k, row in enumerate(values, first):
        names = {f"loss/part{i}": value for i, value in enumerate(row.tolist())}
        told = {"step": 10 * k, "episode/return": k % 977 * 1.0, "train/updates": 2 * k}
        rows.append(json.dumps(told | {"time/seconds": 0.1 * k, "time/steps_per_s": 100.0} | names))
    return "\n".join(rows) + "\n"


def make(folder: Path, rows: int, seed: int) -> Path:
    """A run of so many rows."""
    folder.mkdir(parents=True)
    config = resolve("gym:CartPole-v1", size="1m", overrides={"seed": seed})
    head = {"config": edit.to_json(config), "versions": {}, "command": ""}
    (folder / "config.json").write_text(json.dumps(head))
    with (folder / "metrics.jsonl").open("w") as file:
        for first in range(0, rows, 10_000):
            file.write(lines(first, min(10_000, rows - first), seed))
    return folder


def sent(data: bytes) -> int:
    """Bytes on the wire: the server packs what it answers."""
    return len(gzip.compress(data, 1))


def main() -> None:
    """Measure, and write what was found."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--looks", type=int, default=10)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        runs = [make(Path(folder) / f"run-{k}", asked.rows, k) for k in range(asked.runs)]
        feed = Feed(runs, lambda number, name: f"/media/{number}/{name}")
        looks, answer = [], feed.answer({})
        begin = time.process_time()
        while answer["behind"]:
            time.sleep(FRESH)
            answer = feed.answer({"epoch": answer["epoch"], "since": answer["version"]})
        first = time.process_time() - begin
        whole = json.dumps(feed.answer({})).encode()
        opened = [f"loss/part{i}" for i in range(METRICS)] + ["time/steps_per_s"]
        for look in range(asked.looks):
            for seed, run in enumerate(runs):
                with (run / "metrics.jsonl").open("a") as file:
                    file.write(lines(asked.rows + APPENDED * look, APPENDED, seed))
            time.sleep(FRESH)
            wall, cpu = time.perf_counter(), time.process_time()
            since = answer["version"]
            known = {"epoch": answer["epoch"], "since": since}
            answer = feed.answer({**known, "opened": dict.fromkeys(opened, since)})
            size = len(json.dumps(answer))
            looks.append((time.perf_counter() - wall, time.process_time() - cpu, size))
    walls, cpus, sizes = zip(*looks, strict=True)
    page = live("nonce").encode()
    found = {
        "runs": asked.runs,
        "rows": asked.rows,
        "page_bytes": len(page),
        "page_sent_bytes": sent(page),
        "first_reading_cpu_s": round(first, 2),
        "first_answer_bytes": len(whole),
        "first_answer_sent_bytes": sent(whole),
        "refresh_wall_s": {
            "median": round(statistics.median(walls), 3),
            "max": round(max(walls), 3),
        },
        "refresh_cpu_s": {"median": round(statistics.median(cpus), 3), "max": round(max(cpus), 3)},
        "refresh_bytes": round(statistics.median(sizes)),
    }
    sys.stdout.write(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
