"""What a run's model knows of FrozenLake: python ice.py RUN EPISODES

Plays episodes that were never trained on, half of them by the policy and half at random. From every
row of them it dreams one step by each action, and compares where that leads with the environment's
own probabilities: half the summed differences (total variation; 0 is perfect, 1 is elsewhere). With
the KL on these rows, in nats (the ice itself hides about 1), and, for each cell, the mean of its
actions and the share of rows in which the policy's mode is the best action.
"""

import sys
from pathlib import Path

import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
from true_ice import ACTIONS, CELLS, Ice

import reverie
from reverie.dream import model, programs
from reverie.train import chosen, stranger

ROWS, DREAMS = 32, 16
"""Of an episode at most, and dreams from each row by each action."""


def best(ice: Ice) -> np.ndarray:
    """The best action of every cell, by values that look far ahead."""
    value = np.zeros(CELLS)
    for _ in range(10_000):
        value = np.where(ice.over, 0, (ice.chance @ (ice.reward + value)).max(-1))
    return (ice.chance @ (ice.reward + value)).argmax(-1)


def main(run: str, episodes: str) -> None:
    config, _ = stranger.read(Path(run))
    loaded = model.load(Path(run), config, chosen.choose(Path(run), "newest"))
    (shown,), (done,) = loaded.observations, loaded.actions
    agent, env, rng = reverie.load(run), gymnasium.make("FrozenLake-v1"), np.random.default_rng(0)
    ice, nats = Ice.read(), list[float]()
    optimum = best(ice)
    led, right = np.zeros((CELLS, ACTIONS, CELLS)), [list[bool]() for _ in range(CELLS)]
    asked = np.tile(np.repeat(np.arange(ACTIONS), DREAMS), ROWS)[None, :, None]
    for seed in range(int(episodes)):
        cell, _ = env.reset(seed=seed)
        cells, actions, carry, over = [cell], list[int](), None, False
        while not over and len(cells) < ROWS:
            action, carry = agent.act(cells[-1], carry)
            action = int(action) if seed % 2 else int(rng.integers(ACTIONS))
            cell, _, ended, cut, _ = env.step(action)
            over = ended or cut
            cells.append(cell)
            actions.append(action)
        rows = np.zeros(ROWS, np.int32), np.zeros((ROWS, 1), np.int32)
        rows[0][: len(cells)], rows[1][: len(actions), 0] = cells, actions
        where = {"first": np.int32(0), "env": np.int32(0), "envs": 1, "config": config}
        given = {shown: rows[0]}, {done: rows[1]}, jax.random.key(seed)
        seen = programs.observe(loaded.model, *given, **where)
        nats += [*np.asarray(seen.readings.kl[1 : len(cells)])]
        start = jax.tree.map(lambda x: jnp.repeat(x, ACTIONS * DREAMS, 0), seen.state)
        keys = programs.keys_of(seed, ROWS * ACTIONS * DREAMS)
        how = {"who": jnp.int32(programs.GIVEN), "config": config}
        taken = {done: jnp.asarray(asked, jnp.int32)}
        dream = programs.roll(loaded.model, start, taken, keys, jnp.int32(1), **how)
        state = jax.tree.map(lambda x: x[0], dream.state)
        looks = np.asarray(programs.show(loaded.model, state, config=config)[shown])
        modes = np.asarray(seen.readings.policy[done]).argmax(-1)
        for at, ahead, mode in zip(
            cells[:-1], looks.reshape(ROWS, ACTIONS, DREAMS), modes, strict=False
        ):
            right[at].append(mode == optimum[at])
            for action in range(ACTIONS):
                led[at, action] += np.bincount(ahead[action], minlength=CELLS)
    print(f"{loaded.step} steps, KL {np.mean(nats):.2f} nats on {len(nats)} rows")
    for cell in filter(lambda cell: right[cell], range(CELLS)):
        share = led[cell] / led[cell].sum(-1, keepdims=True)
        off = np.abs(share - ice.chance[cell]).sum(-1).mean() / 2
        count, good = len(right[cell]), np.mean(right[cell])
        print(f"cell {cell:2}: {count:4} rows, dreams {off:.2f} off, best action in {good:.2f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
