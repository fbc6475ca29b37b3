"""Actor and critic alone on FrozenLake: python true_ice.py STEPS SEED [PATH VALUE]...

Dreams by the environment's own probabilities in place of a learned model, everything else as a run
of FrozenLake has it by default: what is slow here is not the model's fault. The features are one
number a cell. Every 1,000 steps: what the policy is worth, computed exactly from the probabilities.
"""

import sys
from typing import Any, NamedTuple

import gymnasium
import jax
import jax.numpy as jnp
import numpy as np

from reverie.behavior.imagine import DreamNoise
from reverie.behavior.loss import Players, Scales, Seen, behavior_losses
from reverie.behavior.returns import discount_of
from reverie.config.presets import resolve
from reverie.config.schema import Config
from reverie.optim.optimizer import WHOLE
from reverie.records import Sequence, Spec
from reverie.train.state import init
from reverie.train.step import mix_slow
from reverie.world.balance import weighted_sum

CELLS, ACTIONS, LIMIT = 16, 4, 100
PREFILL = 300
"""Environment steps before the first update."""


class Ice(NamedTuple):
    """The environment's probabilities."""

    chance: np.ndarray  # (16, 4, 16)
    over: np.ndarray  # (16,) an episode ends there
    reward: np.ndarray  # (16,) of arriving there

    @classmethod
    def read(cls) -> "Ice":
        table: Any = gymnasium.make("FrozenLake-v1").unwrapped
        chance, over = np.zeros((CELLS, ACTIONS, CELLS)), np.zeros(CELLS, bool)
        for cell, action in np.ndindex(CELLS, ACTIONS):
            for share, after, _, ends in table.P[cell][action]:
                chance[cell, action, after] += share
                over[after] |= ends
        return cls(chance, over, np.eye(CELLS)[-1])

    def worth(self, policy: np.ndarray) -> float:
        """Expected return of `policy` (16, 4) from the first cell, within the limit."""
        move = np.einsum("sa,san->sn", policy, self.chance)
        value = np.zeros(CELLS)
        for _ in range(LIMIT):
            value = np.where(self.over, 0.0, move @ (self.reward + np.where(self.over, 0.0, value)))
        return float(value[0])


class Told(NamedTuple):
    """What a head says for certain."""

    value: jax.Array

    def mean(self) -> jax.Array:
        return self.value


class World:
    """What behaviour asks of a world model, answered by the ice; a state is the cell."""

    def __init__(self, ice: Ice, config: Config):
        self.deter, stoch = config.world.dynamics.widths
        self.width, self.discount = self.deter + stoch, discount_of(config.behavior)
        self.below = jnp.asarray(np.cumsum(ice.chance, -1), jnp.float32)
        self.over, self.told = jnp.asarray(ice.over), jnp.asarray(ice.reward)
        self.dynamics = self

    def prepared(self) -> "World":
        return self

    def carry(self, state: jax.Array) -> jax.Array:
        return state

    state = carry

    def imagine(self, cell: jax.Array, action: jax.Array, noise: jax.Array):
        bounds = self.below[cell, action.argmax(-1)]
        after = (noise * (1 - 1e-6) > bounds).sum(-1)
        return jnp.where(self.over[cell], cell, after), jnp.zeros(cell.shape)

    def feature(self, cell: jax.Array) -> jax.Array:
        return jax.nn.one_hot(self.deter + cell, self.width)

    def embed(self, action: dict[str, jax.Array]) -> jax.Array:
        return jax.nn.one_hot(action["action"][..., 0], ACTIONS)

    def _cell(self, feature: jax.Array) -> jax.Array:
        return feature.argmax(-1) - self.deter

    def reward(self, feature: jax.Array) -> Told:
        return Told(self.told[self._cell(feature)])

    def cont(self, feature: jax.Array) -> Told:
        return Told(self.discount * (1.0 - self.over[self._cell(feature)]))


