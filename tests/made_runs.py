"""Run folders with random weights: a configuration and a checkpoint, without a step of learning."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium import spaces
from networks import fresh_state
from tiny_runs import tiny

from reverie.config.schema import Config
from reverie.envs.own_terms import OwnTerms
from reverie.envs.space_trees import to_tree
from reverie.folder import run_folder
from reverie.records import specs_to_json
from reverie.train import checkpoint
from reverie.train.arrays import to_host
from reverie.train.learner import acting_of
from reverie.train.losses import compute_dtype


def made_run(
    folder: Path,
    seen: spaces.Space,
    done: spaces.Space,
    *,
    task: str = "custom:made",
    agent: str = "v3",
    changes: dict[str, Any] | None = None,
    step: int = 1000,
    rows: Callable[[Config, Path], dict[str, Any]] | None = None,
    kept: bool = True,
) -> Path:
    """A run folder whose environment has these spaces, with one checkpoint. `rows` fills a replay
    into a folder and gives its manifest; `kept`: whether the folder holds the spaces, as all but
    those of JAX-native suites do."""
    edits = {"steps": 100_000, **(changes or {})}
    config, own = tiny(task, folder, edits, agent), OwnTerms(seen, done)
    state = fresh_state(own.obs_specs, own.action_specs, config)
    assert compute_dtype(config.device.precision).name == "float32"
    folder.mkdir(parents=True)
    run_folder.write_config(folder, config, [])
    acting = to_host(acting_of(state, config))
    specs = {"obs": specs_to_json(own.obs_specs), "action": specs_to_json(own.action_specs)}
    counts = dict.fromkeys(("due", "updates", "seconds"), 0)
    tree = {
        "learner": {"state": to_host(state), "acting": acting, "newest": acting, "pending": None},
        "actor": {"action": {}, "count": 0},
        "episodes": {"returns": np.zeros(1), "lengths": np.zeros(1)},
        "mean": {"sums": {}, "counts": {}},
        "envs": {"envs": []},
        "ratio": {},
        "replay": {} if rows is None else rows(config, folder / "replay"),
        "logger": {"offset": 0},
        "clocks": {"step": step, "chores": [], **counts},
        "specs": specs,
        "spaces": {"obs": to_tree(seen), "action": to_tree(done)} if kept else None,
    }
    checkpoint.save(folder / "checkpoints", step, tree)
    return folder
