"""Everything that learns, and everything a checkpoint of the learner holds."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int, PRNGKeyArray

from reverie.behavior.explore import Explorer, Memory
from reverie.behavior.returns import RewardScale
from reverie.config.schema import Config
from reverie.module import Module
from reverie.nn.heads import Actor, NumberHead
from reverie.records import Specs
from reverie.world.model import WorldModel, outline, shapes_of

EXPLORER = 1
"""Number that the explorer's key is folded with: the other networks draw as without one."""


class Agent(Module):
    """All parameters that gradients reach."""

    world: WorldModel
    actor: Actor
    critic: NumberHead
    explorer: Explorer | None

    def __init__(self, obs: Specs, actions: Specs, config: Config, *, key: PRNGKeyArray):
        world_key, actor_key, critic_key = jax.random.split(key, 3)
        width, net = sum(config.world.dynamics.widths), config.net
        self.world = WorldModel(obs, actions, config.world, net, key=world_key)
        self.actor = Actor(width, actions, config.behavior.actor, net, key=actor_key)
        self.critic = NumberHead(width, config.behavior.critic, net, key=critic_key)
        self.explorer = None
        if config.explore.active:
            explorer_key = jax.random.fold_in(key, EXPLORER)
            shapes = shapes_of(obs, actions, config.world, self.world.encoder.size)
            self.explorer = Explorer(shapes, config.explore, config.behavior, net, key=explorer_key)


class TrainState(Module):
    """One seed's learner between two updates."""

    agent: Agent
    slow_critic: NumberHead
    slow_count: Int[Array, ""]  # updates seen by the slow critic's clock
    returns: Any  # what `behavior.scale` remembers
    opt_state: Any  # optax.OptState, or one for each of `optim.GROUPS`
    updates: Int[Array, ""]
    history: Module | None = None  # of loss balancing
    memory: Memory | None = None  # of the explorer
    rewards: RewardScale | None = None  # None: imagined rewards are not divided


def init_optimizer(agent: Agent, config: Config) -> Any:
    """The state of the optimisers before the first update."""
    ordered = config.train.update == "ordered"
    return config.optim.init(agent, config.world.balance.sigma_lr, ordered=ordered)


def init(obs: Specs, actions: Specs, config: Config, key: PRNGKeyArray) -> TrainState:
    """A fresh learner. Call it under `jit`: the slow critic then owns its buffers."""
    agent = Agent(obs, actions, config, key=key)
    zero = jnp.zeros((), jnp.int32)
    return TrainState(
        agent=agent,
        slow_critic=agent.critic,
        slow_count=zero,
        returns=config.behavior.scale.initial(),
        opt_state=init_optimizer(agent, config),
        updates=zero,
        history=config.world.balance.history(outline(obs, actions, config.world)),
        memory=None if agent.explorer is None else Memory.initial(agent.explorer, config.behavior),
        rewards=RewardScale.wanted(config.behavior),
    )
