"""What a random agent scores on Continual-Dreamer's tasks, beside the published-settings table.

    python benchmarks/random_agents.py [EPISODES] > benchmarks/random_agents.json

Actions are uniform, episodes have the seeds 0, 1, 2, ...; every episode is cut after 100 steps.
MiniGrid is played without drawing its pictures (the picture changes no reward).
"""

import json
import math
import sys
from typing import Any

import numpy as np

from reverie.envs.make import make
from reverie.envs.options import EnvConfig

TABLE: dict[str, dict[str, float]] = {
    "minigrid_cd_doorkey_9x9": {"success": 0.0003, "death": 0.0},
    "minigrid_doorkey_9x9": {"success": 0.0001, "death": 0.0},
    "minigrid_cd_lavacrossings9n1": {"success": 0.0007, "death": 0.51},
    "minigrid_cd_simplecrossings9n1": {"success": 0.0022, "death": 0.0},
    "minigrid_cd_fourrooms": {"success": 0.034, "death": 0.0},
    "minihack_cd_room_random_15x15": {
        "success": 0.204, "death": 0.0, "return": 0.176, "length": 89},
    "minihack_cd_room_monster_15x15": {
        "success": 0.184, "death": 0.19, "return": 0.159, "length": 77},
    "minihack_cd_room_trap_15x15": {
        "success": 0.238, "death": 0.0, "return": 0.210, "length": 87},
    "minihack_cd_room_ultimate_15x15": {
        "success": 0.213, "death": 0.17, "return": 0.187, "length": 79},
    "minihack_cd_river_narrow": {
        "success": 0.0085, "death": 0.0, "return": -0.026, "length": 100},
    "minihack_cd_river": {"success": 0.0040, "death": 0.0, "return": -0.030, "length": 100},
    "minihack_cd_river_monster": {
        "success": 0.0070, "death": 0.35, "return": -0.020, "length": 77},
    "minihack_cd_hidenseek": {"success": 0.020, "death": 0.95, "return": 0.006, "length": 29},
}  # fmt: skip
"""The specification's tables (2000 episodes each; DoorKey 26000)."""

TABLE_EPISODES = 2000
"""Episodes behind a rate of the table."""


def undrawn(task: str) -> Any:
    """The task's gymnasium environment; MiniGrid's below its picture, cut after 100 steps."""
    env: Any = make(task, EnvConfig(limit=100))._env  # type: ignore[attr-defined]
    while type(env).__name__ in ("OnlyImage", "GridPicture", "Mission"):
        env = env.env
    return env


def play(task: str, episodes: int, first: int = 0) -> dict[str, float]:
    """Rates of success and death, mean return and length, over seeds `first` ..."""
    env = undrawn(task)
    rows = [_episode(env, seed) for seed in range(first, first + episodes)]
    env.close()
    returns, lengths, wins, deaths = np.array(rows).T
    return {
        "episodes": episodes,
        "success": float(wins.mean()),
        "death": float(deaths.mean()),
        "return": float(returns.mean()),
        "return_se": float(returns.std() / math.sqrt(episodes)),
        "length": float(lengths.mean()),
        "length_se": float(lengths.std() / math.sqrt(episodes)),
    }


def _episode(env: Any, seed: int) -> tuple[float, int, bool, bool]:
    """Return, length, success, death. A success pays at least 0.05, death nothing."""
    rng = np.random.default_rng([seed, 1])
    env.reset(seed=seed)
    total, reward, ended, cut, steps = 0.0, 0.0, False, False, 0
    while not (ended or cut or steps == 100):
        _, reward, ended, cut, _ = env.step(int(rng.integers(env.action_space.n)))
        total, steps = total + float(reward), steps + 1
    won = float(reward) > 0.05
    return total, steps, won, ended and not won and steps < 100


def deviation(found: float, count: int, table: float, base: int) -> float:
    """Distance of two rates in standard errors of their difference (pooled, add-one)."""
    pooled = (found * count + table * base + 1) / (count + base + 2)
    return (found - table) / math.sqrt(pooled * (1 - pooled) * (1 / count + 1 / base))


if __name__ == "__main__":
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    answer = {}
    for name, facts in TABLE.items():
        count = 5 * number if name.startswith("minigrid") else number
        found = play(name, count)
        base = 26_000 if "doorkey" in name else TABLE_EPISODES
        sigma = {
            key: round(deviation(found[key], count, facts[key], base), 2)
            for key in ("success", "death")
        }
        answer[name] = {"found": found, "table": facts, "standard_errors_apart": sigma}
        sys.stderr.write(f"{name} {found} {sigma}\n")
    sys.stdout.write(json.dumps(answer, indent=1) + "\n")
