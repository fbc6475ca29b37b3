"""The explorer: an actor and a critic of its own that seek what `config.explore` rewards.

It learns by the same losses as the task's actor and critic, from the same starts; only the reward
of its dreams is another one.
"""

import dataclasses
from typing import Any

import jax
from jaxtyping import Array, Float, PRNGKeyArray

from reverie.behavior.explorer import AbstractExplorer
from reverie.behavior.imagine import Imagined
from reverie.behavior.loss import RewardOf
from reverie.behavior.options import BehaviorConfig
from reverie.behavior.returns import RewardScale
from reverie.module import Module
from reverie.nn.heads import Actor, NumberHead
from reverie.nn.options import NetConfig
from reverie.world.model import WorldModel
from reverie.world.term import Shapes


class Explorer(Module):
    """The networks of exploration."""

    ensemble: Any  # what its reward is made of, a Module
    actor: Actor
    critic: NumberHead

    def __init__(
        self,
        shapes: Shapes,
        options: AbstractExplorer,
        behavior: BehaviorConfig,
        net: NetConfig,
        *,
        key: PRNGKeyArray,
    ):
        ensemble_key, actor_key, critic_key = jax.random.split(key, 3)
        self.ensemble = options.build(shapes, net, key=ensemble_key)
        width = shapes.feature
        self.actor = Actor(width, shapes.actions, behavior.actor, net, key=actor_key)
        self.critic = NumberHead(width, behavior.critic, net, key=critic_key)


class Memory(Module):
    """What the explorer's learning remembers from one update to the next."""

    slow_critic: NumberHead
    returns: Any  # what `behavior.scale` remembers
    rewards: RewardScale | None  # None: imagined rewards are not divided

    @classmethod
    def initial(cls, explorer: Explorer, behavior: BehaviorConfig) -> "Memory":
        return cls(explorer.critic, behavior.scale.initial(), RewardScale.wanted(behavior))


def explorer_behavior(behavior: BehaviorConfig, options: AbstractExplorer) -> BehaviorConfig:
    """The options of the explorer's actor and critic, where they differ from the task's."""
    return options.tuned(dataclasses.replace(behavior, replay_value=False))


def curious_reward(explorer: Explorer, options: AbstractExplorer) -> RewardOf:
    """The reward of the explorer's dreams."""

    def reward_of(world: WorldModel, dream: Imagined, *, through: bool) -> Float[Array, "k n"]:
        return options.reward(explorer.ensemble, world, dream, through=through)

    return reward_of
