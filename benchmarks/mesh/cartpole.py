"""CartPole by two processes of four CPU devices each, killed and resumed, beside one process.

    python benchmarks/mesh/cartpole.py RUNS [--steps 13000] [--kill 1000] [--compared 600] [--out .]

RUNS/two learns with the quick settings on a mesh of all eight devices, is killed by SIGKILL at the
step that `--kill` says, gets its commands again, and goes on until an evaluation reaches 475 or its
steps are done. RUNS/one learns the first `--compared` steps in one process on one device. Written
are `cartpole.json`, `curve.csv` (evaluations) and `updates.csv` (the loss of both, update by
update). Given again, it goes on from what is in RUNS.
"""

import argparse
import csv
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

THRESHOLD = 475.0
DEVICES = "--xla_force_host_platform_device_count=4"
COMMON = (
    *("--env.num", "2", "--replay.shares", "2", "--train.log_every", "2"),
    *("--train.eval_every", "1000", "--train.eval_episodes", "10", "--train.eval_greedy"),
    *("--train.report_every", "1000000", "--train.save_every", "60"),
    *("--device.kind", "cpu", "--device.precision", "f32", "--device.scan", "recomputed"),
    *("--log.progress", "none", "--log.no-tensorboard"),
)
"""A line for every update: two environments make two steps a turn."""
STOPPED = 128 + signal.SIGTERM
TOLERANCES = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1)


def main() -> None:
    """Both runs, and what came of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=Path)
    parser.add_argument("--steps", type=int, default=13_000)
    parser.add_argument("--kill", type=int, default=1_000)
    parser.add_argument("--compared", type=int, default=600)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    given = parser.parse_args()
    one, two, note = (given.runs / name for name in ("one", "two", "killed.json"))
    if not note.is_file():
        note.write_text(json.dumps(killed(two, given)))
    if newest(one) < given.compared:
        run = start(one, given.seed, ["--steps", str(given.compared)])
        check([run], {0})
    if not done(two):
        learn_together(two, given)
    write(given, two, one, json.loads(note.read_text()))


def start(
    folder: Path, seed: int, more: Sequence[str], variables: dict[str, str] | None = None
) -> subprocess.Popen:
    """One process of a run."""
    words = ["train", "gym:CartPole-v1", "--preset", "quick", "--seed", str(seed)]
    return subprocess.Popen(
        [sys.executable, "-m", "reverie", *words, *COMMON, *more, "--logdir", str(folder)],
        env={**os.environ, **(variables or {})},
    )


def start_both(folder: Path, given: argparse.Namespace) -> list[subprocess.Popen]:
    """Two processes with four devices each, that meet on this machine."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{found.getsockname()[1]}"
    met = ["--device.mesh", "data=8", "--device.coordinator", address, "--device.processes", "2"]
    flags = {"XLA_FLAGS": f"{os.environ.get('XLA_FLAGS', '')} {DEVICES}".strip()}
    return [
        start(
            *(folder, given.seed),
            [*met, "--device.process", str(index), "--steps", str(given.steps)],
            flags,
        )
        for index in range(2)
    ]


def killed(folder: Path, given: argparse.Namespace) -> dict[str, Any]:
    """Start both, and kill both at the step asked for: what they had written by then."""
    begin, both = time.monotonic(), start_both(folder, given)
    wait(both, lambda: newest(folder) >= given.kill)
    for process in both:
        process.kill()
    check(both, {-signal.SIGKILL})
    saved = max(
        int(path.name) for path in (folder / "checkpoints").iterdir() if path.name.isdigit()
    )
    seconds = round(time.monotonic() - begin, 1)
    return {"seconds": seconds, "checkpoint": saved, "lines": lines(folder)}


def learn_together(folder: Path, given: argparse.Namespace) -> None:
    """Give both their commands again, and let them learn until the threshold or the last step."""
    both = start_both(folder, given)
    wait(both, lambda: done(folder))
    if all(process.poll() is None for process in both):
        both[1].send_signal(signal.SIGTERM)  # one hears it, all save and end
    check(both, {0, STOPPED})


