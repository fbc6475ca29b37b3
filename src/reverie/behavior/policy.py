"""The arrow back to station 1: observations in, actions out."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, PRNGKeyArray

from reverie.module import Module, static
from reverie.nn.heads import Actor
from reverie.records import Spec, Specs
from reverie.world.actions import embed_action
from reverie.world.dynamics import Dynamics, State, feature
from reverie.world.encoder import Encoder
from reverie.world.model import WorldModel


class ActCarry(NamedTuple):
    """What acting remembers from one step to the next, for E environments."""

    state: State  # (E, …)
    action: dict[str, Array]  # the previous action, (E, components)


class ActNoise(NamedTuple):
    """Numbers that decide one step of acting."""

    post: Array  # (E, Z) uniform
    action: dict[str, Array]  # (E, components)


class Acting(Module):
    """The part of the agent that acts: encoder, dynamics, actor."""

    encoder: Encoder
    dynamics: Dynamics
    actor: Actor
    explorer: Actor | None  # the explorer's, where there is one
    actions: tuple[tuple[str, Spec], ...] = static()

    @classmethod
    def of(cls, world: WorldModel, actor: Actor, explorer: Actor | None = None) -> "Acting":
        return cls(world.encoder, world.dynamics, actor, explorer, world.actions)

    @property
    def dtype(self) -> jnp.dtype:
        """The compute dtype: that of the weights."""
        return self.dynamics.dtype

    def initial(self, envs: int) -> ActCarry:
        """The carry before the first observation."""
        return ActCarry(
            self.dynamics.initial(envs, self.dtype), zero_action(dict(self.actions), envs)
        )

    def noise(self, key: PRNGKeyArray, envs: int) -> ActNoise:
        post_key, action_key = jax.random.split(key)
        post = self.dynamics.noise(post_key, (envs,))
        return ActNoise(post, self.actor.noise(action_key, (envs,)))

    def __call__(
        self,
        carry: ActCarry,
        obs: dict[str, Array],
        is_first: Array,
        noise: ActNoise,
        *,
        greedy: bool = False,
        explore: bool = False,
    ) -> tuple[dict[str, Array], ActCarry]:
        """Actions (E, components) by key, and the next carry.

        Where `is_first` is set, the carry starts afresh. `greedy` takes the mode of the policy
        instead of a sample; the state is sampled either way. `explore` lets the explorer choose.
        """
        tokens = self.encoder(obs, self.dtype)[:, None]
        action = embed_action(carry.action, dict(self.actions))[:, None]
        state, _ = self.dynamics.observe(
            carry.state, tokens, action, is_first[:, None], noise.post[:, None]
        )
        state = jax.tree.map(lambda x: x[:, 0], state)
        chooser = self.explorer if explore else self.actor
        assert chooser is not None, "there is no explorer"
        policy = chooser(feature(self.dynamics.view(state)))
        chosen = policy.mode() if greedy else policy.sample(noise.action)
        return chosen, ActCarry(state, chosen)


def zero_action(specs: Specs, envs: int) -> dict[str, Array]:
    return {
        key: jnp.zeros((envs, spec.size), jnp.int32 if spec.kind == "discrete" else jnp.float32)
        for key, spec in sorted(specs.items())
    }
