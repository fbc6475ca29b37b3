"""What uniformly random actions earn: the line that a learning curve has to leave.

    python benchmarks/envs/random_returns.py EPISODES TASK…

Adds to `src/reverie/report/random_returns.json`, from which reports take it.
"""

import json
import sys
from pathlib import Path

import numpy as np

from reverie.bench.env import random_actions
from reverie.config.presets import resolve
from reverie.envs.make import make

KNOWN = Path(__file__).parents[2] / "src" / "reverie" / "report" / "random_returns.json"


def play(task: str, episodes: int) -> dict[str, float]:
    """Mean return, its standard error and mean length over seeds 0, 1, 2, …"""
    env = make(task, resolve(task, preset="quick").env)
    returns, lengths = [], []
    for seed in range(episodes):
        actions = random_actions(env.action_specs, 0, seed)
        env.reset(seed)
        total, steps, last = 0.0, 0, False
        while not last:
            _, reward, _, last = env.step(actions[steps % len(actions)])
            total, steps = total + float(reward), steps + 1
        returns.append(total)
        lengths.append(steps)
    env.close()
    error = np.std(returns, ddof=1) / episodes**0.5
    numbers = {"return": np.mean(returns), "error": error, "length": np.mean(lengths)}
    told = {name: round(float(number), 4) for name, number in numbers.items()}
    return {**told, "episodes": episodes}


def main(episodes: str, *tasks: str) -> None:
    """Plays and writes."""
    known = json.loads(KNOWN.read_text())
    known |= {task: play(task, int(episodes)) for task in tasks}
    KNOWN.write_text(json.dumps(dict(sorted(known.items())), indent=1) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