def wait(processes: Iterable[subprocess.Popen], reached: Callable[[], bool]) -> None:
    """Return when something is reached, or the processes have ended."""
    while not reached() and all(process.poll() is None for process in processes):
        time.sleep(3)


def check(processes: Iterable[subprocess.Popen], codes: set[int]) -> None:
    """Exits where a process does not end as it should."""
    found = [process.wait() for process in processes]
    if not set(found) <= codes:
        sys.exit(f"expected exit codes {sorted(codes)}, found {found}.")


def lines(folder: Path) -> list[dict[str, Any]]:
    """The whole lines of a run's metrics."""
    path = folder / "metrics.jsonl"
    text = path.read_text() if path.is_file() else ""
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


def newest(folder: Path) -> int:
    """Step of the last line; 0 before the first."""
    return max((line["step"] for line in lines(folder)), default=0)


def evaluations(folder: Path) -> list[tuple[int, float]]:
    """Steps and mean returns."""
    return [(x["step"], x["eval/return"]) for x in lines(folder) if "eval/return" in x]


def done(folder: Path) -> bool:
    """Whether an evaluation has reached the threshold."""
    return any(value >= THRESHOLD for _, value in evaluations(folder))


def losses(rows: Iterable[dict[str, Any]]) -> dict[int, float]:
    """Total loss of each update by its step."""
    return {row["step"]: row["loss/total"] for row in rows if "loss/total" in row}


def computed(row: dict[str, Any]) -> dict[str, Any]:
    """What a line says of the run's numbers, and not of the machine."""
    return {key: value for key, value in row.items() if not key.startswith(("time/", "system/"))}


def repeated(before: Sequence[dict[str, Any]], after: Sequence[dict[str, Any]]) -> dict[str, int]:
    """Lines that were written before the kill and once more after it, and how many are equal."""
    pairs = list(zip(before, after, strict=False))
    return {"lines": len(pairs), "equal": sum(computed(a) == computed(b) for a, b in pairs)}


def agreement(
    two: dict[int, float], one: dict[int, float]
) -> list[tuple[int, float, float, float]]:
    """Step, both losses and their relative difference, for each update that both have."""
    return [
        (step, two[step], value, abs(two[step] - value) / abs(value))
        for step, value in one.items()
        if step in two
    ]


def within(rows: Sequence[tuple[int, float, float, float]], tolerance: float) -> int:
    """How many updates, from the first on, differ by no more."""
    return sum(1 for _ in itertools.takewhile(lambda row: row[3] <= tolerance, rows))


def write(given: argparse.Namespace, two: Path, one: Path, before: dict[str, Any]) -> None:
    """What came of the runs, into three files."""
    after = lines(two)
    rows, curve = agreement(losses(after), losses(lines(one))), evaluations(two)
    saved = [line for line in after if line["step"] > before["checkpoint"]]
    lost = [line for line in before["lines"] if line["step"] > before["checkpoint"]]
    found = {
        "seed": given.seed,
        "killed_at": before["lines"][-1]["step"],
        "resumed_from": before["checkpoint"],
        "written_again": repeated(lost, saved),
        "updates_within": {f"{bound:g}": within(rows, bound) for bound in TOLERANCES},
        "updates_compared": len(rows),
        "last_step": after[-1]["step"],
        "best": max((value for _, value in curve), default=None),
        "seconds_until_kill": before["seconds"],
    }
    (given.out / "cartpole.json").write_text(json.dumps(found, indent=2) + "\n")
    table(given.out / "curve.csv", ("step", "return"), curve)
    table(given.out / "updates.csv", ("step", "two", "one", "difference"), rows)
    sys.stdout.write(f"{json.dumps(found)}\n")


def table(path: Path, names: Sequence[str], rows: Iterable[Sequence[float]]) -> None:
    """Rows as CSV."""
    with path.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([names, *rows])


if __name__ == "__main__":
    main()
