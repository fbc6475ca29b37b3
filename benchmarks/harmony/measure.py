"""What the runs of `run.py` came to: returns, coefficients, reward-prediction error.

    python benchmarks/harmony/measure.py OUT RUN…

Writes into OUT `curves.csv` (every evaluation and log line), `summary.json` (one record a run; mean
and 95% bootstrap interval over the seeds of each balance, and of the differences from `harmony`
seed by seed) and `coefficients.svg` (of the runs of `harmony`). The error of a run's final world
model is measured on the same 128 episodes of a random policy for all runs: the episodes of its own
policy would only show what it already earns.
"""

import csv
import json
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from distracted import LENGTH, Distracted

import reverie
from reverie.records import Spec
from reverie.report.chart import Chart, Line, picture
from reverie.train.agent import newest
from reverie.train.learner import from_host
from reverie.train.state import init
from reverie.world.model import feature

EPISODES = 128
COLUMNS = ("eval/return", "loss/rew", "loss/numbers", "loss/dyn", "train/updates")
TASKS = ("rew", "obs", "dyn")
KEYS = ("final", "over_training", "reward_error")


def random_episodes() -> dict[str, np.ndarray]:
    """Numbers (B, T, 64), the action that led to each row (B, T), rewards (B, T)."""
    rng, env, found = np.random.default_rng(7), Distracted(), []
    for seed in range(EPISODES):
        rows = [(env.reset(seed=10_000 + seed)[0]["numbers"], 0, 0.0)]
        for action in rng.integers(2, size=LENGTH):
            obs, reward, *_ = env.step(int(action))
            rows.append((obs["numbers"], int(action), reward))
        found.append(rows)
    numbers, action, reward = (
        np.array([[row[k] for row in rows] for rows in found]) for k in range(3)
    )
    return {"numbers": numbers, "action": action.astype(np.int32), "reward": reward}


def reward_error(run: Path, data: dict[str, np.ndarray]) -> float:
    """Root mean square error of the reward predicted at every row but the first of an episode."""
    config = reverie.saved_config(run)
    obs, actions = {"numbers": Spec("vector", (64,))}, {"action": Spec("discrete", (), (2,))}
    shape = jax.eval_shape(lambda key: init(obs, actions, config, key), jax.random.key(0))
    state = from_host(shape, newest(run)["learner"]["state"])
    batch, time = data["action"].shape
    noise = jax.random.uniform(jax.random.key(0), (batch, time, config.world.dynamics.stoch))

    @jax.jit
    def predict(world):
        first = jnp.zeros((batch, time), bool).at[:, 0].set(True)
        start = world.dynamics.initial(batch, jnp.dtype("float32"))
        seen = {"numbers": jnp.asarray(data["numbers"])}
        led = {"action": jnp.asarray(data["action"])[..., None]}
        observed = world.observe(start, seen, led, first, noise)
        return world.reward(feature(observed.state)).mean()

    error = np.asarray(predict(state.agent.world)) - data["reward"]
    return float(np.sqrt(np.square(error[:, 1:]).mean()))


def lines_of(run: Path) -> list[dict]:
    """The lines of metrics.jsonl."""
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def write_curves(out: Path, runs: list[Path]) -> None:
    """Evaluations and log lines of all runs, one row each; what a line lacks stays empty."""
    names = [*COLUMNS, *(f"balance/{what}/{task}" for what in ("coef", "before") for task in TASKS)]
    with out.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(("run", "step", *names))
        for run in runs:
            for line in lines_of(run):
                if "eval/return" in line or "loss/rew" in line:
                    values = [round(line[n], 4) if n in line else "" for n in names]
                    table.writerow((run.name, line["step"], *values))


def record(run: Path, data: dict[str, np.ndarray]) -> dict:
    """The numbers of one run."""
    lines = lines_of(run)
    returns = [line["eval/return"] for line in lines if "eval/return" in line]
    last = [line for line in lines if "loss/rew" in line][-1]
    return {
        "balance": run.name.rpartition("-")[0],
        "seed": int(run.name.rpartition("-")[2]),
        "final": returns[-1],
        "over_training": float(np.mean(returns)),
        "reward_error": round(reward_error(run, data), 4),
        "coefficients": {task: round(last[f"balance/coef/{task}"], 4) for task in TASKS},
        "losses": {name: round(last[f"loss/{name}"], 3) for name in ("rew", "numbers", "dyn")},
    }


def interval(values: list[float]) -> dict[str, float]:
    """Mean and 95% percentile bootstrap interval over seeds."""
    draws = np.random.default_rng(0).choice(values, (10_000, len(values))).mean(1)
    low, high = np.percentile(draws, (2.5, 97.5))
    return {"mean": round(float(np.mean(values)), 3), "low": round(low, 3), "high": round(high, 3)}


def draw_coefficients(path: Path, runs: list[Path]) -> None:
    """1/sigma of the three tasks in every run, over steps."""
    lines = []
    for run in runs:
        rows = [line for line in lines_of(run) if "balance/s/rew" in line]
        for color, task in enumerate(TASKS):
            x = np.array([row["step"] for row in rows], float)
            y = np.array([row[f"balance/coef/{task}"] for row in rows])
            lines.append(Line(x, y, color=color, label=task if run == runs[-1] else ""))
    chart = Chart(lines, title="1/sigma by environment steps", width=640, height=300, log=True)
    path.write_text(picture(chart), encoding="utf-8")


def main(out: str, *names: str) -> None:
    """Measures the runs and writes the files."""
    folder, runs = Path(out), sorted(map(Path, names))
    data = random_episodes()
    records = [record(run, data) for run in runs]
    by: dict[str, dict[int, dict]] = {}
    for found in records:
        by.setdefault(found["balance"], {})[found["seed"]] = found
    groups, differences = {}, {}
    for balance, mine in by.items():
        groups[balance] = {key: interval([m[key] for m in mine.values()]) for key in KEYS}
        groups[balance]["seeds"] = len(mine)
        if balance != "harmony" and mine.keys() == by.get("harmony", {}).keys():
            differences[balance] = {
                key: interval([m[key] - by["harmony"][seed][key] for seed, m in mine.items()])
                for key in KEYS
            }
    summary = {"groups": groups, "minus_harmony": differences, "runs": records}
    (folder / "summary.json").write_text(json.dumps(summary, indent=1) + "\n")
    write_curves(folder / "curves.csv", runs)
    learned = [run for run in runs if run.name.startswith("harmony-")]
    draw_coefficients(folder / "coefficients.svg", learned)


if __name__ == "__main__":
    main(*sys.argv[1:])
