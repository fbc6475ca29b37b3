"""What a run's model knows of FrozenLake: python ice.py RUN EPISODES

Plays episodes that were never trained on, half of them by the policy and half at random. From every
row of them it dreams one step by each action, and compares where that leads with the environment's
own probabilities: half the summed differences (total variation; 0 is perfect, 1 is elsewhere). With
the KL on these rows, in nats (the ice itself hides about 1), and, for each cell, the mean of its
actions and the share of rows in which the policy's mode is the best action.
"""

import sys
from typing import Any

import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
from fresh import by_policy, load, observed, played
from true_ice import ACTIONS, CELLS, Ice

import reverie
from reverie.dream import model, programs

ROWS, DREAMS = 32, 16
"""Of an episode at most, and dreams from each row by each action."""


def best(ice: Ice) -> np.ndarray:
    """The best action of every cell, by values that look far ahead."""
    value = np.zeros(CELLS)
    for _ in range(10_000):
        value = np.where(ice.over, 0, (ice.chance @ (ice.reward + value)).max(-1))
    return (ice.chance @ (ice.reward + value)).argmax(-1)


def dreams(loaded: model.Loaded, start: Any, seed: int) -> np.ndarray:
    """Where one dreamed step by each action leads from every row, (ROWS, ACTIONS, DREAMS)."""
    (shown,), (done,) = loaded.observations, loaded.actions
    asked = np.tile(np.repeat(np.arange(ACTIONS), DREAMS), ROWS)[None, :, None]
    start = jax.tree.map(lambda x: jnp.repeat(x, ACTIONS * DREAMS, 0), start)
    keys = programs.keys_of(seed, ROWS * ACTIONS * DREAMS)
    how = {"who": jnp.int32(programs.GIVEN), "config": loaded.config}
    taken = {done: jnp.asarray(asked, jnp.int32)}
    rolled = programs.roll(loaded.model, start, taken, keys, jnp.int32(1), **how)
    state = jax.tree.map(lambda x: x[0], rolled.state)
    looks = programs.show(loaded.model, state, config=loaded.config)[shown]
    return np.asarray(looks).reshape(ROWS, ACTIONS, DREAMS)


def main(run: str, episodes: str) -> None:
    loaded, policy = load(run), by_policy(reverie.load(run))
    env, rng = gymnasium.make("FrozenLake-v1"), np.random.default_rng(0)
    ice, nats = Ice.read(), list[float]()
    optimum, (done,) = best(ice), loaded.actions
    led, right = np.zeros((CELLS, ACTIONS, CELLS)), [list[bool]() for _ in range(CELLS)]

    def chance(shown: int, carry: Any) -> tuple[int, Any]:
        return int(rng.integers(ACTIONS)), carry

    for seed in range(int(episodes)):
        cells, actions = played(env, policy if seed % 2 else chance, seed, ROWS)
        seen = observed(loaded, (cells, actions), seed, ROWS)
        nats += [*np.asarray(seen.readings.kl[1 : len(cells)])]
        modes = np.asarray(seen.readings.policy[done]).argmax(-1)
        ahead = dreams(loaded, seen.state, seed)
        for row, cell in enumerate(cells[:-1]):
            right[cell].append(modes[row] == optimum[cell])
            for action in range(ACTIONS):
                led[cell, action] += np.bincount(ahead[row, action], minlength=CELLS)
    print(f"{loaded.step} steps, KL {np.mean(nats):.2f} nats on {len(nats)} rows")
    for cell in filter(lambda cell: right[cell], range(CELLS)):
        share = led[cell] / led[cell].sum(-1, keepdims=True)
        off = np.abs(share - ice.chance[cell]).sum(-1).mean() / 2
        count, good = len(right[cell]), np.mean(right[cell])
        print(f"cell {cell:2}: {count:4} rows, dreams {off:.2f} off, best action in {good:.2f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
