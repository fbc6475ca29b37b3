"""Whether a page slows the training beside it: CPU seconds of runs with and without it, in pairs.

    python benchmarks/report/beside.py --pairs 6
    python benchmarks/report/beside.py --pairs 6 --inspector

Runs of one command and one seed alternate, and every second pair begins with the other kind. The
page is a live report of the run, asked for news every two seconds, or the inspector of a finished
run, open in Chromium. CPU seconds are those of the training process alone, which other load on the
machine hardly changes; of a pair their ratio counts.
"""

import argparse
import contextlib
import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from pages import chromium, served

PAUSE = 2.0
DRAWS = 10_000
REVERIE = [sys.executable, "-m", "reverie"]

Look = Callable[[], None]
"""What an open page does every two seconds."""


@contextlib.contextmanager
def live(logdir: Path) -> Iterator[Look]:
    """A live report of the run that trains."""
    with served(["report", "--live", str(logdir)]) as address:
        known: dict[str, object] = {}

        def look() -> None:
            connection = http.client.HTTPConnection(address.split("/")[2], timeout=60)
            body = json.dumps({"epoch": known.get("epoch", ""), "since": known.get("version", 0)})
            headers = {"Content-Type": "application/json"}
            connection.request("POST", "/api/refresh", body, headers)
            known.update(json.loads(connection.getresponse().read()))
            connection.close()

        yield look


@contextlib.contextmanager
def inspector(finished: Path) -> Iterator[Look]:
    """The inspector of a finished run, open in Chromium."""
    with served(["dream", str(finished)]) as address, chromium() as browser:
        browser.new_page().goto(address)
        yield lambda: None


def trained(logdir: Path, steps: int, look: Look) -> float:
    """CPU seconds of one run; `look` is called while it goes on."""
    words = ["gym:CartPole-v1", "--steps", str(steps), "--logdir", str(logdir)]
    run = subprocess.Popen([*REVERIE, "train", *words], stdout=subprocess.DEVNULL)
    while True:
        pid, status, used = os.wait4(run.pid, os.WNOHANG)
        if pid:
            assert status == 0, "the run failed"
            return used.ru_utime + used.ru_stime
        look()
        time.sleep(PAUSE)


def summary(alone: list[float], beside: list[float]) -> dict[str, object]:
    """Ratios of pairs, their median, and a bootstrap interval of their geometric mean."""
    logs = np.log(np.divide(beside, alone))
    means = np.random.default_rng(0).choice(logs, (DRAWS, len(logs))).mean(axis=1)
    return {
        "cpu_s_alone": [round(value, 2) for value in alone],
        "cpu_s_beside": [round(value, 2) for value in beside],
        "ratios": np.exp(logs).round(4).tolist(),
        "median_ratio": round(float(np.exp(np.median(logs))), 4),
        "geometric_mean_ratio": round(float(np.exp(logs.mean())), 4),
        "interval_95": np.exp(np.quantile(means, [0.025, 0.975])).round(4).tolist(),
    }


def main() -> None:
    """Measure, and write what was found."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=6, help="an even number")
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--inspector", action="store_true")
    asked = parser.parse_args()
    if asked.pairs < 2 or asked.pairs % 2:
        parser.error(f"--pairs is {asked.pairs}: both orders need an even number of at least 2.")
    alone: list[float] = []
    beside: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        finished = Path(folder) / "finished"
        trained(finished, asked.steps, lambda: None)  # and warms what is kept of compiled programs
        for pair in range(asked.pairs):
            for watched in (False, True) if pair % 2 == 0 else (True, False):
                logdir = Path(folder) / f"{pair}-{watched}"
                if not watched:
                    alone.append(trained(logdir, asked.steps, lambda: None))
                    continue
                with inspector(finished) if asked.inspector else live(logdir) as look:
                    beside.append(trained(logdir, asked.steps, look))
    sys.stdout.write(json.dumps(summary(alone, beside), indent=1) + "\n")


if __name__ == "__main__":
    main()
