"""Whether a model learned its environment or its replay: python fresh.py RUN GYM:ID EPISODES

Plays episodes that were never trained on, seeds 0, 1, ..., by samples of the policy, and prints the
mean KL of the posterior from the prior over their rows, in nats. `train/kl` of the run's metrics is
the same number on replayed rows: where this one is far above it, the replay was learned by heart.
One class in, one class out; 63 steps of an episode at most.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import jax
import numpy as np

import reverie
from reverie.dream import model, programs
from reverie.train import chosen, stranger
from reverie.train.agent import Agent

ROWS = 64
"""Of an episode: one compiled program for all."""


Choose = Callable[[int, Any], tuple[int, Any]]
"""(observation, carry) -> the action, and what is carried to the next observation."""


def played(env: gymnasium.Env, choose: Choose, seed: int, rows: int) -> tuple[list, list]:
    """Observations, `rows` at most, and the actions between them, of one episode."""
    shown, _ = env.reset(seed=seed)
    seen, actions, carry, over = [shown], list[int](), None, False
    while not over and len(seen) < rows:
        action, carry = choose(seen[-1], carry)
        shown, _, ended, cut, _ = env.step(action)
        over = ended or cut
        seen.append(shown)
        actions.append(action)
    return seen, actions


def observed(loaded: model.Loaded, episode: tuple[list, list], seed: int, rows: int) -> Any:
    """What the model makes of an episode, with so many rows whatever its length: one program."""
    (shown,), (done,) = loaded.observations, loaded.actions
    seen, actions = np.zeros(rows, np.int32), np.zeros((rows, 1), np.int32)
    seen[: len(episode[0])], actions[: len(episode[1]), 0] = episode
    where = {"first": np.int32(0), "env": np.int32(0), "envs": 1, "config": loaded.config}
    given = {shown: seen}, {done: actions}, jax.random.key(seed)
    return programs.observe(loaded.model, *given, **where)


def load(run: str) -> model.Loaded:
    """The newest networks of a run."""
    config, _ = stranger.read(Path(run))
    return model.load(Path(run), config, chosen.choose(Path(run), "newest"))


def by_policy(agent: Agent) -> Choose:
    """What samples of the policy choose."""

    def choose(shown: int, carry: Any) -> tuple[int, Any]:
        action, carry = agent.act(shown, carry)
        return int(action), carry

    return choose


def main(run: str, task: str, episodes: str) -> None:
    loaded, choose = load(run), by_policy(reverie.load(run))
    env, found = gymnasium.make(task.removeprefix("gym:")), []
    for seed in range(int(episodes)):
        episode = played(env, choose, seed, ROWS)
        told = observed(loaded, episode, seed, ROWS)
        found += [*np.asarray(told.readings.kl[1 : len(episode[0])])]
    print(f"{len(found)} rows of fresh play: KL {np.mean(found):.3f} nats, median", end=" ")
    print(f"{np.median(found):.3f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