class Learner:
    """Actor and critic, and their updates."""

    def __init__(self, ice: Ice, config: Config, seed: int):
        self.config, self.world = config, World(ice, config)
        obs, action = Spec("discrete", (), (CELLS,)), Spec("discrete", (), (ACTIONS,))
        start = jax.jit(lambda key: init({"obs": obs}, {"action": action}, config, key))
        whole = start(jax.random.key(seed))
        self.optimizer = config.optim.chain(WHOLE, config.world.balance.sigma_lr)
        nets = whole.agent.actor, whole.agent.critic
        self.state = nets, whole.slow_critic, whole.returns, self.optimizer.init(nets)
        self._update = jax.jit(self._updated)
        self._policy = jax.jit(
            lambda actor: actor(self.world.feature(jnp.arange(CELLS))).parts["action"][0].probs
        )

    def policy(self) -> np.ndarray:
        """Probabilities (16, 4)."""
        chosen = np.asarray(self._policy(self.state[0][0]), np.float64)
        return chosen / chosen.sum(-1, keepdims=True)

    def update(self, rows: dict[str, np.ndarray], key: jax.Array) -> None:
        self.state = self._update(self.state, rows, key)

    def _updated(self, state, rows, key):
        nets, slow, returns, moments = state
        options, count = self.config.behavior, rows["cell"].size
        first, second = jax.random.split(key)
        steps = options.imagine, count
        noise = DreamNoise(jax.random.uniform(first, (*steps, 1)), nets[0].noise(second, steps))
        flags = {k: rows[k] for k in ("reward", "is_first", "is_last", "is_terminal")}
        seen = Sequence(obs={}, action={}, latent=None, **flags)

        def loss(nets):
            players = Players(self.world, *nets, jax.lax.stop_gradient(slow))
            out = behavior_losses(
                players,
                Scales(returns, None),
                Seen(rows["cell"], seen),
                options,
                noise=noise,
                step=jnp.zeros(()),
            )
            return weighted_sum(out.losses, 0.0), out.scales.returns

        grads, returns = jax.grad(loss, has_aux=True)(nets)
        change, moments = self.optimizer.update(grads, moments, nets)
        nets = jax.tree.map(jnp.add, nets, change)
        return nets, mix_slow(slow, nets[1], 0, self.config), returns, moments


KINDS = {"cell": "i4", "action": "i4", "reward": "f4", "is_first": "?", "is_last": "?"}


def main(steps: int, seed: int, overrides: dict[str, str]) -> None:
    config = resolve("gym:FrozenLake-v1", pictures=False, overrides=overrides)
    ice, rng = Ice.read(), np.random.default_rng(seed)
    learner, train = Learner(ice, config, seed), config.train
    every = max(1, round(train.batch * train.length / train.ratio))
    rows = {name: np.zeros(steps, kind) for name, kind in (KINDS | {"is_terminal": "?"}).items()}
    cell, age, reward, last, policy = 0, 0, 0.0, False, learner.policy()
    for step in range(steps):
        action = rng.choice(ACTIONS, p=policy[cell])
        flags = (age == 0, last, last and ice.over[cell])
        for name, value in zip(rows, (cell, action, reward, *flags), strict=True):
            rows[name][step] = value
        if last:
            cell, age, reward, last = 0, 0, 0.0, False
        else:
            cell, age = int(rng.choice(CELLS, p=ice.chance[cell, action])), age + 1
            reward, last = ice.reward[cell], bool(ice.over[cell] or age == LIMIT)
        if step >= PREFILL and step % every == 0:
            begin = rng.integers(0, step - train.length, (train.batch, 1))
            batch = {k: v[begin + np.arange(train.length)] for k, v in rows.items()}
            learner.update(batch, jax.random.fold_in(jax.random.key(seed), step))
            policy = learner.policy()
        if (step + 1) % 1000 == 0:
            mode = np.eye(ACTIONS)[policy.argmax(-1)]
            print(f"{step + 1:6} mode {ice.worth(mode):.3f} sample {ice.worth(policy):.3f}")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), dict(zip(sys.argv[3::2], sys.argv[4::2], strict=True)))
