"""Stands for the command of a trial: counts to --steps, resumes, fails or hangs when told so.

    python fake_train.py train TASK --steps=N --seed=N --logdir=DIR ...

The task says what happens: `fail` always ends with a sentence, `fail-once` only the first time,
`misunderstood` is a command that cannot be understood, `slow` takes its time.
"""

import json
import signal
import sys
import time
from pathlib import Path

words = sys.argv[2:]
task = words[0]
options = dict(word.removeprefix("--").split("=", 1) for word in words[1:])
folder = Path(options["logdir"])
folder.mkdir(exist_ok=True)
asked: list[int] = []
signal.signal(signal.SIGTERM, lambda number, _: asked.append(number))

if task == "misunderstood":
    sys.stderr.write("reverie: there is no option --x.\n")
    raise SystemExit(2)
once = folder / "failed-once"
if task == "fail" or (task == "fail-once" and not once.exists()):
    once.touch()
    sys.stderr.write("something else\nreverie: the simulator is not there.\nmore\n")
    raise SystemExit(1)

metrics = folder / "metrics.jsonl"
lines = metrics.read_text().splitlines() if metrics.exists() else []
value = json.loads(lines[-1])["eval/return"] if lines else float(options.get("lr", 0))
for step in range(len(lines), int(options["steps"])):
    if asked:
        raise SystemExit(128 + asked[0])
    value = (value * 31 + int(options["seed"]) + step) % 1009
    with metrics.open("a") as file:  # one line is written whole
        file.write(json.dumps({"step": step, "eval/return": value}) + "\n")
    if task == "slow":
        time.sleep(0.02)
