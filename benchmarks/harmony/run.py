"""Harmony against fixed weights on `Distracted`, one run after the other.

    python benchmarks/harmony/run.py RUNS [--balances fixed harmony] [--seeds 0 1 2 3 4]

A run folder that is finished is left alone, one that was interrupted goes on.
"""

import argparse
from pathlib import Path

from distracted import Distracted

import reverie

SETTINGS = {
    "env.parallel": False,
    "env.num": 4,
    "world.dynamics.deter": 64,
    "world.dynamics.hidden": 32,
    "world.dynamics.stoch": 4,
    "world.dynamics.latent.classes": 4,
    "world.dynamics.core.blocks": 4,
    "world.encoder.units": 32,
    "world.objective.units": 32,
    "world.encoder.layers": 1,
    "world.objective.layers": 1,
    "world.reward.units": 32,
    "world.reward.bins": 31,
    "world.cont.units": 32,
    "behavior.actor.units": 32,
    "behavior.actor.layers": 1,
    "behavior.critic.units": 32,
    "behavior.critic.layers": 1,
    "behavior.critic.bins": 31,
    "behavior.imagine": 4,
    "behavior.horizon": 4.0,
    "optim.lr": 1e-3,
    "optim.warmup": 100,
    "train.batch": 16,
    "train.length": 16,
    "train.ratio": 64,
    "train.log_every": 250,
    "train.eval_every": 2000,
    "train.eval_episodes": 20,
    "train.eval_envs": 4,
    "train.report_length": 4,
    "train.save_every": 1e6,
    "log.tensorboard": False,
    "log.progress": "plain",
    "device.kind": "cpu",
}
"""One for all runs; only the balance and the seed differ."""


def main() -> None:
    """Trains what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=Path)
    parser.add_argument("--balances", nargs="+", default=["fixed", "harmony"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2, 3, 4])
    parser.add_argument("--steps", type=int, default=12_000)
    chosen = parser.parse_args()
    for seed in chosen.seeds:
        for balance in chosen.balances:
            reverie.train(
                Distracted,
                size="debug",
                steps=chosen.steps,
                seed=seed,
                balance=balance,
                logdir=chosen.runs / f"{balance}-{seed}",
                overrides=SETTINGS,
            )


if __name__ == "__main__":
    main()
