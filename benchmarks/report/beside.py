"""Whether a live report slows the run that it shows: CPU seconds of training with and without it.

    python benchmarks/report/beside.py --pairs 3

Runs of one command and one seed alternate; beside every second one a live report is asked for news
every two seconds, as an open page does. CPU seconds are those of the training process alone, which
other load on the machine hardly changes; those of the server are told as well.
"""

import argparse
import http.client
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PAUSE = 2.0
REVERIE = [sys.executable, "-m", "reverie"]


def look(port: int, known: dict) -> dict:
    """One request of a page."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    body = json.dumps({"epoch": known.get("epoch", ""), "since": known.get("version", 0)})
    connection.request("POST", "/api/refresh", body, {"Content-Type": "application/json"})
    answer = json.loads(connection.getresponse().read())
    connection.close()
    return answer


def trained(words: list[str], port: int | None) -> float:
    """CPU seconds of one run; a page looks at it where there is a `port`."""
    run = subprocess.Popen([*REVERIE, "train", *words], stdout=subprocess.DEVNULL)
    known: dict = {}
    while True:
        pid, _, used = os.wait4(run.pid, os.WNOHANG)
        if pid:
            return used.ru_utime + used.ru_stime
        if port is not None:
            known = look(port, known)
        time.sleep(PAUSE)


def main() -> None:
    """Measure, and write what was found."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--steps", type=int, default=1500)
    asked = parser.parse_args()
    alone, beside, server = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        for pair in range(asked.pairs):
            for watched in (False, True) if pair % 2 == 0 else (True, False):
                logdir = Path(folder) / f"{pair}-{watched}"
                words = ["gym:CartPole-v1", "--steps", str(asked.steps), "--logdir", str(logdir)]
                if not watched:
                    alone.append(trained(words, None))
                    continue
                live = [*REVERIE, "report", "--live", str(logdir), "--port", "0"]
                shown = subprocess.Popen(live, stdout=subprocess.PIPE, text=True)
                assert shown.stdout is not None
                found = re.search(r":(\d+)/", shown.stdout.readline())
                assert found is not None
                beside.append(trained(words, int(found[1])))
                shown.terminate()
                used = os.wait4(shown.pid, 0)[2]
                server.append(used.ru_utime + used.ru_stime)
    found = {
        "cpu_s_alone": [round(value, 2) for value in alone],
        "cpu_s_beside": [round(value, 2) for value in beside],
        "ratio_of_medians": round(statistics.median(beside) / statistics.median(alone), 4),
        "ratio_of_minima": round(min(beside) / min(alone), 4),
        "server_cpu_s_start_included": [round(value, 2) for value in server],
    }
    sys.stdout.write(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
