"""Whether a model learned its environment or its replay: python fresh.py RUN GYM:ID EPISODES

Plays episodes that were never trained on, seeds 0, 1, ..., by samples of the policy, and prints the
mean KL of the posterior from the prior over their rows, in nats. `train/kl` of the run's metrics is
the same number on replayed rows: where this one is far above it, the replay was learned by heart.
One class in, one class out; 63 steps of an episode at most.
"""

import sys
from pathlib import Path

import gymnasium
import jax
import numpy as np

import reverie
from reverie.dream import model, programs
from reverie.train import chosen, stranger
from reverie.train.agent import Agent

ROWS = 64
"""Of an episode: one compiled program for all."""


def played(agent: Agent, env: gymnasium.Env, seed: int) -> tuple[list[int], list[int]]:
    """Observations, and the actions between them, of one episode."""
    shown, _ = env.reset(seed=seed)
    seen, chosen_by, carry, done = [shown], list[int](), None, False
    while not done and len(seen) < ROWS:
        action, carry = agent.act(shown, carry)
        shown, _, terminated, truncated, _ = env.step(int(action))
        done = terminated or truncated
        seen.append(shown)
        chosen_by.append(int(action))
    return seen, chosen_by


def main(run: str, task: str, episodes: str) -> None:
    config, _ = stranger.read(Path(run))
    loaded = model.load(Path(run), config, chosen.choose(Path(run), "newest"))
    (shown,), (done,) = loaded.observations, loaded.actions
    agent, env, found = reverie.load(run), gymnasium.make(task.removeprefix("gym:")), []
    for seed in range(int(episodes)):
        seen, actions = played(agent, env, seed)
        rows = np.zeros(ROWS, np.int32), np.zeros((ROWS, 1), np.int32)
        rows[0][: len(seen)], rows[1][: len(actions), 0] = seen, actions
        where = {"first": np.int32(0), "env": np.int32(0), "envs": 1, "config": config}
        given = {shown: rows[0]}, {done: rows[1]}, jax.random.key(seed)
        told = programs.observe(loaded.model, *given, **where)
        found += [*np.asarray(told.readings.kl[1 : len(seen)])]
    print(f"{len(found)} rows of fresh play: KL {np.mean(found):.3f} nats, median", end=" ")
    print(f"{np.median(found):.3f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
