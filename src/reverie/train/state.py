"""Everything that learns, and everything a checkpoint of the learner holds."""

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Int, PRNGKeyArray

from reverie.behavior.returns import ReturnRange
from reverie.config.schema import Config
from reverie.module import Module
from reverie.nn.heads import Actor, TwoHotHead
from reverie.records import Specs
from reverie.train.optim import make_optimizer
from reverie.world.balance import History, make_history
from reverie.world.model import WorldModel


class Agent(Module):
    """All parameters that gradients reach."""

    world: WorldModel
    actor: Actor
    critic: TwoHotHead

    def __init__(self, obs: Specs, actions: Specs, config: Config, *, key: PRNGKeyArray):
        world_key, actor_key, critic_key = jax.random.split(key, 3)
        width = config.rssm.deter + config.rssm.stoch * config.rssm.classes
        self.world = WorldModel(obs, actions, config, key=world_key)
        self.actor = Actor(width, actions, config.actor, key=actor_key)
        self.critic = TwoHotHead(width, config.critic, key=critic_key)


class TrainState(Module):
    """One seed's learner between two updates."""

    agent: Agent
    slow_critic: TwoHotHead
    slow_count: Int[Array, ""]  # updates seen by the slow critic's clock
    returns: ReturnRange
    opt_state: optax.OptState
    updates: Int[Array, ""]
    history: History | None = None  # of loss balancing


def init(obs: Specs, actions: Specs, config: Config, key: PRNGKeyArray) -> TrainState:
    """A fresh learner. Call it under `jit`: the slow critic then owns its buffers."""
    agent = Agent(obs, actions, config, key=key)
    zero = jnp.zeros((), jnp.int32)
    opt_state = make_optimizer(config.optim, config.balancing.lr).init(agent)
    history = make_history(obs, config)
    return TrainState(agent, agent.critic, zero, ReturnRange.initial(), opt_state, zero, history)
