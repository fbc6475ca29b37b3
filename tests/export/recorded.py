"""What the agent does step by step, and what a program must be given to do the same."""

import json
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
from gymnasium import spaces

from reverie.train.learner import EVAL, purpose_key

SEED = 7
SEEN = spaces.Dict(
    {
        "camera": spaces.Box(0, 255, (3, 16, 20), np.uint8),
        "depth": spaces.Box(-1, 3, (16, 20, 1), np.float32),
        "gear": spaces.Discrete(4, start=2),
        "joints": spaces.Box(np.float64([-2, 0, -1e3]), np.float64([2, 9, 1e3]), dtype=np.float64),
        "keys": spaces.Tuple([spaces.MultiBinary(3), spaces.MultiDiscrete([2, 3], start=[-1, 5])]),
        "said": spaces.Text(4),
    }
)
DONE = spaces.Dict(
    {
        "arm": spaces.Box(np.float32([5, -3, -np.inf]), np.float32([10, 1, np.inf])),
        "grip": spaces.Box(np.float64([0.1, -30.0]), np.float64([0.7, 2.1]), dtype=np.float64),
        "go": spaces.MultiDiscrete([3, 4], start=[0, -7]),
        "lamp": spaces.MultiBinary(2),
    }
)


def part(tree, path):
    for step in path:
        tree = tree[step]
    return tree


def told_of(folder, kind, name="policy"):
    return json.loads((folder / f"{name}.{kind}.json").read_text())


def row_of(agent, inputs, seen, carry):
    """The arrays of one step of the policy with the noise that `Agent.act` draws there."""
    key = jax.random.fold_in(purpose_key(SEED, EVAL), carry.count if carry else 0)
    noise = agent.acting.noise(key, 1)
    drawn = {"noise/latent": noise.post[0]}
    drawn |= {f"noise/action/{name}": value[0] for name, value in noise.action.items()}
    row = {"reset": np.asarray(carry is None)}
    for port in inputs:
        if port["role"] == "observation":
            row[port["name"]] = np.asarray(part(seen, port["path"]), port["dtype"])
        elif port["role"] == "noise":
            row[port["name"]] = np.asarray(drawn[port["name"]])
    return row


def stacked(rows):
    return {name: np.stack([row[name] for row in rows]) for name in rows[0]}


def write_given(folder, name, rows, first=()):
    before = {f"first/{port}": value for port, value in dict(first).items()}
    np.savez(folder / f"{name}.given.npz", **stacked(rows), **before)


def run_alone(*programs):
    """Run (folder, name, kind) without Reverie; what each gave."""
    words = [str(word) for program in programs for word in program]
    script = str(Path(__file__).parent / "alone.py")
    ran = subprocess.run([sys.executable, script, *words], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr[-3000:]
    return [dict(np.load(f / f"{name}.{kind}.taken.npz")) for f, name, kind in programs]
